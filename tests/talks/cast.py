"""A small school in May 2023: who is there, who belongs where, and how a talk gets where it is."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from services.campaign.directory import Campaign, Directory, School, Unit
from services.campaign.events import Role, UnitKind
from services.campaign.roster import Holding, Membership, Overseeing, Person, Roster
from services.feedback.events import Addressee, Discovery, Topic, Wind
from services.talks.domain.talk import Facts, Requested
from services.talks.events import (
    Audience,
    Communicated,
    Side,
    TalkArranged,
    TalkCancelled,
    TalkConfirmed,
    TalkCorrected,
    TalkDisputed,
    TalkHeld,
    TalkKind,
    TalkProblemRaised,
    TalkReleased,
    TalkRequested,
    TalkVoided,
)
from shared.decider import Command, PersonId

# -- Who ------------------------------------------------------------------------------------------

LEADER = PersonId("luo-chengye")
HEADMASTER = PersonId("su-wenhai")
MEMBER = PersonId("tan-huifen")
HEAD = PersonId("lai-guodong")
SECRETARY = PersonId("jian-lihua")
TEACHER = PersonId("pan-yougen")
ANOTHER = PersonId("rao-shuzhen")
ADMINISTRATOR = PersonId("shen-yuee")
SUPERVISOR = PersonId("qin-supervises")
GONE = PersonId("zhong-left")
SERVICE = PersonId("service:talks")
OPERATOR = PersonId("operator:deployment")

# -- When -----------------------------------------------------------------------------------------

TODAY = date(2023, 5, 8)  # a Monday
NOON = datetime(2023, 5, 8, 4, tzinfo=UTC)  # twelve o'clock in Shanghai
BEGUN = datetime(2023, 5, 8, 1, tzinfo=UTC)
ENDED = datetime(2023, 5, 8, 1, 50, tzinfo=UTC)
PLANNED = datetime(2023, 5, 8, 1, tzinfo=UTC)
ENROLLED = date(2022, 9, 1)
LAST_DAY = date(2023, 4, 30)

_POSTS: dict[PersonId, tuple[tuple[Role, str | None], ...]] = {
    LEADER: ((Role.principal_leader, None), (Role.team_member, None)),
    HEADMASTER: (
        (Role.principal_leader, None),
        (Role.team_member, None),
        (Role.administrative_head, None),
    ),
    MEMBER: ((Role.team_member, None),),
    HEAD: ((Role.department_head, "logistics"),),
    SECRETARY: ((Role.branch_secretary, "liberal"), (Role.party_member, None)),
    TEACHER: ((Role.party_member, None),),
    ANOTHER: (),
    ADMINISTRATOR: ((Role.school_administrator, None),),
    SUPERVISOR: ((Role.supervisor, None),),
    GONE: ((Role.party_member, None),),
}
_BRANCH = {HEADMASTER: "liberal", SECRETARY: "liberal", TEACHER: "liberal", ANOTHER: "liberal"}
_OVERSEES = {MEMBER: "logistics"}


def person(who: PersonId) -> Person:
    """An entry of the roster; everything holds from the day of joining."""
    return Person(
        name=who,
        joined_on=ENROLLED,
        left_on=LAST_DAY if who == GONE else None,
        posts=tuple(Holding(role=role, since=ENROLLED, unit=unit) for role, unit in _POSTS[who]),
        branches=(Membership(branch=_BRANCH[who], since=ENROLLED),) if who in _BRANCH else (),
        overseeing=(Overseeing(department=_OVERSEES[who], since=ENROLLED),)
        if who in _OVERSEES
        else (),
    )


SCHOOL = Directory(
    school=School(name="青岗中学", zone="Asia/Shanghai", language="zh"),
    units={
        "logistics": Unit(kind=UnitKind.department, name="总务处"),
        "liberal": Unit(kind=UnitKind.branch, name="文科党支部"),
        "science": Unit(kind=UnitKind.branch, name="理科党支部"),
        "retired": Unit(kind=UnitKind.branch, name="退休党支部", closed_on=LAST_DAY),
    },
    roster=Roster(people={who: person(who) for who in _POSTS}),
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
ASKED_FOR = Facts(SCHOOL, Requested(asker=TEACHER, asked=MEMBER))
"""The request that a talk names was one of the teacher to the member."""


def by[C: Command](
    who: PersonId,
    kind: type[C],
    /,
    *,
    at: datetime = NOON,
    stream: str = "talk-1",
    **fields: Any,
) -> C:
    """A command as the runtime hands it to the domain."""
    return kind.model_validate({**fields, "by": who, "at": at, "stream": stream})


def merged(*people: PersonId) -> Directory:
    """The school after second entries of some were merged into their first."""
    twice = {
        PersonId(f"{who}-2"): person(who).model_copy(update={"merged_into": who}) for who in people
    }
    return SCHOOL.model_copy(update={"roster": Roster(people={**SCHOOL.roster.people, **twice})})


def days(count: int) -> timedelta:
    return timedelta(days=count)


# -- How a talk gets where it is -----------------------------------------------------------------

PLAN: dict[str, Any] = {
    "kind": TalkKind.one_by_one,
    "parties": (MEMBER, TEACHER),
    "place": "行政楼三楼谈心室",
    "planned_at": PLANNED,
}
SIDES = (
    Side(
        party=MEMBER,
        asked_about_me=True,
        opinion_about_me="听课之后很少当面反馈",
        suggestions_to_me="每周参加一次集体备课",
        strengths="课堂扎实,带出了两名青年教师",
        shortcomings="批改作业有时拖到下一周",
        own_problems="文件看得多,一线去得少",
    ),
    Side(party=TEACHER, asked_about_me=True, own_problems="跨学科教研参加得少"),
)
CRITICISM = Communicated(giver=TEACHER, receiver=MEMBER, criticism="布置工作时听不进不同意见")
TOLD: dict[str, Any] = {
    "kind": TalkKind.one_by_one,
    "parties": (MEMBER, TEACHER),
    "place": "行政楼三楼谈心室",
    "begun_at": BEGUN,
    "ended_at": ENDED,
    "sides": SIDES,
    "communicated": (CRITICISM,),
    "helped": "当面列举三件具体的事",
}
CORRECTED: dict[str, Any] = {**TOLD, "place": "行政楼二楼小会议室"}
PROBLEM: dict[str, Any] = {
    "key": "homework",
    "title": "各科作业总量没有人统筹",
    "description": "周末八科都布置作业",
    "addressee": Addressee.team,
    "winds": (Wind.formalism,),
    "topics": (Topic.teaching,),
    "discovery": Discovery.peer_raised,
    "strongly_reflected": True,
}

arranged = TalkArranged(**PLAN, arranged_by=MEMBER)
arranged_on_request = arranged.model_copy(update={"request": "request-1"})
cancelled = TalkCancelled(reason="对方外出培训")
held = TalkHeld(**TOLD, recorded_by=MEMBER)
held_on_request = held.model_copy(update={"request": "request-1"})
corrected = TalkCorrected(**CORRECTED, reason="地点抄错")
member_confirmed = TalkConfirmed(party=MEMBER)
teacher_confirmed = TalkConfirmed(party=TEACHER)
disputed = TalkDisputed(party=TEACHER, reason="第二条建议不是我提的")
released = TalkReleased(
    party=MEMBER, audiences=(Audience.supervision_group, Audience.leadership_team)
)
raised = TalkProblemRaised(**PROBLEM, person=None, not_four_winds=False, key_issue=False)
voided = TalkVoided(reason="与另一条记录是同一次谈话")

CONFIRMED = (held, member_confirmed, teacher_confirmed)

requested = TalkRequested(
    asker=TEACHER, asked=MEMBER, about="想谈谈备课组长的轮换", recorded_by=TEACHER
)
