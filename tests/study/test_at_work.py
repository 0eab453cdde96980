"""Commands through the runtime: what is sealed, what is unique, what is found on opened texts only."""

from typing import Any
from uuid import UUID, uuid5

import pytest

from services.study import queries as q
from services.study.app import service
from services.study.domain.activity import NotAPositiveAmount
from services.study.domain.tie import AlreadyTied
from shared.decider import Command, PersonId, kebab, wire
from shared.marks import is_token
from shared.privacy import SEALED
from shared.runtime import Reply, Taken
from tests import memory
from tests.memory import TOWN, Works
from tests.study import test_activity, test_gap, test_reading, test_reflection, test_tie
from tests.study.cast import CADRE, LEADER, MEMBER, NOON, OFFICER, SCHOOL, STRANGER, TEACHER
from tests.study.memory import caller
from tests.study.test_queries import item


async def at_work() -> Works:
    return await memory.works(service, SCHOOL)


async def send(at: Works, command: Command, number: int = 1, to: str | None = None) -> Reply:
    """Carry a command out as its sender's `number`th, and let the views see it."""
    stream, kind = service.commands()[kebab(type(command).__name__)]
    fields = wire(kind).model_fields
    body = wire(kind).model_validate({name: getattr(command, name) for name in fields})
    id_ = uuid5(UUID(int=number), command.by)
    taken = Taken(TOWN, stream, kind, to, body, caller(command.by), id_, NOON)
    reply = await at.runtime.carry_out(taken)
    await at.look()
    return reply


async def answer(at: Works, query: Any, person: PersonId) -> Any:
    """A query's answer as its sender gets it: opened."""
    desk = at.runtime.desk(TOWN, NOON)
    found = await service.queries[type(query)](query, desk, caller(person))
    return await at.runtime.privacy.open(TOWN, found)


async def test_a_reflections_text_is_sealed_and_its_length_is_not() -> None:
    at = await at_work()
    reply = await send(at, test_reflection.submit(length=None))
    (record,) = at.pages.log
    said = record.event.model_dump()
    assert is_token(said["text"])
    assert is_token(said["title"])
    assert said["length"] == len(test_reflection.WORDING["text"])
    assert test_reflection.WORDING["text"] not in record.body.decode()
    for person, words in ((CADRE, True), (LEADER, True), (STRANGER, False)):
        told = await answer(at, q.Reflection(id=reply.id), person)
        assert told["text"] == (test_reflection.WORDING["text"] if words else SEALED)


async def test_a_copy_is_found_although_no_two_tokens_are_the_same() -> None:
    at = await at_work()
    mine = await send(at, test_reflection.submit())
    copied = await send(at, test_reflection.submit(LEADER, author=LEADER))
    tokens = {record.event.model_dump()["text"] for record in at.pages.log}
    assert len(tokens) == 2
    found = await answer(at, q.ReflectionFindings(), LEADER)
    (pair,) = found["pairs"]
    assert {pair["one"], pair["other"]} == {mine.id, copied.id}
    assert pair["likeness"] == 1
    assert len(found["too_short"]) == 2


async def test_one_reading_and_one_gap_per_person_whoever_enters_it() -> None:
    at = await at_work()
    at.pages.log.extend(memory.log(("item-1", item("条例")), by=OFFICER, noon=NOON))
    await at.look()
    read = await send(at, test_reading.record())
    again = await send(at, test_reading.record(OFFICER))
    assert (again.id, again.event) == (read.id, None)
    found = await send(at, test_gap.record())
    twice = await send(at, test_gap.record(OFFICER))
    assert (twice.id, twice.event) == (found.id, None)
    assert len(at.pages.log) == 3


async def test_a_second_contact_unit_is_refused_wherever_it_is_sent() -> None:
    at = await at_work()
    first = await send(at, test_tie.open_tie())
    with pytest.raises(AlreadyTied):
        await send(at, test_tie.open_tie(unit="logistics", since=test_tie.NEXT), 2)
    other = await send(at, test_tie.open_tie(OFFICER, person=STRANGER))
    assert other.id != first.id
    await send(at, test_tie.end(), 3, to=first.id)
    moved = await send(at, test_tie.open_tie(unit="logistics", since=test_tie.NEXT), 4)
    assert (moved.id, moved.version) == (first.id, 3)


async def test_a_refused_donation_leaves_nothing_behind() -> None:
    at = await at_work()
    with pytest.raises(NotAPositiveAmount):
        await send(at, test_activity.donation("0"))
    assert at.pages.log == []
    await send(at, test_activity.donation("2022.5"), 2)
    board = await answer(at, q.LeaderSixOnes(), TEACHER)
    (row,) = [row for row in board["items"] if row["person"] == MEMBER]
    assert (str(row["donated"]), row["donation"], row["pupils"]) == ("2022.50", "done", 1)
