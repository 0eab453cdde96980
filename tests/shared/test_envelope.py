"""An event as it is written down: its id, its headers, its hash, its place in a chain."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.rectification.events import ProgressReported
from shared.decider import PersonId
from shared.envelope import GENESIS, Draft, Provenance, Record, Subject, draft, event_hash

NOON = datetime(2026, 9, 1, 12, 0, 0, 1, tzinfo=UTC)
PLACE = Subject("s1", "rectification", "issue", "i-1")


def written(text: str = "好", command: int = 1, previous: str = GENESIS, version: int = 1) -> Draft:
    provenance = Provenance(
        PersonId("p1"), NOON, NOON, UUID(int=command), "ab" * 32, UUID(int=command)
    )
    return draft(PLACE, ProgressReported(text=text), provenance, version=version, previous=previous)


def record(new: Draft) -> Record:
    return Record(7, new.subject, new.headers, new.body)


def test_what_was_written_can_be_read_back() -> None:
    read = record(written())

    assert read.event == ProgressReported(text="好")
    assert (read.school, read.service, read.category, read.stream) == (
        "s1", "rectification", "issue", "i-1",
    )  # fmt: skip
    assert (read.at, read.actor, read.version, read.previous) == (NOON, "p1", 1, GENESIS)
    assert read.intact()


def test_the_same_command_gives_the_same_event_whatever_it_says() -> None:
    assert written("好").id == written("坏").id


def test_another_command_gives_another_event() -> None:
    assert written(command=1).id != written(command=2).id


def test_the_hash_does_not_depend_on_the_order_of_headers_or_on_the_brokers_own() -> None:
    new = written()
    shuffled = dict(reversed(list(new.headers.items())))
    shuffled |= {"Nats-Msg-Id": "x", "traceparent": "y"}

    assert event_hash(new.subject, shuffled, new.body) == new.hash


def test_the_hash_names_the_event_before_it() -> None:
    assert written(previous="1" * 64).hash != written(previous="2" * 64).hash


@given(position=st.integers(min_value=0), flip=st.integers(1, 255))
def test_one_changed_byte_of_the_body_is_found(position: int, flip: int) -> None:
    new = written("食堂的菜是凉的")
    body = bytearray(new.body)
    body[position % len(body)] ^= flip

    assert not Record(7, new.subject, new.headers, bytes(body)).intact()


HASHED = sorted(n for n in written().headers if n.startswith("ce-") and n != "ce-eventhash")


@given(name=st.sampled_from(HASHED), text=st.text(st.characters(codec="ascii"), max_size=20))
def test_one_changed_header_is_found(name: str, text: str) -> None:
    new = written()
    headers = {**new.headers, name: new.headers[name] + text}

    assert Record(7, new.subject, headers, new.body).intact() == (text == "")


@pytest.mark.parametrize("name", HASHED)
def test_a_missing_header_is_found(name: str) -> None:
    new = written()
    headers = {n: v for n, v in new.headers.items() if n != name}

    assert event_hash(new.subject, headers, new.body) != new.hash


def test_parts_cannot_be_moved_into_one_another() -> None:
    one = event_hash("s", {"ce-a": "bc"}, b"d")

    assert one != event_hash("s", {"ce-a": "b"}, b"cd")
    assert one != event_hash("s", {"ce-ab": "c"}, b"d")
    assert one != event_hash("sc", {"ce-a": "b"}, b"d")


def test_an_event_on_another_subject_has_another_hash() -> None:
    new = written()
    elsewhere = str(Subject("s1", "rectification", "issue", "i-2"))

    assert event_hash(elsewhere, new.headers, new.body) != new.hash


@pytest.mark.parametrize("subject", ["evt.s1.campaign.issue.i-1", "evt.s1.rectification.plan.i-1"])
def test_what_names_a_type_of_other_streams_has_none(subject: str) -> None:
    new = written()

    assert Record(7, subject, new.headers, new.body).type == ""
    assert Record(7, new.subject, {}, new.body).type == ""
