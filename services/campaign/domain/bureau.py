"""A bureau (教育工委) that a school is under: from then on it sees the school's sums, beside others'.

It is in no roster and holds no post. Behind the sums it sees only what the school's principal leader
grants. Issuer and subject are never stored: tokens are known by keyed hashes, as people's are.
"""

from dataclasses import dataclass, replace
from typing import Annotated, assert_never

from services.campaign.directory import Directory
from services.campaign.domain import ADMINISTRATION
from services.campaign.domain.account import AccountTaken, Identifier
from services.campaign.events import (
    BureauAdmitted,
    BureauCorrected,
    BureauDismissed,
    BureauEvent,
    DrillDownGranted,
    DrillDownWithdrawn,
    Role,
)
from shared.decider import Command, Decider, OutOfOrder, Rejected
from shared.marks import BlindIndex, Line, Prose

# -- Commands ------------------------------------------------------------------------------------


class AdmitBureau(Command):
    """Let a bureau see the school's sums, by what its tokens say: issuer (`iss`), subject (`sub`)."""

    zh = "接入教育工委"
    allowed = ADMINISTRATION
    creates = True
    issuer: Identifier
    subject: Identifier
    name: Line
    account: Annotated[str | None, BlindIndex(of=("issuer", "subject"), kind="account")] = None

    def unique(self) -> tuple[str, ...]:
        """One history per issuer and subject in a school."""
        return ("bureau", self.issuer, self.subject)


class CorrectBureau(Command):
    """Put right what a bureau is called."""

    zh = "更正教育工委名称"
    allowed = ADMINISTRATION
    name: Line
    reason: Prose


class GrantDrillDown(Command):
    """Let a bureau look behind the sums, at the board and who is outstanding; only the school can."""

    zh = "准许教育工委查看明细"
    allowed = frozenset({Role.principal_leader})
    reason: Prose


class WithdrawDrillDown(Command):
    """Show a bureau sums only from now on."""

    zh = "取消教育工委查看明细"
    allowed = ADMINISTRATION
    reason: Prose


class DismissBureau(Command):
    """Show a bureau nothing any more: the school left it, or it was let in by mistake."""

    zh = "取消接入教育工委"
    allowed = ADMINISTRATION
    reason: Prose


type BureauCommand = (
    AdmitBureau | CorrectBureau | GrantDrillDown | WithdrawDrillDown | DismissBureau
)

# -- States --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Unknown:
    """No such bureau."""


@dataclass(frozen=True)
class Admitted:
    """What it is called, and why that was corrected; since a withdrawal, why."""

    account: str
    name: str
    corrected: str | None = None
    withdrawn: str | None = None


@dataclass(frozen=True)
class Granted:
    """Admitted, and let look behind the sums for a reason."""

    admitted: Admitted
    reason: str


@dataclass(frozen=True)
class Dismissed:
    """Sees nothing."""

    account: str
    reason: str


type Bureau = Unknown | Admitted | Granted | Dismissed

# -- Rules ---------------------------------------------------------------------------------------


class AlreadyAdmitted(Rejected):
    """This bureau is admitted under another name; it can be corrected."""

    zh = "该教育工委已接入,名称不同,可更正"


def decide(command: BureauCommand, bureau: Bureau, directory: Directory) -> BureauEvent | None:
    """One row per thing that may happen; what is not listed is refused."""
    match command, bureau:
        case AdmitBureau(name=name), Admitted(name=before) | Granted(Admitted(name=before)):
            if name == before:
                return None
            raise AlreadyAdmitted
        case AdmitBureau(account=str() as index, name=name), Unknown() | Dismissed():
            if index in directory.accounts:
                raise AccountTaken
            return BureauAdmitted(account=index, name=name)

        case CorrectBureau(name=name, reason=reason), Admitted() | Granted():
            known = bureau.admitted if isinstance(bureau, Granted) else bureau
            if (name, reason) == (known.name, known.corrected):
                return None
            return BureauCorrected(name=name, reason=reason)

        case GrantDrillDown(reason=reason), Admitted():
            return DrillDownGranted(reason=reason)
        case GrantDrillDown(reason=reason), Granted(reason=before) if reason == before:
            return None

        case WithdrawDrillDown(reason=reason), Granted():
            return DrillDownWithdrawn(reason=reason)
        case WithdrawDrillDown(reason=reason), Admitted(withdrawn=before) if reason == before:
            return None

        case DismissBureau(reason=reason), Admitted() | Granted():
            return BureauDismissed(reason=reason)
        case DismissBureau(reason=reason), Dismissed(reason=before) if reason == before:
            return None

        case _:
            raise OutOfOrder


def evolve(bureau: Bureau, event: BureauEvent) -> Bureau:
    """What happened, happened: no rules here."""
    match event:
        case BureauAdmitted(account=index, name=name):
            return Admitted(index, name)
        case BureauCorrected(name=name, reason=reason):
            put_right = replace(_admitted(bureau), name=name, corrected=reason)
            return replace(bureau, admitted=put_right) if isinstance(bureau, Granted) else put_right
        case DrillDownGranted(reason=reason):
            return Granted(_admitted(bureau), reason)
        case DrillDownWithdrawn(reason=reason):
            return replace(_admitted(bureau), withdrawn=reason)
        case BureauDismissed(reason=reason):
            return Dismissed(_admitted(bureau).account, reason)
        case _:
            assert_never(event)


def _admitted(bureau: Bureau) -> Admitted:
    """A bureau that is let in.

    Raises:
        LookupError: it is not; such a history was never recorded.
    """
    match bureau:
        case Admitted():
            return bureau
        case Granted(admitted):
            return admitted
        case _:
            raise LookupError


decider: Decider[BureauCommand, BureauEvent, Bureau, Directory] = Decider(
    "bureau",
    Unknown(),
    decide,
    evolve,
    commands=BureauCommand,
    events=BureauEvent,
    states=Bureau,
)
