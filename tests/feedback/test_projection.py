"""The views: what an opinion, a batch, a report and an issue look like after what happened to them."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from pydantic import BaseModel

from services.campaign.calendar import Deadline
from services.feedback import projection
from services.feedback.app import service
from services.feedback.events import (
    Addressee,
    Channel,
    CollationEvent,
    DisclosureEvent,
    Discovery,
    MessageSent,
    OpinionEvent,
    OpinionsGrouped,
    OpinionsRegrouped,
    RefusalCode,
    ReportEvent,
    SolicitationEvent,
    TargetKind,
    TextRange,
    Topic,
    Wind,
)
from services.feedback.projection import (
    CollationCard,
    IssueCard,
    OpinionCard,
    ReportCard,
    SolicitationCard,
)
from services.rectification.events import (
    ConvertedToLongTerm,
    ExplainedNotPossible,
    IssueAssigned,
    IssueClaimed,
    IssueDeclined,
    IssueMerged,
    IssueOpened,
    IssueReopened,
    IssueStruckOff,
    IssueTransferred,
    IssueVerified,
    IssueVoided,
    MeasuresPlanned,
    Mode,
    NoticePublished,
    ObjectionDismissed,
    ObjectionRaised,
    ObjectionUpheld,
    RectificationStarted,
    ReopenCause,
    Source,
    SourceKind,
    StrikeOffRequested,
    Watch,
)
from shared.decider import Event
from shared.envelope import Record
from shared.views import View
from tests.feedback import test_collation as c
from tests.feedback import test_disclosure as d
from tests.feedback import test_opinion as o
from tests.feedback import test_report as r
from tests.feedback import test_solicitation as s
from tests.feedback.school import (
    COLLATOR,
    LEADER,
    MEMBER,
    NOON,
    OTHER_TEACHER,
    SUPERVISOR,
    TEACHER,
    log,
)

DUE = Deadline(at=NOON + timedelta(days=9), on=date(2023, 3, 10))
WATCH = Watch(due=DUE, remind_at=(), urge_at=DUE.at, supervise_at=DUE.at, account_at=DUE.at)


def opened(*opinions: str, collation: str = "c1", **more: object) -> IssueOpened:
    source = Source(kind=SourceKind.collation, id=collation, opinions=opinions)
    fields: dict[str, object] = {
        "title": "评价表重复",
        "addressee": Addressee.team,
        "winds": (Wind.formalism,),
        "topics": (Topic.teaching,),
        "discovery": Discovery.raised_by_public,
        "sources": (source,),
        "raised_by": COLLATOR,
        "watch": WATCH,
    }
    return IssueOpened.model_validate({**fields, **more})


def folded[D: BaseModel](view: View[D], key: str, records: list[Record]) -> D | None:
    """One document after the records that concern it."""
    types = {event.TYPE for event in view.follows}
    document: D | None = None
    for record in records:
        if record.type in types and key in view.keys(record):
            document = view.project(document, record)
    return document


def opinion_after(*entries: tuple[str, Event]) -> OpinionCard:
    card = folded(projection.opinions, "o1", log(*entries))
    assert card is not None
    return card


def of_o1(*events: Event) -> OpinionCard:
    return opinion_after(*(("o1", event) for event in events))


# -- Opinions --------------------------------------------------------------------------------------


def test_a_new_opinion_waits_with_everything_that_was_recorded_but_the_salt() -> None:
    card = of_o1(o.submitted(voiced_by="退休教师", target_kind=TargetKind.member, target=LEADER))
    assert (card.id, card.state, card.standing, card.stage) == ("o1", "submitted", True, "waiting")
    assert (card.verbatim_text, card.voiced_by, card.target) == (o.WORDS, "退休教师", LEADER)
    assert card.submitted_at == NOON + timedelta(minutes=1)
    assert o.SALT not in card.model_dump_json()


def test_its_state_follows_what_was_decided() -> None:
    assert of_o1(o.said, o.acknowledged).state == "acknowledged"
    refused = of_o1(o.said, o.acknowledged, o.refused)
    assert (refused.state, refused.standing, refused.refusal_code) == (
        "refused", False, RefusalCode.out_of_scope,
    )  # fmt: skip
    again = of_o1(o.said, o.acknowledged, o.refused, o.reconsidered)
    assert (again.state, again.standing, again.refusal) == ("acknowledged", True, None)
    assert of_o1(o.said, o.refused, o.reconsidered).state == "submitted"
    assert [note.what for note in again.notes] == ["acknowledged", "refused", "reconsidered"]


def test_what_was_withdrawn_or_voided_no_longer_stands() -> None:
    taken_back = of_o1(o.said, o.withdrawn)
    assert (taken_back.state, taken_back.standing) == ("withdrawn", False)
    void = of_o1(o.by_clerk, o.voided)
    assert (void.state, void.standing, void.voided) == ("voided", False, o.voided.reason)


def test_an_originators_line_names_nobody() -> None:
    asked = MessageSent(text="哪个年级？", from_originator=False)
    told = MessageSent(text="初二", from_originator=True)
    records = log(("o1", o.said, TEACHER), ("o1", asked, COLLATOR), ("o1", told, TEACHER))
    card = folded(projection.opinions, "o1", records)
    assert card is not None
    assert [(m.text, m.by) for m in card.messages] == [("哪个年级？", COLLATOR), ("初二", None)]


def test_hidden_passages_add_up_and_are_shown_again() -> None:
    card = of_o1(o.said, o.masked, o.erased, o.lifted)
    assert card.masked == (TextRange(start=10, end=14),)
    assert card.erased == (TextRange(start=0, end=3),)
    assert [note.what for note in card.notes] == ["redacted", "redacted", "lifted"]


def test_a_correction_changes_the_circumstances_and_not_the_words() -> None:
    card = of_o1(o.said, o.corrected)
    assert (card.channel, card.target, card.sitting) == (
        Channel.symposium, "canteen", "2月21日教师座谈会",
    )  # fmt: skip
    assert (card.verbatim_text, card.verbatim_sha256) == (o.WORDS, o.HASH)


def test_collating_is_followed_from_the_other_stream() -> None:
    start = ("o1", o.said), ("c1", c.begun)
    assert (opinion_after(*start).stage, opinion_after(*start).collation) == ("collating", "c1")
    settled = opinion_after(*start, ("c1", c.closed))
    assert (settled.stage, settled.collation) == ("collated", "c1")
    dropped = opinion_after(*start, ("c1", c.voided))
    assert (dropped.stage, dropped.collation) == ("waiting", None)


def test_what_a_batch_left_out_waits_for_the_next() -> None:
    left_out = c.closed.model_copy(update={"issues": (c.proposed(c.TWO),), "not_collated": ("o1",)})
    card = opinion_after(
        ("o1", o.said), ("c1", c.begun), ("o1", o.refused), ("c1", left_out), ("o1", o.reconsidered)
    )
    assert (card.stage, card.collation, card.standing) == ("waiting", None, True)


def test_an_opinion_knows_the_issues_it_became_each_once() -> None:
    card = opinion_after(
        ("o1", o.said), ("i1", opened("o1", "o2")), ("i2", opened("o1")), ("i1", opened("o1"))
    )
    assert card.issues == ("i1", "i2")


def test_its_version_is_that_of_its_own_stream() -> None:
    card = opinion_after(
        ("o1", o.said), ("o1", o.acknowledged), ("c1", c.begun), ("i1", opened("o1"))
    )
    assert card.own_version == 2


def test_what_happens_elsewhere_makes_no_opinion() -> None:
    assert folded(projection.opinions, "o9", log(("i1", opened("o9")))) is None


# -- The others ------------------------------------------------------------------------------------


def test_a_solicitation_shows_how_far_it_is() -> None:
    records = log(("s1", s.opened()), ("s1", s.corrected), ("s1", s.closed), ("s1", s.voided))
    cards = [folded(projection.solicitations, "s1", records[:n]) for n in range(1, 5)]
    assert [card.state for card in cards if card] == ["open", "open", "closed", "voided"]
    assert isinstance(cards[3], SolicitationCard)
    assert (cards[3].scope, cards[3].closed_on) == ("全体教职工", s.closed.on)
    assert cards[3].voided == s.voided.reason


def test_a_batch_shows_its_groups_as_they_change() -> None:
    changed = OpinionsRegrouped(issue=c.proposed(c.TWO, title="评价表太多"))
    kept = OpinionsGrouped(issue=c.proposed(c.ONE, key="other"))
    records = log(
        ("c1", c.begun), ("c1", c.split), ("c1", c.grouped), ("c1", changed), ("c1", kept),
        ("c1", c.aside(c.REST)), ("c1", c.aside(c.HEAD)), ("c1", c.taken_back(c.HEAD)),
        ("c1", c.ungrouped),
    )  # fmt: skip
    card = folded(projection.collations, "c1", records)
    assert isinstance(card, CollationCard)
    assert (card.lengths, card.cuts) == ({"o1": 20, "o2": 30}, {"o1": (8,)})
    assert [group.key for group in card.groups] == ["other"]
    assert [entry.part for entry in card.aside] == [c.aside(c.REST).part]
    before = folded(projection.collations, "c1", records[:4])
    assert before is not None
    assert [group.title for group in before.groups] == ["评价表太多"]


@pytest.mark.parametrize(("end", "state"), [(c.closed, "closed"), (c.voided, "voided")])
def test_a_batch_ends(end: Event, state: str) -> None:
    card = folded(projection.collations, "c1", log(("c1", c.begun), ("c1", end)))
    assert card is not None
    assert (card.state, card.ended_at) == (state, NOON + timedelta(minutes=2))


def test_a_report_keeps_its_counts() -> None:
    records = log(("r1", r.compiled()), ("r1", r.corrected), ("r1", r.voided))
    card = folded(projection.reports, "r1", records)
    assert isinstance(card, ReportCard)
    assert (card.state, card.thinking, card.corrected) == ("voided", "先急后缓", "措施有遗漏")
    assert (card.opinions, card.heard) == (r.compiled().opinions, r.compiled().heard)


PLANNED = MeasuresPlanned(
    mode=Mode.immediate,
    measures=(),
    reviewer=SUPERVISOR,
    accountable_leader=LEADER,
    responsible_department="canteen",
    watch=WATCH,
)
NOTICE = NoticePublished(text="已停用纸质听课记录", until=DUE)
OBJECTION = ObjectionRaised(objector=TEACHER, text="还在要", raised_at=NOON, watch=WATCH)


def issue_after(*events: Event) -> IssueCard:
    entries = [("i1", event) for event in (opened("o1", "o2", "o1"), *events)]
    card = folded(projection.issues, "i1", log(*entries))
    assert card is not None
    return card


@pytest.mark.parametrize(
    ("events", "stage"),
    [
        ((), "open"),
        ((IssueClaimed(owner=MEMBER, watch=WATCH),), "owned"),
        ((IssueAssigned(owner=MEMBER, reason="分管", watch=WATCH),), "owned"),
        ((IssueDeclined(owner=MEMBER, reason="不分管", watch=WATCH),), "open"),
        ((PLANNED,), "planned"),
        ((PLANNED, RectificationStarted()), "underway"),
        ((PLANNED, RectificationStarted(), PLANNED), "underway"),
        ((StrikeOffRequested(statement="已停用", evidence=()),), "awaiting_verification"),
        ((IssueVerified(verifier=SUPERVISOR, finding="属实"),), "verified"),
        ((NOTICE,), "on_notice"),
        ((NOTICE, OBJECTION), "on_notice"),
        ((NOTICE, OBJECTION, ObjectionUpheld(answer="属实", times=1)), "underway"),
        ((NOTICE, OBJECTION, ObjectionDismissed(answer="已停用")), "on_notice"),
        ((IssueStruckOff(verifier=SUPERVISOR, verdicts_until=DUE),), "struck_off"),
        (
            (
                IssueStruckOff(verifier=SUPERVISOR, verdicts_until=DUE),
                OBJECTION,
                ObjectionUpheld(answer="属实", times=1),
            ),
            "struck_off",
        ),
        (
            (ConvertedToLongTerm(reason="需上级拨款", stage_goal="先修一层", watch=WATCH),),
            "long_term",
        ),
        ((ExplainedNotPossible(explanation="超出权限", verdicts_until=DUE),), "not_possible"),
        ((IssueMerged(into="i2", reason="同一件事"),), "merged"),
        ((IssueVoided(reason="重复"),), "voided"),
    ],
)
def test_an_issue_is_where_rectification_left_it(events: tuple[Event, ...], stage: str) -> None:
    card = issue_after(*events)
    assert card.stage == stage
    assert card.steps[-1].stage == stage


def test_an_issue_keeps_what_its_originators_are_told() -> None:
    card = issue_after(PLANNED, NOTICE, OBJECTION, ObjectionDismissed(answer="已停用", until=DUE))
    assert (card.notice, card.notice_until) == ("已停用纸质听课记录", DUE.at)
    assert (card.objection_answer, card.responsible_department) == ("已停用", "canteen")
    assert (card.opinions, card.collations) == (("o1", "o2"), ("c1",))
    merged = issue_after(IssueMerged(into="i2", reason="同一件事"))
    assert (merged.merged_into, merged.ending) == ("i2", "同一件事")


def test_an_issue_shows_whether_an_objection_is_pending() -> None:
    assert issue_after(NOTICE, OBJECTION).objected
    assert not issue_after(NOTICE, OBJECTION, ObjectionDismissed(answer="已停用")).objected


def test_an_issue_knows_who_works_on_it_now() -> None:
    claimed = IssueClaimed(owner=MEMBER, watch=WATCH)
    moved = IssueTransferred(owner=OTHER_TEACHER, former=MEMBER, reason="调离")
    assert issue_after(claimed, moved).owner == OTHER_TEACHER
    assert issue_after(claimed, IssueDeclined(owner=MEMBER, reason="~", watch=WATCH)).owner is None


def test_a_reopened_issue_is_to_be_judged_anew() -> None:
    struck_off = IssueStruckOff(verifier=SUPERVISOR, verdicts_until=DUE)
    again = IssueReopened(
        cause=ReopenCause.relapse, reason="反弹", owner=MEMBER, times=1, watch=WATCH
    )
    card = issue_after(struck_off, again)
    assert (card.stage, card.verdicts_until, card.owner) == ("owned", None, MEMBER)
    assert [step.stage for step in card.steps] == ["open", "struck_off", "owned"]


# -- All of them -----------------------------------------------------------------------------------


@pytest.mark.parametrize("view", service.views, ids=lambda view: view.name)
def test_a_document_survives_being_stored(view: View[BaseModel]) -> None:
    records = log(
        ("s1", s.opened()), ("o1", o.said), ("o1", o.masked), ("o1", o.refused), ("c1", c.begun),
        ("c1", c.split), ("c1", c.grouped), ("c1", c.aside(c.REST)), ("r1", r.compiled()),
        ("i1", opened("o1")), ("i1", NOTICE), ("d1", d.requested), ("d1", d.disclosed),
    )  # fmt: skip
    types = {event.TYPE for event in view.follows}
    concerned = [record for record in records if record.type in types]
    for key in {key for record in concerned for key in view.keys(record)}:
        document = folded(view, key, concerned)
        if document is not None:
            stored = document.model_dump(mode="json")
            assert view.document.model_validate(stored) == document


def test_every_event_of_feedback_reaches_a_view() -> None:
    followed = {event for view in service.views for event in view.follows}
    aliases = (SolicitationEvent, OpinionEvent, CollationEvent, ReportEvent, DisclosureEvent)
    assert {event for alias in aliases for event in alias.__value__.__args__} <= followed


PROJECTIONS: list[Callable[..., object]] = [view.project for view in service.views]


@pytest.mark.parametrize("project", PROJECTIONS)
def test_an_event_without_its_beginning_makes_no_document(project: Callable[..., object]) -> None:
    for stream, event in (
        ("s1", s.closed),
        ("o1", o.refused),
        ("c1", c.closed),
        ("r1", r.voided),
        ("d1", d.disclosed),
    ):
        (record,) = log((stream, event))
        assert project(None, record) is None
