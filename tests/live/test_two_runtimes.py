"""Two runtimes of one service on one stream: what one remembers is old, and yet every answer is right."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4
from weakref import WeakValueDictionary

import pytest
import pytest_asyncio
from nats.errors import NoRespondersError

from services.feedback.app import service as feedback
from services.feedback.events import CollationClosed, CollationOpened
from services.rectification.domain.issue import (
    AlreadyOwned,
    AssignIssue,
    ClaimIssue,
    DeclineIssue,
    OpenIssue,
)
from services.rectification.domain.regulation import DraftRegulation, ReviseRegulation
from services.rectification.events import IssueAssigned, IssueClaimed, IssueDeclined, IssueOpened
from services.rectification.policy import issue_of
from services.stack import running
from shared import metrics
from shared import runtime as at_work
from shared.broker import EVENTS, Answer, Asked, Broker, Forbidden
from shared.callers import Caller
from shared.decider import Command, PersonId, Unavailable, kebab, wire
from shared.embedded import Embedded
from shared.envelope import Record
from shared.journal import SNAPSHOT_EVERY, Journal
from shared.mongo import Document
from shared.runtime import Reply, Runtime, Taken, now
from shared.settings import Settings
from shared.views import Projector
from tests.live.school import CAST, School, enrolled
from tests.live.test_catching_up import ISSUE

pytestmark = pytest.mark.live

RULE = {"title": "食堂保温制度", "text": "一稿"}


@dataclass
class Twins:
    """Two runtimes of rectification: each remembers its own, and neither knows of the other."""

    school: School
    one: Runtime
    other: Runtime

    async def carry_out(
        self, runtime: Runtime, who: str, command: type[Command], target: str | None, **fields: Any
    ) -> Reply:
        """A command as one of them carries it out; `id` is the command's."""
        id_ = fields.pop("id", None) or uuid4()
        stream, kind = runtime.service.commands()[kebab(command.__name__)]
        caller = Caller(PersonId(self.school.people[who]), frozenset({"person", *CAST[who]}))
        body = wire(kind).model_validate_json(json.dumps(fields))
        taken = Taken(self.school.id, stream, kind, target, body, caller, id_, now())
        return await runtime.carry_out(taken)

    async def issue(self) -> str:
        """An issue on the ledger that one of them remembers as open."""
        return (await self.carry_out(self.one, "clerk", OpenIssue, None, **ISSUE)).id

    async def stored(self, subject: str) -> list[str]:
        """The types of what the log holds of a stream of rectification."""
        place = f"evt.{self.school.id}.rectification.{subject}"
        return [record.type for record in await self.one.journal.read(place)]

    async def snapshot(self, regulation: str) -> Document:
        assert self.one.journal._saving is not None
        await self.one.journal._saving
        place = f"evt.{self.school.id}.rectification.regulation.{regulation}"
        saved = await self.one.mongo.views("rectification.snapshots").get(place)
        assert saved is not None
        return saved


@pytest_asyncio.fixture
async def twins(school: School) -> Twins:
    await school.settle()
    one = school.stack.runtimes["rectification"]
    return Twins(school, one, fresh(one))


def fresh(runtime: Runtime) -> Runtime:
    """Another one on the same views, that remembers nothing."""
    journal = Journal(runtime.broker, runtime.mongo, runtime.service.name)
    return replace(runtime, journal=journal, _tasks=[], _locks=WeakValueDictionary())


# -- What is remembered is old -----------------------------------------------------------------------


async def test_a_refusal_from_old_memory_becomes_the_right_answer(twins: Twins) -> None:
    issue = await twins.issue()
    await twins.carry_out(twins.other, "member", ClaimIssue, issue)

    reply = await twins.carry_out(twins.one, "member", DeclineIssue, issue, reason="职责不符")

    assert (reply.type, reply.version) == (IssueDeclined.TYPE, 3)


async def test_a_nothing_new_from_old_memory_becomes_the_right_answer(twins: Twins) -> None:
    issue = await twins.issue()
    await twins.carry_out(twins.one, "member", ClaimIssue, issue)
    await twins.carry_out(twins.other, "member", DeclineIssue, issue, reason="职责不符")

    reply = await twins.carry_out(twins.one, "member", ClaimIssue, issue)

    assert (reply.type, reply.version) == (IssueClaimed.TYPE, 4)


async def test_a_success_from_old_memory_is_decided_again(twins: Twins) -> None:
    issue = await twins.issue()
    conflicts = metrics.CONFLICTS.labels("rectification")
    before = conflicts._value.get()
    await twins.carry_out(twins.other, "member", ClaimIssue, issue)

    other = twins.school.people["other"]
    with pytest.raises(AlreadyOwned):
        await twins.carry_out(twins.one, "leader", AssignIssue, issue, owner=other, reason="分工")

    assert conflicts._value.get() == before + 1
    assert await twins.stored(f"issue.{issue}") == [IssueOpened.TYPE, IssueClaimed.TYPE]


async def test_of_two_at_once_one_is_recorded_and_the_other_told(twins: Twins) -> None:
    issue = await twins.issue()
    other = twins.school.people["other"]

    outcomes = await asyncio.gather(
        twins.carry_out(twins.one, "member", ClaimIssue, issue),
        twins.carry_out(twins.other, "leader", AssignIssue, issue, owner=other, reason="分工"),
        return_exceptions=True,
    )

    assert {type(outcome) for outcome in outcomes} == {Reply, AlreadyOwned}
    assert (await twins.stored(f"issue.{issue}"))[1:] in (
        [IssueClaimed.TYPE],
        [IssueAssigned.TYPE],
    )


# -- Nothing is remembered ---------------------------------------------------------------------------


async def revised(twins: Twins, times: int) -> tuple[str, list[UUID]]:
    """A regulation with so many revisions; its id and the commands'."""
    regulation = (await twins.carry_out(twins.one, "clerk", DraftRegulation, None, **RULE)).id
    commands = [uuid4() for _ in range(times)]
    for n, id_ in enumerate(commands):
        await revise(twins, twins.one, regulation, f"{n}", id_)
    return regulation, commands


async def revise(
    twins: Twins, runtime: Runtime, regulation: str, text: str, id_: UUID | None = None
) -> Reply:
    fields = {**RULE, "text": text, "reason": "修改"}
    return await twins.carry_out(runtime, "clerk", ReviseRegulation, regulation, id=id_, **fields)


async def test_a_restarted_one_goes_on_from_the_snapshot_and_what_came_behind_it(
    twins: Twins,
) -> None:
    regulation, commands = await revised(twins, 24)
    snapshot = await twins.snapshot(regulation)

    restarted = fresh(twins.one)
    early = await revise(twins, restarted, regulation, "2", commands[2])
    late = await revise(twins, restarted, regulation, "23", commands[23])
    reply = await revise(twins, restarted, regulation, "新")

    assert snapshot["version"] == SNAPSHOT_EVERY
    assert (early.repeated, early.version) == (True, 4)
    assert (late.repeated, late.version) == (True, 25)
    assert (reply.repeated, reply.version) == (False, 26)


async def test_a_snapshot_of_other_code_is_not_believed(twins: Twins) -> None:
    regulation, _ = await revised(twins, SNAPSHOT_EVERY)
    snapshot = await twins.snapshot(regulation)
    false = {**snapshot, "digest": "other", "state": {"is": "Undrafted", "has": {}}}
    await twins.one.mongo.views("rectification.snapshots").put(false)

    reply = await revise(twins, fresh(twins.one), regulation, "新")

    assert reply.version == SNAPSHOT_EVERY + 2


async def test_a_snapshot_from_beyond_the_logs_end_is_overcome(twins: Twins) -> None:
    regulation, _ = await revised(twins, SNAPSHOT_EVERY)
    snapshot = await twins.snapshot(regulation)
    false = {
        **snapshot,
        "position": snapshot["position"] + 10**6,
        "version": 99,
        "state": {"is": "Undrafted", "has": {}},
    }
    await twins.one.mongo.views("rectification.snapshots").put(false)

    reply = await revise(twins, fresh(twins.one), regulation, "新")

    assert reply.version == SNAPSHOT_EVERY + 2


# -- Stopping ----------------------------------------------------------------------------------------


async def test_a_stop_under_load_loses_nothing_that_was_asked(
    own_servers: tuple[Embedded, Settings],
) -> None:
    _, settings = own_servers
    said = json.dumps({"verbatim_text": "菜凉", "channel": "wechat"}).encode()
    async with (
        running(settings.with_changes(in_flight=4)) as stack,
        enrolled(stack) as school,
    ):
        await school.settle()
        subject = f"cmd.{school.id}.feedback.submit-opinion"
        headers = {"Authorization": f"Bearer {school.tokens['teacher']}"}
        broker = stack.gateway.broker
        asking = [
            asyncio.create_task(broker.ask(subject, said, headers, within=30)) for _ in range(200)
        ]
        await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
        await stack.runtimes.pop("feedback").stop()
        outcomes = await asyncio.gather(*asking, return_exceptions=True)

        stack.runtimes["feedback"] = Runtime.of(feedback, settings)
        await stack.runtimes["feedback"].start()
        await school.settle()
        stored = await stack.runtimes["feedback"].mongo.views("feedback.opinions.v1").count({})

    answered = [json.loads(o.body) for o in outcomes if isinstance(o, Answer)]
    unheard = [o for o in outcomes if isinstance(o, Unavailable)]
    assert all(answer.get("ok") for answer in answered)
    assert all(isinstance(o.__cause__, NoRespondersError) for o in unheard)
    assert len(answered) + len(unheard) == len(outcomes)
    assert stored == len(answered) > 4


# -- Policies ----------------------------------------------------------------------------------------


async def test_a_refused_command_of_a_policy_is_set_aside_and_the_policy_goes_on(
    twins: Twins,
) -> None:
    school = twins.school
    opinion = (
        await school.do("teacher", "/opinions", {"verbatim_text": "凉", "channel": "wechat"})
    )["id"]
    collation = (await school.do("clerk", "/collations", {"opinions": [opinion]}))["id"]
    group = {
        "key": "canteen", "title": "饭菜偏凉", "parts": [{"opinion": opinion}],
        "addressee": "team", "winds": ["bureaucratism"], "not_four_winds": False,
        "topics": ["canteen"], "discovery": "raised_by_public",
    }  # fmt: skip
    await school.do("clerk", f"/collations/{collation}/group-opinions", group)
    issue = issue_of(collation, "canteen")
    await twins.carry_out(twins.one, "clerk", OpenIssue, issue, **ISSUE)
    await school.do("clerk", f"/collations/{collation}/close", {})
    await school.settle()

    parked = twins.one.mongo.keep("parked")
    stream = f"evt.{school.id}.feedback.collation.{collation}"
    found = await parked.find({"service": "rectification", "stream": stream})
    await parked.delete({"stream": stream})

    assert [(item["kind"], item["reason"]) for item in found] == [("policy", "out-of-order")]
    assert await twins.stored(f"issue.{issue}") == [IssueOpened.TYPE]


async def test_a_policy_acts_only_when_the_views_have_seen_its_cause(school: School) -> None:
    said = await school.do("teacher", "/opinions", {"verbatim_text": "凉", "channel": "wechat"})
    await school.collated(said["id"])
    runtime = school.stack.runtimes["rectification"]
    opened, *_, closed = await runtime.journal.read(f"evt.{school.id}.feedback.collation.>")
    assert (opened.type, closed.type) == (CollationOpened.TYPE, CollationClosed.TYPE)
    behind = Projector("behind", runtime.journal, runtime.mongo, ())
    late = replace(fresh(runtime), projector=behind)

    async def react(record: Record) -> None:
        stored = await runtime.broker.message(EVENTS, {"seq": record.position})
        assert stored
        reply = "$JS.ACK.EVENTS.rectification-open-issues.1.1.1.1.1"
        await late._react_surely(runtime.service.policies[0], replace(stored, reply=reply))

    acting = asyncio.create_task(react(closed))
    early, _ = await asyncio.wait({acting}, timeout=0.2)
    assert not early
    await asyncio.wait_for(react(opened), 30)  # what it does not follow it waits for nothing
    assert not acting.done()
    await behind._passed(closed.position, 0)
    await asyncio.wait_for(acting, 30)


# -- What is refused ---------------------------------------------------------------------------------


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(at_work, "MIN_POSITION_WAIT", 0.05)
    yield
    monkeypatch.undo()


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("ahead", [1, 10**6])
async def test_who_wants_to_see_what_is_not_there_yet_is_told_to_come_back(
    school: School, ahead: int
) -> None:
    beyond = str(await school.settle() + ahead)

    for method, path in (("GET", "/issues"), ("POST", "/opinions")):
        body = {"verbatim_text": "凉", "channel": "wechat"} if method == "POST" else None
        answer = await school.ask("clerk", method, path, body, Taizhang_Min_Position=beyond)
        assert (answer.status_code, answer.json()["code"]) == (503, "not-there-yet")
        assert answer.headers["Retry-After"]


async def test_nobody_waits_for_what_the_log_does_not_have(school: School) -> None:
    beyond = str(await school.settle() + 10**6)

    async with asyncio.timeout(at_work.MIN_POSITION_WAIT - 1):
        answer = await school.ask("clerk", "GET", "/issues", Taizhang_Min_Position=beyond)

    assert (answer.status_code, answer.json()["code"]) == (503, "not-there-yet")


async def test_a_command_tried_out_over_nats_says_what_would_be_and_leaves_nothing(
    school: School,
) -> None:
    before, runtime = await school.settle(), school.stack.runtimes["rectification"]
    keys = await runtime.mongo.keep("keys").count({})
    headers = {"Authorization": f"Bearer {school.tokens['clerk']}", "Taizhang-Dry-Run": "1"}

    answer = await school.stack.gateway.broker.ask(
        f"cmd.{school.id}.rectification.open-issue", json.dumps(ISSUE).encode(), headers
    )

    reply = json.loads(answer.body)
    assert (reply["type"], reply["event"], reply["dry_run"]) == (IssueOpened.TYPE, None, True)
    assert await runtime.broker.last_position() == before
    assert await runtime.mongo.keep("keys").count({}) == keys


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("nonsense", None), (f"00-{'a' * 32}-{'b' * 16}-01", f"00-{'a' * 32}-{'b' * 16}-01")],
)
async def test_a_trace_is_recorded_if_it_is_one(
    school: School, sent: str, kept: str | None
) -> None:
    headers = {"Authorization": f"Bearer {school.tokens['clerk']}", "traceparent": sent}
    await school.settle()

    answer = await school.stack.gateway.broker.ask(
        f"cmd.{school.id}.rectification.open-issue", json.dumps(ISSUE).encode(), headers
    )

    issue = json.loads(answer.body)["id"]
    journal = school.stack.runtimes["rectification"].journal
    (opened,) = await journal.read(f"evt.{school.id}.rectification.issue.{issue}")
    assert opened.headers.get("traceparent") == kept


async def test_nothing_is_added_to_what_was_erased(school: School) -> None:
    said = {"verbatim_text": "凉", "channel": "wechat"}
    opinion = (await school.do("teacher", "/opinions", said))["id"]
    keyring = school.stack.runtimes["feedback"].privacy.keyring
    scope = f"{school.id}/opinion.{opinion}"
    await keyring.mongo.keep("keys").put({"_id": scope, "erased": True})
    keyring._known.pop(scope)

    refused = await school.refused(
        "teacher", f"/opinions/{opinion}/send-message", {"text": "补充一句"}
    )

    assert (refused["status"], refused["code"]) == (409, "text-erased")


async def test_who_may_not_answer_what_it_declares_does_not_start(servers: Settings) -> None:
    async def never(_: Asked) -> Answer:
        raise AssertionError

    broker = Broker(servers.nats_url, "feedback", servers.password("feedback"))
    broker.serve("cmd.*.campaign.*", "feedback", never)
    with pytest.raises(Forbidden):
        await broker.open()
    await broker.close()
