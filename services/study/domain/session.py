"""Studying together: lectures, branch study, films, exchanges, with who was there (R11, R12)."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, assert_never

from pydantic import Field

from services.campaign.calendar import Day
from services.campaign.directory import Directory
from services.campaign.events import UnitKind
from services.study.domain import (
    CHECKERS,
    OFFICE,
    NoSuchItem,
    by_today,
    must_be_here,
    somebody_else,
)
from services.study.events import (
    Organiser,
    SessionEvent,
    SessionKind,
    Slogan,
    StudyAttendanceRecorded,
    StudySessionCorrected,
    StudySessionRecorded,
    StudySessionVoided,
)
from shared.decider import Command, Decider, OutOfOrder, PersonId, Rejected
from shared.marks import Id, Line, Prose

People = Annotated[tuple[Id, ...], Field(max_length=500)]

# -- Facts ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Facts:
    """What a decision on a session looks at; `items` are those it names that the catalogue has."""

    directory: Directory
    items: frozenset[str] = frozenset()


# -- Commands ------------------------------------------------------------------------------------


class _Told(Command):
    """A session as a sender gives it."""

    kind: SessionKind
    held_on: Day
    place: Line
    theme: Line
    organiser: Organiser = Organiser.school
    branch: Id | None = None
    lecturer: Line | None = None
    items: Annotated[tuple[Id, ...], Field(max_length=50)] = ()
    slogans: Annotated[tuple[Slogan, ...], Field(max_length=10)] = ()


class RecordStudySession(_Told):
    """Put a session on record: of which kind, when, where, about what, by whom, covering what."""

    zh = "登记集中学习"
    allowed = OFFICE
    creates = True


class CorrectStudySession(_Told):
    """Put a clerk's mistake right."""

    zh = "更正集中学习"
    allowed = OFFICE
    reason: Prose


class RecordStudyAttendance(Command):
    """Say who was there and who was excused; what is said last counts."""

    zh = "登记学习出勤"
    allowed = OFFICE
    present: People
    excused: People = ()


class VoidStudySession(Command):
    """Strike out a session that was never held; it stays visible and counts nowhere."""

    zh = "作废集中学习"
    allowed = CHECKERS
    reason: Prose


type SessionCommand = (
    RecordStudySession | CorrectStudySession | RecordStudyAttendance | VoidStudySession
)

# -- States --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Details:
    """What is written down of a session."""

    kind: SessionKind
    held_on: date
    place: str
    theme: str
    organiser: Organiser
    branch: str | None
    lecturer: str | None
    items: tuple[str, ...]
    slogans: tuple[Slogan, ...]


@dataclass(frozen=True)
class Unrecorded:
    """No such session."""


@dataclass(frozen=True)
class Recorded:
    """Held, and who was there as far as it was said."""

    details: Details
    recorded_by: PersonId
    attendance: tuple[tuple[PersonId, ...], tuple[PersonId, ...]] | None = None


@dataclass(frozen=True)
class Voided:
    """A clerk's mistake; counts nowhere."""

    reason: str


type Session = Unrecorded | Recorded | Voided

# -- Rules ---------------------------------------------------------------------------------------


class BranchUnclear(Rejected):
    """Branch study names its branch, one that existed on that day."""

    zh = "支部学习须写明当日存在的党支部"


class LecturerMissing(Rejected):
    """An expert lecture names who gave it (R11)."""

    zh = "专题辅导须写明主讲人"


class PresentAndExcused(Rejected):
    """Nobody was there and excused at once."""

    zh = "同一人不能既出席又请假"


def decide(command: SessionCommand, session: Session, facts: Facts) -> SessionEvent | None:
    """One row per thing that may happen; what is not listed is refused."""
    session = facts.directory.roster.settled(session)
    match command, session:
        case RecordStudySession(by=person), Unrecorded():
            details = _checked(command, facts)
            return StudySessionRecorded(**vars(details), recorded_by=person)
        case RecordStudySession(), Recorded(details) if details == _details(command):
            return None

        case CorrectStudySession(), Recorded(details, attendance=attendance):
            if details == _details(command):
                return None
            for people in attendance or ():
                must_be_here(command.held_on, facts.directory, *people)
            corrected = _checked(command, facts, known=details.items)
            return StudySessionCorrected(**vars(corrected), reason=command.reason)

        case RecordStudyAttendance(present=present, excused=excused), Recorded(details):
            said = _people(present), _people(excused)
            if said == session.attendance:
                return None
            if both := set(present) & set(excused):
                raise PresentAndExcused(" ".join(sorted(both)))
            must_be_here(details.held_on, facts.directory, *present, *excused)
            return StudyAttendanceRecorded(present=said[0], excused=said[1])

        case VoidStudySession(reason=reason), Recorded(recorded_by=recorder):
            somebody_else(command, recorder)
            return StudySessionVoided(reason=reason)
        case VoidStudySession(reason=reason), Voided(before) if reason == before:
            return None

        case _:
            raise OutOfOrder


def _checked(command: _Told, facts: Facts, known: tuple[str, ...] = ()) -> Details:
    """The session as it may be recorded; an item `known` before may have been withdrawn since."""
    directory, day = facts.directory, command.held_on
    by_today(day, command.at, directory)
    if command.branch is None:
        if command.kind is SessionKind.branch_study:
            raise BranchUnclear
    elif not directory.has_unit(command.branch, UnitKind.branch, day):
        raise BranchUnclear(command.branch)
    if command.kind is SessionKind.expert_lecture and command.lecturer is None:
        raise LecturerMissing
    if missing := set(command.items) - facts.items - set(known):
        raise NoSuchItem(" ".join(sorted(missing)))
    return _details(command)


def _details(command: _Told) -> Details:
    return Details(
        kind=command.kind,
        held_on=command.held_on,
        place=command.place,
        theme=command.theme,
        organiser=command.organiser,
        branch=command.branch,
        lecturer=command.lecturer,
        items=tuple(dict.fromkeys(command.items)),
        slogans=tuple(dict.fromkeys(command.slogans)),
    )


def _people(people: tuple[str, ...]) -> tuple[PersonId, ...]:
    return tuple(PersonId(person) for person in dict.fromkeys(people))


# -- Evolving ------------------------------------------------------------------------------------


def evolve(session: Session, event: SessionEvent) -> Session:
    """What happened, happened: no rules here."""
    match event:
        case StudySessionRecorded(recorded_by=person):
            return Recorded(_written(event), person)
        case StudySessionCorrected() if isinstance(session, Recorded):
            return replace(session, details=_written(event))
        case StudyAttendanceRecorded(present=present, excused=excused) if isinstance(
            session, Recorded
        ):
            return replace(session, attendance=(present, excused))
        case StudySessionVoided(reason=reason):
            return Voided(reason)
        case StudySessionCorrected() | StudyAttendanceRecorded():
            return session
        case _:
            assert_never(event)


def _written(event: StudySessionRecorded | StudySessionCorrected) -> Details:
    return Details(**{name: getattr(event, name) for name in Details.__dataclass_fields__})


decider: Decider[SessionCommand, SessionEvent, Session, Facts] = Decider(
    "session", Unrecorded(), decide, evolve, SessionCommand, SessionEvent, Session
)
