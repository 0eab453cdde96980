"""The service at work in memory: a finding is acknowledged, waived, and counted as the board says."""

import json
from typing import Any
from uuid import UUID, uuid5

import pytest

from services.oversight.app import service
from services.oversight.domain import AlreadyFulfilled, NothingFound, SecondSupervisor
from services.oversight.events import FindingAcknowledged, ObligationWaived
from services.oversight.queries import Board, Outstanding, Remarks
from shared.callers import NotAllowed
from shared.decider import OutOfOrder, PersonId, wire
from shared.envelope import Record
from shared.marks import is_token
from shared.runtime import Query, Reply, Taken
from tests.memory import TOWN, Works
from tests.oversight.deeds import talked
from tests.oversight.desk import NOON, caller, works
from tests.oversight.town import INSPECTOR, LEADER, SUPERVISOR, TEACHER, WU, ZHOU, records

SENDER = UUID("7d1e2f30-4a5b-4c6d-8e7f-001122334455")
PAIR: dict[str, Any] = {"rule": "R47", "subject": [WU, ZHOU], "period": "campaign"}


async def carry(
    at: Works, who: PersonId, name: str, target: str | None = None, **fields: Any
) -> Reply:
    """Send a command and let the views see what came of it."""
    stream, kind = service.commands()[name]
    body = wire(kind).model_validate_json(json.dumps(fields))
    command = uuid5(SENDER, f"{who} {name} {target} {fields}")
    caller(who).demand(kind.allowed)
    at.runtime._commands = service.commands()
    reply = await at.runtime.carry_out(
        Taken(TOWN, stream, kind, target, body, caller(who), command, NOON)
    )
    await at.look()
    return reply


async def told(at: Works, query: Query, who: PersonId = LEADER) -> dict[str, Any]:
    """What a query answers, its texts opened."""
    found = await service.queries[type(query)](query, at.runtime.desk(TOWN, NOON), caller(who))
    opened: dict[str, Any] = await at.runtime.privacy.open(TOWN, found)
    return opened


async def figures(at: Works, rule: str) -> tuple[int, int, int]:
    board = await told(at, Board())
    line = next(row for row in board["rules"] if row["rule"] == rule)
    return line["numerator"], line["denominator"], line["waived"]


async def test_a_finding_goes_from_seen_to_waived_and_back() -> None:
    at = await works(talked("t1", LEADER, ZHOU))
    assert await figures(at, "R47") == (1, 3, 0)

    finding = (await carry(at, LEADER, "acknowledge-finding", **PAIR, remark="下周谈")).id
    event = at.pages.log[-1].event
    assert isinstance(event, FindingAcknowledged)
    assert is_token(event.remark)
    assert await figures(at, "R47") == (1, 3, 0)

    await carry(at, SUPERVISOR, "waive-obligation", finding, reason="病假")
    event = at.pages.log[-1].event
    assert isinstance(event, ObligationWaived)
    assert (event.rule, event.subject) == ("R47", (WU, ZHOU))
    assert await figures(at, "R47") == (1, 2, 1)
    remarks = await told(at, Remarks())
    assert [item["waived"]["text"] for item in remarks["items"]] == ["病假"]

    await carry(at, SUPERVISOR, "lift-waiver", finding, reason="返岗")
    assert await figures(at, "R47") == (1, 3, 0)


async def test_whoever_names_the_same_finding_comes_to_the_same_history() -> None:
    at = await works()
    first = await carry(at, LEADER, "acknowledge-finding", **PAIR)
    with pytest.raises(OutOfOrder):
        await carry(at, SUPERVISOR, "acknowledge-finding", **PAIR)
    again = await carry(at, LEADER, "acknowledge-finding", **PAIR)
    assert again.id == first.id
    assert again.repeated
    assert len(at.pages.log) == 1


async def test_what_is_done_or_owed_by_nobody_is_no_finding() -> None:
    at = await works(talked("t1", WU, ZHOU))
    with pytest.raises(AlreadyFulfilled):
        await carry(at, LEADER, "acknowledge-finding", **PAIR)
    with pytest.raises(NothingFound):
        await carry(at, LEADER, "acknowledge-finding", **{**PAIR, "subject": [TEACHER, ZHOU]})
    with pytest.raises(NothingFound):
        await carry(at, LEADER, "acknowledge-finding", **{**PAIR, "rule": "R99"})
    assert len(at.pages.log) == 1


async def test_only_the_supervision_group_waives_and_a_second_one_of_it_voids() -> None:
    at = await works()
    finding = (await carry(at, LEADER, "acknowledge-finding", **PAIR)).id
    with pytest.raises(NotAllowed):
        await carry(at, LEADER, "waive-obligation", finding, reason="病假")
    await carry(at, SUPERVISOR, "waive-obligation", finding, reason="病假")
    with pytest.raises(SecondSupervisor):
        await carry(at, SUPERVISOR, "void-waiver", finding, reason="点错")
    await carry(at, INSPECTOR, "void-waiver", finding, reason="点错")
    assert await figures(at, "R47") == (0, 3, 0)


async def test_what_was_waived_is_done_once_it_is_done() -> None:
    at = await works()
    finding = (await carry(at, LEADER, "acknowledge-finding", **PAIR)).id
    await carry(at, SUPERVISOR, "waive-obligation", finding, reason="病假")
    assert await figures(at, "R47") == (0, 2, 1)
    (talk,) = records([talked("t1", WU, ZHOU)])
    at.pages.log.append(Record(len(at.pages.log) + 1, talk.subject, talk.headers, talk.body))
    await at.look()
    assert await figures(at, "R47") == (1, 3, 0)
    done = await told(at, Outstanding(rule="R47", state="done"))
    assert [item["subject"] for item in done["items"]] == [[WU, ZHOU]]
