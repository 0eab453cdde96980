"""A school is enrolled, once, by an operator of the deployment."""

from dataclasses import dataclass
from typing import Literal, assert_never

from services.campaign.calendar import Zone
from services.campaign.domain import OPERATOR
from services.campaign.events import SchoolCorrected, SchoolEnrolled, SchoolEvent
from shared.decider import Command, Decider, OutOfOrder, Rejected
from shared.marks import Line, Prose

type Language = Literal["zh", "en"]

# -- Commands ------------------------------------------------------------------------------------


class EnrolSchool(Command):
    """Begin to keep a school's records; its zone says when its days begin and end."""

    zh = "登记学校"
    allowed = OPERATOR
    creates = True
    one_per_school = True
    name: Line
    zone: Zone
    language: Language = "zh"


class CorrectSchool(Command):
    """Put a school's entry right."""

    zh = "更正学校登记"
    allowed = OPERATOR
    name: Line
    zone: Zone
    language: Language = "zh"
    reason: Prose


type SchoolCommand = EnrolSchool | CorrectSchool

# -- States --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Unknown:
    """No such school."""


@dataclass(frozen=True)
class Enrolled:
    """As it is written down, and why it was last corrected."""

    name: str
    zone: str
    language: str
    reason: str | None = None


type School = Unknown | Enrolled

# -- Rules ---------------------------------------------------------------------------------------


class AlreadyEnrolled(Rejected):
    """This school is enrolled already, and differently."""

    zh = "学校已经登记,且内容不同"


def decide(command: SchoolCommand, school: School, _: None) -> SchoolEvent | None:
    """One row per thing that may happen; what is not listed is refused."""
    match command, school:
        case EnrolSchool(name=name, zone=zone, language=language), Unknown():
            return SchoolEnrolled(name=name, zone=zone, language=language)
        case EnrolSchool(name=name, zone=zone, language=language), Enrolled() as entry:
            if (name, zone, language) == (entry.name, entry.zone, entry.language):
                return None
            raise AlreadyEnrolled

        case (
            CorrectSchool(name=name, zone=zone, language=language, reason=reason),
            Enrolled() as entry,
        ):
            if Enrolled(name, zone, language, reason) == entry:
                return None
            return SchoolCorrected(name=name, zone=zone, language=language, reason=reason)

        case _:
            raise OutOfOrder


def evolve(_: School, event: SchoolEvent) -> School:
    """What happened, happened: no rules here."""
    match event:
        case SchoolEnrolled(name=name, zone=zone, language=language):
            return Enrolled(name, zone, language)
        case SchoolCorrected(name=name, zone=zone, language=language, reason=reason):
            return Enrolled(name, zone, language, reason)
        case _:
            assert_never(event)


decider: Decider[SchoolCommand, SchoolEvent, School, None] = Decider(
    "school",
    Unknown(),
    decide,
    evolve,
    commands=SchoolCommand,
    events=SchoolEvent,
    states=School,
)
