"""The performance as far as it has come: who plays, what was said, what became of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from services.demo import cast as casting
from services.demo.cast import SECRETARY, Cast, Matter, Saying
from services.demo.door import Line
from services.demo.lives import Life, Voice
from services.demo.telling import ZONE, Result
from services.stack import NAMES, Stack
from shared.runtime import settled

YEAR = 365  # days
SATURDAY = 5
PATIENCE = 120.0  # seconds until what is on its way must have arrived


@dataclass(frozen=True)
class Heard:
    """An opinion that was taken: what was said, its id, and by what its originator comes back."""

    saying: Saying
    id: str
    voice: Voice | None


@dataclass
class Play:
    """One performance: `invented` texts or those of a file, in a school of its own."""

    product: Stack
    cast: Cast
    line: Line
    sayings: list[Saying]
    invented: bool
    result: Result
    matters: dict[str, Matter] = field(default_factory=casting.matters)
    today: date = date.min
    terms: list[tuple[date, date]] = field(default_factory=list)
    holidays: list[tuple[date, date]] = field(default_factory=list)
    campaign: str = ""
    solicitation: str = ""
    heard: list[Heard] = field(default_factory=list)
    collations: list[str] = field(default_factory=list)
    early: str = ""
    lives: dict[str, Life] = field(default_factory=dict)
    unread: str = ""
    """The reflection nobody rated."""
    talks: dict[frozenset[str], str] = field(default_factory=dict)
    """Who talked with whom one by one, and the talk."""
    life_meeting: str = ""
    untold: str = ""
    """The number of the speech that criticised without a talk before."""
    raised: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Problems raised elsewhere than in opinions, by title: where they come from, by kind and id."""

    def day(self, days: int) -> str:
        """A day so many days from today."""
        return (self.today + timedelta(days=days)).isoformat()

    def moment(self, days: int, hour: int, minute: int = 0) -> str:
        """An instant on a day so many days from today, by the school's clock."""
        at = datetime.combine(self.today + timedelta(days=days), time(hour, minute), ZONE)
        return at.isoformat()

    def taught(self, weeks: int) -> list[str]:
        """The first school day of each of the last weeks that have one, the latest first."""
        days = (self.today - timedelta(days=n) for n in range(YEAR))
        found = {day - timedelta(days=day.weekday()): day for day in days if self._school(day)}
        return [day.isoformat() for day in found.values()][:weeks]

    def _school(self, day: date) -> bool:
        """Whether there is school on a day."""
        on, off = (
            any(begin <= day <= end for begin, end in spans)
            for spans in (self.terms, self.holidays)
        )
        return on and not off and day.weekday() < SATURDAY

    def idle(self) -> str:
        """A day in no term: the first after the last one that is over."""
        over = max(end for _, end in self.terms if end < self.today)
        return (over + timedelta(days=1)).isoformat()

    async def settle(self) -> None:
        """Wait until everything caused so far has happened."""
        broker = self.product.gateway.broker
        self.line.position = await settled(broker, NAMES, self.line.position, within=PATIENCE)

    async def set_policy(self, settings: dict[str, tuple[str, str]]) -> None:
        """Set some of the school's policy: value and unit by setting."""
        path = f"campaigns/{self.campaign}/set-policy"
        for setting, (value, unit) in settings.items():
            body = {"setting": setting, "value": value, "unit": unit, "reason": "演示用时限"}
            await self.line.do(SECRETARY, path, body)


type Act = Callable[[Play], Awaitable[dict[str, object]]]
"""A part of the plot; gives what is to be said of it in one line."""
