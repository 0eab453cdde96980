"""A small school, and how its events look in the log."""

from datetime import UTC, date, datetime

from services.campaign.directory import Campaign, Directory, School, Unit
from services.campaign.events import Role, UnitKind
from services.campaign.roster import Holding, Person, Roster
from shared.callers import Caller
from shared.decider import PersonId
from shared.envelope import Record
from tests import memory
from tests.memory import Entry

NOON = datetime(2023, 3, 1, 4, tzinfo=UTC)  # in the school's zone
TODAY = date(2023, 3, 1)
TOMORROW = date(2023, 3, 2)

LEADER = PersonId("luo")
MEMBER = PersonId("tan")
COLLATOR = PersonId("ye")
ADMINISTRATOR = PersonId("qin")
TEACHER = PersonId("wu")
OTHER_TEACHER = PersonId("he")
SUPERVISOR = PersonId("gu")
FORMER_MEMBER = PersonId("old")
DUPLICATE = PersonId("twin")
ANONYMOUS = PersonId("anonymous")

CAMPAIGN = "mass-line-2023"
CANTEEN = "canteen"
BRANCH = "branch-1"


def _person(*roles: Role, left_on: date | None = None) -> Person:
    since = date(2020, 9, 1)
    posts = tuple(Holding(role=role, since=since) for role in roles)
    return Person(name="~", joined_on=since, left_on=left_on, posts=posts)


SCHOOL = Directory(
    school=School(name="望溪中学", zone="Asia/Shanghai", language="zh"),
    units={
        CANTEEN: Unit(kind=UnitKind.department, name="总务处"),
        BRANCH: Unit(kind=UnitKind.branch, name="第一支部"),
    },
    roster=Roster(
        people={
            LEADER: _person(Role.principal_leader, Role.team_member),
            MEMBER: _person(Role.team_member),
            COLLATOR: _person(Role.collator),
            ADMINISTRATOR: _person(Role.school_administrator),
            TEACHER: _person(Role.party_member),
            OTHER_TEACHER: _person(),
            SUPERVISOR: _person(Role.supervisor),
            FORMER_MEMBER: _person(Role.team_member, left_on=date(2022, 12, 31)),
        }
    ),
    campaigns={
        CAMPAIGN: Campaign(
            title="教育实践活动",
            begins_on=date(2023, 1, 1),
            ends_on=date(2023, 9, 30),
            stages=(),
            state="running",
        )
    },
)


def caller(person: PersonId) -> Caller:
    """Who asks, with the roles of that day."""
    if person == ANONYMOUS:
        return Caller(person, frozenset({"anonymous"}))
    if person.startswith("originator:"):
        return Caller(person, frozenset({"originator"}))
    roles = SCHOOL.roster.roles(person, TODAY)
    return Caller(person, frozenset({"person", *(role.value for role in roles)}))


def log(*entries: Entry) -> list[Record]:
    """A log of (stream, event) or (stream, event, actor); a collator's doing where none is named."""
    return memory.log(*entries, by=COLLATOR, noon=NOON)


def with_duplicate(of: PersonId) -> Directory:
    """The school after a second entry of somebody was merged into the first."""
    twin = SCHOOL.roster.people[of].model_copy(update={"merged_into": of})
    people = {**SCHOOL.roster.people, DUPLICATE: twin}
    return SCHOOL.model_copy(update={"roster": Roster(people=people)})


def without_post(person: PersonId) -> Directory:
    """The school after somebody lost every post."""
    entry = SCHOOL.roster.people[person].model_copy(update={"posts": ()})
    people = {**SCHOOL.roster.people, person: entry}
    return SCHOOL.model_copy(update={"roster": Roster(people=people)})
