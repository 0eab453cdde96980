"""The figures that the events of a school amount to, from nothing but these: for who checks a pack. Pure.

The day they are of is the last one anything was recorded on: the log alone says it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from services.campaign.directory import FOLLOWS as DIRECTORY
from services.campaign.directory import Directory, fold
from services.oversight.rules.evidence import Fact, Life, Trace, trace
from services.oversight.rules.figures import other_rates
from services.oversight.rules.overview import overview
from services.oversight.rules.sources import FOLLOWS
from services.oversight.rules.world import World
from shared.envelope import Record

_OF_DIRECTORY = frozenset(event.TYPE for event in DIRECTORY)
_TRACED = frozenset(event.TYPE for event in FOLLOWS)


@dataclass
class _School:
    directory: Directory | None = None
    facts: dict[tuple[str, str], list[Fact]] = field(default_factory=dict)
    latest: Record | None = None

    def take(self, record: Record) -> None:
        if record.type in _OF_DIRECTORY:
            self.directory = fold(self.directory, record)
        if record.type in _TRACED:
            of = f"{record.service}.{record.category}"
            self.facts.setdefault((of, record.stream), []).extend(trace(None, record).facts)
        if self.latest is None or record.at > self.latest.at:
            self.latest = record

    def figures(self, position: int) -> dict[str, Any] | None:
        if self.directory is None or self.latest is None:
            return None
        day = self.directory.day(self.latest.at)
        lives: dict[str, dict[str, Life]] = {}
        for (of, stream), facts in self.facts.items():
            told = Trace(of=of, stream=stream, facts=tuple(facts))
            lives.setdefault(of, {})[stream] = Life.read(told)
        world = World.at(self.directory, day, lives, position)
        return {**overview(world, day), "others": other_rates(world)}


class SchoolAccount:
    """The figures of every school whose events it is given, in the order of the log."""

    def __init__(self) -> None:
        """Nothing was said yet."""
        self._schools: dict[str, _School] = {}

    def take(self, record: Record) -> None:
        """Take in one more event."""
        self._schools.setdefault(record.school, _School()).take(record)

    def figures(self, position: int, _: Iterable[str]) -> dict[str, Any]:
        """By school: what the school shows to its people and its bureau; none where it was not enrolled."""
        return {"schools": {school: one.figures(position) for school, one in self._schools.items()}}
