"""The ballot box: what slips are made of, what is cast once, and what nobody can tell."""

import json
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

import pytest
from cryptography.exceptions import InvalidTag
from pydantic import ValidationError

from services.campaign.directory import Directory
from services.campaign.roster import Roster
from services.meetings.box import (
    AlreadyCast,
    BallotClosed,
    BallotNotOpen,
    CastBallot,
    FindBallot,
    Mark,
    UnknownCode,
    Urn,
    _box,
    cast,
    count,
    discard,
    find,
    print_slips,
)
from services.meetings.domain.appraisal import (
    CloseBallot,
    NotAMember,
    NotOnTheScale,
    NotTheirBranch,
    OnProbation,
    OpenAppraisal,
    OpenBallot,
    RecordResult,
    VoidBallot,
)
from services.meetings.events import BallotOpened, BallotsOpened, Grade
from services.meetings.queries.appraisal import AppraisalBallots, opened_ballots
from shared.decider import Command, NotFound, PersonId, kebab, wire
from shared.mongo import Document
from shared.runtime import Desk, Reply, Taken
from shared.views import Working
from tests.meetings.examination_cast import (
    CADRE,
    LIBERAL,
    MEMBERS,
    NOON,
    ON_PROBATION,
    OTHER_SECRETARY,
    OUTSIDER,
    SCHOOL,
    SECRETARY,
    SUPERVISOR,
    TEACHER,
    TODAY,
    caller,
    works,
)
from tests.memory import NOTHING, TOWN, Drawer, Works

urn = Urn(b"k" * 32, "appraisal-1", 1)
ANONYMOUS = caller(PersonId("anonymous"))
GOOD, BAD = Grade.excellent, Grade.unqualified


# -- What derives from the key ----------------------------------------------------------------------


def test_codes_are_sixteen_letters_all_different() -> None:
    codes = urn.codes(200)
    assert len(set(codes)) == 200
    assert all(len(code.replace("-", "")) == 16 for code in codes)
    assert urn.codes(200) == codes


def test_another_ballot_has_other_codes_hashes_and_places() -> None:
    code = urn.codes(1)[0]
    for other in (
        Urn(b"k" * 32, "appraisal-1", 2),
        Urn(b"k" * 32, "appraisal-2", 1),
        Urn(b"l" * 32, "appraisal-1", 1),
    ):
        assert not set(urn.codes(50)) & set(other.codes(50))
        assert urn.hashed(code) != other.hashed(code)
        assert urn.place("h", "m") != other.place("h", "m")


def test_a_mark_is_read_where_it_lies_and_nowhere_else() -> None:
    lies = urn.place("hash", TEACHER)
    enclosed = urn.enclose(lies, "hash", TEACHER, GOOD)
    assert urn.disclose(lies, enclosed) == ("hash", TEACHER, GOOD)
    assert enclosed != urn.enclose(lies, "hash", TEACHER, GOOD)
    with pytest.raises(InvalidTag):
        urn.disclose(urn.place("hash", CADRE), enclosed)
    with pytest.raises(InvalidTag):
        Urn(b"k" * 32, "appraisal-1", 2).disclose(lies, enclosed)


def test_neither_key_nor_code_is_shown() -> None:
    assert "kkk" not in repr(urn)
    code = urn.codes(1)[0]
    assert code not in repr(FindBallot(appraisal="a", code=code))


def test_a_code_is_understood_however_it_is_typed() -> None:
    asked = FindBallot(appraisal="a", code="1o0l-abcd efgh–jkmn")
    assert asked.code == "1001-ABCD-EFGH-JKMN"
    full_width = FindBallot(appraisal="a", code="１００１ＡＢＣＤＥＦＧＨＪＫＭＮ")
    assert full_width.code == "1001-ABCD-EFGH-JKMN"
    for wrong in ("", "1001-ABCD", "1001-ABCD-EFGH-JKMU", "1001-ABCD-EFGH-JKMN-0000", 16 * "鑫"):
        with pytest.raises(ValidationError):
            FindBallot(appraisal="a", code=wrong)


def test_casting_is_for_who_is_not_logged_in() -> None:
    assert CastBallot.allowed == FindBallot.allowed == {"anonymous"}
    assert CastBallot.method == FindBallot.method == "POST"


# -- A ballot from printing to counting ---------------------------------------------------------------


class Voting:
    """A ballot of the branch in memory."""

    def __init__(self, at: Works) -> None:
        self.at = at
        self.appraisal = ""
        self.codes: list[str] = []

    @property
    def desk(self) -> Desk:
        return self.at.runtime.desk(TOWN, NOON)

    def taken(self, person: PersonId, kind: type[Command], n: int = 0, **fields: Any) -> Taken:
        stream, _ = self.at.runtime.service.commands()[kebab(kind.__name__)]
        body = wire(kind).model_validate(fields)
        target = None if kind.creates else self.appraisal
        command = uuid5(UUID(int=0), f"{person} {kind.__name__} {n}")
        return Taken(TOWN, stream, kind, target, body, caller(person), command, NOON)

    async def open(self, n: int = 0) -> Reply:
        reply = await print_slips(self.taken(SECRETARY, OpenBallot, n), self.at.runtime)
        await self.at.look()
        slips: Any = reply.more.get("slips", [])
        self.codes = [slip["code"] for slip in slips] or self.codes
        return reply

    async def cast(self, code: str, *marks: tuple[str, Grade]) -> Any:
        said = tuple(Mark(member=member, grade=grade) for member, grade in marks)
        asked = CastBallot(appraisal=self.appraisal, code=code, marks=said)
        return await cast(asked, self.desk, ANONYMOUS)

    async def close(self, person: PersonId = SECRETARY, n: int = 0) -> Reply:
        reply = await count(self.taken(person, CloseBallot, n), self.at.runtime)
        await self.at.look()
        return reply

    async def found(self, code: str) -> Any:
        return await find(FindBallot(appraisal=self.appraisal, code=code), self.desk, ANONYMOUS)

    def recorded(self) -> Sequence[Any]:
        return [record.event for record in self.at.pages.log]

    @property
    def box(self) -> dict[str, Any]:
        return self.at.kept("ballot_box")


async def begun(school: Directory = SCHOOL) -> Voting:
    voting = Voting(await works(school))
    said: dict[str, Any] = {"campaign": "campaign-1", "branch": LIBERAL, "on": TODAY}
    reply = await voting.at.runtime.carry_out(voting.taken(SECRETARY, OpenAppraisal, **said))
    voting.appraisal = reply.id
    await voting.at.look()
    return voting


async def voting_open() -> Voting:
    voting = await begun()
    await voting.open()
    return voting


async def test_there_is_a_slip_per_member_and_the_log_has_only_hashes() -> None:
    voting = await begun()
    reply = await voting.open()
    slips: Any = reply.more["slips"]
    event = voting.recorded()[-1]
    assert isinstance(event, BallotOpened)
    assert len(voting.codes) == len(MEMBERS)
    assert sorted(slip["hash"] for slip in slips) == list(event.code_hashes)
    stored = b"".join(record.body for record in voting.at.pages.log).decode()
    kept = repr(voting.at.chest.drawers)
    for code in voting.codes:
        assert code not in stored
        assert code not in kept


async def test_there_is_no_slip_for_who_is_on_probation_and_no_mark_of_them() -> None:
    voting = await begun(ON_PROBATION)
    await voting.open()
    assert len(voting.codes) == len(MEMBERS) - 1
    with pytest.raises(OnProbation):
        await voting.cast(voting.codes[0], (CADRE, GOOD), (TEACHER, GOOD))
    assert voting.box == {}


async def test_there_is_one_slip_for_who_was_entered_twice() -> None:
    voting = await begun()
    merged = SCHOOL.roster.people[TEACHER].model_copy(update={"merged_into": CADRE})
    roster = Roster(people={**SCHOOL.roster.people, TEACHER: merged})
    found_out = SCHOOL.model_copy(update={"roster": roster})
    projector = voting.at.runtime.projector
    projector._foldings[0].cache[f"{TOWN}/school"] = Working(found_out, None, 0, 0)
    await voting.open()
    assert len(voting.codes) == len(MEMBERS) - 1


async def test_the_same_request_prints_the_same_slips_another_one_none() -> None:
    voting = await begun()
    first: Any = (await voting.open()).more["slips"]
    again: Any = (await voting.open()).more["slips"]
    key = lambda slip: slip["hash"]  # noqa: E731 -- the order is chance
    assert sorted(first, key=key) == sorted(again, key=key)
    other = await voting.open(n=1)
    assert other.event is None
    assert "slips" not in other.more


async def test_slips_are_shuffled() -> None:
    voting = await begun()
    orders = set()
    for _ in range(40):
        slips: Any = (await voting.open()).more["slips"]
        orders.add(tuple(slip["hash"] for slip in slips))
    assert len(orders) > 20


async def test_what_is_cast_waits_encrypted_and_without_a_time() -> None:
    voting = await voting_open()
    assert await voting.cast(voting.codes[0], (CADRE, GOOD)) == {"cast": [CADRE]}
    (document,) = voting.box.values()
    assert document.keys() == {"_id", "ballot", "mark"}
    assert CADRE not in repr(document)
    assert "excellent" not in repr(document)
    assert (await voting.found(voting.codes[0]))["hash"] not in repr(document)
    assert len(voting.recorded()) == 2


async def test_a_slip_may_be_cast_in_parts_and_repeated() -> None:
    voting = await voting_open()
    await voting.cast(voting.codes[0], (CADRE, GOOD))
    both = await voting.cast(voting.codes[0], (CADRE, GOOD), (TEACHER, BAD))
    assert both == {"cast": sorted([CADRE, TEACHER])}
    assert len(voting.box) == 2


async def test_a_second_ballot_for_a_member_is_refused_and_the_first_stands() -> None:
    voting = await voting_open()
    await voting.cast(voting.codes[0], (CADRE, GOOD))
    with pytest.raises(AlreadyCast):
        await voting.cast(voting.codes[0], (TEACHER, GOOD), (CADRE, BAD))
    with pytest.raises(AlreadyCast):
        await voting.cast(voting.codes[0], (TEACHER, GOOD), (TEACHER, BAD))
    await voting.close()
    assert (await voting.found(voting.codes[0]))["marks"] == [{"member": CADRE, "grade": GOOD}]


async def test_two_codes_judge_the_same_member() -> None:
    voting = await voting_open()
    await voting.cast(voting.codes[0], (CADRE, GOOD))
    await voting.cast(voting.codes[1], (CADRE, BAD))
    await voting.close()
    event = voting.recorded()[-1]
    assert Counter(g for slip in event.slips for g in slip.marks.values()) == {GOOD: 1, BAD: 1}


async def test_what_makes_no_ballot_is_refused_and_nothing_is_kept() -> None:
    voting = await voting_open()
    for code, marks, rule in (
        ("0000-0000-0000-0000", (CADRE, GOOD), UnknownCode),
        (voting.codes[0], (OUTSIDER, GOOD), NotAMember),
        (voting.codes[0], (CADRE, Grade.good), NotOnTheScale),
    ):
        with pytest.raises(rule):
            await voting.cast(code, marks)
    assert not voting.box


async def test_there_is_nothing_to_cast_in_before_a_ballot_is_opened() -> None:
    voting = await begun()
    with pytest.raises(BallotNotOpen):
        await voting.cast("0000-0000-0000-0000", (CADRE, GOOD))
    voting.appraisal = "nowhere"
    with pytest.raises(NotFound):
        await voting.cast("0000-0000-0000-0000", (CADRE, GOOD))


async def test_closing_opens_all_slips_in_one_event_sorted_by_hash() -> None:
    voting = await voting_open()
    for code in voting.codes[:5]:
        await voting.cast(code, *((member, GOOD) for member in MEMBERS))
    await voting.close()
    event = voting.recorded()[-1]
    assert isinstance(event, BallotsOpened)
    hashes = [slip.code_hash for slip in event.slips]
    assert len(hashes) == 5
    assert hashes == sorted(hashes)
    assert set(hashes) <= set(voting.recorded()[-2].code_hashes)
    assert all(list(slip.marks) == sorted(slip.marks) for slip in event.slips)
    assert not voting.box


async def test_the_log_is_the_same_whoever_votes_first() -> None:
    logs = []
    for order in (1, -1):
        voting = await voting_open()
        for n, code in list(enumerate(sorted(voting.codes)))[::order]:
            grades = ((m, GOOD if n % 2 else BAD) for m in MEMBERS[::order])
            await voting.cast(code, *grades)
        await voting.close()
        marks = Counter(tuple(slip.marks.items()) for slip in voting.recorded()[-1].slips)
        shape = json.loads(voting.at.pages.log[-1].body).keys()
        logs.append((marks, sorted(shape), len(voting.at.pages.log)))
    assert logs[0] == logs[1]


async def test_nobody_who_cast_is_named_in_the_log() -> None:
    voting = await voting_open()
    await voting.cast(voting.codes[0], (CADRE, GOOD))
    await voting.close()
    record = voting.at.pages.log[-1]
    assert record.actor == SECRETARY
    assert "anonymous" not in repr(record.headers)


async def test_after_closing_nothing_is_cast() -> None:
    voting = await voting_open()
    await voting.close()
    with pytest.raises(BallotClosed):
        await voting.cast(voting.codes[0], (CADRE, GOOD))
    assert not voting.box


async def test_a_view_that_has_not_seen_the_closing_lets_nobody_cast_either() -> None:
    voting = await voting_open()
    await count(voting.taken(SECRETARY, CloseBallot), voting.at.runtime)  # nobody looks
    with pytest.raises(BallotClosed):
        await voting.cast(voting.codes[0], (CADRE, GOOD))
    assert not voting.box


@dataclass(frozen=True)
class ClosedMeanwhile(Drawer):
    """The closed ballots, where one is added between a voter's first look and the second."""

    meanwhile: Callable[[], Awaitable[None]] | None = None
    looks: list[str] = field(default_factory=list)

    async def get(self, key: str) -> Document | None:
        self.looks.append(key)
        if len(self.looks) == 2 and self.meanwhile:
            await self.put({"_id": key})
            await self.meanwhile()
        return await super().get(key)


async def closed_meanwhile(voting: Voting, *, collected: bool) -> None:
    """Let the ballot be closed while the next slip is cast: before or after it was collected."""

    async def collect() -> None:
        for place in list(voting.box):
            if collected:
                await _box(voting.desk).update(place, {"collected": True}, upsert=False)

    drawer = ClosedMeanwhile(NOTHING, meanwhile=collect)
    voting.at.chest.drawers["keep ballots_closed"] = drawer


async def test_a_slip_that_comes_too_late_to_be_collected_is_told_so_and_taken_out() -> None:
    voting = await voting_open()
    await closed_meanwhile(voting, collected=False)
    with pytest.raises(BallotClosed):
        await voting.cast(voting.codes[0], (CADRE, GOOD))
    assert not voting.box


async def test_a_slip_that_was_collected_at_the_last_moment_counts() -> None:
    voting = await voting_open()
    await closed_meanwhile(voting, collected=True)
    assert await voting.cast(voting.codes[0], (CADRE, GOOD)) == {"cast": [CADRE]}
    await voting.close()
    assert [slip.marks for slip in voting.recorded()[-1].slips] == [{CADRE: GOOD}]


async def test_who_may_not_close_it_does_not() -> None:
    voting = await voting_open()
    with pytest.raises(NotTheirBranch):
        await voting.close(OTHER_SECRETARY)
    assert await voting.cast(voting.codes[0], (CADRE, GOOD)) == {"cast": [CADRE]}


async def test_closing_again_changes_nothing() -> None:
    voting = await voting_open()
    await voting.cast(voting.codes[0], (CADRE, GOOD))
    first = await voting.close()
    again = await voting.close()
    assert (again.event, again.repeated) == (first.event, True)
    assert (await voting.close(n=1)).event is None
    assert len([e for e in voting.recorded() if isinstance(e, BallotsOpened)]) == 1


async def test_a_ballot_closed_halfway_is_closed_by_asking_again() -> None:
    voting = await voting_open()
    await voting.cast(voting.codes[0], (CADRE, GOOD))
    await voting.at.chest.keep("ballots_closed").put({"_id": f"{TOWN}/{voting.appraisal}/1"})
    with pytest.raises(BallotClosed):
        await voting.cast(voting.codes[1], (CADRE, GOOD))
    await voting.close()
    assert len(voting.recorded()[-1].slips) == 1


async def test_a_void_ballot_is_destroyed_and_its_slips_are_worth_nothing() -> None:
    voting = await voting_open()
    old = voting.codes[0]
    await voting.cast(old, (CADRE, GOOD))
    void = voting.taken(SUPERVISOR, VoidBallot, reason="选票外泄")
    await discard(void, voting.at.runtime)
    assert not voting.box
    with pytest.raises(BallotClosed):  # the views have not seen it yet
        await voting.cast(voting.codes[1], (CADRE, GOOD))
    await voting.at.look()
    await voting.open(n=1)
    assert old not in voting.codes
    with pytest.raises(UnknownCode):
        await voting.cast(old, (CADRE, GOOD))
    await voting.cast(voting.codes[0], (CADRE, BAD))
    await discard(void, voting.at.runtime)  # said again, it does no harm to the new one
    await voting.close(n=1)
    assert [slip.marks for slip in voting.recorded()[-1].slips] == [{CADRE: BAD}]


# -- Finding one's own --------------------------------------------------------------------------------


async def test_a_voter_finds_their_own_before_and_after_counting() -> None:
    voting = await voting_open()
    mine, other = voting.codes[:2]
    await voting.cast(mine, (CADRE, GOOD), (TEACHER, BAD))
    await voting.cast(other, (CADRE, BAD))
    before = await voting.found(mine)
    await voting.close()
    after = await voting.found(mine)
    marks = sorted(
        [{"member": CADRE, "grade": GOOD}, {"member": TEACHER, "grade": BAD}],
        key=lambda mark: mark["member"],
    )
    assert before == {"hash": after["hash"], "counted": False, "marks": marks}
    assert after == {"hash": before["hash"], "counted": True, "marks": marks}
    page = await opened_ballots(AppraisalBallots(id=voting.appraisal), voting.desk, caller(TEACHER))
    (shown,) = [slip for slip in page["items"] if slip["code_hash"] == after["hash"]]
    assert shown["marks"] == {CADRE: GOOD, TEACHER: BAD}


async def test_who_cast_nothing_finds_nothing_and_a_wrong_code_is_unknown() -> None:
    voting = await voting_open()
    await voting.cast(voting.codes[0], (CADRE, GOOD))
    assert (await voting.found(voting.codes[1]))["marks"] == []
    await voting.close()
    assert (await voting.found(voting.codes[1]))["marks"] == []
    with pytest.raises(UnknownCode):
        await voting.found("0000-0000-0000-0000")


async def test_results_follow_the_opened_ballot() -> None:
    voting = await voting_open()
    await voting.close()
    said: dict[str, Any] = {"member": CADRE, "grade": GOOD}
    reply = await voting.at.runtime.carry_out(voting.taken(SECRETARY, RecordResult, **said))
    assert reply.type == "meetings.appraisal.result-recorded.v1"
