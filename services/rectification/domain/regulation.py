"""A regulation: what a school lays down so that a problem does not come back (建章立制)."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, assert_never

from pydantic import Field

from services.campaign.directory import Directory
from services.campaign.events import Role
from services.rectification.domain.issue import LEADERS, FourEyes, NoSuchIssue, must_be_near
from services.rectification.events import (
    RegulationAbolished,
    RegulationAdopted,
    RegulationCorrected,
    RegulationDrafted,
    RegulationEvent,
    RegulationRevised,
    RegulationVoided,
)
from shared.decider import Command, Decider, Instant, OutOfOrder, PersonId, Rejected
from shared.marks import Id, Line, Occurred, Prose

LEADER = frozenset({Role.principal_leader})
DRAFTERS = LEADER | {Role.team_member, Role.department_head, Role.school_administrator}

Answers = Annotated[tuple[Id, ...], Field(max_length=500)]

# -- Facts ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Facts:
    """What a decision on a regulation looks at beside it.

    `issues` are those the command names that count: on the ledger, ended or not, but neither merged
    into another one nor voided.
    """

    directory: Directory
    issues: frozenset[str] = frozenset()


# -- Commands ------------------------------------------------------------------------------------


class DraftRegulation(Command):
    """Write a regulation down, with the issues it answers."""

    zh = "起草制度"
    allowed = DRAFTERS
    creates = True
    title: Line
    text: Prose
    answers: Answers = ()


class AdoptRegulation(Command):
    """Put the regulation into force from a day on."""

    zh = "审议通过制度"
    allowed = LEADER
    in_force_on: date
    occurred_at: Annotated[Instant | None, Occurred()] = None


class ReviseRegulation(Command):
    """Change what it says; one that is in force stays so and is only changed by a leader."""

    zh = "修订制度"
    allowed = DRAFTERS
    title: Line
    text: Prose
    answers: Answers = ()
    reason: Prose


class CorrectRegulation(Command):
    """Put a clerk's mistake right: how it was copied, or when it began or ceased to be in force."""

    zh = "更正制度"
    allowed = DRAFTERS
    title: Line
    text: Prose
    answers: Answers = ()
    in_force_on: date | None = None
    abolished_on: date | None = None
    reason: Prose


class AbolishRegulation(Command):
    """Take it out of force from a day on."""

    zh = "废止制度"
    allowed = LEADER
    on: date
    reason: Prose


class VoidRegulation(Command):
    """Declare that it should never have been recorded; it stays visible."""

    zh = "作废制度"
    allowed = LEADERS
    reason: Prose


type RegulationCommand = (
    DraftRegulation
    | AdoptRegulation
    | ReviseRegulation
    | CorrectRegulation
    | AbolishRegulation
    | VoidRegulation
)


# -- States --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Paper:
    """What it says, which issues it answers, who wrote it."""

    title: str
    text: str
    answers: tuple[str, ...]
    drafted_by: PersonId
    revision: int = 1


@dataclass(frozen=True)
class Undrafted:
    """Not written."""


@dataclass(frozen=True)
class Drafted:
    """Written, not in force."""

    paper: Paper


@dataclass(frozen=True)
class Adopted:
    """In force, or about to be."""

    paper: Paper
    in_force_on: date


@dataclass(frozen=True)
class Abolished:
    """No longer in force, or about to be out of it."""

    paper: Paper
    in_force_on: date
    abolished_on: date
    reason: str


@dataclass(frozen=True)
class Voided:
    """Should never have been."""


type Regulation = Undrafted | Drafted | Adopted | Abolished | Voided


# -- Rules ---------------------------------------------------------------------------------------


class AlreadyAdopted(Rejected):
    """It is in force already, from another day on."""

    zh = "该制度已审议通过,施行日期不同"


class NotInForce(Rejected):
    """Only what was adopted can be abolished."""

    zh = "该制度尚未施行,不能废止"


class OnlyALeader(Rejected):
    """What is in force is changed by a principal leader."""

    zh = "已施行的制度只能由主要领导修订、更正"


class AbolishedTooEarly(Rejected):
    """It cannot cease to be in force before it began to be."""

    zh = "废止日期早于施行日期"


class DatesUnclear(Rejected):
    """A correction names the dates the regulation has, and no others."""

    zh = "更正时须写明已有的施行、废止日期,没有的不得填写"


# -- Deciding ------------------------------------------------------------------------------------


def decide(
    command: RegulationCommand, regulation: Regulation, facts: Facts
) -> RegulationEvent | None:
    """One row per thing that may happen; what is not listed is refused."""
    regulation = facts.directory.roster.settled(regulation)
    match command, regulation:
        case DraftRegulation(by=person), Undrafted():
            return RegulationDrafted(
                title=command.title,
                text=command.text,
                answers=_answers(command, facts),
                drafted_by=person,
            )
        case DraftRegulation(), Drafted(paper):
            if not _says(command, paper):
                raise OutOfOrder
            return None
        case ReviseRegulation(), Drafted(paper) | Adopted(paper):
            _may_change(command, regulation, facts)
            if _says(command, paper):
                return None
            return RegulationRevised(
                revision=paper.revision + 1,
                title=command.title,
                text=command.text,
                answers=_answers(command, facts, known=paper.answers),
                reason=command.reason,
            )
        case CorrectRegulation(), Drafted() | Adopted() | Abolished():
            _may_change(command, regulation, facts)
            return _corrected(command, regulation, facts)

        case AdoptRegulation(in_force_on=day), Drafted():
            must_be_near(day, facts.directory, command.at)
            return RegulationAdopted(in_force_on=day)
        case AdoptRegulation(in_force_on=day), Adopted(in_force_on=known):
            if day != known:
                raise AlreadyAdopted
            return None
        case AbolishRegulation(on=day, reason=reason), Adopted(in_force_on=begun):
            if day < begun:
                raise AbolishedTooEarly
            must_be_near(day, facts.directory, command.at)
            return RegulationAbolished(on=day, reason=reason)
        case AbolishRegulation(on=day, reason=reason), Abolished():
            if (day, reason) != (regulation.abolished_on, regulation.reason):
                raise OutOfOrder
            return None
        case AbolishRegulation(), Drafted():
            raise NotInForce
        case VoidRegulation(by=person), Drafted(paper) | Adopted(paper) | Abolished(paper):
            if person == paper.drafted_by:
                raise FourEyes
            return RegulationVoided(reason=command.reason)

        case _:
            raise OutOfOrder


type Wording = DraftRegulation | ReviseRegulation | CorrectRegulation


def _answers(command: Wording, facts: Facts, known: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The issues it answers; one `known` before may have been merged in the meantime."""
    if missing := set(command.answers) - facts.issues - set(known):
        raise NoSuchIssue(" ".join(sorted(missing)))
    return tuple(dict.fromkeys(command.answers))


def _says(command: Wording, paper: Paper) -> bool:
    """Whether the paper says already what the command wants it to say."""
    answers = tuple(dict.fromkeys(command.answers))
    return (command.title, command.text, answers) == (paper.title, paper.text, paper.answers)


def _corrected(
    command: CorrectRegulation, regulation: Drafted | Adopted | Abolished, facts: Facts
) -> RegulationCorrected | None:
    dates = (command.in_force_on, command.abolished_on)
    known = (
        None if isinstance(regulation, Drafted) else regulation.in_force_on,
        regulation.abolished_on if isinstance(regulation, Abolished) else None,
    )
    if [day is None for day in dates] != [day is None for day in known]:
        raise DatesUnclear
    if command.in_force_on and command.abolished_on and command.abolished_on < command.in_force_on:
        raise AbolishedTooEarly
    for day in dates:
        if day:
            must_be_near(day, facts.directory, command.at)
    if dates == known and _says(command, regulation.paper):
        return None
    return RegulationCorrected(
        title=command.title,
        text=command.text,
        answers=_answers(command, facts, known=regulation.paper.answers),
        in_force_on=command.in_force_on,
        abolished_on=command.abolished_on,
        reason=command.reason,
    )


def _may_change(command: Command, regulation: Regulation, facts: Facts) -> None:
    roles = facts.directory.roster.roles(command.by, facts.directory.day(command.at))
    if not isinstance(regulation, Drafted) and not roles & LEADER:
        raise OnlyALeader


# -- Evolving ------------------------------------------------------------------------------------


def evolve(regulation: Regulation, event: RegulationEvent) -> Regulation:
    """What happened, happened: no rules here."""
    match event:
        case RegulationDrafted(title=title, text=text, answers=answers, drafted_by=person):
            return Drafted(Paper(title, text, answers, person))
        case RegulationRevised(revision=revision):
            return _with(regulation, paper=_reworded(_paper(regulation), event, revision))
        case RegulationCorrected():
            paper = _paper(regulation)
            names = ("in_force_on", "abolished_on")
            dates = {name: day for name in names if (day := getattr(event, name))}
            return _with(regulation, paper=_reworded(paper, event, paper.revision), **dates)
        case RegulationAdopted(in_force_on=day):
            return Adopted(_paper(regulation), day)
        case RegulationAbolished(on=day, reason=reason):
            return Abolished(_paper(regulation), _in_force_on(regulation), day, reason)
        case RegulationVoided():
            return Voided()
        case _:
            assert_never(event)


def _with(regulation: Regulation, **changes: object) -> Regulation:
    return replace(regulation, **changes)  # type: ignore[arg-type]  # only where the state has them


def _paper(regulation: Regulation) -> Paper:
    return regulation.paper  # type: ignore[union-attr]  # every event but the first finds one


def _reworded(paper: Paper, event: RegulationRevised | RegulationCorrected, revision: int) -> Paper:
    return Paper(event.title, event.text, event.answers, paper.drafted_by, revision)


def _in_force_on(regulation: Regulation) -> date:
    return regulation.in_force_on  # type: ignore[union-attr]  # only what is in force is abolished


decider: Decider[RegulationCommand, RegulationEvent, Regulation, Facts] = Decider(
    "regulation", Undrafted(), decide, evolve, RegulationCommand, RegulationEvent, Regulation
)
