"""Schemas of stored events: published, and never changed so that one already stored would be lost."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from shared.decider import Event

type Schema = Mapping[str, Any]

SILENT = frozenset({"title", "description", "examples", "$defs", "$schema", "$id", "$ref"})
"""What may change freely: it says nothing about a stored event."""
UPPER = frozenset({"maximum", "exclusiveMaximum", "maxLength", "maxItems"})
LOWER = frozenset({"minimum", "exclusiveMinimum", "minLength", "minItems"})
FOLLOWED = frozenset({"properties", "required", "enum", "const", "anyOf", "oneOf", "items",
                      "prefixItems", "additionalProperties"})  # fmt: skip
"""Keywords with a rule of their own."""
ABSENT: Final = object()


def schema_of(event: type[Event]) -> dict[str, Any]:
    """The JSON Schema (2020-12) that every stored event of a TYPE satisfies; `ce-dataschema` is its `$id`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"/schemas/{event.TYPE}.json",
        **event.model_json_schema(),
    }


def schemas_of(service: str) -> dict[str, dict[str, Any]]:
    """The schemas of all events of a service by TYPE."""
    mine = sorted(type_ for type_ in Event.known if type_.startswith(f"{service}."))
    return {type_: schema_of(Event.known[type_]) for type_ in mine}


def lost(then: Mapping[str, Schema], now: Mapping[str, Schema]) -> list[str]:
    """What publishing some schemas in the place of others would lose; a TYPE is published for ever."""
    return [
        f"{type_}: {line}"
        for type_ in sorted(then)
        for line in (incompatible(then[type_], now[type_]) if type_ in now else ["gone"])
    ]


def incompatible(then: Schema, now: Schema) -> list[str]:
    """What would become of events stored under a schema if it were changed to another: a line per loss.

    May be added: optional fields, values of an enumeration, alternatives; limits may widen. Anything
    else needs a new version of the event.
    """
    return sorted(set(_Comparison(then, now).lines(then, now, "event")))


class _Comparison:
    """Two schemas and the references that were followed already."""

    def __init__(self, then: Schema, now: Schema, met: Iterable[tuple[str, str]] = ()) -> None:
        """`met` are the pairs of references on the way here: what refers to itself is met again."""
        self._then, self._now = then.get("$defs", {}), now.get("$defs", {})
        self._met = {*met}

    def lines(self, then: Schema, now: Schema, where: str) -> Iterator[str]:
        """Every loss at a place and below it."""
        names = then.get("$ref", ""), now.get("$ref", "")
        if any(names):
            if names in self._met:
                return
            self._met.add(names)
        then, now = _resolved(then, self._then), _resolved(now, self._now)
        yield from self._values(then, now, where)
        yield from self._alternatives(then, now, where)
        yield from self._fields(then, now, where)
        for part in ("items", "additionalProperties"):
            if isinstance(then.get(part), Mapping) and isinstance(now.get(part), Mapping):
                yield from self.lines(then[part], now[part], f"{where}[]")
            elif then.get(part) != now.get(part):
                yield f"{where}: {part} changed"
        for n, (old, new) in enumerate(
            zip(then.get("prefixItems", ()), now.get("prefixItems", ()), strict=False)
        ):
            yield from self.lines(old, new, f"{where}[{n}]")
        if len(then.get("prefixItems", ())) != len(now.get("prefixItems", ())):
            yield f"{where}: prefixItems changed"
        for word in sorted((then.keys() | now.keys()) - SILENT - FOLLOWED):
            if not _survives(word, then.get(word, ABSENT), now.get(word, ABSENT)):
                yield f"{where}: {word} changed"

    def _values(self, then: Schema, now: Schema, where: str) -> Iterator[str]:
        allowed, still = _choices(then), _choices(now)
        if still is not None and (allowed is None or not set(allowed) <= set(still)):
            gone = "any" if allowed is None else ", ".join(sorted({*allowed} - {*still}))
            yield f"{where}: no longer allows {gone}"

    def _alternatives(self, then: Schema, now: Schema, where: str) -> Iterator[str]:
        for word in ("anyOf", "oneOf"):
            if word not in then and word not in now:
                continue
            new = now.get(word, [_bare(now)])
            for old in then.get(word, [_bare(then)]):
                if not any(not self._lost(old, one, where) for one in new):
                    yield f"{where}: an alternative is gone"

    def _lost(self, old: Schema, new: Schema, where: str) -> list[str]:
        trial = _Comparison({"$defs": self._then}, {"$defs": self._now}, self._met)
        return [*trial.lines(old, new, where)]

    def _fields(self, then: Schema, now: Schema, where: str) -> Iterator[str]:
        old, new = then.get("properties", {}), now.get("properties", {})
        for name in old:
            if name not in new:
                yield f"{where}.{name}: gone"
            else:
                yield from self.lines(old[name], new[name], f"{where}.{name}")
        for name in sorted({*now.get("required", ())} - {*then.get("required", ())}):
            yield f"{where}.{name}: now required"


def _resolved(schema: Schema, definitions: Schema) -> Schema:
    name = schema.get("$ref", "").rpartition("/")[2]
    return {**definitions[name], **schema} if name else schema


def _bare(schema: Schema) -> Schema:
    return {word: said for word, said in schema.items() if word != "default"}


def _choices(schema: Schema) -> list[str] | None:
    """The closed list of values, if there is one."""
    if "const" in schema:
        return [str(schema["const"])]
    return [str(one) for one in schema["enum"]] if "enum" in schema else None


def _survives(word: str, then: Any, now: Any) -> bool:  # noqa: ANN401 -- whatever a keyword has
    """Whether what a keyword said of stored events still holds."""
    if then == now:
        return True
    if word == "default":
        return then is ABSENT
    if now is ABSENT:
        return True
    if then is ABSENT:
        return False
    return (word in UPPER and now > then) or (word in LOWER and now < then)
