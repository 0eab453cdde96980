"""What may be asked of examinations and appraisals: who reads which words, what is missing."""

from datetime import date
from typing import Any
from uuid import UUID, uuid5

import pytest

from services.feedback.events import Addressee
from services.meetings.domain.examination import (
    AdoptExamination,
    DraftExamination,
    IssuesUnclaimed,
    NoSuchIssue,
    NoSuchMeeting,
    SubmitExamination,
)
from services.meetings.events import (
    AppraisalVoided,
    ExaminationAdopted,
    ExaminationSubject,
    MeetingKind,
)
from services.meetings.queries import appraisal as of_appraisals
from services.meetings.queries import examination as of_examinations
from services.meetings.queries.appraisal import (
    AppraisalBallots,
    Appraisals,
    AppraisalsOwed,
    AppraisedMember,
)
from services.meetings.queries.examination import (
    Examination,
    Examinations,
    ExaminationsOwed,
    examination_facts,
)
from services.rectification.events import IssueVoided
from shared.callers import UnknownSchool
from shared.decider import Event, NotFound, PersonId, kebab, wire
from shared.privacy import SEALED
from shared.runtime import Reply, Taken
from tests import memory
from tests.meetings.examination_cast import (
    CADRE,
    DOUBLE,
    LEADER,
    MEMBER,
    NOON,
    OUTSIDER,
    SECRETARY,
    SUPERVISOR,
    TEACHER,
    TODAY,
    after,
    by,
    caller,
    works,
)
from tests.meetings.meeting_cast import held, planned
from tests.meetings.test_appraisal_deciding import SLIPS, ballot_opened, done, educated, worst
from tests.meetings.test_appraisal_entering import of_another, of_oneself, opened
from tests.meetings.test_examination_projection import issue_claimed, issue_opened
from tests.meetings.test_examination_review import adopted
from tests.meetings.test_examination_writing import (
    OWN,
    TEAM,
    WORDS,
    drafted,
    of_the_team,
    submitted,
)
from tests.memory import TOWN, Works

SECRET = "~1~examination.e-1~basic_situation~AAAA"
SAID = "~1~appraisal.a-1~text~AAAA"
OPERATOR = PersonId("operator:bureau")
sealed = drafted.model_copy(
    update={"paper": drafted.paper.model_copy(update={"basic_situation": SECRET})}
)
teams = of_the_team.model_copy(update={"paper": sealed.paper})


# -- Facts ----------------------------------------------------------------------------------------


async def test_issues_that_count_may_be_answered_others_may_not() -> None:
    desk = await after(
        ("issue-1", issue_opened),
        ("issue-2", issue_opened),
        ("issue-2", IssueVoided(reason="误立")),
    )
    draft = by(CADRE, DraftExamination, **OWN, answers=("issue-1", "issue-2", "issue-3"))
    facts = await examination_facts(draft, desk)
    assert facts.issues == {"issue-1"}


async def decided(at: Works, who: PersonId, kind: Any, stream: str, /, **fields: Any) -> Reply:
    decider, _ = at.runtime.service.commands()[kebab(kind.__name__)]
    body = wire(kind).model_validate(fields)
    target = None if kind.creates else stream
    command = uuid5(UUID(int=0), f"{kind.__name__} {len(at.pages.log)}")
    taken = Taken(TOWN, decider, kind, target, body, caller(who), command, NOON)
    reply = await at.runtime.carry_out(taken)
    await at.look()
    return reply


async def seen(at: Works, stream: str, event: Event) -> None:
    """Let something happen elsewhere."""
    position = len(at.pages.log) + 1
    at.pages.log.append(memory.record(event, stream, position, by=LEADER, noon=NOON))
    await at.look()


async def test_the_gate_of_claims_is_kept_by_what_rectification_recorded() -> None:
    at = await works()
    await seen(at, "issue-1", issue_opened)
    reply = await decided(at, CADRE, DraftExamination, "", **OWN, **WORDS)
    with pytest.raises(IssuesUnclaimed, match="issue-1"):
        await decided(at, CADRE, SubmitExamination, reply.id)
    await seen(at, "issue-1", issue_claimed)
    submitting = await decided(at, CADRE, SubmitExamination, reply.id)
    event: Any = at.pages.log[submitting.position - 1].event
    assert event.unanswered == ("issue-1",)


async def test_issues_of_a_duplicate_entry_are_its_persons() -> None:
    at = await works()
    await seen(at, "issue-1", issue_opened.model_copy(update={"person": DOUBLE}))
    await seen(at, "issue-2", issue_opened.model_copy(update={"person": MEMBER}))
    reply = await decided(at, CADRE, DraftExamination, "", **OWN, **WORDS)
    with pytest.raises(IssuesUnclaimed, match=r"^issue-1$"):
        await decided(at, CADRE, SubmitExamination, reply.id)
    await seen(at, "issue-1", issue_claimed.model_copy(update={"owner": DOUBLE}))
    submitting = await decided(at, CADRE, SubmitExamination, reply.id)
    event: Any = at.pages.log[submitting.position - 1].event
    assert event.unanswered == ("issue-1",)


async def test_the_team_waits_for_no_claim_and_answers_its_own_issues() -> None:
    at = await works()
    of_team = {"addressee": Addressee.team, "person": None}
    await seen(at, "issue-1", issue_opened)
    await seen(at, "issue-2", issue_opened.model_copy(update=of_team))
    await seen(at, "issue-3", issue_opened.model_copy(update=of_team))
    await seen(at, "issue-3", issue_claimed)
    reply = await decided(at, LEADER, DraftExamination, "", **TEAM, **WORDS)
    submitting = await decided(at, LEADER, SubmitExamination, reply.id)
    event: Any = at.pages.log[submitting.position - 1].event
    assert event.unanswered == ("issue-3",)


async def test_only_a_leadership_meeting_that_took_place_adopts() -> None:
    at = await works()
    reply = await decided(at, LEADER, DraftExamination, "", **TEAM, **WORDS)
    await decided(at, LEADER, SubmitExamination, reply.id)
    of_leaders = planned.model_copy(update={"kind": MeetingKind.leadership})
    await seen(at, "meeting-1", of_leaders)
    await seen(at, "meeting-2", planned)
    await seen(at, "meeting-2", held)
    for meeting in ("meeting-1", "meeting-2", "meeting-3"):
        with pytest.raises(NoSuchMeeting, match=meeting):
            await decided(at, LEADER, AdoptExamination, reply.id, meeting=meeting)
    await seen(at, "meeting-1", held)

    adopting = await decided(at, LEADER, AdoptExamination, reply.id, meeting="meeting-1")

    assert adopting.type == ExaminationAdopted.TYPE


async def test_lengths_are_counted_before_the_words_are_sealed() -> None:
    at = await works()
    reply = await decided(at, CADRE, DraftExamination, "", **OWN, basic_situation="总体较好")
    event: Any = at.pages.log[reply.position - 1].event
    assert event.paper.lengths.model_dump() == {
        "basic_situation": 4, "manifestations": 0, "cause_analysis": 0, "improvement_measures": 0,
    }  # fmt: skip
    assert event.paper.basic_situation.startswith("~1~examination.")


async def test_an_unknown_issue_is_refused() -> None:
    at = await works()
    with pytest.raises(NoSuchIssue):
        await decided(at, CADRE, DraftExamination, "", **OWN, answers=("issue-1",))


async def test_a_school_nobody_knows_has_no_facts() -> None:
    at = await works(None)
    draft = by(CADRE, DraftExamination, **OWN)
    with pytest.raises(UnknownSchool):
        await examination_facts(draft, at.runtime.desk(TOWN, NOON))


# -- Examinations ---------------------------------------------------------------------------------


async def asked(query: Any, answer: Any, person: PersonId, *entries: Any) -> Any:
    desk = await after(*entries)
    return await answer(query, desk, caller(person))


async def test_the_list_has_figures_and_no_words() -> None:
    found = await asked(
        Examinations(),
        of_examinations.all_examinations,
        TEACHER,
        ("issue-1", issue_opened),
        ("issue-1", issue_claimed),
        ("issue-2", issue_opened),
        ("issue-2", issue_claimed),
        ("e-1", drafted),
        ("e-2", of_the_team),
    )
    own, team = found["items"]
    assert own["unanswered_now"] == ("issue-2",)
    assert own["share_of_part_1"] == 15 / 48
    assert own["aspects_missing"] == ["party_spirit", "discipline"]
    assert team["unanswered_now"] == ()
    assert not any(word in str(found) for word in WORDS.values())


@pytest.mark.parametrize(
    ("said", "ids"),
    [
        ({"subject": ExaminationSubject.team}, ["e-2"]),
        ({"person": CADRE}, ["e-1", "e-3"]),
        ({"person": MEMBER}, []),
        ({"stage": "submitted"}, ["e-1"]),
        ({"campaign": "campaign-2"}, []),
        ({"limit": 1}, ["e-1"]),
    ],
)
async def test_the_list_is_filtered(said: dict[str, Any], ids: list[str]) -> None:
    double = drafted.model_copy(update={"person": DOUBLE})
    past = (("e-1", drafted), ("e-2", of_the_team), ("e-1", submitted), ("e-3", double))
    found = await asked(Examinations(**said), of_examinations.all_examinations, TEACHER, *past)
    assert [item["id"] for item in found["items"]] == ids
    assert (found["next"] is None) == ("limit" not in said)


@pytest.mark.parametrize("person", [CADRE, LEADER, SUPERVISOR])
async def test_author_leaders_and_supervision_read_it(person: PersonId) -> None:
    past = (("e-1", sealed), ("e-1", submitted))
    found = await asked(Examination(id="e-1"), of_examinations.one_examination, person, *past)
    assert found["paper"]["basic_situation"] == SECRET


@pytest.mark.parametrize("person", [TEACHER, MEMBER, SECRETARY, OPERATOR])
async def test_nobody_else_does(person: PersonId) -> None:
    past = (("e-1", sealed), ("e-1", submitted))
    found = await asked(Examination(id="e-1"), of_examinations.one_examination, person, *past)
    assert found["paper"]["basic_situation"] == SEALED
    assert found["stage"] == "submitted"


async def test_the_teams_is_for_the_team_and_once_adopted_for_all() -> None:
    past: tuple[Any, ...] = (("e-1", teams), ("e-1", submitted))
    query, answer = Examination(id="e-1"), of_examinations.one_examination
    assert (await asked(query, answer, MEMBER, *past))["paper"]["basic_situation"] == SECRET
    assert (await asked(query, answer, TEACHER, *past))["paper"]["basic_situation"] == SEALED
    past = (*past, ("e-1", adopted))
    assert (await asked(query, answer, TEACHER, *past))["paper"]["basic_situation"] == SECRET
    assert (await asked(query, answer, OPERATOR, *past))["paper"]["basic_situation"] == SEALED


async def test_what_is_not_there_is_not_found() -> None:
    for query, answer in (
        (Examination(id="e-9"), of_examinations.one_examination),
        (of_appraisals.Appraisal(id="a-9"), of_appraisals.one_appraisal),
        (AppraisedMember(id="a-9", member=CADRE), of_appraisals.appraised_member),
        (AppraisalBallots(id="a-9"), of_appraisals.opened_ballots),
    ):
        with pytest.raises(NotFound):
            await asked(query, answer, LEADER)


async def test_who_owes_one_is_listed_as_of_a_day() -> None:
    past = (("e-1", drafted), ("e-1", submitted))
    found = await asked(ExaminationsOwed(), of_examinations.examinations_owed, TEACHER, *past)
    assert found == {
        "campaign": "campaign-1",
        "day": TODAY.isoformat(),
        "team": True,
        "persons": [LEADER, MEMBER],
    }
    other = ExaminationsOwed(campaign="campaign-2", day=date(2023, 5, 9))
    found = await asked(other, of_examinations.examinations_owed, TEACHER, *past)
    assert found["persons"] == [CADRE, LEADER, MEMBER]


# -- Appraisals -----------------------------------------------------------------------------------


async def test_an_appraisal_shows_what_is_missing() -> None:
    past = [("a-1", event) for event in (*done, worst, educated)]
    found = await asked(
        of_appraisals.Appraisal(id="a-1"), of_appraisals.one_appraisal, TEACHER, *past
    )
    assert found["missing"]["dispositions"] == [TEACHER]
    assert found["missing"]["educations"] == []
    assert found["share_of_best"] == 0
    assert found["code_hashes"] == list(ballot_opened.code_hashes)


async def test_who_appraised_whom_is_on_its_page_in_a_list_only_how_often() -> None:
    past = (("a-1", opened), ("a-1", of_another))
    page = await asked(
        of_appraisals.Appraisal(id="a-1"), of_appraisals.one_appraisal, TEACHER, *past
    )
    assert page["appraised"] == {TEACHER: [CADRE]}
    (line,) = (await asked(Appraisals(), of_appraisals.all_appraisals, TEACHER, *past))["items"]
    assert line["appraisals"] == 1
    assert not {"appraised", "code_hashes"} & line.keys()


async def test_appraisals_are_listed_and_filtered() -> None:
    past = (("a-1", opened), ("a-2", opened), ("a-2", AppraisalVoided(reason="重做")))
    answer = of_appraisals.all_appraisals
    every = await asked(Appraisals(), answer, TEACHER, *past)
    assert [item["id"] for item in every["items"]] == ["a-1", "a-2"]
    live = await asked(Appraisals(stage="opened", branch=opened.branch), answer, TEACHER, *past)
    assert [item["id"] for item in live["items"]] == ["a-1"]
    none = await asked(Appraisals(branch="science"), answer, TEACHER, *past)
    assert none == {"items": [], "next": None}


async def test_branches_without_a_counted_appraisal_are_listed() -> None:
    answer = of_appraisals.appraisals_owed
    past: list[Any] = [("a-1", event) for event in done[:2]]
    found = await asked(AppraisalsOwed(), answer, TEACHER, *past)
    assert found["branches"] == ("liberal", "science")
    past.append(("a-1", done[2]))
    found = await asked(AppraisalsOwed(), answer, TEACHER, *past)
    assert found["branches"] == ("science",)
    other = AppraisalsOwed(campaign="campaign-2")
    assert len((await asked(other, answer, TEACHER, *past))["branches"]) == 2


spoken = of_another.model_copy(update={"text": SAID})
WORDS_OF: tuple[Any, ...] = (("a-1", opened), ("a-1", spoken), ("a-1", of_oneself))


@pytest.mark.parametrize("person", [CADRE, SECRETARY, LEADER, SUPERVISOR, TEACHER])
async def test_the_member_those_in_charge_and_who_said_it_read_it(person: PersonId) -> None:
    query = AppraisedMember(id="a-1", member=CADRE)
    found = await asked(query, of_appraisals.appraised_member, person, *WORDS_OF)
    assert [s["texts"] for s in found["said"]] == [{"text": SAID}]


@pytest.mark.parametrize("person", [MEMBER, OUTSIDER, OPERATOR])
async def test_others_see_that_something_was_said_not_what(person: PersonId) -> None:
    query = AppraisedMember(id="a-1", member=CADRE)
    found = await asked(query, of_appraisals.appraised_member, person, *WORDS_OF)
    assert [s["texts"] for s in found["said"]] == [{"text": SEALED}]


async def test_a_member_nobody_spoke_of_has_no_words_a_stranger_no_page() -> None:
    quiet = AppraisedMember(id="a-1", member=LEADER)
    found = await asked(quiet, of_appraisals.appraised_member, LEADER, *WORDS_OF)
    assert found["said"] == []
    stranger = AppraisedMember(id="a-1", member=OUTSIDER)
    with pytest.raises(NotFound):
        await asked(stranger, of_appraisals.appraised_member, LEADER, *WORDS_OF)


async def test_opened_slips_are_shown_page_by_page() -> None:
    past = [("a-1", event) for event in done]
    answer = of_appraisals.opened_ballots
    first = await asked(AppraisalBallots(id="a-1", limit=1), answer, TEACHER, *past)
    assert (first["total"], first["next"]) == (2, 1)
    rest = await asked(AppraisalBallots(id="a-1", after=first["next"]), answer, TEACHER, *past)
    assert rest["next"] is None
    hashes = [slip["code_hash"] for page in (first, rest) for slip in page["items"]]
    assert hashes == [slip.code_hash for slip in SLIPS]


async def test_before_opening_there_are_no_slips() -> None:
    with pytest.raises(NotFound):
        await asked(
            AppraisalBallots(id="a-1"), of_appraisals.opened_ballots, TEACHER, ("a-1", opened)
        )
