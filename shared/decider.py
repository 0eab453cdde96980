"""The vocabulary every service decides with. Pure: no clock, no network, no database."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, reduce
from typing import Annotated, Any, ClassVar, NewType, get_args

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, create_model

from shared.marks import SetByRuntime, marks_of

PersonId = NewType("PersonId", str)
"""Who acts: a person's id, or `operator:…`, `service:…`, `originator:<opinion>`, `anonymous`."""

Instant = Annotated[AwareDatetime, AfterValidator(lambda moment: moment.astimezone(UTC))]
"""A moment, kept in UTC; a time without a zone is not one."""


@cache
def kebab(name: str) -> str:
    """`ClaimIssue` → `claim-issue`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


class Event(BaseModel):
    """A fact, in the past tense. Its TYPE and fields are stored for ever: add, never change.

    Where its meaning changes, the new version is a class of its own and the old one stays beside it,
    with its golden file and its schema, out of every decider, and says by `upcast` what it is today.
    """

    model_config = ConfigDict(frozen=True)
    TYPE: ClassVar[str]
    ends: ClassVar[bool] = False
    """Whether it is the last of its stream: from then on every command is refused."""
    known: ClassVar[dict[str, type["Event"]]] = {}
    superseded: ClassVar[dict[str, str]] = {}
    """By the TYPE of every old version the next one's."""

    def upcast(self) -> "Event":
        """The same fact as the next version of its TYPE says it; pure. Only an old version has a next.

        Sealed texts go over as the tokens they are, whatever the field is called by then.
        """
        return self

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:  # noqa: ANN401 -- pydantic's signature
        """Make the TYPE readable from the log."""
        if Event.known.setdefault(cls.TYPE, cls) is not cls:
            msg = f"two events are stored as {cls.TYPE}"
            raise TypeError(msg)
        if "upcast" in vars(cls):
            name, version = versioned(cls.TYPE)
            Event.superseded[cls.TYPE] = f"{name}.v{version + 1}"


def versioned(type_: str) -> tuple[str, int]:
    """What a TYPE is called without its version, and the version."""
    name, _, version = type_.rpartition(".v")
    return name, int(version)


def newest(type_: str) -> str:
    """The TYPE that is recorded today for what was once recorded as this one."""
    while type_ in Event.superseded:
        type_ = Event.superseded[type_]
    return type_


def read(type_: str, body: str | bytes) -> Event:
    """A stored event as today's version says it, from one version to the next.

    Raises:
        KeyError: the TYPE is unknown.
        ValidationError: the body is not of it.
        ValueError: no later version can be made of what it says.
        TypeError: an `upcast` gives something else than the next version.
    """
    event = Event.known[type_].model_validate_json(body)
    while event.TYPE in Event.superseded:
        wanted = Event.superseded[event.TYPE]
        try:
            event = event.upcast()
        except Exception as error:
            msg = f"no {wanted} can be made of it: {error!r}"
            raise ValueError(msg) from error
        if wanted != event.TYPE:
            msg = f"{event.TYPE} was made where {wanted} is next"
            raise TypeError(msg)
    return event


class Command(BaseModel):
    """An intent, in the imperative. The runtime says who asks and when; the sender cannot.

    `stream` is the id of the stream it goes to. `allowed` are the roles that may ask at all; whether
    this very person may is for `decide`. `creates` says that the command begins a stream; where there
    is only `one_per_school`, its id is the school's. `zh` is its name for people.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    allowed: ClassVar[frozenset[str]] = frozenset()
    creates: ClassVar[bool] = False
    one_per_school: ClassVar[bool] = False
    zh: ClassVar[str]
    by: Annotated[PersonId, SetByRuntime()]
    at: Annotated[Instant, SetByRuntime()]
    stream: Annotated[str, SetByRuntime()] = ""

    def unique(self) -> tuple[str, ...] | None:
        """The thing of which only one may exist, if a rule says so: it becomes the stream's id."""
        return None


@cache
def wire(command: type[Command]) -> type[BaseModel]:
    """The part of a command that a sender may fill in, as a model of its own (unknown fields refused)."""
    fields: dict[str, Any] = {
        name: (field.annotation, field)
        for name, field in command.model_fields.items()
        if not any(isinstance(mark, SetByRuntime) for mark in marks_of(field))
    }
    return create_model(
        command.__name__,
        __config__=ConfigDict(frozen=True, extra="forbid", strict=True),
        __doc__=command.__doc__,
        __module__=command.__module__,
        **fields,
    )


class Rejected(Exception):  # noqa: N818 -- a refusal is an answer, not an error
    """A rule said no, so nothing was recorded. Callers branch on the code.

    The docstring is the English title of the answer, `zh` the Chinese one.
    """

    code: ClassVar[str] = "rejected"
    zh: ClassVar[str] = "规则不允许"
    known: ClassVar[dict[str, type["Rejected"]]] = {}

    def __init_subclass__(cls) -> None:
        """Derive the stable code from the name."""
        cls.code = kebab(cls.__name__)
        Rejected.known[f"{cls.__module__}.{cls.__name__}"] = cls

    def __init__(self, detail: str = "") -> None:
        """`detail` names what is missing or in the way: ids and codes, never what somebody wrote."""
        super().__init__(detail)
        self.detail = detail


class OutOfOrder(Rejected):
    """The command makes no sense at this point of the stream's life."""

    zh = "当前阶段不能进行这一操作"


class NotFound(Rejected):
    """Nothing of that id exists here."""

    zh = "没有找到"


class Unavailable(Exception):  # noqa: N818 -- a condition of the world, not a bug
    """The log or the database did not answer; safe to repeat with the same command id."""


@dataclass(frozen=True)
class Decider[C, E, S, F]:
    """All a service knows about one kind of stream: two functions and where they start.

    `decide(command, state, facts)` gives the event to record, `None` when the state already holds
    exactly what the command says, or raises `Rejected`. `evolve(state, event)` has no rules.
    `commands`, `events` and `states` are the type aliases the two functions speak of.
    """

    category: str
    initial: S
    decide: Callable[[C, S, F], E | None]
    evolve: Callable[[S, E], S]
    commands: Any
    events: Any
    states: Any

    def fold(self, past: Iterable[E]) -> S:
        """Replay the past from the beginning."""
        return reduce(self.evolve, past, self.initial)

    def members(self, alias: Any) -> tuple[type, ...]:  # noqa: ANN401 -- a type alias has no type of its own
        """The classes an alias such as `IssueEvent` stands for."""
        value = getattr(alias, "__value__", alias)
        return get_args(value) or (value,)


# -- What a service does of its own accord -------------------------------------------------------


@dataclass(frozen=True)
class Send:
    """A command a policy wants carried out by its own service on one of its streams.

    `body` holds the command's fields as a sender would give them; texts may be tokens of an event:
    the runtime opens them and seals them anew for the stream they go to.
    """

    stream: str
    command: type[Command]
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Policy:
    """Record in, commands out; pure. `follows` are the events it is shown.

    `starts` says where a new deployment of it begins in the log.
    """

    name: str
    react: Callable[[Any], Iterable[Send]]
    follows: tuple[type[Event], ...]
    starts: str = "first"


@dataclass(frozen=True)
class Remind:
    """Carry out a command on the stream at an instant; replaces the timer of that name there."""

    name: str
    at: datetime
    command: type[Command]
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Forget:
    """Drop the timer of that name on the stream."""

    name: str
