"""Texts as vectors, for the views that hold them: computed once in ingest, repeated texts from the cache."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from feature_repo.errors import DataError

Encode = Callable[[Sequence[str]], NDArray[np.float32]]
"""Texts to unit vectors, shape (texts, width)."""

TEXTS: Mapping[str, tuple[str, str, str]] = {
    "talent_vectors": ("talents", "person_id", "headline"),
    "posting_vectors": ("postings", "job_id", "text"),
    "content_vectors": ("contents", "content_id", "text"),
    "occupation_vectors": ("occupations", "occupation_id", "text"),
}
"""The table of vectors of a stream's text: name to (stream, key, field)."""


def no_encoder(texts: Sequence[str]) -> NDArray[np.float32]:
    """For streams without texts. Raises DataError when there is one."""
    raise DataError(f"{len(texts)} texts to encode, such as {texts[0][:40]!r}, and no encoder; see home_encode")


def home_encode(home: Path, model: Path | None = None) -> Encode:
    """An encoder whose graph and cache lie under a home; nothing is opened before there is a text.

    model: a folder with the weights; None for the packaged all-MiniLM-L6-v2.
    """

    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        from feature_repo.embedding import EmbeddingCache, open_encoder

        folder = home / "embedding"
        return EmbeddingCache(folder, open_encoder(folder, model, threads=2)).encode(texts)

    return encode


def vectors(streams: Mapping[str, Path], encode: Encode) -> dict[str, pl.DataFrame]:
    """By table: key, recorded_at and vector (list of float64), a row for each version of a row that has a text."""
    return {
        table: _encoded(pl.read_parquet(streams[stream], columns=[key, "recorded_at", text]), text, encode)
        for table, (stream, key, text) in TEXTS.items()
        if stream in streams
    }


def _encoded(rows: pl.DataFrame, text: str, encode: Encode) -> pl.DataFrame:
    rows = rows.drop_nulls(text)
    distinct = rows[text].unique(maintain_order=True)
    if not len(distinct):
        return rows.drop(text).with_columns(vector=pl.lit(None, pl.List(pl.Float64)))
    found = np.asarray(encode(distinct.to_list()), dtype=np.float64)
    known = pl.DataFrame(
        {text: distinct, "vector": found}, schema_overrides={"vector": pl.Array(pl.Float64, found.shape[1])}
    )
    known = known.with_columns(pl.col("vector").arr.to_list())
    return rows.join(known, on=text, how="left", maintain_order="left").drop(text)
