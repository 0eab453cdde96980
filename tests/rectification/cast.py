"""A small school in May 2023: who is there, what day it is, and how an issue gets where it is."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from services.campaign.calendar import Calendar, Deadline, Span
from services.campaign.directory import Campaign, Directory, School, Unit
from services.campaign.events import Role, UnitKind
from services.campaign.roster import Deputising, Holding, Person, Roster
from services.feedback.events import Addressee, Discovery, Topic, Wind
from services.rectification.domain.issue import Facts, decider
from services.rectification.events import (
    ConvertedToLongTerm,
    Evidence,
    EvidenceAdded,
    ExplainedNotPossible,
    IssueClaimed,
    IssueMerged,
    IssueOpened,
    IssueStruckOff,
    IssueVerified,
    IssueVoided,
    Measure,
    MeasuresPlanned,
    Mode,
    NoticePublished,
    ObjectionRaised,
    RectificationStarted,
    Source,
    SourceKind,
    StrikeOffRequested,
    Watch,
)
from shared.decider import Command, Event, PersonId

# -- Who ------------------------------------------------------------------------------------------

LEADER = PersonId("luo-chengye")
MEMBER = PersonId("tan-huifen")
OWNER = PersonId("lai-guodong")
HELPER = PersonId("pan-yougen")
REVIEWER = PersonId("jian-lihua")
SUPERVISOR = PersonId("qin-supervises")
COLLATOR = PersonId("shen-yuee")
ORIGINATOR = PersonId("tu-xiaofeng")
STRANGER = PersonId("rao-shuzhen")
GONE = PersonId("zhong-left")
RECEIPT = PersonId("originator:opinion-1")
CLOCK = PersonId("service:clock")
SERVICE = PersonId("service:rectification")

_ROLES: dict[PersonId, tuple[Role, ...]] = {
    LEADER: (Role.principal_leader, Role.team_member),
    MEMBER: (Role.team_member,),
    OWNER: (Role.department_head, Role.administrative_head),
    HELPER: (),
    REVIEWER: (Role.school_administrator,),
    SUPERVISOR: (Role.supervisor,),
    COLLATOR: (Role.collator,),
    ORIGINATOR: (),
    STRANGER: (),
    GONE: (Role.department_head,),
}

# -- When -----------------------------------------------------------------------------------------

TODAY = date(2023, 5, 8)  # a Monday
NOON = datetime(2023, 5, 8, 4, tzinfo=UTC)  # twelve o'clock in Shanghai
LATER = datetime(2023, 6, 1, 4, tzinfo=UTC)
ENROLLED = date(2022, 9, 1)

SCHOOL = Directory(
    school=School(name="青岗中学", zone="Asia/Shanghai", language="zh"),
    units={
        "logistics": Unit(kind=UnitKind.department, name="总务处"),
        "union": Unit(kind=UnitKind.department, name="工会", closed_on=date(2023, 4, 30)),
        "liberal": Unit(kind=UnitKind.branch, name="文科党支部"),
    },
    roster=Roster(
        people={
            person: Person(
                name=person,
                joined_on=ENROLLED,
                left_on=date(2023, 4, 30) if person == GONE else None,
                posts=tuple(Holding(role=role, since=ENROLLED) for role in roles),
            )
            for person, roles in _ROLES.items()
        }
    ),
    calendar=Calendar(
        holidays=(Span(begins_on=date(2023, 6, 22), ends_on=date(2023, 6, 24)),),
    ),
    campaigns={
        "campaign-1": Campaign(
            title="群众路线教育实践活动",
            begins_on=date(2023, 1, 1),
            ends_on=date(2023, 9, 30),
            stages=(),
            state="running",
        )
    },
)

FACTS = Facts(SCHOOL)


def by[C: Command](
    person: PersonId,
    kind: type[C],
    /,
    *,
    at: datetime = NOON,
    stream: str = "issue-1",
    **fields: Any,
) -> C:
    """A command as the runtime hands it to the domain."""
    return kind.model_validate({**fields, "by": person, "at": at, "stream": stream})


def after(*past: Any) -> Any:
    """The state an issue is in after these events."""
    return decider.fold(past)


def due(setting: str, at: datetime = NOON) -> Deadline:
    return SCHOOL.due(at, setting)


def watch(deadline: Deadline, at: datetime = NOON) -> Watch:
    return FACTS.watch(deadline, at)


def on(day: date) -> Deadline:
    return SCHOOL.on_day(day)


def without(*gone: PersonId, deputies: dict[PersonId, PersonId] | None = None) -> Facts:
    """The facts of a school that some have left, and where others stand in for some."""
    left = {"left_on": TODAY - timedelta(days=1)}
    changes: dict[PersonId, dict[str, Any]] = dict.fromkeys(gone, left)
    for absent, deputy in (deputies or {}).items():
        named = Deputising(deputy=deputy, since=TODAY, until=date(2023, 8, 31))
        changes[absent] = {"deputies": (named,)}
    people = SCHOOL.roster.people
    changed = {p: people[p].model_copy(update=change) for p, change in changes.items()}
    return Facts(SCHOOL.model_copy(update={"roster": Roster(people={**people, **changed})}))


def days(count: int) -> timedelta:
    return timedelta(days=count)


# -- How an issue gets where it is ---------------------------------------------------------------

SHA_BEFORE, SHA_AFTER = "b" * 64, "a" * 64
SOURCE = Source(kind=SourceKind.collation, id="collation-1", opinions=("opinion-1", "opinion-2"))
MEASURE = Measure(
    text="热水供应延长到二十二点三十分,加装四楼增压泵",
    owner=OWNER,
    helpers=(HELPER,),
    begins_on=TODAY,
    due_on=date(2023, 5, 26),
    deliverable="增压泵验收单、供水时段通知",
)

opened = IssueOpened(
    title="宿舍热水供应时间与晚自习脱节",
    description="报修长期无人答复",
    addressee=Addressee.team,
    winds=(Wind.bureaucratism,),
    topics=(Topic.dormitory, Topic.serving_the_masses),
    discovery=Discovery.raised_by_public,
    strongly_reflected=True,
    sources=(SOURCE,),
    raised_by=COLLATOR,
    watch=watch(due("claim_within")),
)
opened_about_member = opened.model_copy(
    update={"title": "分管领导听课少", "addressee": Addressee.member, "person": MEMBER}
)
claimed = IssueClaimed(owner=OWNER, watch=watch(due("plan_within")))
claimed_by_member = claimed.model_copy(update={"owner": MEMBER})
planned = MeasuresPlanned(
    mode=Mode.time_limited,
    measures=(MEASURE,),
    reviewer=REVIEWER,
    accountable_leader=LEADER,
    responsible_department="logistics",
    watch=watch(due("time_limited_within")),
)
started = RectificationStarted()
before_shown = EvidenceAdded(
    evidence=Evidence(sha256=SHA_BEFORE, phase="before", media_type="image/jpeg", name="整改前")
)
after_shown = EvidenceAdded(
    evidence=Evidence(sha256=SHA_AFTER, phase="after", media_type="image/jpeg", name="整改后")
)
strike_off_requested = StrikeOffRequested(
    statement="增压泵已装好,四楼连测十晚水温达标", evidence=(SHA_BEFORE, SHA_AFTER)
)
verified = IssueVerified(verifier=REVIEWER, finding="连测十个晚上,四楼水温不低于四十度")
published = NoticePublished(text="宿舍热水问题整改结果公示", until=due("public_notice"))
objected = ObjectionRaised(
    objector=STRANGER,
    text="周末仍然没有热水",
    raised_at=NOON,
    watch=watch(due("objection_within")),
)
struck_off = IssueStruckOff(verifier=REVIEWER, verdicts_until=due("verdict_within"))

OPEN: tuple[Event, ...] = (opened,)
OWNED = (*OPEN, claimed)
PLANNED = (*OWNED, planned)
UNDERWAY = (*PLANNED, started)
SHOWN = (*UNDERWAY, before_shown, after_shown)
AWAITING = (*SHOWN, strike_off_requested)
VERIFIED = (*AWAITING, verified)
ON_NOTICE = (*VERIFIED, published)
STRUCK_OFF = (*ON_NOTICE, struck_off)
LONG_TERM = (
    *UNDERWAY,
    ConvertedToLongTerm(
        reason="宿舍楼管网须在暑假整体更换",
        stage_goal="本学期完成设计和招标",
        watch=watch(due("long_term_within")),
    ),
)
NOT_POSSIBLE = (
    *UNDERWAY,
    ExplainedNotPossible(
        explanation="宿舍楼产权不属于学校,已书面报请主管部门", verdicts_until=due("verdict_within")
    ),
)
MERGED = (*OPEN, IssueMerged(into="issue-2", reason="与另一条热水问题相同"))
VOIDED = (*OPEN, IssueVoided(reason="重复录入"))

STAGES: dict[str, tuple[Event, ...]] = {
    "unopened": (),
    "open": OPEN,
    "owned": OWNED,
    "planned": PLANNED,
    "underway": UNDERWAY,
    "awaiting verification": AWAITING,
    "verified": VERIFIED,
    "on notice": ON_NOTICE,
    "struck off": STRUCK_OFF,
    "long term": LONG_TERM,
    "not possible": NOT_POSSIBLE,
    "merged": MERGED,
    "voided": VOIDED,
}
"""Every stage of an issue and how it got there."""


def about_member(past: tuple[Event, ...]) -> tuple[Event, ...]:
    """The same life of a personal issue that its person handed over to the owner."""
    return (opened_about_member, *past[1:])
