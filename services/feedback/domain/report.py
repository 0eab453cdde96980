"""The thematic report: what was heard, every opinion by its id, what follows (R37, R39)."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import assert_never

from services.campaign.directory import Directory
from services.feedback.domain import (
    ORGANISATION,
    TEAM,
    FourEyes,
    UnknownSolicitation,
    known_as,
    roles,
)
from services.feedback.events import (
    Channel,
    Heard,
    ReportCompiled,
    ReportCorrected,
    ReportEvent,
    ReportVoided,
    TargetKind,
)
from shared.decider import Command, Decider, OutOfOrder, PersonId, Rejected
from shared.marks import Id, Prose

# -- Facts ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Counted:
    """An opinion as a report counts it."""

    channel: Channel
    target_kind: TargetKind
    target: str | None = None


@dataclass(frozen=True)
class Facts:
    """What a report is compiled from: the opinions it is on that count, earliest first.

    `position` is the log position they were read at, `solicited` whether there is such a
    solicitation.
    """

    directory: Directory
    opinions: Mapping[str, Counted] = field(default_factory=dict)
    position: int = 0
    solicited: bool = False


# -- Commands ------------------------------------------------------------------------------------


class CompileReport(Command):
    """Write the report on a solicitation, or on what it brought about one member (R37, R39).

    One whose solicitation is null is on what was said to none.
    """

    zh = "形成专题报告"
    allowed = ORGANISATION | TEAM
    creates = True
    solicitation: Id | None
    member: Id | None = None
    responsibility: Prose
    thinking: Prose
    measures: Prose


class CorrectReport(Command):
    """Put the analysis right; what was heard stays as it was counted."""

    zh = "更正专题报告"
    allowed = ORGANISATION | TEAM
    responsibility: Prose
    thinking: Prose
    measures: Prose
    reason: Prose


class VoidReport(Command):
    """Declare that the report does not count; it stays visible."""

    zh = "作废专题报告"
    allowed = ORGANISATION
    reason: Prose


type ReportCommand = CompileReport | CorrectReport | VoidReport

# -- States --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Unwritten:
    """There is no report."""


@dataclass(frozen=True)
class Compiled:
    """The report stands."""

    report: ReportCompiled
    correction: ReportCorrected | None = None


@dataclass(frozen=True)
class Voided:
    """It does not count."""

    voiding: ReportVoided


type Report = Unwritten | Compiled | Voided

# -- Rules ---------------------------------------------------------------------------------------


class NotYourReport(Rejected):
    """A member writes the report on themselves only."""

    zh = "班子成员只能形成本人的专题报告"


class UnknownMember(Rejected):
    """There is no such member of the leadership team."""

    zh = "没有这位班子成员"


def decide(command: ReportCommand, report: Report, facts: Facts) -> ReportEvent | None:
    """One row per thing that may happen; what is not listed is refused."""
    match command, report:
        case CompileReport(), Unwritten():
            return _compiled(command, facts)
        case CompileReport(), Compiled(was) if _says(command, was, facts):
            return None

        case CorrectReport(), Compiled(was, correction):
            _may_write(command, was.member, facts)
            event = ReportCorrected(
                responsibility=command.responsibility,
                thinking=command.thinking,
                measures=command.measures,
                reason=command.reason,
            )
            return None if event == correction else event

        case VoidReport(by=person, reason=reason), Compiled(was):
            if person == known_as(facts.directory, was.compiler):
                raise FourEyes
            return ReportVoided(reason=reason)
        case VoidReport(reason=reason), Voided(voiding) if reason == voiding.reason:
            return None

        case _:
            raise OutOfOrder


def _compiled(command: CompileReport, facts: Facts) -> ReportCompiled:
    if command.solicitation and not facts.solicited:
        raise UnknownSolicitation(command.solicitation)
    member = known_as(facts.directory, command.member)
    if member is not None:
        person = facts.directory.roster.people.get(member)
        if person is None or person.voided or not any(p.role in TEAM for p in person.posts):
            raise UnknownMember(member)
    _may_write(command, member, facts)
    chosen = {
        opinion: counted
        for opinion, counted in facts.opinions.items()
        if member is None or counted.target == member
    }
    return ReportCompiled(
        solicitation=command.solicitation,
        member=member,
        opinions=tuple(chosen),
        heard=heard(chosen),
        responsibility=command.responsibility,
        thinking=command.thinking,
        measures=command.measures,
        compiled_at=facts.position,
        compiler=command.by,
    )


def heard(opinions: Mapping[str, Counted]) -> tuple[Heard, ...]:
    """How many opinions came by which channel about which target, nothing for none."""
    counts = Counter((o.channel, o.target_kind, o.target) for o in opinions.values())
    targets = sorted({o.target for o in opinions.values()}, key=str)
    return tuple(
        Heard(channel=channel, target_kind=kind, target=target, opinions=count)
        for channel in Channel
        for kind in TargetKind
        for target in targets
        if (count := counts[channel, kind, target])
    )


def _may_write(command: Command, member: PersonId | None, facts: Facts) -> None:
    if command.by == known_as(facts.directory, member):
        return
    if not roles(facts.directory, command.by, command.at) & ORGANISATION:
        raise NotYourReport


def _says(command: CompileReport, report: ReportCompiled, facts: Facts) -> bool:
    names = ("solicitation", "responsibility", "thinking", "measures")
    member, was = (known_as(facts.directory, one.member) for one in (command, report))
    return (command.by, member) == (report.compiler, was) and all(
        getattr(command, name) == getattr(report, name) for name in names
    )


def evolve(report: Report, event: ReportEvent) -> Report:
    """What happened, happened: no rules here."""
    match event:
        case ReportCompiled():
            return Compiled(event)
        case ReportCorrected() if isinstance(report, Compiled):
            names = ("responsibility", "thinking", "measures")
            changes = {name: getattr(event, name) for name in names}
            return replace(
                report, report=report.report.model_copy(update=changes), correction=event
            )
        case ReportVoided():
            return Voided(event)
        case ReportCorrected():
            return report
        case _:
            assert_never(event)


decider: Decider[ReportCommand, ReportEvent, Report, Facts] = Decider(
    "report",
    Unwritten(),
    decide,
    evolve,
    commands=ReportCommand,
    events=ReportEvent,
    states=Report,
)
