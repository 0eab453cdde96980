"""The secret ballot through the HTTP door: slips are cast without login, and nothing leads back."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from shared.broker import EVENTS
from shared.runtime import now
from tests.live.refusing import assert_refused
from tests.live.school import School, set_policy

pytestmark = [pytest.mark.live, pytest.mark.usefixtures("quiet")]

CAST, FIND = "/ballots/cast", "/ballots/find"


@dataclass
class Branch:
    """A branch that votes: its appraisal, its members, and the slips that were printed."""

    school: School
    appraisal: str
    members: list[str]
    slips: list[dict[str, str]]

    @property
    def path(self) -> str:
        return f"/appraisals/{self.appraisal}"

    def ballot(self, n: int = 0, grade: str = "excellent", *members: str) -> dict[str, Any]:
        """Slip number `n`, with one grade for these members, for all if none is named."""
        marks = [{"member": m, "grade": grade} for m in members or self.members]
        return {"appraisal": self.appraisal, "code": self.slips[n]["code"], "marks": marks}

    async def cast(self, n: int = 0, grade: str = "excellent", *members: str) -> Any:
        """Put it into the box, as nobody."""
        answer = await self.school.ask(None, "POST", CAST, self.ballot(n, grade, *members))
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def found(self, n: int = 0) -> Any:
        body = {"appraisal": self.appraisal, "code": self.slips[n]["code"]}
        answer = await self.school.ask(None, "POST", FIND, body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def refuses(self, code: str, ballot: dict[str, Any], who: str | None = None) -> None:
        await assert_refused(self.school, code, who, CAST, ballot)

    async def log(self) -> list[Any]:
        """Everything the log has of this appraisal."""
        broker = self.school.stack.runtimes["meetings"].broker
        subject = f"evt.{self.school.id}.meetings.appraisal.{self.appraisal}"
        return list(await broker.history(EVENTS, subject, after=0))

    async def kept(self) -> str:
        """Every document there is, of views and of what is no view."""
        database = self.school.stack.runtimes["meetings"].mongo
        documents = []
        for db in (database._keep, database._views):
            for name in await db.list_collection_names():
                documents += await db[name].find({}).to_list(None)
        return str(documents)


async def appraising(school: School, voters: int, trials: int = 0) -> Branch:
    """Begin the appraisal of a branch with so many members, and so many on probation beside."""
    campaign = await set_policy(school)
    unit = {"kind": "branch", "name": "理科支部"}
    branch = str((await school.do("operator", "/units", unit))["id"])
    member = ("party_member",)
    members = [await school.enter(f"voter-{n}", member, branch=branch) for n in range(voters)]
    for n in range(trials):
        await school.enter(f"trial-{n}", ("probationary_member",), branch=branch)
    post = {"role": "branch_secretary", "unit": branch, "since": now().date().isoformat()}
    await school.do("operator", f"/people/{members[0]}/take-post", post)
    opened = {"campaign": campaign, "branch": branch, "on": now().date().isoformat()}
    appraisal = str((await school.do("voter-0", "/appraisals", opened))["id"])
    return Branch(school, appraisal, sorted(members), [])


async def voting(school: School, trials: int = 0) -> Branch:
    """Print the slips of five."""
    branch = await appraising(school, 5, trials)
    printed = await school.do("voter-0", f"{branch.path}/open-ballot")
    branch.slips = printed["slips"]
    return branch


async def test_slips_are_printed_once_one_for_each_member(school: School) -> None:
    branch = await appraising(school, 5)
    path, key = f"{branch.path}/open-ballot", str(uuid4())
    await assert_refused(school, "not-allowed", "voter-1", path)
    await assert_refused(school, "secrecy-possible", "voter-0", path, {"although_not_secret": True})

    slips = (await school.do("voter-0", path, Idempotency_Key=key))["slips"]
    again = (await school.do("voter-0", path, Idempotency_Key=key))["slips"]
    later = await school.do("voter-0", path)

    assert len({slip["code"] for slip in slips}) == len(slips) == 5
    assert sorted(map(str, again)) == sorted(map(str, slips))
    assert "slips" not in later
    seen = await school.get("teacher", branch.path)
    assert seen["code_hashes"] == sorted(slip["hash"] for slip in slips)
    assert not any(slip["code"] in str(seen) for slip in slips)


async def test_fewer_than_five_vote_only_if_they_say_that_it_is_not_secret(school: School) -> None:
    branch = await appraising(school, 4)
    path = f"{branch.path}/open-ballot"
    await assert_refused(school, "secrecy-not-possible", "voter-0", path)

    slips = (await school.do("voter-0", path, {"although_not_secret": True}))["slips"]

    assert len(slips) == 4
    assert (await school.get("teacher", branch.path))["secret"] is False


async def test_a_slip_counts_once_and_is_never_changed(school: School) -> None:
    branch = await voting(school)
    first, second, *_ = branch.members

    once = await branch.cast(0, "excellent", first)
    again = await branch.cast(0, "excellent", first)
    more = await branch.cast(0, "qualified", second)

    assert (once, again, more) == ({"cast": [first]}, {"cast": [first]}, {"cast": [second]})
    await branch.refuses("already-cast", branch.ballot(0, "unqualified", first))
    await branch.refuses("unknown-code", {**branch.ballot(), "code": "0000-0000-0000-0000"})
    await branch.refuses("invalid", {**branch.ballot(), "code": "short"})
    await branch.refuses("invalid", branch.ballot(1, "splendid"))
    await branch.refuses("not-on-the-scale", branch.ballot(1, "good"))
    await branch.refuses("not-a-member", branch.ballot(1, "excellent", school.people["teacher"]))
    marks = (await branch.found())["marks"]
    assert {m["member"]: m["grade"] for m in marks} == {first: "excellent", second: "qualified"}


async def test_who_is_logged_in_does_not_cast(school: School) -> None:
    branch = await voting(school)

    for who in ("voter-0", "voter-1", "operator"):
        await branch.refuses("not-allowed", branch.ballot(), who)


async def test_what_was_cast_is_opened_all_at_once_and_everybody_finds_their_own(
    school: School,
) -> None:
    branch = await voting(school)
    early = {"member": branch.members[0], "grade": "excellent"}
    record = f"{branch.path}/record-result"
    await assert_refused(school, "ballot-not-counted", "leader", record, early)
    for n, grade in enumerate(("excellent", "qualified", "excellent", "unqualified")):
        await branch.cast(n, grade)
    assert (await branch.found(3))["counted"] is False

    await school.do("voter-0", f"{branch.path}/close-ballot")
    await school.settle()

    opened = [m for m in await branch.log() if m.headers["ce-type"].endswith("ballots-opened.v1")]
    assert len(opened) == 1
    listed = await school.get("teacher", f"{branch.path}/ballots")
    hashes = [slip["code_hash"] for slip in listed["items"]]
    assert hashes == sorted(slip["hash"] for slip in branch.slips[:4])
    mine = await branch.found(3)
    assert (mine["counted"], mine["hash"]) == (True, branch.slips[3]["hash"])
    assert {m["grade"] for m in mine["marks"]} == {"unqualified"}
    assert (await branch.found(4))["marks"] == []

    await branch.refuses("ballot-closed", branch.ballot(4))
    await assert_refused(school, "ballot-counted", "voter-0", f"{branch.path}/open-ballot")
    strange = {**early, "grade": "good"}
    await assert_refused(school, "not-on-the-scale", "leader", record, strange)
    await assert_refused(school, "invalid", "leader", record, {**early, "grade": "splendid"})
    await school.do("leader", record, early)
    tallies = (await school.get("teacher", branch.path))["tallies"]
    assert len(tallies) == 5


async def test_who_is_on_probation_speaks_and_is_spoken_of_without_vote_and_grade(
    school: School,
) -> None:
    branch = await voting(school, trials=1)
    trial = school.people["trial-0"]
    assert len(branch.slips) == 5
    await branch.refuses("on-probation", branch.ballot(0, "excellent", trial))
    await branch.cast(0)
    mutual = {"member": branch.members[0], "text": "踏实肯干"}
    await school.do("trial-0", f"{branch.path}/appraise-member", mutual)
    await school.do("voter-1", f"{branch.path}/appraise-member", {**mutual, "member": trial})
    await school.do("voter-0", f"{branch.path}/close-ballot")

    graded = {"member": trial, "grade": "qualified"}
    await assert_refused(school, "on-probation", "leader", f"{branch.path}/record-result", graded)
    seen = await school.get("teacher", branch.path)
    assert seen["missing"]["results"] == branch.members
    assert trial in seen["missing"]["self_appraisals"]
    assert trial not in seen["missing"]["appraisals_received"]


async def test_the_best_may_be_recommended_and_who_failed_is_educated_and_disposed_of(
    school: School,
) -> None:
    branch = await voting(school)
    model, failed, *ordinary = branch.members
    await branch.cast()
    await school.do("voter-0", f"{branch.path}/close-ballot")
    grades = {model: "excellent", failed: "unqualified", **dict.fromkeys(ordinary, "qualified")}
    for member, grade in grades.items():
        result = {"member": member, "grade": grade}
        await school.do("leader", f"{branch.path}/record-result", result)

    async def owed() -> tuple[int, list[str], list[str]]:
        lacking = (await school.get("teacher", branch.path))["missing"]
        found = await school.get("leader", "/outstanding?rule=R86")
        return found["total"], lacking["educations"], lacking["dispositions"]

    talk = {"member": failed, "text": "当面严肃批评教育"}
    how = {**talk, "disposition": "time_limited_correction"}
    for member in (model, ordinary[0]):
        for verb, body in (("educate", talk), ("dispose", how)):
            path = f"{branch.path}/{verb}-member"
            await assert_refused(
                school, "not-unqualified", "leader", path, {**body, "member": member}
            )
    assert await owed() == (1, [failed], [failed])
    await school.do("leader", f"{branch.path}/dispose-member", how)
    assert await owed() == (1, [failed], [])
    await school.do("leader", f"{branch.path}/educate-member", talk)
    assert await owed() == (0, [], [])

    praise = {"member": model, "text": "模范作用突出"}
    await school.do("leader", f"{branch.path}/recommend-member", praise)
    board = (await school.get("teacher", "/board"))["rules"]
    assert next(line["numerator"] for line in board if line["rule"] == "R85") == 1


async def test_nothing_that_was_cast_leads_to_who_cast_it(
    school: School, caplog: pytest.LogCaptureFixture
) -> None:
    branch = await voting(school)
    position = await school.settle()
    before = len(await branch.log())

    with caplog.at_level("DEBUG"):
        for n in range(4):
            await branch.cast(n, "basically_qualified")
            await branch.found(n)
    await school.settle()

    assert len(await branch.log()) == before
    broker = school.stack.runtimes["meetings"].broker
    assert await broker.last_position() == position
    kept = await branch.kept()
    codes = [form for s in branch.slips for form in (s["code"], s["code"].replace("-", ""))]
    assert [code for code in codes if code in kept or code in caplog.text] == []
    box = branch.school.stack.runtimes["meetings"].mongo.keep("ballot_box")
    lying = await box.find({"ballot": f"{school.id}/{branch.appraisal}/1"})
    assert len(lying) == 4 * 5
    assert {name for document in lying for name in document} == {"_id", "ballot", "mark"}
    for told in ("basically_qualified", *branch.members, *(s["hash"] for s in branch.slips)):
        assert told not in str(lying)

    await school.do("voter-0", f"{branch.path}/close-ballot")
    opened = (await branch.log())[-1]
    assert not any(code in opened.body.decode() + str(opened.headers) for code in codes)
    assert await box.find({"ballot": f"{school.id}/{branch.appraisal}/1"}) == []
