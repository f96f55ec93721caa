"""What a graph stream's origin says: a label of nodes, or a relationship between two labels."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from feature_repo.seed.writers import Relation
from feature_repo.sources.stream import Stream

NODE = re.compile(r"\((\w+):(\w+)\)")
ARROW = re.compile(r"-\[(\w+):(\w+)\]->")


@dataclass(frozen=True)
class Pattern:
    """label: of a stream of nodes. relation: of a stream of relationships. columns: the frame's column of each field.

    A relationship's ends are the columns `start` and `end`, as writers take them.
    """

    label: str | None
    relation: Relation | None
    columns: Mapping[str, str]


def pattern(stream: Stream) -> Pattern:
    """The pattern of a Neo4j stream, such as (u:User)-[r:HAS_SKILL]->(s:Skill) or (s:Skill)."""
    nodes, arrow = NODE.findall(stream.origin), ARROW.search(stream.origin)
    paths = {name: stream.path(name).split(".") for name in stream.names}
    if arrow is None:
        [(_, label)] = nodes
        return Pattern(label, None, {name: column for name, (_, column) in paths.items()})
    (start, start_label), (end, end_label) = nodes
    ends = {start: "start", end: "end"}
    columns = {name: ends.get(variable, column) for name, (variable, column) in paths.items()}
    return Pattern(None, Relation(start_label, arrow.group(2), end_label), columns)
