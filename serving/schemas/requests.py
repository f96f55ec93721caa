"""What may be asked, derived from routes and columns: no unknown fields, no NaN, no infinities."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, create_model, model_validator
from pydantic_core import PydanticCustomError

from feature_repo.column import Field as Declared
from feature_repo.column import View
from feature_repo.entities import Entity
from serving.limits import LIMITS
from training.route import Route

Id = Annotated[
    str, StringConstraints(strict=True, min_length=1, max_length=LIMITS.id_length, pattern=r"^[^\x00-\x1f\x7f]+$")
]
Text = Annotated[str, StringConstraints(strict=True, max_length=LIMITS.text_length, pattern=r"^[^\x00]*$")]


def _distinct(ids: list[str]) -> list[str]:
    if len(set(ids)) < len(ids):
        raise PydanticCustomError("distinct", "name each one once")
    return ids


Items = Annotated[
    list[Id],
    Field(min_length=1, max_length=LIMITS.candidates, json_schema_extra={"uniqueItems": True}),
    AfterValidator(_distinct),
]
Limit = Annotated[int, Field(strict=True, ge=1, le=LIMITS.answers)]
EXPLAIN: tuple[Any, Any] = (Annotated[bool, Field(strict=True)], Field(True, description="Name the strongest factors"))
Finite = Annotated[float, Field(strict=True, allow_inf_nan=False)]
KINDS: dict[Any, Any] = {
    str: Text,
    float: Finite,
    int: Annotated[int, Field(strict=True, ge=-(2**53), le=2**53)],
    bool: Annotated[bool, Field(strict=True)],
    datetime: datetime,
    list[str]: Annotated[list[Text], Field(max_length=LIMITS.list_length)],
    list[float]: Annotated[list[Finite], Field(max_length=LIMITS.list_length)],
}


class Strict(BaseModel):
    """A request or a part of one."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def exactly_one(*ways: Mapping[str, str]) -> dict[str, Any]:
    """The part of a JSON schema that says: a request fills in the fields of one of these ways, and no other's.

    A way: its fields' names and JSON types. A field that is null counts as not filled in.
    """
    names = list(dict.fromkeys(name for way in ways for name in way))
    filled = [
        {"required": list(way), "properties": {name: {"type": way.get(name, "null")} for name in names}} for way in ways
    ]
    return {"oneOf": filled}


def model(name: str, base: type[BaseModel], text: str, **fields: Any) -> type[BaseModel]:
    """A schema of that name with these fields (type and default), described in words."""
    made: type[BaseModel] = create_model(name, __base__=base, __doc__=text, **fields)
    return made


def request_model(name: str, route: Route, given: Mapping[str, type[BaseModel]]) -> type[BaseModel]:
    """The request of a route. name: its schema's first part. given: the models of given_models."""
    return _ranking_request(name, route, given) if route.items else _estimate_request(name, route, given)


def batch_model(name: str, request: type[BaseModel]) -> type[BaseModel]:
    """Many requests in one."""
    many = Annotated[list[request], Field(min_length=1, max_length=LIMITS.answers)]  # type: ignore[valid-type]
    return model(f"{name}Batch", Strict, "Many requests in one.", requests=(many, ...))


def given_models(routes: Sequence[Route]) -> dict[str, type[BaseModel]]:
    """A model for each view whose columns a request may give, by the view's name."""
    return {view.name: given_model(view) for view in dict.fromkeys(route.given for route in routes) if view}


def given_model(view: View) -> type[BaseModel]:
    """A thing given by its columns. A column that the view's rows may lack is optional."""
    fields: dict[str, Any] = {column.name: _declared(column) for column in view.columns}
    return model(view.name.capitalize(), Strict, f"A {view.name} that is not stored yet.", **fields)


def _declared(column: Declared) -> tuple[Any, Any]:
    """A declared field as pydantic's type and default: its range, allowed values, description and unit."""
    kind: Any = Literal[column.allowed] if column.allowed else KINDS[column.dtype]
    text = f"{column.description} Unit: {column.unit}." if column.unit else column.description
    ranged: Any = Annotated[kind, Field(ge=column.minimum, le=column.maximum)]
    if column.nulls:
        return ranged | None, Field(None, description=text)
    return ranged, Field(description=text)


def noun(entity: Entity) -> str:
    """What the entity is called, after its key: a skill is one, whether it is taught or asked for."""
    return entity.key.removesuffix("_id")


def camel(name: str) -> str:
    """talent_job_match as TalentJobMatch."""
    return "".join(part.capitalize() for part in name.replace("-", "_").split("_"))


def _subject_fields(route: Route, given: Mapping[str, Any]) -> dict[str, Any]:
    """An id for each subject; the last one may be given by its columns instead."""
    fields: dict[str, Any] = {}
    for entity in route.subject:
        is_open = entity.key in route.optional or (route.given is not None and entity == route.subject[-1])
        text = f"Which {noun(entity)}" if not is_open else f"A stored {noun(entity)}"
        fields[entity.key] = (Id | None, Field(None, description=text)) if is_open else (Id, Field(description=text))
    if route.given is not None:
        text = f"A {route.given.name} that is not stored yet, by its columns"
        fields[route.given.name] = (given[route.given.name] | None, Field(None, description=text))
    return fields


def _one_subject(route: Route) -> type[BaseModel]:
    """The base of a request whose last subject is either stored or given."""
    if route.given is None:
        return Strict
    stored, thing = route.subject[-1], route.given.name
    message = f"give either {stored.key}, or {thing} with the columns of a {thing} that is not stored yet"

    class OneSubject(Strict):
        """A request about one thing, stored or given."""

        model_config = ConfigDict(json_schema_extra=exactly_one({stored.key: "string"}, {thing: "object"}))

        @model_validator(mode="after")
        def _one(self) -> Self:
            named = getattr(self, stored.key, None) is not None
            if named == (getattr(self, thing, None) is not None):
                raise PydanticCustomError("one_subject", message)
            return self

    return OneSubject


def _ranking_request(name: str, route: Route, given: Mapping[str, type[BaseModel]]) -> type[BaseModel]:
    assert route.items is not None
    fields = _subject_fields(route, given)
    if route.named:
        text = f"Which to rank, by {route.items.key}; where none are named, those that come into question"
        fields[route.named] = (Items | None, Field(None, description=text))
    fields |= {option.name: _declared(option) for option in route.options}
    fields["limit"] = (Limit, Field(route.limit, description="How many to answer with"))
    return model(f"{name}Request", _one_subject(route), route.title, **fields, explain=EXPLAIN)


def _estimate_request(name: str, route: Route, given: Mapping[str, type[BaseModel]]) -> type[BaseModel]:
    fields = _subject_fields(route, given)
    options: dict[str, Any] = {option.name: _declared(option) for option in route.options}
    if len(route.subject) == 1 and route.given is None:
        return model(f"{name}Request", Strict, route.title, **fields, **options, explain=EXPLAIN)
    pair = model(f"{name}Pair", _one_subject(route), _together(route.subject), **fields)
    pairs = Annotated[list[pair], Field(min_length=1, max_length=LIMITS.answers)]  # type: ignore[valid-type]
    either = {key: (kind | None, Field(None, description=about.description)) for key, (kind, about) in fields.items()}
    text = f"Many at once, instead of {', '.join(fields)}"
    return model(
        f"{name}Request",
        _one_or_pairs(route),
        route.title,
        **either,
        pairs=(pairs | None, Field(None, description=text)),
        **options,
        explain=EXPLAIN,
    )


def _together(subject: Sequence[Entity]) -> str:
    return f"A {' and a '.join(map(noun, subject))}."


def _one_or_pairs(route: Route) -> type[BaseModel]:
    """The base of a request that holds either one subject or pairs."""
    *others, last = (entity.key for entity in route.subject)
    thing = route.given.name if route.given else last
    either = f"either {last} or {thing}" if route.given else last
    message = f"give either pairs, or {' and '.join((*others, either))}"

    named = dict.fromkeys(others, "string")
    ones = [{**named, last: "string"}, *([{**named, thing: "object"}] if route.given else [])]

    class OneOrPairs(Strict):
        """Either one subject, or pairs."""

        model_config = ConfigDict(json_schema_extra=exactly_one(*ones, {"pairs": "array"}))

        @model_validator(mode="after")
        def _one_or_pairs(self) -> Self:
            held = {name for name in (*others, last, thing, "pairs") if getattr(self, name, None) is not None}
            if held not in ({*others, last}, {*others, thing}, {"pairs"}):
                raise PydanticCustomError("one_or_pairs", message)
            return self

    return OneOrPairs


def pairs_of(request: Any) -> Sequence[Any]:
    """The subjects of an estimate's request."""
    found: Sequence[Any] | None = getattr(request, "pairs", None)
    return found if found is not None else [request]
