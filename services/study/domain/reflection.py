"""A study reflection (学习心得体会): written, rated by a reader who is not its author (R14, R15)."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, assert_never

from services.campaign.calendar import Day
from services.campaign.directory import Directory
from services.study.domain import (
    CHECKERS,
    READERS,
    by_today,
    may_record_for,
    must_be_here,
    somebody_else,
)
from services.study.events import (
    Rating,
    ReflectionCorrected,
    ReflectionEvent,
    ReflectionRated,
    ReflectionSubmitted,
    ReflectionVoided,
)
from shared.decider import Command, Decider, OutOfOrder, PersonId, Rejected
from shared.marks import Id, Length, Line, Prose

# -- Commands ------------------------------------------------------------------------------------


class SubmitReflection(Command):
    """Hand in what was written about the study: one's own, or as a clerk on paper for its author."""

    zh = "提交学习心得体会"
    allowed = frozenset({"person"})
    creates = True
    author: Id
    title: Line
    text: Prose
    length: Annotated[int | None, Length(of="text")] = None
    written_on: Day


class CorrectReflection(Command):
    """Put the wording or the day right; ratings stay, each with the wording it was given for."""

    zh = "更正学习心得体会"
    allowed = frozenset({"person"})
    title: Line
    text: Prose
    length: Annotated[int | None, Length(of="text")] = None
    written_on: Day
    reason: Prose


class RateReflection(Command):
    """Say how good it is and why (R15); a reader who rates again replaces their own rating."""

    zh = "评阅学习心得体会"
    allowed = READERS
    rating: Rating
    comment: Prose


class VoidReflection(Command):
    """Strike out a reflection that should not be there; it stays visible and counts nowhere."""

    zh = "作废学习心得体会"
    allowed = CHECKERS
    reason: Prose


type ReflectionCommand = SubmitReflection | CorrectReflection | RateReflection | VoidReflection

# -- States --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Verdict:
    """What one reader said."""

    reader: PersonId
    rating: Rating
    comment: str


@dataclass(frozen=True)
class Unwritten:
    """Not handed in."""


@dataclass(frozen=True)
class Submitted:
    """Handed in, and what readers said of it so far."""

    author: PersonId
    title: str
    text: str
    written_on: date
    recorded_by: PersonId
    verdicts: tuple[Verdict, ...] = ()


@dataclass(frozen=True)
class Voided:
    """Should never have been; counts nowhere."""

    reason: str


type Reflection = Unwritten | Submitted | Voided

# -- Rules ---------------------------------------------------------------------------------------


class OwnReflection(Rejected):
    """Nobody rates what they wrote themselves (R15)."""

    zh = "不得评阅本人撰写的心得体会"


def decide(
    command: ReflectionCommand, reflection: Reflection, directory: Directory
) -> ReflectionEvent | None:
    """One row per thing that may happen; what is not listed is refused."""
    reflection = directory.roster.settled(reflection)
    match command, reflection:
        case SubmitReflection(by=person, author=author, written_on=day), Unwritten():
            _dated(author, day, command, directory)
            return ReflectionSubmitted(
                author=PersonId(author),
                title=command.title,
                text=command.text,
                length=command.length,
                written_on=day,
                recorded_by=person,
            )
        case SubmitReflection(author=author), Submitted():
            if author != reflection.author or not _says(command, reflection):
                raise OutOfOrder
            return None

        case CorrectReflection(written_on=day, reason=reason), Submitted(author=author):
            if _says(command, reflection):
                return None
            _dated(author, day, command, directory)
            return ReflectionCorrected(
                title=command.title,
                text=command.text,
                length=command.length,
                written_on=day,
                reason=reason,
            )

        case RateReflection(by=reader, rating=rating, comment=comment), Submitted(author=author):
            if reader == author:
                raise OwnReflection
            if Verdict(reader, rating, comment) in reflection.verdicts:
                return None
            return ReflectionRated(reader=reader, rating=rating, comment=comment)

        case VoidReflection(reason=reason), Submitted(author=author, recorded_by=recorder):
            somebody_else(command, author, recorder)
            return ReflectionVoided(reason=reason)
        case VoidReflection(reason=reason), Voided(before) if reason == before:
            return None

        case _:
            raise OutOfOrder


def _says(command: SubmitReflection | CorrectReflection, reflection: Submitted) -> bool:
    said = (command.title, command.text, command.written_on)
    return said == (reflection.title, reflection.text, reflection.written_on)


def _dated(author: str, day: date, command: Command, directory: Directory) -> None:
    may_record_for(author, command, directory)
    by_today(day, command.at, directory)
    must_be_here(day, directory, author)


# -- Evolving ------------------------------------------------------------------------------------


def evolve(reflection: Reflection, event: ReflectionEvent) -> Reflection:
    """What happened, happened: no rules here."""
    match event:
        case ReflectionSubmitted(author=author, title=title, text=text, written_on=day):
            return Submitted(author, title, text, day, event.recorded_by)
        case ReflectionVoided(reason=reason):
            return Voided(reason)
        case _:
            return _changed(reflection, event) if isinstance(reflection, Submitted) else reflection


def _changed(reflection: Submitted, event: ReflectionCorrected | ReflectionRated) -> Submitted:
    match event:
        case ReflectionCorrected(title=title, text=text, written_on=day):
            return replace(reflection, title=title, text=text, written_on=day)
        case ReflectionRated(reader=reader, rating=rating, comment=comment):
            others = tuple(v for v in reflection.verdicts if v.reader != reader)
            return replace(reflection, verdicts=(*others, Verdict(reader, rating, comment)))
        case _:
            assert_never(event)


decider: Decider[ReflectionCommand, ReflectionEvent, Reflection, Directory] = Decider(
    "reflection", Unwritten(), decide, evolve, ReflectionCommand, ReflectionEvent, Reflection
)
