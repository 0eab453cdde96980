"""Who sees how much, page by page; the boards over what the views hold; and the facts rules are given."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from services.campaign.events import Role, StageName
from services.study import queries as q
from services.study.app import service
from services.study.domain import NoSuchCampaign
from services.study.domain.activity import OutsideSchoolYear
from services.study.domain.reading import Read
from services.study.events import (
    ActivityKind,
    ActivityRecorded,
    ActivityVoided,
    Aspect,
    CatalogueItemAdded,
    CatalogueItemVoided,
    Rating,
    ReadingRecorded,
    ReflectionRated,
    ReflectionSubmitted,
    SessionKind,
    StudyAttendanceRecorded,
    TieOpened,
)
from services.study.projection import directory
from shared.callers import UnknownSchool
from shared.decider import NotFound, PersonId
from shared.marks import TOKEN_PREFIX
from shared.privacy import SEALED
from shared.runtime import Desk
from tests.study import (
    test_gap,
    test_reading,
    test_reflection,
    test_self_rating,
    test_session,
)
from tests.study.cast import (
    CADRE,
    CAMPAIGN,
    GONE,
    LEADER,
    MEMBER,
    OFFICER,
    SCHOOL,
    SECRETARY,
    STRANGER,
    SUPERVISOR,
    TEACHER,
    TODAY,
    TWIN,
    YESTERDAY,
)
from tests.study.memory import after, caller


def sealed(name: str, stream: str = "reflection.r1") -> str:
    """A text as the log holds it: nobody here has its key."""
    return f"{TOKEN_PREFIX}{stream}~{name}~box"


def written(author: PersonId, text: str, **more: Any) -> ReflectionSubmitted:
    fields: dict[str, Any] = {
        "author": author,
        "title": sealed("title"),
        "text": text,
        "length": len(text),
        "written_on": date(2023, 4, 20),
        "recorded_by": author,
    }
    return ReflectionSubmitted(**{**fields, **more})


def did(kind: ActivityKind, person: PersonId, on: date = TODAY, **more: Any) -> ActivityRecorded:
    return ActivityRecorded(kind=kind, person=person, on=on, recorded_by=OFFICER, **more)


# -- Sessions and catalogue -----------------------------------------------------------------------


async def test_of_a_branchs_session_it_is_known_who_was_not_there() -> None:
    study = {"kind": SessionKind.branch_study, "branch": "liberal"}
    desk = await after(
        ("s1", test_session.recorded.model_copy(update=study)),
        ("s1", StudyAttendanceRecorded(present=(TWIN,), excused=(TEACHER,))),
        ("s2", test_session.recorded),
        ("s2", test_session.attended),
        ("s3", test_session.recorded.model_copy(update=study)),
    )
    found = await q.all_sessions(q.StudySessions(), desk, caller(STRANGER))
    assert [line["absent"] for line in found["items"]] == [[SECRETARY], None, None]
    branch = await q.all_sessions(q.StudySessions(branch="liberal"), desk, caller(STRANGER))
    assert [line["id"] for line in branch["items"]] == ["s1", "s3"]
    page = await q.all_sessions(q.StudySessions(limit=1), desk, caller(STRANGER))
    more = await q.all_sessions(q.StudySessions(after=page["next"]), desk, caller(STRANGER))
    assert [line["id"] for line in more["items"]] == ["s2", "s3"]


def item(title: str, *, required: bool = True) -> CatalogueItemAdded:
    return CatalogueItemAdded(
        title=title, origin="~", required=required, since=date(2023, 2, 13), added_by=OFFICER
    )


def has_read(person: PersonId, key: str) -> ReadingRecorded:
    return ReadingRecorded(person=person, item=key, edition=1, on=YESTERDAY, recorded_by=person)


async def test_the_matrix_is_over_required_items_that_count() -> None:
    desk = await after(
        ("i1", item("条例")),
        ("i2", item("选读", required=False)),
        ("i3", item("作废")),
        ("i3", CatalogueItemVoided(reason="~")),
        ("r1", has_read(TWIN, "i1")),
        ("r2", has_read(TEACHER, "i2")),
        ("r3", has_read(CADRE, "i1")),
        ("r3", test_reading.voided),
    )
    found = await q.reading_matrix(q.ReadingMatrix(), desk, caller(STRANGER))
    rows = {row["person"]: row for row in found["items"]}
    assert rows[MEMBER]["read"] == ("i1",)
    assert {p: r["missing"] for p, r in rows.items() if p != MEMBER} == dict.fromkeys(
        (LEADER, CADRE, TEACHER, SECRETARY), ("i1",)
    )
    cadres = await q.reading_matrix(q.ReadingMatrix(role=Role.party_cadre), desk, caller(STRANGER))
    assert len(cadres["items"]) == 3
    listed = await q.catalogue(q.StudyCatalogue(required=True), desk, caller(STRANGER))
    assert [line["id"] for line in listed["items"]] == ["i1", "i3"]


async def test_readings_are_found_by_person_and_item() -> None:
    desk = await after(
        ("r1", has_read(TWIN, "i1")),
        ("r2", has_read(TEACHER, "i1")),
        ("r3", has_read(MEMBER, "i2")),
    )
    for asked, ids in (
        ({}, ["r1", "r2", "r3"]),
        ({"person": MEMBER}, ["r1", "r3"]),
        ({"item": "i1"}, ["r1", "r2"]),
        ({"person": TWIN, "item": "i2"}, ["r3"]),
    ):
        query = q.Readings.model_validate(asked)
        found = await q.all_readings(query, desk, caller(STRANGER))
        assert [line["id"] for line in found["items"]] == ids


async def test_a_board_is_given_page_by_page() -> None:
    desk = await after(("i1", item("条例")))
    first = await q.reading_matrix(q.ReadingMatrix(limit=2), desk, caller(STRANGER))
    assert [row["opened"] for row in first["items"]] == [1, 2]
    rest = await q.reading_matrix(q.ReadingMatrix(after=first["next"]), desk, caller(STRANGER))
    assert [row["opened"] for row in rest["items"]] == [3, 4, 5]
    assert rest["next"] is None


# -- Reflections ----------------------------------------------------------------------------------

RATED = (
    ("r1", written(CADRE, sealed("text"))),
    ("r1", ReflectionRated(reader=LEADER, rating=Rating.good, comment=sealed("comment"))),
)


@pytest.mark.parametrize("person", [CADRE, LEADER, SECRETARY, SUPERVISOR])
async def test_the_words_are_for_the_author_and_the_readers(person: PersonId) -> None:
    desk = await after(*RATED)
    found = await q.reflection(q.Reflection(id="r1"), desk, caller(person))
    assert found["text"] == sealed("text")
    assert found["ratings"][0]["rating"] == "good"


@pytest.mark.parametrize("person", [STRANGER, OFFICER, TEACHER])
async def test_others_see_that_it_was_written_and_read(person: PersonId) -> None:
    desk = await after(*RATED)
    found = await q.reflection(q.Reflection(id="r1"), desk, caller(person))
    assert found["text"] == found["title"] == SEALED
    (rating,) = found["ratings"]
    assert (rating["reader"], rating["rating"], rating["comment"]) == (LEADER, None, SEALED)
    assert (found["author"], found["length"]) == (CADRE, len(sealed("text")))


async def test_the_list_shows_nobody_the_text() -> None:
    desk = await after(*RATED)
    for person in (CADRE, LEADER, STRANGER):
        (line,) = (await q.all_reflections(q.Reflections(), desk, caller(person)))["items"]
        assert line["text"] == SEALED
    none = await q.all_reflections(q.Reflections(author=STRANGER), desk, caller(LEADER))
    assert none["items"] == []
    with pytest.raises(NotFound):
        await q.reflection(q.Reflection(id="r9"), desk, caller(LEADER))


async def test_who_has_not_written_is_listed_for_the_stage() -> None:
    desk = await after(*RATED, ("r2", written(TWIN, "~", written_on=date(2023, 5, 2))))
    found = await q.reflection_submissions(q.ReflectionSubmissions(), desk, caller(STRANGER))
    assert (found["campaign"], found["as_of"]) == (CAMPAIGN, TODAY)
    assert found["submitted"] == (CADRE,)
    assert found["not_submitted"] == (LEADER, MEMBER, GONE)
    early = q.ReflectionSubmissions(as_of=date(2023, 4, 19))
    assert (await q.reflection_submissions(early, desk, caller(STRANGER)))["submitted"] == ()


async def test_there_is_such_a_campaign_and_it_has_such_a_stage() -> None:
    desk = await after()
    other = q.ReflectionSubmissions(campaign="campaign-9")
    with pytest.raises(NoSuchCampaign):
        await q.reflection_submissions(other, desk, caller(STRANGER))
    later = q.ReflectionSubmissions(stage=StageName.problem_finding_and_criticism)
    with pytest.raises(NotFound):
        await q.reflection_submissions(later, desk, caller(STRANGER))


ESSAY = "总务工作离学生最近,也最容易只看报表不看人。这次学习让我重新走了一遍宿舍和食堂。"


async def test_copied_and_short_reflections_are_found_for_readers() -> None:
    desk = await after(
        ("r1", written(CADRE, ESSAY)),
        ("r2", written(LEADER, "我的体会是," + ESSAY)),
        ("r3", written(CADRE, ESSAY + "补充一点。")),
        ("r4", written(MEMBER, "完全不同的一篇文章,讲课堂教学。", length=1600)),
        ("r5", written(MEMBER, ESSAY)),
        ("r5", test_reflection.voided),
    )
    found = await q.reflection_findings(q.ReflectionFindings(), desk, caller(SUPERVISOR))
    assert [(p["one"], p["other"]) for p in found["pairs"]] == [("r1", "r2"), ("r2", "r3")]
    assert found["clusters"] == [("r1", "r2", "r3")]
    assert (found["minimum"], found["at_least"], found["left_out"]) == (1500, 0.5, 0)
    assert [line["id"] for line in found["too_short"]] == ["r1", "r2", "r3"]
    strict = q.ReflectionFindings(at_least=1)
    assert (await q.reflection_findings(strict, desk, caller(LEADER)))["pairs"] == []
    assert "person" not in q.ReflectionFindings.allowed


async def test_a_text_that_cannot_be_opened_is_left_out() -> None:
    desk = await after(("r1", written(CADRE, sealed("text"))), ("r2", written(LEADER, ESSAY)))
    found = await q.reflection_findings(q.ReflectionFindings(), desk, caller(LEADER))
    assert found["pairs"] == []


# -- Gaps and self-ratings ------------------------------------------------------------------------

GAP = test_gap.recorded.model_copy(update={"text": sealed("text", "gap.g1")})


async def test_a_gap_is_for_who_found_it_and_for_readers() -> None:
    desk = await after(("g1", GAP))
    for person in (TEACHER, LEADER, SUPERVISOR):
        (line,) = (await q.all_gaps(q.Gaps(), desk, caller(person)))["items"]
        assert line["text"] == GAP.text
    for person in (STRANGER, OFFICER):
        (line,) = (await q.all_gaps(q.Gaps(person=TEACHER), desk, caller(person)))["items"]
        assert (line["text"], line["aspect"]) == (SEALED, "service")
    assert (await q.all_gaps(q.Gaps(aspect=Aspect.style), desk, caller(LEADER)))["items"] == []


async def test_the_five_aspects_are_a_matrix() -> None:
    desk = await after(("g1", GAP))
    found = await q.gap_matrix(q.GapMatrix(), desk, caller(STRANGER))
    rows = {row["person"]: row["found"] for row in found["items"]}
    assert rows == {p: (Aspect.service,) if p == TEACHER else () for p in rows}
    assert len(rows) == 5
    other = await q.gap_matrix(q.GapMatrix(campaign="campaign-9"), desk, caller(STRANGER))
    assert not any(row["found"] for row in other["items"])


async def test_self_ratings_are_ones_own_or_for_readers() -> None:
    desk = await after(("s1", test_self_rating.recorded))
    for person in (TEACHER, LEADER):
        assert len((await q.all_self_ratings(q.SelfRatings(), desk, caller(person)))["items"]) == 1
    for person in (STRANGER, OFFICER):
        assert (await q.all_self_ratings(q.SelfRatings(), desk, caller(person)))["items"] == []


# -- Six ones -------------------------------------------------------------------------------------

VISIT = did(
    ActivityKind.staff_visit,
    MEMBER,
    YESTERDAY,
    visited=STRANGER,
    difficulty=sealed("difficulty", "activity.a1"),
)
TUTORING = did(ActivityKind.named_tutoring, TEACHER, date(2023, 3, 1), pupil="pupil-7")
LESSON = did(ActivityKind.lesson_observation, TWIN, date(2023, 5, 4), title="~")
DONATION = did(ActivityKind.donation, LEADER, pupil="pupil-1", amount=Decimal("2022.00"))
DONE = (("a1", VISIT), ("a2", TUTORING), ("a3", LESSON), ("a4", DONATION))


@pytest.mark.parametrize(
    ("person", "sees"),
    [(MEMBER, True), (STRANGER, True), (OFFICER, True), (SUPERVISOR, True), (TEACHER, False)],
)
async def test_whom_a_visit_was_paid_to_is_for_who_has_to_do_with_it(
    person: PersonId, *, sees: bool
) -> None:
    desk = await after(*DONE)
    found = await q.activity(q.Activity(id="a1"), desk, caller(person))
    assert found["visited"] == (STRANGER if sees else None)
    assert found["difficulty"] == (VISIT.difficulty if sees else SEALED)
    assert (found["kind"], found["term"], found["week"]) == ("staff_visit", 2, 12)


async def test_which_pupil_is_nobody_elses_business() -> None:
    desk = await after(*DONE)
    assert (await q.activity(q.Activity(id="a2"), desk, caller(TEACHER)))["pupil"] == "pupil-7"
    assert (await q.activity(q.Activity(id="a2"), desk, caller(MEMBER)))["pupil"] is None
    with pytest.raises(NotFound):
        await q.activity(q.Activity(id="a9"), desk, caller(MEMBER))


@pytest.mark.parametrize(
    ("asked", "ids"),
    [
        ({}, ["a1", "a2", "a3", "a4"]),
        ({"person": MEMBER}, ["a1", "a3"]),
        ({"person": TWIN}, ["a1", "a3"]),
        ({"kind": ActivityKind.donation}, ["a4"]),
        ({"since": date(2023, 5, 4)}, ["a1", "a3", "a4"]),
        ({"until": date(2023, 5, 4)}, ["a2", "a3"]),
        ({"since": date(2023, 5, 5), "until": date(2023, 5, 7)}, ["a1"]),
    ],
    ids=str,
)
async def test_activities_are_found_by_person_kind_and_days(
    asked: dict[str, Any], ids: list[str]
) -> None:
    desk = await after(*DONE)
    found = await q.all_activities(q.Activities(**asked), desk, caller(OFFICER))
    assert [line["id"] for line in found["items"]] == ids


async def test_the_leaders_board_is_made_of_what_counts() -> None:
    desk = await after(
        *DONE,
        ("a5", did(ActivityKind.canteen_meal, MEMBER, date(2023, 5, 4))),
        ("a5", ActivityVoided(reason="~")),
        ("t1", TieOpened(number=1, person=MEMBER, unit="grade-8", since=TODAY, recorded_by=MEMBER)),
    )
    found = await q.leader_six_ones(q.LeaderSixOnes(), desk, caller(STRANGER))
    rows = {row["person"]: row for row in found["items"]}
    assert found["donation_amount"] == 2022
    assert (found["as_of"], found["school_year"]["begins_on"]) == (TODAY, date(2022, 9, 1))
    assert (rows[LEADER]["donation"], rows[MEMBER]["donation"]) == ("done", "open")
    assert (rows[MEMBER]["staff_visit"], rows[MEMBER]["contact_units"]) == ("done", ("grade-8",))
    twelfth = rows[MEMBER]["weeks"][-2]
    assert (twelfth["lesson_observation"], twelfth["canteen_meal"]) == ("done", "missing")


async def test_the_members_board_and_the_counts_are_made_of_the_same() -> None:
    desk = await after(*DONE)
    found = await q.member_six_ones(q.MemberSixOnes(), desk, caller(STRANGER))
    rows = {row["person"]: row for row in found["items"]}
    assert [t["named_tutoring"] for t in rows[TEACHER]["terms"]] == ["missing", "done"]
    counted = await q.activity_tally(q.ActivityTally(person=MEMBER), desk, caller(STRANGER))
    assert [(row["kind"], row["week"]) for row in counted["items"]] == [
        ("lesson_observation", 12),
        ("staff_visit", 12),
    ]


async def test_a_board_is_of_a_school_year() -> None:
    desk = await after(*DONE)
    before = q.LeaderSixOnes(year=date(2022, 8, 31))
    with pytest.raises(OutsideSchoolYear):
        await q.leader_six_ones(before, desk, caller(STRANGER))
    behind = q.MemberSixOnes(as_of=date(2023, 9, 1))
    with pytest.raises(OutsideSchoolYear):
        await q.member_six_ones(behind, desk, caller(STRANGER))
    never = q.ActivityTally(year=date(2024, 1, 1))
    with pytest.raises(OutsideSchoolYear):
        await q.activity_tally(never, desk, caller(STRANGER))
    late = q.MemberSixOnes(year=TODAY, as_of=date(2024, 1, 1))
    found = await q.member_six_ones(late, desk, caller(STRANGER))
    assert {row["yearly"]["open_class"] for row in found["items"]} == {"missing"}


async def test_without_an_amount_the_board_says_so() -> None:
    desk = await after(*DONE, directory=SCHOOL.model_copy(update={"campaigns": {}}))
    found = await q.leader_six_ones(q.LeaderSixOnes(), desk, caller(STRANGER))
    assert found["donation_amount"] is None
    assert {row["donation"] for row in found["items"]} == {"unset"}


async def test_ties_are_shown_as_of_a_day_and_as_recorded() -> None:
    tie = TieOpened(number=1, person=TWIN, unit="grade-8", since=TODAY, recorded_by=OFFICER)
    desk = await after(("t1", tie))
    found = await q.all_ties(q.Ties(), desk, caller(STRANGER))
    assert [(row["person"], row["standing"]) for row in found["board"]] == [
        (LEADER, "missing"),
        (MEMBER, "tied"),
    ]
    assert [line["person"] for line in found["recorded"]] == [TWIN]
    before = await q.all_ties(q.Ties(as_of=YESTERDAY), desk, caller(STRANGER))
    assert {row["standing"] for row in before["board"]} == {"missing"}


# -- Facts ----------------------------------------------------------------------------------------


async def test_rules_are_told_which_items_the_catalogue_has() -> None:
    entries = (("i1", item("~")), ("i2", item("~")), ("i2", CatalogueItemVoided(reason="~")))
    desk = await after(*entries)
    asked = test_session.record(items=("i1", "i2", "i9"))
    assert (await q.session_facts(asked, desk)).items == {"i1"}
    assert (await q.session_facts(test_session.attend(MEMBER), desk)).items == set()
    assert (await q.directory_facts(asked, desk)) == desk.ledger(directory)


async def test_rules_are_told_the_present_edition_of_what_was_read() -> None:
    desk = await after(
        ("i1", item("~")), ("i2", item("~")), ("i2", CatalogueItemVoided(reason="~"))
    )
    for key, edition in (("i1", 1), ("i2", None), ("i9", None)):
        facts = await q.reading_facts(test_reading.record(item=key), desk)
        assert facts.edition == edition
    read = Read(TEACHER, "i1", 1, TODAY, TEACHER)
    again = replace(desk, state=read)
    assert (await q.reading_facts(test_reading.correct(), again)).edition == 1
    assert (await q.reading_facts(test_reading.correct(), desk)).edition is None


async def test_nothing_is_decided_for_a_school_that_is_not_known() -> None:
    desk = await after(directory=None)
    with pytest.raises(UnknownSchool):
        await q.directory_facts(test_session.record(), desk)


async def test_every_query_answers_a_school_where_nothing_happened_yet() -> None:
    desk: Desk = await after()
    for kind, answer in service.queries.items():
        if "{id}" not in kind.path:
            found = await answer(kind(), desk, caller(LEADER))
            assert not found.get("recorded")
