"""The directory: one school folded from the log, and what rules ask of it."""

from datetime import UTC, date, datetime, timedelta

import pytest

from services.campaign.calendar import Calendar, Deadline, Span
from services.campaign.defaults import Policy
from services.campaign.directory import FOLLOWS, Directory, who
from services.campaign.events import (
    AccountClosed,
    AccountHandedOver,
    AccountOpened,
    CampaignConcluded,
    CampaignResumed,
    CampaignStarted,
    CampaignVoided,
    HolidayDeclared,
    InspectionKind,
    InspectionRecorded,
    MakeUpDayDeclared,
    MergeVoided,
    PersonEntered,
    PersonMerged,
    PlanApproved,
    PlanDrafted,
    PlanFiled,
    PlanRevised,
    PlanSentBack,
    PolicySet,
    Post,
    Role,
    SchoolCorrected,
    SchoolEnrolled,
    SettingUnit,
    StartCorrected,
    UnitClosed,
    UnitCorrected,
    UnitEntered,
    UnitKind,
    UnitReopened,
    UnitVoided,
)
from services.campaign.projection import directory as view
from shared.callers import (
    ANONYMOUS,
    Caller,
    Claims,
    Unauthenticated,
    UnknownPerson,
    UnknownSchool,
)
from shared.decider import Event, PersonId
from shared.views import Working, as_stored, content
from tests.campaign.examples import (
    ADMIN,
    DIRECTORY,
    HEAD,
    NEW_YEAR,
    NOON,
    OLD_OFFICE,
    SCIENCE,
    STAGES,
    TEACHING,
    TODAY,
    YESTERDAY,
    directory_after,
    log,
)

ENROLLED = ("no1", SchoolEnrolled(name="江北中学", zone="Asia/Shanghai", language="zh"))
ANA = (
    "ana",
    PersonEntered(
        name="…", joined_on=NEW_YEAR, posts=(Post(role=Role.team_member, since=NEW_YEAR),)
    ),
)


def after(*events: tuple[str, Event]) -> Directory:
    known = directory_after(log(ENROLLED, *events))
    assert known is not None
    return known


def plan(drafted_by: PersonId = ADMIN, follows_on: str | None = None) -> PlanDrafted:
    return PlanDrafted(
        title="方案",
        begins_on=date(2023, 1, 1),
        ends_on=date(2023, 9, 30),
        stages=STAGES,
        drafted_by=drafted_by,
        follows_on=follows_on,
    )


# -- Folding ---------------------------------------------------------------------------------------


def test_nothing_is_known_before_the_school_is_enrolled() -> None:
    assert directory_after(log(ANA)) is None


def test_the_school_is_enrolled_and_put_right() -> None:
    corrected = SchoolCorrected(name="新名", zone="UTC", language="en", reason="…")
    known = after(ANA, ("no1", corrected))
    assert (known.school.name, known.school.zone, known.school.language) == ("新名", "UTC", "en")
    assert "ana" in known.roster.people


def test_units_come_change_close_and_go() -> None:
    entered = ("u", UnitEntered(kind=UnitKind.department, name="处"))
    closed = ("u", UnitClosed(on=TODAY))
    corrected = ("u", UnitCorrected(kind=UnitKind.grade, name="级", reason="…"))
    assert after(entered).has_unit("u", UnitKind.department, TODAY)
    assert not after(entered).has_unit("u", UnitKind.branch, TODAY)
    assert after(entered, closed, corrected).units["u"].closed_on == TODAY
    assert after(entered, corrected).has_unit("u", UnitKind.grade, TODAY)
    assert after(entered, closed, ("u", UnitReopened(reason="…"))).units["u"].closed_on is None
    assert not after(entered, ("u", UnitVoided(reason="…"))).units


def test_a_unit_exists_up_to_its_last_day() -> None:
    assert DIRECTORY.has_unit(OLD_OFFICE, UnitKind.department, YESTERDAY)
    assert not DIRECTORY.has_unit(OLD_OFFICE, UnitKind.department, TODAY)
    assert not DIRECTORY.has_unit("never", UnitKind.department, TODAY)


def test_holidays_and_make_up_days_are_in_the_calendar() -> None:
    day = date(2023, 5, 6)
    known = after(
        ("no1", HolidayDeclared(begins_on=TODAY, ends_on=TODAY, name="…")),
        ("no1", MakeUpDayDeclared(on=day)),
    )
    assert known.calendar == Calendar(
        holidays=(Span(begins_on=TODAY, ends_on=TODAY),), make_up_days=frozenset({day})
    )


def test_inspections_are_no_part_of_it() -> None:
    assert InspectionRecorded not in FOLLOWS
    recorded = InspectionRecorded(kind=InspectionKind.other, held_on=TODAY, scope="…", found="…")
    assert after(("i", recorded)) == after()


# -- Campaigns and policy --------------------------------------------------------------------------

FILED = (("c", PlanApproved(revision=1)), ("c", PlanFiled(revision=1, filed_with="…")))
REVISED = PlanRevised(
    revision=2,
    title="新",
    begins_on=date(2023, 1, 1),
    ends_on=date(2023, 12, 31),
    stages=STAGES,
    revised_by=ADMIN,
    reason="…",
)
STARTED = ("c", CampaignStarted(on=TODAY))
CONCLUDED = ("c", CampaignConcluded(on=TODAY, summary="…"))
NEXT = ("d", plan(follows_on="c"))
TWO_DAYS = PolicySet(setting="claim_within", value="2", unit=SettingUnit.school_days, reason="…")


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ((), "drafted"),
        (FILED[:1], "approved"),
        ((*FILED[:1], ("c", PlanSentBack(revision=1, remarks="…"))), "drafted"),
        (FILED, "filed"),
        ((*FILED, ("c", REVISED)), "drafted"),
        ((*FILED, STARTED), "running"),
        ((*FILED, STARTED, ("c", REVISED), *FILED), "running"),
        ((*FILED, STARTED, CONCLUDED), "concluded"),
        ((*FILED, STARTED, CONCLUDED, ("c", CampaignResumed(reason="…"))), "running"),
    ],
)
def test_a_campaign_stands_where_its_plan_or_its_course_has_come(
    events: tuple[tuple[str, Event], ...], state: str
) -> None:
    assert after(("c", plan()), *events).campaigns["c"].state == state


def test_its_first_and_last_day_are_known() -> None:
    begun = (("c", plan()), *FILED, STARTED, ("c", StartCorrected(on=YESTERDAY, reason="…")))
    entry = after(*begun, CONCLUDED).campaigns["c"]
    assert (entry.started_on, entry.concluded_on) == (YESTERDAY, TODAY)
    assert (
        after(*begun, CONCLUDED, ("c", CampaignResumed(reason="…"))).campaigns["c"].concluded_on
        is None
    )


def test_a_revised_plan_has_its_new_dates() -> None:
    assert after(("c", plan()), ("c", REVISED)).campaigns["c"].ends_on == date(2023, 12, 31)


def test_a_voided_campaign_counts_nowhere() -> None:
    assert after(("c", plan()), ("c", CampaignVoided(reason="…"))).current is None


@pytest.mark.parametrize(
    ("events", "current"),
    [
        ((), None),
        ((("c", plan()),), "c"),
        ((("c", plan()), NEXT), "d"),
        ((("c", plan()), *FILED, STARTED, NEXT), "c"),
        ((("c", plan()), *FILED, STARTED, NEXT, CONCLUDED), "d"),
        ((("c", plan()), *FILED, STARTED, CONCLUDED), "c"),
    ],
)
def test_the_campaign_that_counts_is_the_one_that_runs_or_is_to_come(
    events: tuple[tuple[str, Event], ...], current: str | None
) -> None:
    assert after(*events).current == current


def test_policy_is_set_for_a_campaign_and_rolls_over_to_the_next() -> None:
    known = after(("c", plan()), ("c", TWO_DAYS), NEXT)
    assert known.campaigns["d"].policy.setting("claim_within").value == "2"
    assert known.campaigns["d"].follows_on == "c"
    changed = after(
        ("c", plan()), ("c", TWO_DAYS), NEXT, ("d", TWO_DAYS.model_copy(update={"value": "4"}))
    )
    assert changed.campaigns["c"].policy.setting("claim_within").value == "2"
    assert changed.policy.setting("claim_within").value == "4"


def test_without_a_campaign_the_defaults_count() -> None:
    assert after().policy == Policy()
    assert after().period("claim_within").value == "3"


# -- Deadlines -------------------------------------------------------------------------------------


def test_a_day_is_the_schools_own() -> None:
    late = datetime(2023, 3, 1, 16, tzinfo=UTC)
    assert DIRECTORY.day(late) == date(2023, 3, 2)
    assert DIRECTORY.day(late - timedelta(seconds=1)) == TODAY


def test_a_deadline_is_the_end_of_the_last_school_day() -> None:
    due = DIRECTORY.due(NOON, "claim_within")
    assert due == Deadline(at=datetime(2023, 3, 6, 16, tzinfo=UTC), on=date(2023, 3, 6))
    assert DIRECTORY.on_day(date(2023, 3, 6)) == due


def test_reminders_come_before_it_in_order_and_never_in_the_past() -> None:
    due = DIRECTORY.due(NOON, "claim_within")
    eight = timedelta(hours=8)
    at_eight = [datetime(2023, 3, d, 8, tzinfo=UTC) - eight for d in (3, 6)]
    assert DIRECTORY.reminders(due, NOON) == tuple(at_eight)
    assert DIRECTORY.reminders(due, at_eight[0]) == (at_eight[1],)
    long = DIRECTORY.due(NOON, "time_limited_within")
    assert len(DIRECTORY.reminders(long, NOON)) == 4


def test_a_deadline_early_in_the_day_is_not_reminded_of_after_it() -> None:
    three_in_the_morning = datetime(2023, 3, 1, 19, tzinfo=UTC)
    due = Deadline(at=three_in_the_morning, on=date(2023, 3, 2))
    eight_the_day_before = datetime(2023, 3, 1, 0, tzinfo=UTC)
    assert DIRECTORY.reminders(due, eight_the_day_before) == ()
    assert DIRECTORY.reminders(due, eight_the_day_before - timedelta(seconds=1)) == (
        eight_the_day_before,
    )


def test_escalations_are_instants_in_order() -> None:
    due = DIRECTORY.due(NOON, "claim_within")
    urge, supervise, account = DIRECTORY.escalations(due)
    assert urge == due.at
    assert supervise == datetime(2023, 3, 8, 16, tzinfo=UTC)
    assert account == datetime(2023, 3, 13, 16, tzinfo=UTC)


# -- Who asks --------------------------------------------------------------------------------------

SOMEBODY = Claims("https://id.example", "u-1")
OPENED = ("a", AccountOpened(account="0a", person=PersonId("ana")))
BEN = ("ben", PersonEntered(name="…", joined_on=NEW_YEAR))


def vouched(subject: str, *roles: str) -> Claims:
    return Claims("local", subject, frozenset(roles))


def test_an_account_is_a_person_with_the_roles_of_today() -> None:
    known = after(ANA, OPENED)
    assert who(known, SOMEBODY, "0a", NOON) == Caller(
        PersonId("ana"), frozenset({"person", "team_member"})
    )


def test_an_account_handed_over_is_the_other_persons() -> None:
    over = AccountHandedOver(account="0a", person=PersonId("ben"), reason="…")
    known = after(ANA, BEN, OPENED, ("a", over))
    assert who(known, SOMEBODY, "0a", NOON).id == "ben"


def test_the_account_of_a_merged_duplicate_is_that_of_the_entry_that_stays() -> None:
    known = after(ANA, BEN, OPENED, ("ana", PersonMerged(into=PersonId("ben"), reason="…")))
    assert who(known, SOMEBODY, "0a", NOON) == Caller(PersonId("ben"), frozenset({"person"}))


def test_the_account_of_who_was_merged_by_mistake_is_theirs_again() -> None:
    merged = ("ana", PersonMerged(into=PersonId("ben"), reason="…"))
    known = after(ANA, BEN, OPENED, merged, ("ana", MergeVoided(reason="同名不同人")))
    assert who(known, SOMEBODY, "0a", NOON) == who(after(ANA, OPENED), SOMEBODY, "0a", NOON)


@pytest.mark.parametrize(
    "events",
    [
        (ANA,),
        (ANA, OPENED, ("a", AccountClosed(account="0a", reason="…"))),
        (("ana", PersonEntered(name="…", joined_on=date(2023, 9, 1))), OPENED),
    ],
)
def test_an_account_of_nobody_here_lets_nobody_in(events: tuple[tuple[str, Event], ...]) -> None:
    with pytest.raises(UnknownPerson):
        who(after(*events), SOMEBODY, "0a", NOON)


@pytest.mark.parametrize("claims", [SOMEBODY, ANONYMOUS, vouched("originator:o1", "originator")])
def test_a_school_that_is_not_enrolled_knows_nobody(claims: Claims) -> None:
    with pytest.raises(UnknownSchool):
        who(None, claims, "0a", NOON)


@pytest.mark.parametrize("subject", ["li", "operator:li"])
@pytest.mark.parametrize("known", [None, DIRECTORY])
def test_an_operator_is_in_no_roster(subject: str, known: Directory | None) -> None:
    caller = who(known, vouched(subject, "operator"), "", NOON)
    assert caller == Caller(PersonId("operator:li"), frozenset({"operator"}))


def test_an_originator_and_the_anonymous_are_known_as_such() -> None:
    originator = who(DIRECTORY, vouched("originator:o1", "originator"), "", NOON)
    assert originator == Caller(PersonId("originator:o1"), frozenset({"originator"}))
    anonymous = who(DIRECTORY, ANONYMOUS, "", NOON)
    assert anonymous == Caller(PersonId("anonymous"), frozenset({"anonymous"}))


@pytest.mark.parametrize("subject", ["", "operator:", "operator:a b", "operator:李", "a.b", "a>"])
def test_a_name_that_fits_no_header_or_subject_is_refused(subject: str) -> None:
    with pytest.raises(Unauthenticated):
        who(DIRECTORY, vouched(subject, "operator"), "", NOON)


def test_a_role_nobody_vouches_for_is_none() -> None:
    known = after(ANA, OPENED)
    claims = Claims("https://id.example", "u-1", frozenset({"supervisor"}))
    assert who(known, claims, "0a", NOON).roles == {"person", "team_member"}


# -- Keeping it ------------------------------------------------------------------------------------


def test_it_is_read_back_from_the_database_as_it_was() -> None:
    stored = as_stored("no1", "school", Working(DIRECTORY, None, 7, 1))
    assert Directory.model_validate(content(stored)) == DIRECTORY
    assert view.document is Directory


def test_the_examples_hold() -> None:
    assert DIRECTORY.roster.people[HEAD].branch(TODAY) == SCIENCE
    assert DIRECTORY.has_unit(TEACHING, UnitKind.department, TODAY)
