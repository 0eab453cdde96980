"""An account: a person of this school, as an identity provider knows them.

Issuer and subject are never stored: the stream is found, and the account known, by keyed hashes.
"""

from dataclasses import dataclass
from typing import Annotated, assert_never

from pydantic import AfterValidator, Field

from services.campaign.directory import Directory
from services.campaign.domain import (
    ADMINISTRATION,
    AppointedFromOutside,
    NotInRoster,
    is_operator,
    supervises,
)
from services.campaign.events import AccountClosed, AccountEvent, AccountHandedOver, AccountOpened
from shared.decider import Command, Decider, OutOfOrder, PersonId, Rejected
from shared.marks import BlindIndex, Id, Prose


def _printable(text: str) -> str:
    if not text.isprintable() or text != text.strip():
        msg = "must be printable, without blanks around it"
        raise ValueError(msg)
    return text


Identifier = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_printable)]
"""An issuer or a subject as a token says it: compared exactly, at most 255 characters (OIDC)."""

# -- Commands ------------------------------------------------------------------------------------


class OpenAccount(Command):
    """Let somebody in by what their tokens say: issuer (`iss`) and subject (`sub`)."""

    zh = "开通账号"
    allowed = ADMINISTRATION
    creates = True
    issuer: Identifier
    subject: Identifier
    person: Id
    account: Annotated[str | None, BlindIndex(of=("issuer", "subject"), kind="account")] = None

    def unique(self) -> tuple[str, ...]:
        """One account per issuer and subject in a school."""
        return ("account", self.issuer, self.subject)


class HandOverAccount(Command):
    """Make an account somebody else's: it was opened for the wrong person."""

    zh = "变更账号归属"
    allowed = ADMINISTRATION
    person: Id
    reason: Prose


class CloseAccount(Command):
    """Let nobody in by this account any more; opening it again is possible."""

    zh = "关闭账号"
    allowed = ADMINISTRATION
    reason: Prose


type AccountCommand = OpenAccount | HandOverAccount | CloseAccount

# -- States --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Unknown:
    """No such account."""


@dataclass(frozen=True)
class Open:
    """Whose it is, and why it was handed over to them if it was."""

    account: str
    person: PersonId
    reason: str | None = None


@dataclass(frozen=True)
class Closed:
    """Lets nobody in."""

    account: str
    person: PersonId
    reason: str


type Account = Unknown | Open | Closed

# -- Rules ---------------------------------------------------------------------------------------


class AccountTaken(Rejected):
    """This account is somebody's already; it can be handed over."""

    zh = "该账号已属于他人,可变更归属"


class BureausAccount(Rejected):
    """This account is a bureau's; whoever holds it is nobody of this school."""

    zh = "该账号属于教育工委,不能再开通为本校人员账号"


def decide(command: AccountCommand, account: Account, directory: Directory) -> AccountEvent | None:
    """One row per thing that may happen; what is not listed is refused."""
    match command, account:
        case OpenAccount(person=person), Open(person=holder):
            if person == holder:
                return None
            raise AccountTaken
        case OpenAccount(account=str() as index, person=person), Unknown() | Closed():
            if any(bureau.account == index for bureau in directory.bureaus.values()):
                raise BureausAccount
            _permitted(command, account, directory, PersonId(person))
            return AccountOpened(account=index, person=PersonId(person))

        case HandOverAccount(person=person, reason=reason), Open(index, holder, before):
            if person == holder:
                if reason == before:
                    return None
                raise OutOfOrder
            _permitted(command, account, directory, PersonId(person))
            return AccountHandedOver(account=index, person=PersonId(person), reason=reason)

        case CloseAccount(reason=reason), Open(account=index):
            _permitted(command, account, directory)
            return AccountClosed(account=index, reason=reason)
        case CloseAccount(reason=reason), Closed(reason=before) if reason == before:
            return None

        case _:
            raise OutOfOrder


def _permitted(
    command: AccountCommand,
    account: Account,
    directory: Directory,
    person: PersonId | None = None,
) -> None:
    """Refuse an account for nobody in the roster, and one of the supervision group from inside."""
    today = directory.day(command.at)
    if person:
        entry = directory.roster.people.get(person)
        if entry is None or not entry.counts or (entry.left_on and entry.left_on < today):
            raise NotInRoster(person)
    holder = account.person if isinstance(account, Open) else None
    concerned = [p for p in (person, holder) if p and supervises(p, today, directory)]
    if concerned and not is_operator(command.by):
        raise AppointedFromOutside(" ".join(concerned))


def evolve(account: Account, event: AccountEvent) -> Account:
    """What happened, happened: no rules here."""
    match event:
        case AccountOpened(account=index, person=person):
            return Open(index, person)
        case AccountHandedOver(account=index, person=person, reason=reason):
            return Open(index, person, reason)
        case AccountClosed(account=index, reason=reason):
            return Closed(index, _holder(account), reason)
        case _:
            assert_never(event)


def _holder(account: Account) -> PersonId:
    """Whose an account is or was.

    Raises:
        LookupError: it was never opened; such a history was never recorded.
    """
    if isinstance(account, Open | Closed):
        return account.person
    raise LookupError


decider: Decider[AccountCommand, AccountEvent, Account, Directory] = Decider(
    "account",
    Unknown(),
    decide,
    evolve,
    commands=AccountCommand,
    events=AccountEvent,
    states=Account,
)
