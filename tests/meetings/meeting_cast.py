"""A small school in July 2023, and how its meetings get where they are."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from services.campaign.directory import Campaign, Directory, School, Unit
from services.campaign.events import Role, UnitKind
from services.campaign.roster import Deputising, Holding, Membership, Person, Roster
from services.feedback.events import Addressee, Discovery, Topic, Wind
from services.meetings.app import service
from services.meetings.domain.meeting import Facts, Reported, decider
from services.meetings.events import (
    AbsenceMadeUp,
    Attendance,
    AttendanceRecorded,
    Attendee,
    BriefingPart,
    BriefingPartReported,
    DocumentAdopted,
    MeasureResolved,
    MeetingAppraised,
    MeetingCancelled,
    MeetingDateAgreed,
    MeetingEnded,
    MeetingGrade,
    MeetingHeld,
    MeetingKind,
    MeetingPlanApproved,
    MeetingPlanned,
    MeetingProblemRaised,
    MeetingVoided,
    MinutesClosed,
    PaperKind,
    SpeechAct,
    SpeechRecorded,
)
from shared.callers import Caller
from shared.decider import Command, Event, PersonId
from shared.envelope import Record
from shared.runtime import Desk
from tests import memory
from tests.memory import TOWN, Entry

# -- Who ------------------------------------------------------------------------------------------

LEADER = PersonId("luo-chengye")
MEMBER = PersonId("tan-huifen")
OTHER_MEMBER = PersonId("he-zhiyuan")
SECRETARY = PersonId("peng-guilan")
TEACHER = PersonId("rao-shuzhen")
COLLEAGUE = PersonId("xie-fang")
CLERK = PersonId("jian-lihua")
SECOND_CLERK = PersonId("ou-minyi")
SUPERVISOR = PersonId("qin-supervises")
SECOND_SUPERVISOR = PersonId("wen-supervises")
GRADE_HEAD = PersonId("lai-guodong")
GROUP_HEAD = PersonId("pan-yougen")
GONE = PersonId("zhong-left")

_ROLES: dict[PersonId, tuple[Role, ...]] = {
    LEADER: (Role.principal_leader, Role.team_member, Role.party_member),
    MEMBER: (Role.team_member,),
    OTHER_MEMBER: (Role.team_member,),
    SECRETARY: (Role.branch_secretary, Role.party_member),
    TEACHER: (Role.party_member,),
    COLLEAGUE: (Role.probationary_member,),
    CLERK: (Role.school_administrator,),
    SECOND_CLERK: (Role.school_administrator,),
    SUPERVISOR: (Role.supervisor,),
    SECOND_SUPERVISOR: (Role.supervisor,),
    GRADE_HEAD: (Role.grade_head,),
    GROUP_HEAD: (Role.subject_group_head,),
    GONE: (Role.team_member,),
}
_LIBERAL = {LEADER, SECRETARY, TEACHER, COLLEAGUE}

# -- When -----------------------------------------------------------------------------------------

TODAY = date(2023, 7, 10)  # a Monday
NOON = datetime(2023, 7, 10, 4, tzinfo=UTC)  # twelve o'clock in Shanghai
AGREED_ON = date(2023, 7, 7)
BEGAN = datetime(2023, 7, 7, 6, 30, tzinfo=UTC)
OVER = datetime(2023, 7, 7, 10, tzinfo=UTC)
BEFORE = datetime(2023, 7, 3, 2, tzinfo=UTC)
ENROLLED = date(2022, 9, 1)


def person(who: PersonId) -> Person:
    """A roster entry."""
    unit = {Role.branch_secretary: "liberal", Role.grade_head: "grade-8"}
    return Person(
        name=who,
        joined_on=ENROLLED,
        left_on=date(2023, 6, 30) if who == GONE else None,
        posts=tuple(Holding(role=r, since=ENROLLED, unit=unit.get(r)) for r in _ROLES[who]),
        branches=(Membership(branch="liberal", since=ENROLLED),) if who in _LIBERAL else (),
    )


SCHOOL = Directory(
    school=School(name="青岗中学", zone="Asia/Shanghai", language="zh"),
    units={
        "liberal": Unit(kind=UnitKind.branch, name="文科党支部"),
        "science": Unit(kind=UnitKind.branch, name="理科党支部"),
        "retired": Unit(kind=UnitKind.branch, name="离退休党支部", closed_on=date(2023, 6, 30)),
        "grade-8": Unit(kind=UnitKind.grade, name="八年级"),
    },
    roster=Roster(people={who: person(who) for who in _ROLES}),
    campaigns={
        name: Campaign(
            title="群众路线教育实践活动",
            begins_on=date(2023, 1, 1),
            ends_on=date(2023, 9, 30),
            stages=(),
            state=state,
        )
        for name, state in (("campaign-0", "concluded"), ("campaign-1", "running"))
    },
)

FACTS = Facts(
    SCHOOL,
    reported=Reported(MeetingKind.democratic_life, OVER, OVER + timedelta(hours=4)),
    adoptable=True,
)


def changed(who: PersonId, **changes: Any) -> Directory:
    """The school with one roster entry different."""
    people = SCHOOL.roster.people
    entry = people.get(who, person(TEACHER)).model_copy(update=changes)
    return SCHOOL.model_copy(update={"roster": Roster(people={**people, who: entry})})


def deputised(absent: PersonId, deputy: PersonId) -> Directory:
    """The school with somebody standing in for somebody."""
    return changed(absent, deputies=(Deputising(deputy=deputy, since=ENROLLED),))


def by[C: Command](who: PersonId, kind: type[C], /, **fields: Any) -> C:
    """A command as the runtime hands it to the domain."""
    told = {"at": NOON, "stream": "meeting-1", **fields, "by": who}
    return kind.model_validate(told)


# -- How a meeting gets where it is ---------------------------------------------------------------


def seat(who: PersonId, excuse: str | None = None) -> Attendee:
    """Somebody by name: absent where there is an excuse."""
    attendance = Attendance.absent if excuse else Attendance.present
    return Attendee(person=who, attendance=attendance, excuse=excuse)


planned = MeetingPlanned(
    kind=MeetingKind.democratic_life,
    campaign="campaign-1",
    title="专题民主生活会",
    place="行政楼三楼会议室",
    chair=LEADER,
    on=date(2023, 7, 6),
    programme="会前谈心、征求意见;会上对照检查、开展批评",
    planned_by=CLERK,
)
approved = MeetingPlanApproved(revision=1, approved_at=BEFORE, remarks="准备充分")
agreed = MeetingDateAgreed(on=AGREED_ON, agreed_at=BEFORE)
held = MeetingHeld(on=AGREED_ON, began_at=BEGAN, chair=LEADER, recorder=CLERK)
seated = AttendanceRecorded(
    attendees=(
        seat(LEADER),
        seat(MEMBER),
        seat(SUPERVISOR),
        seat(OTHER_MEMBER, "赴省厅参加培训"),
    )
)
examined = SpeechRecorded(
    number=1, act=SpeechAct.team_self_examination, speaker=LEADER, text="代表班子作对照检查"
)
self_criticism = SpeechRecorded(
    number=2, act=SpeechAct.self_criticism, speaker=LEADER, text="深入课堂不够"
)
criticism = SpeechRecorded(
    number=3,
    act=SpeechAct.criticism,
    speaker=LEADER,
    receiver=MEMBER,
    talk="talk-1",
    text="后勤回应慢",
)
problem = MeetingProblemRaised(
    key="p-1",
    title="会议多、文件多",
    description="每周例会重复传达",
    addressee=Addressee.team,
    winds=(Wind.formalism,),
    topics=(Topic.meeting_style,),
    discovery=Discovery.collectively_discussed,
    key_issue=True,
)
measure = MeasureResolved(
    key="m-1",
    text="例会合并为双周一次",
    owner=MEMBER,
    due_on=date(2023, 8, 31),
    deliverable="会议制度",
    issues=("issue-1",),
)
made_up = AbsenceMadeUp(person=OTHER_MEMBER, on=TODAY, by_what="会后补作自我批评,学习会议记录")
ended = MeetingEnded(ended_at=OVER)
closed = MinutesClosed(closed_by=CLERK)
appraised = MeetingAppraised(
    grade=MeetingGrade.good,
    text="开出了新意",
    appraised_by=SUPERVISOR,
    appraised_at=OVER + timedelta(hours=4),
)
cancelled = MeetingCancelled(reason="并入下次会议")
voided = MeetingVoided(reason="重复录入")

PLANNED: tuple[Event, ...] = (planned,)
READY = (*PLANNED, approved, agreed)
HELD = (*READY, held)
SEATED = (*HELD, seated)
SPOKEN = (*SEATED, examined, self_criticism, criticism)
OPEN = (*SPOKEN, problem, measure, ended)
CLOSED = (*OPEN, closed)
APPRAISED = (*CLOSED, appraised)

briefing_planned = planned.model_copy(
    update={
        "kind": MeetingKind.briefing,
        "reports_on": "meeting-1",
        "title": "民主生活会情况通报会",
        "programme": None,
        "on": None,
    }
)
briefing_began = datetime(2023, 7, 10, 1, tzinfo=UTC)
briefing_held = held.model_copy(update={"on": TODAY, "began_at": briefing_began})
part_told = BriefingPartReported(part=BriefingPart.preparation, text="征求意见、谈心情况")
BRIEFING = (briefing_planned, briefing_held)

leadership_planned = planned.model_copy(
    update={"kind": MeetingKind.leadership, "title": "领导班子会议", "programme": None}
)
adopted = DocumentAdopted(kind=PaperKind.examination, id="examination-1")
LEADERSHIP = (leadership_planned, held)

branch_planned = planned.model_copy(
    update={
        "kind": MeetingKind.organisational_life,
        "branch": "liberal",
        "title": "专题组织生活会",
        "programme": None,
        "chair": SECRETARY,
        "planned_by": SECRETARY,
    }
)
branch_held = held.model_copy(update={"chair": SECRETARY, "recorder": TEACHER})
BRANCH = (branch_planned, branch_held)


# -- Meetings at work in memory -------------------------------------------------------------------


def log(*entries: Entry) -> list[Record]:
    """A log of (stream, event) or (stream, event, actor); a clerk's doing where none is named."""
    return memory.log(*entries, by=CLERK, noon=NOON)


def lived(meeting: str, past: Iterable[Event]) -> list[Entry]:
    """What happened to one meeting."""
    return [(meeting, event) for event in past]


async def desk_after(*entries: Entry, directory: Directory | None = SCHOOL) -> Desk:
    """A desk whose views have seen a log."""
    at = await memory.works(service, directory)
    at.pages.log.extend(log(*entries))
    await at.look()
    return at.runtime.desk(TOWN, NOON)


def caller(who: PersonId) -> Caller:
    """Who asks, with the roles of that day."""
    roles = SCHOOL.roster.roles(who, TODAY)
    return Caller(who, frozenset({"person", *(role.value for role in roles)}))


def after(*past: Any) -> Any:
    """The state a meeting is in after these events."""
    return decider.fold(past)
