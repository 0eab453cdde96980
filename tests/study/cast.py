"""A small school in May 2023: who is there, what day it is, which weeks are taught."""

from datetime import UTC, date, datetime
from typing import Any

from services.campaign.calendar import Calendar, Period, SchoolYear, Span
from services.campaign.defaults import Policy
from services.campaign.directory import Campaign, Directory, School, Unit
from services.campaign.events import Role, SettingUnit, Stage, StageName, Term, UnitKind
from services.campaign.roster import Holding, Membership, Person, Roster
from shared.decider import Command, PersonId

# -- Who ------------------------------------------------------------------------------------------

LEADER = PersonId("luo-chengye")
MEMBER = PersonId("tan-huifen")
CADRE = PersonId("lai-guodong")
TEACHER = PersonId("pan-yougen")
OFFICER = PersonId("jian-lihua")
SECRETARY = PersonId("shen-yuee")
SUPERVISOR = PersonId("qin-supervises")
STRANGER = PersonId("rao-shuzhen")
GONE = PersonId("zhong-left")
TWIN = PersonId("tan-again")
"""The same person as MEMBER, entered twice."""

_ROLES: dict[PersonId, tuple[Role, ...]] = {
    LEADER: (Role.principal_leader, Role.team_member, Role.party_member, Role.party_cadre),
    MEMBER: (Role.team_member, Role.party_member, Role.party_cadre),
    CADRE: (Role.department_head, Role.party_member, Role.party_cadre),
    TEACHER: (Role.party_member,),
    OFFICER: (Role.school_administrator,),
    SECRETARY: (Role.branch_secretary, Role.party_member),
    SUPERVISOR: (Role.supervisor,),
    STRANGER: (),
    GONE: (Role.team_member, Role.party_member, Role.party_cadre),
    TWIN: (),
}

# -- When -----------------------------------------------------------------------------------------

TODAY = date(2023, 5, 8)  # a Monday
YESTERDAY = date(2023, 5, 7)
TOMORROW = date(2023, 5, 9)
NOON = datetime(2023, 5, 8, 4, tzinfo=UTC)  # twelve o'clock in Shanghai
ENROLLED = date(2022, 9, 1)
IN_JULY = date(2022, 7, 15)
"""Before the first school year of the calendar."""
IN_WINTER = date(2023, 1, 25)
"""In the school year, in no term."""

AUTUMN = Term(number=1, begins_on=date(2022, 9, 1), ends_on=date(2023, 1, 13))
SPRING = Term(number=2, begins_on=date(2023, 2, 13), ends_on=date(2023, 7, 7))
YEAR = SchoolYear(begins_on=date(2022, 9, 1), ends_on=date(2023, 8, 31), terms=(AUTUMN, SPRING))
CALENDAR = Calendar(
    years=(YEAR,),
    holidays=(
        Span(begins_on=date(2022, 10, 1), ends_on=date(2022, 10, 9)),
        Span(begins_on=date(2023, 1, 14), ends_on=date(2023, 2, 12)),
        Span(begins_on=date(2023, 5, 1), ends_on=date(2023, 5, 3)),
        Span(begins_on=date(2023, 7, 8), ends_on=date(2023, 8, 31)),
    ),
    make_up_days=frozenset({date(2023, 5, 6)}),
)
CAMPAIGN = "campaign-1"
STAGE = Stage(
    name=StageName.study_and_listening,
    begins_on=date(2023, 2, 13),
    ends_on=date(2023, 4, 30),
)

SCHOOL = Directory(
    school=School(name="青岗中学", zone="Asia/Shanghai", language="zh"),
    units={
        "grade-8": Unit(kind=UnitKind.grade, name="八年级"),
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
                merged_into=MEMBER if person == TWIN else None,
                posts=tuple(Holding(role=role, since=ENROLLED) for role in roles),
                branches=(Membership(branch="liberal", since=ENROLLED),)
                if person in {MEMBER, TEACHER, SECRETARY}
                else (),
            )
            for person, roles in _ROLES.items()
        }
    ),
    calendar=CALENDAR,
    campaigns={
        CAMPAIGN: Campaign(
            title="群众路线教育实践活动",
            begins_on=date(2023, 1, 1),
            ends_on=date(2023, 9, 30),
            stages=(STAGE,),
            state="running",
            policy=Policy(values={"donation_amount": Period(value="2022", unit=SettingUnit.yuan)}),
        )
    },
)


def by[C: Command](
    person: PersonId,
    kind: type[C],
    /,
    *,
    at: datetime = NOON,
    stream: str = "stream-1",
    **fields: Any,
) -> C:
    """A command as the runtime hands it to the domain."""
    return kind.model_validate({**fields, "by": person, "at": at, "stream": stream})


def of_people(people: dict[PersonId, Person]) -> Directory:
    """A school of these people only."""
    return SCHOOL.model_copy(update={"roster": Roster(people=people)})
