"""Rows in a stream's own fields into the source that it reads: for seeds that have no tables of their own."""

import polars as pl

from feature_repo.seed import writers
from feature_repo.seed.pattern import pattern
from feature_repo.settings import Settings
from feature_repo.sources.schema import NODE_KEYS
from feature_repo.sources.stream import Stream


def write_stream(settings: Settings, stream: Stream, frame: pl.DataFrame) -> int:
    """Upsert rows by the stream's key into its store, whose schema is there; returns their number.

    frame: columns are fields of the stream, all or those that are known, the key among them. The same rows again
    change nothing. Nodes that a relationship names and that are missing are made, with nothing but their key.
    Raises SourceError where the source cannot be written.
    """
    if stream.store == "neo4j":
        return _write_graph(settings, stream, frame)
    named = frame.rename({name: stream.path(name) for name in frame.columns})
    if stream.store == "mysql":
        return writers.write_table(settings, stream.origin, named)
    return writers.write_documents(settings, stream.origin, named, [stream.path(name) for name in stream.key])


def _write_graph(settings: Settings, stream: Stream, frame: pl.DataFrame) -> int:
    found = pattern(stream)
    named = frame.rename({name: found.columns[name] for name in frame.columns})
    if found.label is not None:
        return writers.write_nodes(settings, found.label, named)
    assert found.relation is not None, f"{stream.name}: neither nodes nor a relationship"
    for label, side in ((found.relation.start, "start"), (found.relation.end, "end")):
        keys = named[side].unique(maintain_order=True)
        writers.write_nodes(settings, label, keys.alias(NODE_KEYS[label]).to_frame())
    return writers.write_relations(settings, found.relation, named)
