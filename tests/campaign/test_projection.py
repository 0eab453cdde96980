"""Each card after each of its events."""

from datetime import date
from typing import Any

import pytest
from pydantic import BaseModel

from services.campaign.app import service
from services.campaign.calendar import SchoolYear, Span
from services.campaign.events import (
    AccountClosed,
    AccountHandedOver,
    AccountOpened,
    BranchLeft,
    BureauAdmitted,
    BureauCorrected,
    BureauDismissed,
    CampaignConcluded,
    CampaignResumed,
    CampaignStarted,
    CampaignVoided,
    DrillDownGranted,
    DrillDownWithdrawn,
    ErasureRequested,
    HolidayCancelled,
    HolidayDeclared,
    InspectionCorrected,
    InspectionFindingRaised,
    InspectionKind,
    InspectionRecorded,
    InspectionVoided,
    LeavingVoided,
    MakeUpDayCancelled,
    MakeUpDayDeclared,
    MergeVoided,
    PersonCorrected,
    PersonEntered,
    PersonMerged,
    PersonVoided,
    PlanApproved,
    PlanDrafted,
    PlanFiled,
    PlanRevised,
    PlanSentBack,
    PolicySet,
    PostTaken,
    PostVoided,
    RejoiningVoided,
    Role,
    SchoolCorrected,
    SchoolEnrolled,
    SchoolLeft,
    SchoolRejoined,
    SchoolYearCancelled,
    SchoolYearSet,
    SettingUnit,
    StartCorrected,
    Term,
    UnitClosed,
    UnitCorrected,
    UnitEntered,
    UnitKind,
    UnitReopened,
    UnitVoided,
)
from services.campaign.projection import (
    AccountCard,
    BureauCard,
    CalendarCard,
    CampaignCard,
    Holiday,
    InspectionCard,
    PersonCard,
    SchoolCard,
    UnitCard,
    accounts,
    bureaus,
    calendars,
    campaigns,
    inspections,
    people,
    schools,
    units,
)
from services.feedback.events import Addressee, Discovery
from shared.decider import Event, PersonId
from shared.views import ENVELOPE, View
from tests.campaign.examples import ADMIN, NEW_YEAR, NOON, SCIENCE, STAGES, TODAY, YESTERDAY, log

BEN = PersonId("ben")


def card[D: BaseModel](view: View[D], *events: Event) -> D | None:
    found: D | None = None
    for record in log(*(("x", event) for event in events)):
        found = view.project(found, record)
    return found


# -- School, units, accounts, inspections ----------------------------------------------------------

ENROLLED = SchoolEnrolled(name="江北中学", zone="Asia/Shanghai", language="zh")


def test_a_school() -> None:
    assert card(schools, ENROLLED) == SchoolCard(
        name="江北中学", zone="Asia/Shanghai", language="zh", changed_at=NOON
    )


def test_a_corrected_school() -> None:
    corrected = SchoolCorrected(name="新名", zone="UTC", language="en", reason="更名")
    assert card(schools, ENROLLED, corrected) == SchoolCard(
        name="新名", zone="UTC", language="en", reason="更名", changed_at=NOON
    )


ENTERED = UnitEntered(kind=UnitKind.department, name="处")


@pytest.mark.parametrize(
    ("events", "shown"),
    [
        ((), {}),
        ((UnitCorrected(kind=UnitKind.grade, name="级", reason="错"),),
         {"kind": "grade", "name": "级", "reason": "错"}),
        ((UnitClosed(on=TODAY),), {"state": "closed", "closed_on": TODAY}),
        ((UnitClosed(on=TODAY), UnitReopened(reason="误")), {"reason": "误"}),
        ((UnitVoided(reason="误"),), {"state": "voided", "reason": "误"}),
    ],
)  # fmt: skip
def test_a_unit(events: tuple[Event, ...], shown: dict[str, object]) -> None:
    plain = UnitCard(kind=UnitKind.department, name="处", changed_at=NOON)
    assert card(units, ENTERED, *events) == plain.model_copy(update=shown)


@pytest.mark.parametrize(
    ("events", "shown"),
    [
        ((), {}),
        ((AccountHandedOver(account="0a", person=BEN, reason="错"),),
         {"person": BEN, "reason": "错"}),
        ((AccountClosed(account="0a", reason="离"),), {"state": "closed", "reason": "离"}),
        ((AccountClosed(account="0a", reason="离"), AccountOpened(account="0a", person=BEN)),
         {"person": BEN}),
    ],
)  # fmt: skip
def test_an_account(events: tuple[Event, ...], shown: dict[str, object]) -> None:
    opened = AccountOpened(account="0a", person=ADMIN)
    plain = AccountCard(person=ADMIN, changed_at=NOON)
    assert card(accounts, opened, *events) == plain.model_copy(update=shown)


@pytest.mark.parametrize(
    ("events", "shown"),
    [
        ((), {}),
        ((BureauCorrected(name="委", reason="错"),), {"name": "委", "reason": "错"}),
        ((DrillDownGranted(reason="查"),), {"state": "granted", "reason": "查"}),
        ((DrillDownGranted(reason="查"), DrillDownWithdrawn(reason="毕")), {"reason": "毕"}),
        ((BureauDismissed(reason="改"),), {"state": "dismissed", "reason": "改"}),
        ((BureauDismissed(reason="改"), BureauAdmitted(account="0b", name="局")), {}),
    ],
)
def test_a_bureau(events: tuple[Event, ...], shown: dict[str, object]) -> None:
    plain = BureauCard(name="局", changed_at=NOON)
    assert card(bureaus, BureauAdmitted(account="0b", name="局"), *events) == plain.model_copy(
        update=shown
    )


def test_by_what_an_account_is_known_is_on_no_card() -> None:
    assert "account" not in AccountCard.model_fields
    assert "account" not in BureauCard.model_fields


@pytest.mark.parametrize(
    ("events", "shown"),
    [
        ((), {}),
        ((InspectionCorrected(
            kind=InspectionKind.other, held_on=TODAY, scope="二", found="乙", reason="错"),),
         {"kind": InspectionKind.other, "held_on": TODAY, "scope": "二", "found": "乙",
          "reason": "错"}),
        ((InspectionFindingRaised(
            key="a", title="甲", addressee=Addressee.team, discovery=Discovery.self_found),),
         {"raised": ("a",)}),
        ((InspectionVoided(reason="误"),), {"state": "voided", "reason": "误"}),
    ],
)  # fmt: skip
def test_an_inspection(events: tuple[Event, ...], shown: dict[str, object]) -> None:
    recorded = InspectionRecorded(
        kind=InspectionKind.frugality_regulations, held_on=YESTERDAY, scope="一", found="甲"
    )
    plain = InspectionCard(**{**dict(recorded), "recorded_by": ADMIN}, changed_at=NOON)
    assert card(inspections, recorded, *events) == plain.model_copy(update=shown)


# -- Calendar --------------------------------------------------------------------------------------

MAY_1, MAY_6 = date(2023, 5, 1), date(2023, 5, 6)
YEAR = SchoolYearSet(
    begins_on=date(2022, 9, 1),
    ends_on=date(2023, 8, 31),
    terms=(Term(number=1, begins_on=date(2022, 9, 1), ends_on=date(2023, 1, 13)),),
)
LABOUR_DAY = HolidayDeclared(begins_on=MAY_1, ends_on=MAY_1, name="劳动节")
SPRING_FESTIVAL = HolidayDeclared(
    begins_on=date(2023, 1, 21), ends_on=date(2023, 1, 27), name="春节"
)


def test_a_calendar_in_the_order_of_its_days() -> None:
    shown = card(calendars, LABOUR_DAY, YEAR, SPRING_FESTIVAL, MakeUpDayDeclared(on=MAY_6))
    assert isinstance(shown, CalendarCard)
    assert shown.years == (SchoolYear(**dict(YEAR)),)
    assert [holiday.name for holiday in shown.holidays] == ["春节", "劳动节"]
    assert shown.make_up_days == (MAY_6,)
    assert shown.days().holidays[1] == Span(begins_on=MAY_1, ends_on=MAY_1)


def test_what_is_cancelled_is_off_the_calendar() -> None:
    shown = card(
        calendars,
        YEAR,
        LABOUR_DAY,
        MakeUpDayDeclared(on=MAY_6),
        SchoolYearCancelled(begins_on=YEAR.begins_on, reason="…"),
        HolidayCancelled(begins_on=MAY_1, ends_on=MAY_1, reason="…"),
        MakeUpDayCancelled(on=MAY_6, reason="…"),
    )
    assert shown == CalendarCard(changed_at=NOON)


def test_a_renamed_holiday_is_there_once() -> None:
    renamed = LABOUR_DAY.model_copy(update={"name": "五一"})
    shown = card(calendars, LABOUR_DAY, renamed)
    assert shown == CalendarCard(
        holidays=(Holiday(begins_on=MAY_1, ends_on=MAY_1, name="五一"),), changed_at=NOON
    )


# -- Campaigns -------------------------------------------------------------------------------------

DRAFTED = PlanDrafted(
    title="方案",
    begins_on=date(2023, 1, 1),
    ends_on=date(2023, 9, 30),
    stages=STAGES,
    drafted_by=ADMIN,
)
REVISED = PlanRevised(
    revision=2,
    title="新方案",
    begins_on=date(2023, 1, 1),
    ends_on=date(2023, 12, 31),
    stages=STAGES,
    revised_by=BEN,
    reason="按意见",
)


def campaign(*events: Event) -> CampaignCard:
    shown = card(campaigns, DRAFTED, *events)
    assert isinstance(shown, CampaignCard)
    return shown


@pytest.mark.parametrize(
    ("events", "plan"),
    [
        ((), "drafted"),
        ((PlanApproved(revision=1),), "approved"),
        ((PlanSentBack(revision=1, remarks="短"),), "sent_back"),
        ((PlanSentBack(revision=1, remarks="短"), PlanApproved(revision=1)), "approved"),
        ((PlanApproved(revision=1), PlanFiled(revision=1, filed_with="委")), "filed"),
        ((PlanApproved(revision=1), PlanFiled(revision=1, filed_with="委"), REVISED), "drafted"),
    ],
)
def test_a_card_says_how_far_the_plan_has_come(events: tuple[Event, ...], plan: str) -> None:
    assert campaign(*events).plan == plan


def test_every_revision_keeps_its_reviews_and_its_filing() -> None:
    shown = campaign(
        PlanSentBack(revision=1, remarks="短"),
        REVISED,
        PlanApproved(revision=2, remarks="好"),
        PlanFiled(revision=2, filed_with="委"),
    )
    first, second = shown.revisions
    assert [(r.approved, r.remarks, r.by) for r in first.reviews] == [(False, "短", ADMIN)]
    assert (first.standing, first.title, first.filing) == ("sent_back", "方案", None)
    assert second.filing is not None
    assert (second.standing, second.reason, second.filing.filed_with) == ("filed", "按意见", "委")
    assert (shown.title, shown.ends_on) == ("新方案", date(2023, 12, 31))


def test_every_change_of_a_setting_is_kept_in_order() -> None:
    first = PolicySet(
        setting="claim_within", value="2", unit=SettingUnit.school_days, reason="从严"
    )
    shown = campaign(first, first.model_copy(update={"value": "4"}))
    assert [(s.setting, s.value, s.by) for s in shown.settings] == [
        ("claim_within", "2", ADMIN),
        ("claim_within", "4", ADMIN),
    ]


@pytest.mark.parametrize(
    ("events", "shown"),
    [
        ((CampaignStarted(on=YESTERDAY),), ("running", YESTERDAY, None, None)),
        (
            (CampaignStarted(on=YESTERDAY), StartCorrected(on=TODAY, reason="错")),
            ("running", TODAY, None, None),
        ),
        (
            (CampaignStarted(on=YESTERDAY), CampaignConcluded(on=TODAY, summary="完")),
            ("concluded", YESTERDAY, TODAY, "完"),
        ),
        (
            (
                CampaignStarted(on=YESTERDAY),
                CampaignConcluded(on=TODAY, summary="完"),
                CampaignResumed(reason="误"),
            ),
            ("running", YESTERDAY, None, None),
        ),
        ((CampaignVoided(reason="误"),), ("voided", None, None, None)),
    ],
)
def test_the_course_of_a_campaign(events: tuple[Event, ...], shown: tuple[object, ...]) -> None:
    after = campaign(*events)
    assert (after.state, after.started_on, after.concluded_on, after.summary) == shown


# -- People ----------------------------------------------------------------------------------------

ANA = PersonEntered(name="…", number="T1", number_index="i", joined_on=NEW_YEAR, branch=SCIENCE)


def person(*events: Event) -> PersonCard:
    shown = card(people, ANA, *events)
    assert isinstance(shown, PersonCard)
    return shown


def test_a_person_is_what_the_roster_says() -> None:
    shown = person(
        PostTaken(role=Role.team_member, since=TODAY), BranchLeft(branch=SCIENCE, until=TODAY)
    )
    assert shown.roles(TODAY) == {Role.team_member}
    assert [m.until for m in shown.branches] == [TODAY]
    assert shown.reason is None


@pytest.mark.parametrize(
    "event",
    [
        PersonCorrected(name="名", reason="错"),
        PostVoided(role=Role.team_member, since=TODAY, reason="错"),
        LeavingVoided(reason="错"),
        PersonMerged(into=BEN, reason="错"),
        MergeVoided(reason="错"),
        PersonVoided(reason="错"),
    ],
)
def test_why_an_entry_was_put_right_is_on_the_card(event: Event) -> None:
    assert person(event).reason == "错"


def test_whoever_leaves_is_voided_or_merged_stays_visible() -> None:
    assert person(SchoolLeft(on=TODAY)).left_on == TODAY
    assert person(PersonMerged(into=BEN, reason="…")).merged_into == BEN


def test_whoever_did_not_return_or_was_not_merged_after_all_is_as_before() -> None:
    back = person(
        SchoolLeft(on=TODAY), SchoolRejoined(on=date(2023, 9, 1)), RejoiningVoided(reason="错")
    )
    assert (back.left_on, back.absences, back.reason) == (TODAY, (), "错")
    apart = person(PersonMerged(into=BEN, reason="…"), MergeVoided(reason="错"))
    assert apart.counts
    assert person(PersonVoided(reason="…")).voided


# -- All of them -----------------------------------------------------------------------------------


@pytest.mark.parametrize("view", service.views, ids=lambda view: view.name)
def test_nothing_is_shown_before_something_began(view: View[Any]) -> None:
    beginnings = {
        SchoolEnrolled, UnitEntered, AccountOpened, BureauAdmitted, PlanDrafted, PersonEntered,
        InspectionRecorded, ErasureRequested,
    }  # fmt: skip
    voided = UnitVoided(reason="…")
    assert view.name == "calendars" or view.project(None, log(("x", voided))[0]) is None
    assert beginnings & set(view.follows) or view.name == "calendars"


@pytest.mark.parametrize("view", service.views, ids=lambda view: view.name)
def test_a_document_leaves_the_names_of_its_envelope_alone(view: View[Any]) -> None:
    assert not ENVELOPE & set(view.document.model_fields)


def test_every_event_of_campaign_is_on_some_card() -> None:
    ours = {e for e in Event.known.values() if e.TYPE.startswith("campaign.")}
    assert {event for view in service.views for event in view.follows} == ours
