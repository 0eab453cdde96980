"""What a field means to privacy: said in the model, applied by `shared/privacy.py`. Pure.

A marked field is encrypted before anything is hashed or decided, so state, snapshots and views only
ever hold opaque *tokens*. Two equal texts of one scope and field give equal tokens (the nonce is a
keyed hash of the text), which is all a rule may rely on.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, get_args, get_origin

from pydantic import AfterValidator, BaseModel, Field, StringConstraints
from pydantic.fields import FieldInfo

TOKEN_PREFIX = "~1~"  # noqa: S105 -- the first characters of a sealed text, not a secret
MAX_TEXT = 20_000  # characters

_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True)
class Sealed:
    """Free text: encrypted with a key of its own stream.

    `part` names a second key of the same stream for what must be erasable alone (an originator's
    name and contact, apart from what they said).
    """

    part: str = ""


@dataclass(frozen=True)
class Personal:
    """Says something about a person: encrypted with that person's key.

    `subject` names the sibling field that holds the person's id, or `self` where the stream is the
    person.
    """

    subject: str = "self"


@dataclass(frozen=True)
class SetByRuntime:
    """Never accepted from a sender: the runtime fills it in."""


@dataclass(frozen=True)
class BlindIndex(SetByRuntime):
    """HMAC-SHA256 under the school's index key, so equals can be found: 64 hex digits.

    Of one sibling field, stripped and casefolded; or of several, exactly as given. `kind` keeps
    indexes apart; it is the field's name where none is given.
    """

    of: str | tuple[str, ...]
    kind: str = ""


@dataclass(frozen=True)
class Salt(SetByRuntime):
    """A salt for the sibling field `of`: 32 hex digits, itself to be sealed."""

    of: str


@dataclass(frozen=True)
class SaltedHash(SetByRuntime):
    """SHA-256(salt ‖ text) of the sibling field `of`, 64 hex digits."""

    of: str


@dataclass(frozen=True)
class Length(SetByRuntime):
    """The number of characters of the sibling field `of`; 0 where nothing was said."""

    of: str


@dataclass(frozen=True)
class Occurred:
    """When something happened in the world: may be long ago, may not be in the future."""


def _speakable(text: str) -> str:
    if not text.strip() or all(unicodedata.category(c) in {"Cf", "Zs"} for c in text.strip()):
        msg = "must not be blank"
        raise ValueError(msg)
    if _UNPRINTABLE.search(text):
        msg = "must not contain control characters or lone surrogates"
        raise ValueError(msg)
    return text


def _one_line(text: str) -> str:
    if "\n" in text or "\r" in text:
        msg = "must be one line"
        raise ValueError(msg)
    return _speakable(text)


type Text = Annotated[str, Sealed()]
"""A sealed text as events, states and views hold it."""

Prose = Annotated[
    str, Sealed(), Field(min_length=1, max_length=MAX_TEXT), AfterValidator(_speakable)
]
"""What a command asks for: 1–20,000 characters, not blank, kept exactly as given."""

Line = Annotated[str, Sealed(), Field(min_length=1, max_length=200), AfterValidator(_one_line)]
"""A title or a short name: one line of 1–200 characters, not blank, kept exactly as given."""

PlainLine = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_one_line)]
"""The constraints of a line without its mark, for fields that carry another one."""

Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,36}$")]
"""A token of a subject: `[a-z0-9-]{1,36}`."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A SHA-256 digest, 64 lower-case hex digits."""


_TOKEN = re.compile(r"~1~[a-z0-9._-]+~[a-z0-9._-]+~[A-Za-z0-9_-]+")


def is_token(value: object) -> bool:
    """Whether a value is a sealed text."""
    return (
        isinstance(value, str) and value.startswith(TOKEN_PREFIX) and bool(_TOKEN.fullmatch(value))
    )


def _unfold(annotation: Any) -> tuple[Any, tuple[object, ...]]:  # noqa: ANN401 -- any annotation at all
    """Strip aliases, `Annotated` and `| None`; give the bare type and the metadata seen on the way."""
    metadata: tuple[object, ...] = ()
    while True:
        if hasattr(annotation, "__value__"):
            annotation = annotation.__value__
        elif get_origin(annotation) is Annotated:
            annotation, *more = get_args(annotation)
            metadata += tuple(more)
        elif type(None) in get_args(annotation):
            rest = [a for a in get_args(annotation) if a is not type(None)]
            if len(rest) != 1:
                return annotation, metadata
            annotation = rest[0]
        else:
            return annotation, metadata


def marks_of(field: FieldInfo) -> tuple[object, ...]:
    """Every mark on a field, through aliases and optional types."""
    return (*field.metadata, *_unfold(field.annotation)[1])


@cache
def fields_marked[M](model: type[BaseModel], kind: type[M]) -> dict[str, M]:
    """The fields of a model that carry a mark of that kind, with the mark."""
    found = {name: mark(field, kind) for name, field in model.model_fields.items()}
    return {name: m for name, m in found.items() if m is not None}


def mark[M](field: FieldInfo, kind: type[M]) -> M | None:
    """The mark of that kind on a field, if it has one."""
    return next((m for m in marks_of(field) if isinstance(m, kind)), None)


@cache
def marked(model: type[BaseModel]) -> dict[str, object]:
    """Per field of a model what has to be done: a `Sealed` or `Personal` mark, or a nested model.

    A tuple or list of marked texts or of models counts like the thing itself.
    """
    plan: dict[str, object] = {}
    for name, field in model.model_fields.items():
        bare, metadata = _unfold(field.annotation)
        found = [m for m in (*field.metadata, *metadata) if isinstance(m, Sealed | Personal)]
        if get_origin(bare) in {tuple, list, frozenset}:
            bare, inner = _unfold(get_args(bare)[0])
            found += [m for m in inner if isinstance(m, Sealed | Personal)]
        if found:
            plan[name] = found[0]
        elif isinstance(bare, type) and issubclass(bare, BaseModel) and marked(bare):
            plan[name] = bare
    return plan


def transform[M: BaseModel](model: M, seal: Callable[[object, M | BaseModel, str, str], str]) -> M:
    """Copy a model with every marked text replaced by `seal(mark, owner, field, text)`.

    `owner` is the innermost model that holds the field: a `Personal` mark names one of its fields.
    """
    changes: dict[str, object] = {}
    for name, what in marked(type(model)).items():
        value = getattr(model, name)
        if value is not None:
            changes[name] = _transformed(value, what, model, name, seal)
    return model.model_copy(update=changes) if changes else model


def _transformed(value: Any, what: object, owner: Any, name: str, seal: Any) -> Any:  # noqa: ANN401 -- walks any model
    if isinstance(value, tuple | list):
        return type(value)(_transformed(v, what, owner, name, seal) for v in value)
    return (
        transform(value, seal) if isinstance(value, BaseModel) else seal(what, owner, name, value)
    )


def tokens(tree: object) -> Iterator[str]:
    """Yield every token anywhere in a JSON-like tree."""
    if is_token(tree):
        yield str(tree)
    elif isinstance(tree, dict):
        for value in tree.values():
            yield from tokens(value)
    elif isinstance(tree, list | tuple):
        for value in tree:
            yield from tokens(value)
