"""The school the rules are tried on: its people, its calendar, and how its days are told."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID, uuid5

from services.campaign.calendar import Calendar, Period, SchoolYear
from services.campaign.directory import Campaign, Directory, School, Unit
from services.campaign.events import Role, SettingUnit, Stage, StageName, Term, UnitKind
from services.campaign.roster import Holding, Membership, Overseeing, Person, Roster
from services.oversight.rules.evidence import Life, Trace, key, trace
from services.oversight.rules.world import World
from shared.decider import Event, PersonId
from shared.envelope import GENESIS, Provenance, Record, Subject, draft
from tests.memory import TOWN

NEW_YEAR = date(2023, 1, 1)
TODAY = date(2023, 6, 30)
"""A Friday near the end of the second stage."""
MARCH = date(2023, 3, 15)
APRIL = date(2023, 4, 12)
MAY = date(2023, 5, 17)
JUNE = date(2023, 6, 14)

LEADER, ZHOU, WU = PersonId("leader"), PersonId("zhou"), PersonId("wu")
SECRETARY, TEACHER = PersonId("secretary"), PersonId("teacher")
DEAN, BURSAR = PersonId("dean"), PersonId("bursar")
GRADE_HEAD, SUBJECT_HEAD = PersonId("grade-head"), PersonId("subject-head")
ADMIN, SUPERVISOR, INSPECTOR = PersonId("admin"), PersonId("supervisor"), PersonId("inspector")
PARENT = PersonId("originator:0001")

TEACHING, ARTS, SCIENCE, GRADE_7 = "teaching", "arts", "science", "grade-7"
CAMPAIGN = "campaign-1"
YEAR = SchoolYear(
    begins_on=date(2022, 9, 1),
    ends_on=date(2023, 7, 10),
    terms=(
        Term(number=1, begins_on=date(2022, 9, 1), ends_on=date(2023, 1, 20)),
        Term(number=2, begins_on=date(2023, 2, 13), ends_on=date(2023, 7, 10)),
    ),
)
WEEK = "week-2023-05-15"
"""The teaching week that `MAY` is in."""

STAGES = (
    Stage(name=StageName.study_and_listening, begins_on=NEW_YEAR, ends_on=date(2023, 4, 30)),
    Stage(
        name=StageName.problem_finding_and_criticism,
        begins_on=date(2023, 4, 1),
        ends_on=TODAY,
    ),
    Stage(
        name=StageName.rectification_and_institution_building,
        begins_on=date(2023, 6, 1),
        ends_on=date(2023, 9, 30),
    ),
)


def someone(
    *roles: Role | Holding,
    branch: str | None = None,
    oversees: str | None = None,
    since: date = NEW_YEAR,
) -> Person:
    """Somebody who has held these posts since a day."""
    return Person(
        name="…",
        joined_on=since,
        posts=tuple(
            post if isinstance(post, Holding) else Holding(role=post, since=since) for post in roles
        ),
        branches=(Membership(branch=branch, since=since),) if branch else (),
        overseeing=(Overseeing(department=oversees, since=since),) if oversees else (),
    )


TEAM = (Role.team_member, Role.party_member, Role.party_cadre)
PEOPLE: dict[PersonId, Person] = {
    LEADER: someone(Role.principal_leader, *TEAM, branch=ARTS),
    ZHOU: someone(*TEAM, branch=ARTS, oversees=TEACHING),
    WU: someone(*TEAM, branch=ARTS),
    SECRETARY: someone(
        Holding(role=Role.branch_secretary, since=NEW_YEAR, unit=ARTS),
        Role.party_member,
        branch=ARTS,
    ),
    TEACHER: someone(Role.party_member, branch=ARTS),
    DEAN: someone(Holding(role=Role.department_head, since=NEW_YEAR, unit=TEACHING)),
    BURSAR: someone(Role.administrative_head),
    GRADE_HEAD: someone(Role.grade_head),
    SUBJECT_HEAD: someone(Role.subject_group_head),
    ADMIN: someone(Role.school_administrator),
    SUPERVISOR: someone(Role.supervisor),
    INSPECTOR: someone(Role.supervisor),
}
SET = {"donation_amount": Period(value="2022", unit=SettingUnit.yuan)}


def school(people: dict[PersonId, Person] | None = None, **settings: str) -> Directory:
    """The school with these people, and with what it has set."""
    own = {name: Period(value=v, unit=SettingUnit.choice) for name, v in settings.items()}
    campaign = Campaign(
        title="…",
        begins_on=NEW_YEAR,
        ends_on=date(2023, 9, 30),
        stages=STAGES,
        state="running",
        started_on=NEW_YEAR,
    )
    policy = campaign.policy.model_copy(update={"values": {**SET, **own}})
    return Directory(
        school=School(name="…", zone="Asia/Shanghai", language="zh"),
        units={
            TEACHING: Unit(kind=UnitKind.department, name="…"),
            ARTS: Unit(kind=UnitKind.branch, name="…"),
            GRADE_7: Unit(kind=UnitKind.grade, name="…"),
        },
        roster=Roster(people=PEOPLE if people is None else people),
        calendar=Calendar(years=(YEAR,)),
        campaigns={CAMPAIGN: campaign.model_copy(update={"policy": policy})},
    )


SCHOOL = school()


@dataclass(frozen=True)
class Entry:
    """What happened to a stream on a day, and who entered it."""

    stream: str
    event: Event
    on: date = MARCH
    by: PersonId = ADMIN
    minute: int | None = None
    """Minutes after ten in the morning; else as many as there were entries before."""


def records(entries: Iterable[Entry]) -> list[Record]:
    """A log of entries, in the order given; each a minute after the one before on its day."""
    versions: dict[str, int] = {}
    told = []
    for position, entry in enumerate(entries, start=1):
        service, category, *_ = entry.event.TYPE.split(".")
        whose = f"{category}.{entry.stream}"
        versions[whose] = version = versions.get(whose, 0) + 1
        minute = position if entry.minute is None else entry.minute
        at = datetime.combine(entry.on, time(2), UTC) + timedelta(minutes=minute)
        command = uuid5(UUID(int=0), f"{whose} {version}")
        said = Provenance(entry.by, at, at, command, "0" * 64, command)
        place = Subject(TOWN, service, category, entry.stream)
        new = draft(place, entry.event, said, version=version, previous=GENESIS)
        told.append(Record(position, new.subject, new.headers, new.body))
    return told


def lives(log: Iterable[Record]) -> dict[str, dict[str, Life]]:
    """The log as folded into traces and read again."""
    traces: dict[str, Trace] = {}
    for record in log:
        (where,) = key(record)
        traces[where] = trace(traces.get(where), record)
    found: dict[str, dict[str, Life]] = {}
    for document in traces.values():
        stored = Trace.model_validate_json(document.model_dump_json())
        found.setdefault(stored.of, {})[stored.stream] = Life.read(stored)
    return found


def world(*entries: Entry, day: date = TODAY, directory: Directory = SCHOOL) -> World:
    """The school at the end of a day after these entries."""
    return World.at(directory, day, lives(records(entries)), len(entries))
