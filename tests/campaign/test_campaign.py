"""A plan is drafted, approved from outside, filed; only then the campaign runs (R01–R03)."""

from datetime import date

import pytest
from pydantic import ValidationError

from services.campaign.domain import EndsBeforeItBegins, FourEyes, InTheFuture
from services.campaign.domain.campaign import (
    AnotherIsRunning,
    ConcludeCampaign,
    CorrectStart,
    DraftPlan,
    FilePlan,
    KeptTooShort,
    MalformedValue,
    PlanNotApproved,
    PlanNotFiled,
    RemarksMissing,
    ResumeCampaign,
    ReviewPlan,
    RevisePlan,
    SetPolicy,
    StageAsked,
    StageOutsideCampaign,
    StagesIncomplete,
    StartCampaign,
    UnknownCampaign,
    UnknownSetting,
    VoidCampaign,
    WrongUnit,
    decider,
)
from services.campaign.events import (
    CampaignConcluded,
    CampaignResumed,
    CampaignStarted,
    CampaignVoided,
    PlanApproved,
    PlanDrafted,
    PlanFiled,
    PlanRevised,
    PlanSentBack,
    PolicySet,
    SettingUnit,
    Stage,
    StageName,
    StartCorrected,
)
from shared.decider import Command, Event, OutOfOrder, PersonId, wire
from tests.campaign.examples import (
    ADMIN,
    DIRECTORY,
    HEAD,
    NOON,
    STAGES,
    SUPERVISOR,
    TODAY,
    TOMORROW,
    YESTERDAY,
)
from tests.scenario import Scenario

BEGIN, END = date(2023, 1, 1), date(2023, 9, 30)
ID = "mass-line"

campaign = Scenario(decider, DIRECTORY)
drafted = PlanDrafted(
    title="实施方案", begins_on=BEGIN, ends_on=END, stages=STAGES, drafted_by=ADMIN
)
approved = PlanApproved(revision=1)
sent_back = PlanSentBack(revision=1, remarks="环节太短")
filed = PlanFiled(revision=1, filed_with="教育工委")
revised = PlanRevised(
    revision=2,
    title="实施方案(修订)",
    begins_on=BEGIN,
    ends_on=END,
    stages=STAGES,
    revised_by=HEAD,
    reason="按意见修改",
)
started = CampaignStarted(on=YESTERDAY)
start_corrected = StartCorrected(on=TODAY, reason="实际启动日")
concluded = CampaignConcluded(on=TODAY, summary="基本完成")
resumed = CampaignResumed(reason="误操作")
voided = CampaignVoided(reason="重复")
claim_within = PolicySet(
    setting="claim_within", value="2", unit=SettingUnit.school_days, reason="从严"
)

on_file = (drafted, approved, filed)
running = (*on_file, started)


def asked(*stages: Stage) -> tuple[StageAsked, ...]:
    return tuple(StageAsked(**dict(stage)) for stage in stages)


def draft(
    *stages: Stage,
    begins_on: date = BEGIN,
    ends_on: date = END,
    follows_on: str | None = None,
    by: PersonId = ADMIN,
) -> DraftPlan:
    return DraftPlan(
        by=by,
        at=NOON,
        stream=ID,
        title="实施方案",
        begins_on=begins_on,
        ends_on=ends_on,
        stages=asked(*(stages or STAGES)),
        follows_on=follows_on,
    )


def review(
    *, approved: bool = True, remarks: str | None = None, by: PersonId = SUPERVISOR
) -> ReviewPlan:
    return ReviewPlan(by=by, at=NOON, stream=ID, approved=approved, remarks=remarks)


def file(filed_with: str = "教育工委") -> FilePlan:
    return FilePlan(by=ADMIN, at=NOON, stream=ID, filed_with=filed_with)


def revise(reason: str = "按意见修改", *, stages: tuple[Stage, ...] = STAGES) -> RevisePlan:
    return RevisePlan(
        by=HEAD,
        at=NOON,
        stream=ID,
        title="实施方案(修订)",
        begins_on=BEGIN,
        ends_on=END,
        stages=asked(*stages),
        reason=reason,
    )


def set_policy(
    setting: str = "claim_within",
    value: str = "2",
    unit: SettingUnit = SettingUnit.school_days,
    reason: str = "从严",
) -> SetPolicy:
    return SetPolicy(
        by=HEAD, at=NOON, stream=ID, setting=setting, value=value, unit=unit, reason=reason
    )


def start(on: date = YESTERDAY) -> StartCampaign:
    return StartCampaign(by=HEAD, at=NOON, stream=ID, on=on)


def correct_start(on: date = TODAY, reason: str = "实际启动日") -> CorrectStart:
    return CorrectStart(by=HEAD, at=NOON, stream=ID, on=on, reason=reason)


def conclude(on: date = TODAY, summary: str = "基本完成") -> ConcludeCampaign:
    return ConcludeCampaign(by=HEAD, at=NOON, stream=ID, on=on, summary=summary)


def resume(reason: str = "误操作") -> ResumeCampaign:
    return ResumeCampaign(by=HEAD, at=NOON, stream=ID, reason=reason)


def void(by: PersonId = HEAD, reason: str = "重复") -> VoidCampaign:
    return VoidCampaign(by=by, at=NOON, stream=ID, reason=reason)


def moved(stage: Stage, **days: date) -> Stage:
    return stage.model_copy(update=days)


# -- Drafting (R01, R03) ---------------------------------------------------------------------------


def test_a_plan_with_three_overlapping_stages_is_drafted() -> None:
    campaign.given().when(draft()).then(drafted)


def test_the_stages_are_kept_in_the_order_of_the_plan() -> None:
    campaign.given().when(draft(*reversed(STAGES))).then(drafted)


def test_drafting_it_again_records_nothing() -> None:
    campaign.given(drafted).when(draft()).then_nothing()


def test_the_same_plan_by_another_person_is_not_the_same() -> None:
    campaign.given(drafted).when(draft(by=HEAD)).then_rejected(OutOfOrder)


def test_a_campaign_ends_after_it_begins() -> None:
    campaign.given().when(draft(begins_on=END, ends_on=BEGIN)).then_rejected(EndsBeforeItBegins)


def test_a_stage_ends_after_it_begins() -> None:
    first, second, third = STAGES
    wrong = moved(second, begins_on=date(2023, 7, 1))
    campaign.given().when(draft(first, wrong, third)).then_rejected(EndsBeforeItBegins)


@pytest.mark.parametrize("stages", [STAGES[:2], (STAGES[0], STAGES[0], STAGES[2])])
def test_each_of_the_three_stages_is_there_once(stages: tuple[Stage, ...]) -> None:
    campaign.given().when(draft(*stages)).then_rejected(StagesIncomplete)
    campaign.given(drafted).when(revise(stages=stages)).then_rejected(StagesIncomplete)


def test_the_missing_stage_is_named() -> None:
    with pytest.raises(StagesIncomplete) as refusal:
        campaign.given().when(draft(*STAGES[:2])).decided()
    assert refusal.value.detail == StageName.rectification_and_institution_building


@pytest.mark.parametrize(
    "days", [{"begins_on": date(2022, 12, 31)}, {"ends_on": date(2023, 10, 1)}]
)
def test_a_stage_lies_within_the_campaign(days: dict[str, date]) -> None:
    first, second, third = STAGES
    campaign.given().when(draft(first, second, moved(third, **days))).then_rejected(
        StageOutsideCampaign
    )


def test_a_second_campaign_follows_on_the_first() -> None:
    follows = drafted.model_copy(update={"follows_on": "last-year"})
    campaign.given().when(draft(follows_on="last-year")).then(follows)


def test_it_cannot_follow_on_one_that_never_was() -> None:
    campaign.given().when(draft(follows_on="never")).then_rejected(UnknownCampaign)


# -- Review, filing, revision (R02) ----------------------------------------------------------------


def test_the_supervision_group_approves_the_plan() -> None:
    campaign.given(drafted).when(review()).then(approved)


def test_the_supervision_group_sends_the_plan_back() -> None:
    campaign.given(drafted).when(review(approved=False, remarks="环节太短")).then(sent_back)


def test_only_the_supervision_group_may_ask_for_that() -> None:
    assert ReviewPlan.allowed == {"supervisor"}


def test_a_plan_is_not_sent_back_without_remarks() -> None:
    campaign.given(drafted).when(review(approved=False)).then_rejected(RemarksMissing)


def test_nobody_reviews_their_own_plan() -> None:
    campaign.given(drafted).when(review(by=ADMIN)).then_rejected(FourEyes)
    campaign.given(drafted, revised).when(review(by=HEAD)).then_rejected(FourEyes)


@pytest.mark.parametrize("past", [(drafted, approved), on_file])
def test_approving_again_records_nothing(past: tuple[Event, ...]) -> None:
    campaign.given(*past).when(review()).then_nothing()


def test_sending_back_again_records_nothing() -> None:
    campaign.given(drafted, sent_back).when(
        review(approved=False, remarks="环节太短")
    ).then_nothing()


def test_more_remarks_may_follow() -> None:
    campaign.given(drafted, sent_back).when(review(approved=False, remarks="缺时间表")).then(
        PlanSentBack(revision=1, remarks="缺时间表")
    )


def test_until_filing_the_supervision_group_may_think_again() -> None:
    campaign.given(drafted, approved).when(review(approved=False, remarks="环节太短")).then(
        sent_back
    )
    campaign.given(drafted, sent_back).when(review()).then(approved)


def test_a_filed_plan_is_not_sent_back() -> None:
    campaign.given(*on_file).when(review(approved=False, remarks="晚了")).then_rejected(OutOfOrder)


def test_an_approved_plan_is_filed() -> None:
    campaign.given(drafted, approved).when(file()).then(filed)


@pytest.mark.parametrize("past", [(drafted,), (drafted, sent_back), (*on_file, revised)])
def test_a_plan_not_approved_is_not_filed(past: tuple[Event, ...]) -> None:
    campaign.given(*past).when(file()).then_rejected(PlanNotApproved)


def test_filing_it_again_records_nothing() -> None:
    campaign.given(*on_file).when(file()).then_nothing()


def test_it_is_filed_once() -> None:
    campaign.given(*on_file).when(file("别处")).then_rejected(OutOfOrder)


@pytest.mark.parametrize("past", [(drafted,), (drafted, sent_back), on_file])
def test_a_plan_is_revised(past: tuple[Event, ...]) -> None:
    campaign.given(*past).when(revise()).then(revised)


def test_revising_it_again_the_same_way_records_nothing() -> None:
    campaign.given(drafted, revised).when(revise()).then_nothing()


def test_a_revised_plan_needs_approval_and_filing_again() -> None:
    past = (*on_file, revised)
    campaign.given(*past).when(start()).then_rejected(PlanNotFiled)
    campaign.given(*past).when(review()).then(PlanApproved(revision=2))
    again = (*past, PlanApproved(revision=2))
    campaign.given(*again).when(file()).then(PlanFiled(revision=2, filed_with="教育工委"))


def test_a_running_campaign_goes_on_while_its_plan_is_revised() -> None:
    past = (*running, revised)
    campaign.given(*past).when(review()).then(PlanApproved(revision=2))
    campaign.given(*past).when(conclude()).then_rejected(PlanNotFiled)


# -- Policy ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("past", [(drafted,), running])
def test_a_figure_is_set(past: tuple[Event, ...]) -> None:
    campaign.given(*past).when(set_policy()).then(claim_within)


def test_setting_it_again_records_nothing() -> None:
    campaign.given(drafted, claim_within).when(set_policy()).then_nothing()


def test_it_is_set_to_something_else_and_back() -> None:
    other = claim_within.model_copy(update={"value": "4"})
    campaign.given(drafted, claim_within).when(set_policy(value="4")).then(other)
    campaign.given(drafted, claim_within, other).when(set_policy()).then(claim_within)


def test_what_is_no_setting_is_not_set() -> None:
    campaign.given(drafted).when(set_policy("claim_after")).then_rejected(UnknownSetting)


@pytest.mark.parametrize(
    ("setting", "unit"),
    [
        ("claim_within", SettingUnit.minutes),
        ("minimum_talk", SettingUnit.school_days),
        ("intake_batch", SettingUnit.school_days),
        ("donation_amount", SettingUnit.ratio),
    ],
)
def test_a_figure_counts_in_its_own_unit(setting: str, unit: SettingUnit) -> None:
    campaign.given(drafted).when(set_policy(setting, "1", unit)).then_rejected(WrongUnit)


def test_a_deadline_may_be_a_duration() -> None:
    campaign.given(drafted).when(set_policy("claim_within", "PT2S", SettingUnit.duration)).then(
        PolicySet(setting="claim_within", value="PT2S", unit=SettingUnit.duration, reason="从严")
    )


@pytest.mark.parametrize(
    ("setting", "value", "unit"),
    [
        ("claim_within", "-1", SettingUnit.school_days),
        ("claim_within", "1001", SettingUnit.school_days),
        ("claim_within", "P1Y", SettingUnit.duration),
        ("donation_amount", "0", SettingUnit.yuan),
        ("donation_amount", "2022元", SettingUnit.yuan),
        ("grading_scale", "good|good", SettingUnit.scale),
        ("remind_before", "7||1", SettingUnit.periods),
        ("remind_before", "15|10|7|5|4|3|2|1|0", SettingUnit.periods),
        ("weight_response", "1.1", SettingUnit.ratio),
        ("minimum_talk", "half an hour", SettingUnit.minutes),
    ],
)
def test_a_value_is_written_as_its_unit_is(setting: str, value: str, unit: SettingUnit) -> None:
    campaign.given(drafted).when(set_policy(setting, value, unit)).then_rejected(MalformedValue)


@pytest.mark.parametrize("setting", ["looks_kept", "talks_kept", "papers_kept"])
@pytest.mark.parametrize("value", ["PT0S", "P183DT23H"])
def test_who_wants_to_be_rid_of_evidence_does_not_shorten_how_long_it_is_kept(
    setting: str, value: str
) -> None:
    campaign.given(drafted).when(set_policy(setting, value, SettingUnit.duration)).then_rejected(
        KeptTooShort
    )


@pytest.mark.parametrize(
    ("setting", "value"),
    [("looks_kept", "P184D"), ("talks_kept", "P365D"), ("names_kept", "PT0S")],
)
def test_a_name_may_be_kept_as_short_as_a_school_likes_and_evidence_for_a_while(
    setting: str, value: str
) -> None:
    unit = SettingUnit.duration
    event = PolicySet(setting=setting, value=value, unit=unit, reason="从严")
    campaign.given(drafted).when(set_policy(setting, value, unit)).then(event)


def test_nothing_is_set_when_it_is_over() -> None:
    campaign.given(*running, concluded).when(set_policy()).then_rejected(OutOfOrder)


# -- Course ----------------------------------------------------------------------------------------


def test_a_campaign_starts_on_a_filed_plan() -> None:
    campaign.given(*on_file).when(start()).then(started)


@pytest.mark.parametrize("past", [(drafted,), (drafted, approved)])
def test_it_does_not_start_before_filing(past: tuple[Event, ...]) -> None:
    campaign.given(*past).when(start()).then_rejected(PlanNotFiled)


def test_it_has_not_started_tomorrow() -> None:
    campaign.given(*on_file).when(start(TOMORROW)).then_rejected(InTheFuture)
    campaign.given(*running).when(correct_start(TOMORROW)).then_rejected(InTheFuture)


def test_it_may_start_before_the_day_the_plan_says() -> None:
    early = date(2022, 12, 1)
    campaign.given(*on_file).when(start(early)).then(CampaignStarted(on=early))


def test_one_campaign_runs_at_a_time() -> None:
    other = DIRECTORY.campaigns["last-year"].model_copy(update={"state": "running"})
    busy = DIRECTORY.model_copy(update={"campaigns": {"last-year": other}})
    campaign.knowing(busy).given(*on_file).when(start()).then_rejected(AnotherIsRunning)
    campaign.knowing(busy).given(*running, concluded).when(resume()).then_rejected(AnotherIsRunning)


def test_starting_it_again_records_nothing() -> None:
    campaign.given(*running).when(start()).then_nothing()


def test_it_starts_once() -> None:
    campaign.given(*running).when(start(TODAY)).then_rejected(OutOfOrder)


def test_the_day_it_started_is_put_right() -> None:
    campaign.given(*running).when(correct_start()).then(start_corrected)


def test_putting_it_right_again_records_nothing() -> None:
    campaign.given(*running, start_corrected).when(correct_start()).then_nothing()


def test_a_campaign_is_concluded() -> None:
    campaign.given(*running).when(conclude()).then(concluded)


def test_it_is_not_concluded_tomorrow() -> None:
    campaign.given(*running).when(conclude(TOMORROW)).then_rejected(InTheFuture)


def test_it_is_not_concluded_before_it_started() -> None:
    campaign.given(*running, start_corrected).when(conclude(YESTERDAY)).then_rejected(
        EndsBeforeItBegins
    )


def test_it_may_be_over_on_the_day_it_started() -> None:
    campaign.given(*running, start_corrected).when(conclude()).then(concluded)


def test_concluding_it_again_records_nothing() -> None:
    campaign.given(*running, concluded).when(conclude()).then_nothing()


def test_it_is_concluded_once() -> None:
    campaign.given(*running, concluded).when(conclude(summary="全面完成")).then_rejected(OutOfOrder)


def test_a_conclusion_is_taken_back() -> None:
    campaign.given(*running, concluded).when(resume()).then(resumed)


def test_taking_it_back_again_records_nothing() -> None:
    campaign.given(*running, concluded, resumed).when(resume()).then_nothing()


def test_what_is_resumed_can_be_concluded() -> None:
    campaign.given(*running, concluded, resumed).when(conclude()).then(concluded)


# -- Striking out ----------------------------------------------------------------------------------


@pytest.mark.parametrize("past", [(drafted,), running, (*running, concluded)])
def test_a_second_person_strikes_a_campaign_out(past: tuple[Event, ...]) -> None:
    campaign.given(*past).when(void()).then(voided)


def test_whoever_drafted_or_revised_it_does_not_strike_it_out() -> None:
    campaign.given(drafted).when(void(ADMIN)).then_rejected(FourEyes)
    campaign.given(drafted, revised).when(void(HEAD)).then_rejected(FourEyes)


def test_striking_it_out_again_records_nothing() -> None:
    campaign.given(drafted, voided).when(void()).then_nothing()


def test_a_campaign_struck_out_stays_so() -> None:
    commands: tuple[Command, ...] = (
        draft(),
        review(),
        file(),
        revise(),
        set_policy(),
        start(),
        correct_start(),
        conclude(),
        resume(),
        void(reason="另一理由"),
    )
    for command in commands:
        campaign.given(drafted, voided).when(command).then_rejected(OutOfOrder)


def test_a_history_that_begins_in_the_middle_is_none() -> None:
    with pytest.raises(LookupError):
        decider.fold([approved])


@pytest.mark.parametrize(
    "change",
    [
        '"title": ""',
        '"begins_on": "2023-13-01"',
        '"stages": [{"name": "other", "begins_on": "2023-01-01", "ends_on": "2023-01-02"}]',
        '"stages": [{"name": "study_and_listening", "begins_on": "2023-01-01"}]',
        '"follows_on": "last year"',
        '"drafted_by": "me"',
    ],
)
def test_bad_input_is_not_understood(change: str) -> None:
    good = '{"title": "方案", "begins_on": "2023-01-01", "ends_on": "2023-09-30", "stages": []'
    wire(DraftPlan).model_validate_json(f"{good}}}")
    with pytest.raises(ValidationError):
        wire(DraftPlan).model_validate_json(f"{good}, {change}}}")


def test_a_verdict_is_yes_or_no() -> None:
    with pytest.raises(ValidationError):
        wire(ReviewPlan).model_validate_json('{"approved": "yes"}')
