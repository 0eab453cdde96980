"""Marks: which texts of a model are sealed, wherever they stand."""

from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from services.stack import SERVICES
from shared.decider import Event
from shared.marks import (
    MAX_TEXT,
    Id,
    Line,
    Personal,
    PlainLine,
    Prose,
    Sealed,
    Text,
    marked,
    tokens,
    transform,
)


class Inner(BaseModel):
    model_config = ConfigDict(frozen=True)
    who: str
    name: Annotated[str, Personal("who")]
    code: str


class Outer(BaseModel):
    model_config = ConfigDict(frozen=True)
    title: Line
    remark: Prose | None = None
    contact: Annotated[PlainLine | None, Sealed(part="originator")] = None
    inner: Inner | None = None
    many: tuple[Inner, ...] = ()
    lines: tuple[Text, ...] = ()
    number: int = 1


def test_every_marked_text_is_found_wherever_it_stands() -> None:
    outer = Outer(
        title="t",
        remark="r",
        contact="c",
        inner=Inner(who="p1", name="a", code="x"),
        many=(Inner(who="p2", name="b", code="y"),),
        lines=("l1", "l2"),
    )
    seen: list[tuple[object, str]] = []

    def note(mark: object, owner: object, field: str, text: str) -> str:
        subject = getattr(owner, mark.subject) if isinstance(mark, Personal) else ""
        seen.append((mark, f"{field} {subject} {text}".strip()))
        return text.upper()

    sealed = transform(outer, note)

    assert sealed == Outer.model_construct(
        title="T",
        remark="R",
        contact="C",
        inner=Inner(who="p1", name="A", code="x"),
        many=(Inner(who="p2", name="B", code="y"),),
        lines=("L1", "L2"),
        number=1,
    )
    assert (Sealed("originator"), "contact  c") in seen
    assert (Personal("who"), "name p2 b") in seen


def test_what_is_missing_stays_missing() -> None:
    sealed = transform(Outer(title="t"), lambda *_: "!")

    assert (sealed.remark, sealed.inner, sealed.many) == (None, None, ())


EVENTS = [
    event
    for service in SERVICES
    for stream in service.streams
    for event in stream.decider.members(stream.decider.events)
]
PLAIN = {"campaign.school.enrolled.v1": {"zone", "language"}}
CODES = {
    "account", "campaign", "cause", "code", "collation", "compiler", "department", "deputy",
    "follows_on", "former", "into", "issue", "issuer", "key", "language", "media_type", "member",
    "number_index", "objector", "opinion", "originator", "owner", "parent", "person", "branch",
    "raised_by", "setting", "sha256", "solicitation", "submitted_by", "target", "value",
    "verbatim_sha256", "verifier", "zone", "reviewer", "accountable_leader", "unit", "id",
    "responsible_department", "collator", "drafted_by", "opened_by", "entered_by", "recorded_by",
    "code_hash", "event", "item", "meeting", "period", "pupil", "record", "reports_on", "request",
    "rule", "talk",
}  # fmt: skip
"""Fields of events that hold a code, an id or a hash: nothing anybody wrote in their own words."""


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.TYPE)
def test_no_event_keeps_a_persons_words_in_clear(event: type[Event]) -> None:
    plain = {
        name
        for name, field in event.model_fields.items()
        if name not in marked(event) and "str" in str(field.annotation) and "Enum" not in str(field)
        and field.annotation in {str, str | None}
    }  # fmt: skip

    assert plain <= CODES


LINE, PROSE, ID = TypeAdapter(Line), TypeAdapter(Prose), TypeAdapter(Id)


@pytest.mark.parametrize(
    "text",
    ["", "  ", "\t\n", "\u200b", "\u3000", "a\x00b", "a\x1bb", "a\x85b", "x" * (MAX_TEXT + 1)],
)
def test_what_is_no_text_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        PROSE.validate_python(text)


@given(
    st.text(st.characters(exclude_categories=["Cc", "Cs", "Cf", "Zs"]), min_size=1, max_size=200)
)
def test_a_text_is_kept_exactly_as_given(text: str) -> None:
    if text.strip():
        assert PROSE.validate_python(f"\t {text}\r\n") == f"\t {text}\r\n"


@pytest.mark.parametrize("text", ["a\nb", "a\rb", "", "x" * 201])
def test_a_line_is_one_line_of_at_most_two_hundred_characters(text: str) -> None:
    with pytest.raises(ValidationError):
        LINE.validate_python(text)


@pytest.mark.parametrize("text", ["", "A", "a.b", "a*", "a>b", "a b", "a/b", "é", "x" * 37, "a\n"])
def test_an_id_is_one_token_of_a_subject(text: str) -> None:
    with pytest.raises(ValidationError):
        ID.validate_python(text)


def test_tokens_are_found_anywhere_in_a_tree() -> None:
    tree = {"a": "~1~s~l~x", "b": ["~1~s~l~y", {"c": "plain"}], "d": 1}

    assert set(tokens(tree)) == {"~1~s~l~x", "~1~s~l~y"}
