"""The reading catalogue: what is to be read, item by item, edition by edition (R10)."""

from dataclasses import dataclass, replace
from datetime import date
from typing import assert_never

from services.campaign.calendar import Day
from services.campaign.directory import Directory
from services.study.domain import CHECKERS, OFFICE, EndsBeforeItBegins, somebody_else
from services.study.events import (
    CatalogueEvent,
    CatalogueItemAdded,
    CatalogueItemCorrected,
    CatalogueItemRevised,
    CatalogueItemVoided,
    CatalogueItemWithdrawn,
)
from shared.decider import Command, Decider, OutOfOrder, PersonId
from shared.marks import Line, Prose

# -- Commands ------------------------------------------------------------------------------------


class AddCatalogueItem(Command):
    """Put something on the list of what is to be read: its title, which document asks for it."""

    zh = "增加学习篇目"
    allowed = OFFICE
    creates = True
    title: Line
    origin: Line
    required: bool = True
    since: Day


class ReviseCatalogueItem(Command):
    """Replace the item by a new edition, which those who read an earlier one have yet to read."""

    zh = "修订学习篇目"
    allowed = OFFICE
    title: Line
    origin: Line
    required: bool = True
    reason: Prose


class CorrectCatalogueItem(Command):
    """Put a clerk's mistake right; it is the same edition. Without `withdrawn_on` it counts again."""

    zh = "更正学习篇目"
    allowed = OFFICE
    title: Line
    origin: Line
    required: bool = True
    since: Day
    withdrawn_on: Day | None = None
    reason: Prose


class WithdrawCatalogueItem(Command):
    """Nobody has to read it from a day on."""

    zh = "撤下学习篇目"
    allowed = OFFICE
    on: Day
    reason: Prose


class VoidCatalogueItem(Command):
    """Strike out an item that should never have been on the list."""

    zh = "作废学习篇目"
    allowed = CHECKERS
    reason: Prose


type CatalogueCommand = (
    AddCatalogueItem
    | ReviseCatalogueItem
    | CorrectCatalogueItem
    | WithdrawCatalogueItem
    | VoidCatalogueItem
)

# -- States --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Unlisted:
    """Not in the catalogue."""


@dataclass(frozen=True)
class Listed:
    """To be read from a day on, until it is withdrawn."""

    title: str
    origin: str
    required: bool
    since: date
    added_by: PersonId
    edition: int = 1
    withdrawn_on: date | None = None
    withdrawn_for: str | None = None


@dataclass(frozen=True)
class Voided:
    """A clerk's mistake; counts nowhere."""

    reason: str


type Item = Unlisted | Listed | Voided

# -- Deciding ------------------------------------------------------------------------------------


def decide(command: CatalogueCommand, item: Item, directory: Directory) -> CatalogueEvent | None:
    """One row per thing that may happen; what is not listed is refused."""
    item = directory.roster.settled(item)
    match command, item:
        case AddCatalogueItem(by=person), Unlisted():
            return CatalogueItemAdded(
                title=command.title,
                origin=command.origin,
                required=command.required,
                since=command.since,
                added_by=person,
            )
        case AddCatalogueItem(), Listed(since=since) if since == command.since:
            if _says(command, item):
                return None
            raise OutOfOrder

        case ReviseCatalogueItem(), Listed(withdrawn_on=None):
            if _says(command, item):
                return None
            return CatalogueItemRevised(
                edition=item.edition + 1,
                title=command.title,
                origin=command.origin,
                required=command.required,
                reason=command.reason,
            )

        case CorrectCatalogueItem(since=since, withdrawn_on=until), Listed():
            if _says(command, item) and (since, until) == (item.since, item.withdrawn_on):
                return None
            _in_order(since, until)
            return CatalogueItemCorrected(
                title=command.title,
                origin=command.origin,
                required=command.required,
                since=since,
                withdrawn_on=until,
                reason=command.reason,
            )

        case WithdrawCatalogueItem(on=day, reason=reason), Listed(withdrawn_on=None):
            _in_order(item.since, day)
            return CatalogueItemWithdrawn(on=day, reason=reason)
        case WithdrawCatalogueItem(on=day, reason=reason), Listed():
            if (day, reason) != (item.withdrawn_on, item.withdrawn_for):
                raise OutOfOrder
            return None

        case VoidCatalogueItem(reason=reason), Listed(added_by=person):
            somebody_else(command, person)
            return CatalogueItemVoided(reason=reason)
        case VoidCatalogueItem(reason=reason), Voided(before) if reason == before:
            return None

        case _:
            raise OutOfOrder


type Wording = AddCatalogueItem | ReviseCatalogueItem | CorrectCatalogueItem


def _says(command: Wording, item: Listed) -> bool:
    """Whether the item reads already as the command wants it to."""
    said = (command.title, command.origin, command.required)
    return said == (item.title, item.origin, item.required)


def _in_order(since: date, until: date | None) -> None:
    if until is not None and until < since:
        raise EndsBeforeItBegins


# -- Evolving ------------------------------------------------------------------------------------


def evolve(item: Item, event: CatalogueEvent) -> Item:
    """What happened, happened: no rules here."""
    match event:
        case CatalogueItemAdded():
            return Listed(**dict(event))
        case CatalogueItemVoided(reason=reason):
            return Voided(reason)
        case _:
            return _changed(item, event) if isinstance(item, Listed) else item


def _changed(
    item: Listed, event: CatalogueItemRevised | CatalogueItemCorrected | CatalogueItemWithdrawn
) -> Listed:
    match event:
        case CatalogueItemRevised() | CatalogueItemCorrected():
            changes = {name: value for name, value in event if name != "reason"}
            return replace(item, **changes)
        case CatalogueItemWithdrawn(on=day, reason=reason):
            return replace(item, withdrawn_on=day, withdrawn_for=reason)
        case _:
            assert_never(event)


decider: Decider[CatalogueCommand, CatalogueEvent, Item, Directory] = Decider(
    "catalogue", Unlisted(), decide, evolve, CatalogueCommand, CatalogueEvent, Item
)
