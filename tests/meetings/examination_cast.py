"""A small school with two branches in May 2023: who examines themselves, and who appraises whom."""

from datetime import UTC, date, datetime
from typing import Any

from services.campaign.calendar import Calendar, Period
from services.campaign.defaults import Policy
from services.campaign.directory import Campaign, Directory, School, Unit
from services.campaign.events import Role, SettingUnit, UnitKind
from services.campaign.roster import Deputising, Holding, Membership, Person, Roster
from services.meetings.app import service
from shared.callers import Caller
from shared.decider import Command, PersonId
from shared.runtime import Desk
from tests import memory
from tests.memory import TOWN, Works

# -- Who ------------------------------------------------------------------------------------------

LEADER = PersonId("luo-chengye")
MEMBER = PersonId("tan-huifen")
CADRE = PersonId("lai-guodong")
TEACHER = PersonId("pan-yougen")
SUPERVISOR = PersonId("qin-supervises")
SECRETARY = PersonId("shen-yuee")
DEPUTY = PersonId("jian-lihua")
OTHER_SECRETARY = PersonId("rao-shuzhen")
OUTSIDER = PersonId("tu-xiaofeng")
GONE = PersonId("zhong-left")
DOUBLE = PersonId("lai-guodong-2")

LIBERAL, SCIENCE = "liberal", "science"
_PARTY = Role.party_member
_ROLES: dict[PersonId, tuple[str | None, tuple[Role, ...]]] = {
    LEADER: (LIBERAL, (Role.principal_leader, Role.team_member, _PARTY, Role.party_cadre)),
    MEMBER: (LIBERAL, (Role.team_member, _PARTY, Role.party_cadre)),
    CADRE: (LIBERAL, (Role.department_head, _PARTY, Role.party_cadre)),
    TEACHER: (LIBERAL, (_PARTY,)),
    SUPERVISOR: (None, (Role.supervisor,)),
    SECRETARY: (LIBERAL, (Role.branch_secretary, _PARTY)),
    DEPUTY: (LIBERAL, (_PARTY,)),
    OTHER_SECRETARY: (SCIENCE, (Role.branch_secretary, _PARTY)),
    OUTSIDER: (SCIENCE, (_PARTY,)),
    GONE: (LIBERAL, (_PARTY, Role.party_cadre)),
}
MEMBERS = tuple(sorted((LEADER, MEMBER, CADRE, TEACHER, SECRETARY, DEPUTY)))
"""The branch that is large enough for a secret ballot."""

# -- When -----------------------------------------------------------------------------------------

TODAY = date(2023, 5, 8)  # a Monday
NOON = datetime(2023, 5, 8, 4, tzinfo=UTC)  # twelve o'clock in Shanghai
ENROLLED = date(2022, 9, 1)


def _person(person: PersonId) -> Person:
    branch, roles = _ROLES[person]
    unit = branch if Role.branch_secretary in roles and person == SECRETARY else None
    return Person(
        name=person,
        joined_on=ENROLLED,
        left_on=date(2023, 4, 30) if person == GONE else None,
        posts=tuple(
            Holding(role=r, since=ENROLLED, unit=unit if r is Role.branch_secretary else None)
            for r in roles
        ),
        branches=(Membership(branch=branch, since=ENROLLED),) if branch else (),
        deputies=(Deputising(deputy=DEPUTY, since=date(2023, 6, 1), until=date(2023, 6, 30)),)
        if person == SECRETARY
        else (),
    )


SCHOOL = Directory(
    school=School(name="青岗中学", zone="Asia/Shanghai", language="zh"),
    units={
        LIBERAL: Unit(kind=UnitKind.branch, name="文科党支部"),
        SCIENCE: Unit(kind=UnitKind.branch, name="理科党支部"),
        "retired": Unit(kind=UnitKind.branch, name="离退休党支部"),
        "logistics": Unit(kind=UnitKind.department, name="总务处"),
    },
    roster=Roster(
        people={
            **{person: _person(person) for person in _ROLES},
            DOUBLE: Person(name="lai", joined_on=ENROLLED, merged_into=CADRE),
        }
    ),
    calendar=Calendar(),
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


_teacher = SCHOOL.roster.people[TEACHER].model_copy(
    update={"posts": (Holding(role=Role.probationary_member, since=ENROLLED),)}
)
ON_PROBATION = SCHOOL.model_copy(
    update={"roster": Roster(people={**SCHOOL.roster.people, TEACHER: _teacher})}
)
"""The school with the teacher as a probationary member."""


def having(setting: str, value: str, unit: SettingUnit) -> Directory:
    """The school with a policy setting of its own."""
    policy = Policy(values={setting: Period(value=value, unit=unit)})
    campaign = SCHOOL.campaigns["campaign-1"].model_copy(update={"policy": policy})
    return SCHOOL.model_copy(update={"campaigns": {"campaign-1": campaign}})


def by[C: Command](
    person: PersonId, kind: type[C], /, *, at: datetime = NOON, stream: str = "", **fields: Any
) -> C:
    """A command as the runtime hands it to the domain."""
    return kind.model_validate({**fields, "by": person, "at": at, "stream": stream})


def caller(person: PersonId) -> Caller:
    """Who asks, with the roles of that day."""
    for vouched in ("operator", "anonymous"):
        if person.startswith(vouched):
            return Caller(person, frozenset({vouched}))
    roles = SCHOOL.roster.roles(person, TODAY)
    return Caller(person, frozenset({"person", *(role.value for role in roles)}))


async def works(directory: Directory | None = SCHOOL) -> Works:
    """Meetings, ready to decide."""
    return await memory.works(service, directory)


async def after(*entries: Any) -> Desk:
    """A desk whose views have seen a log of (stream, event) or (stream, event, actor)."""
    at = await works()
    await at.runtime.projector.apply(memory.log(*entries, by=LEADER, noon=NOON))
    return at.runtime.desk(TOWN, NOON)
