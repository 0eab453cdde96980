"""The school the examples are about: its people, units, days."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from uuid import UUID

from services.campaign.directory import Campaign, Directory, School, Unit, fold
from services.campaign.events import Role, Stage, StageName, UnitKind
from services.campaign.roster import Holding, Membership, Overseeing, Person, Roster
from shared.decider import Event, PersonId
from shared.envelope import GENESIS, Provenance, Record, Subject, draft

NOON = datetime(2023, 3, 1, 4, tzinfo=UTC)
"""Wednesday, 1 March 2023, noon in Shaoguan."""
TODAY = date(2023, 3, 1)
YESTERDAY = date(2023, 2, 28)
TOMORROW = date(2023, 3, 2)
NEW_YEAR = date(2023, 1, 1)

OPERATOR = PersonId("operator:li")
ADMIN = PersonId("admin")
HEAD = PersonId("head")
SUPERVISOR = PersonId("supervisor")
TEACHER = PersonId("teacher")
GONE = PersonId("gone")
SPARE = PersonId("spare")
NOBODY = PersonId("nobody")

TEACHING, LOGISTICS, SCIENCE, GRADE_7, MATHS = (
    "teaching",
    "logistics",
    "science",
    "grade-7",
    "maths",
)
OLD_OFFICE = "old-office"

STAGES = (
    Stage(
        name=StageName.study_and_listening,
        begins_on=date(2023, 1, 1),
        ends_on=date(2023, 4, 30),
    ),
    Stage(
        name=StageName.problem_finding_and_criticism,
        begins_on=date(2023, 4, 1),
        ends_on=date(2023, 6, 30),
    ),
    Stage(
        name=StageName.rectification_and_institution_building,
        begins_on=date(2023, 6, 1),
        ends_on=date(2023, 9, 30),
    ),
)
"""The three stages; they overlap (R03, R04)."""


def someone(*roles: Role, **more: object) -> Person:
    """A roster entry that has held these roles since New Year."""
    posts = tuple(Holding(role=role, since=NEW_YEAR) for role in roles)
    return Person(name="…", joined_on=NEW_YEAR, posts=posts).model_copy(update=more)


DIRECTORY = Directory(
    school=School(name="江北中学", zone="Asia/Shanghai", language="zh"),
    units={
        TEACHING: Unit(kind=UnitKind.department, name="教务处"),
        LOGISTICS: Unit(kind=UnitKind.department, name="总务处"),
        SCIENCE: Unit(kind=UnitKind.branch, name="理科党支部"),
        GRADE_7: Unit(kind=UnitKind.grade, name="初一年级"),
        MATHS: Unit(kind=UnitKind.subject_group, name="数学教研组"),
        OLD_OFFICE: Unit(kind=UnitKind.department, name="旧办公室", closed_on=YESTERDAY),
    },
    roster=Roster(
        people={
            ADMIN: someone(Role.school_administrator),
            HEAD: someone(
                Role.principal_leader,
                Role.team_member,
                branches=(Membership(branch=SCIENCE, since=NEW_YEAR),),
                overseeing=(Overseeing(department=TEACHING, since=NEW_YEAR),),
            ),
            SUPERVISOR: someone(Role.supervisor),
            TEACHER: someone(Role.party_member, number="T1", number_index="index-of-T1"),
            GONE: someone(left_on=YESTERDAY),
        }
    ),
    accounts={"0a": ADMIN},
    campaigns={
        "last-year": Campaign(
            title="上一年",
            begins_on=date(2022, 1, 1),
            ends_on=date(2022, 9, 30),
            stages=STAGES,
            state="concluded",
        )
    },
)


def record(
    event: Event,
    stream: str,
    *,
    position: int = 1,
    version: int = 1,
    actor: PersonId = ADMIN,
    at: datetime = NOON,
) -> Record:
    """An event in its place in the log."""
    _, category, *_ = event.TYPE.split(".")
    place = Subject("no1", "campaign", category, stream)
    said = Provenance(actor, at, at, UUID(int=position), "f" * 64, UUID(int=position))
    written = draft(place, event, said, version=version, previous=GENESIS)
    return Record(position, written.subject, written.headers, written.body)


def log(*events: tuple[str, Event]) -> list[Record]:
    """Events of several streams in one order, with the versions they have there."""
    versions: dict[str, int] = {}
    records = []
    for position, (stream, event) in enumerate(events, start=1):
        own = f"{event.TYPE.split('.')[1]} {stream}"
        versions[own] = versions.get(own, 0) + 1
        records.append(record(event, stream, position=position, version=versions[own]))
    return records


def directory_after(records: Iterable[Record]) -> Directory | None:
    """The directory as folded from the log."""
    directory: Directory | None = None
    for each in records:
        directory = fold(directory, each)
    return directory
