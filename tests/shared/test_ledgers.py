"""A ledger is held in memory: it is written at rest, whatever is written of the cards meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import cast

import pytest

from services.campaign.events import PersonEntered, SchoolEnrolled
from services.campaign.projection import directory, people
from shared import views
from shared.decider import PersonId
from shared.envelope import Record
from shared.mongo import Document, Mongo
from shared.views import Overtaken, Projector
from tests.memory import NOTHING, TOWN, Chest, Drawer, Pages, log

BATCH = 20


class Written(dict[str, Document]):
    """Documents, and every one that was ever written."""

    def __init__(self) -> None:
        super().__init__()
        self.all: list[Document] = []

    def __setitem__(self, key: str, document: Document) -> None:
        self.all.append(document)
        super().__setitem__(key, document)


class Shelf:
    """Campaign's roster and cards of people, on a log of so many people."""

    def __init__(self, rows: int) -> None:
        noon = datetime(2026, 3, 2, 4, tzinfo=UTC)
        entered = PersonEntered(name="某", joined_on=date(2023, 1, 1))
        enrolled = SchoolEnrolled(name="示范中学", zone="Asia/Shanghai", language="zh")
        self.log: list[Record] = log(
            (TOWN, enrolled),
            *((f"p{n}", entered) for n in range(rows)),
            by=PersonId("clerk"),
            noon=noon,
        )
        self.chest = Chest()
        self.ledger, self.cards = Written(), Written()
        for view, written in ((directory, self.ledger), (people, self.cards)):
            name = f"views campaign.{view.collection}"
            self.chest.drawers[name] = Drawer(NOTHING, written)

    async def projector(self) -> Projector:
        mongo = cast("Mongo", self.chest)
        pages = Pages(NOTHING, mongo, "campaign", log=self.log)
        projector = Projector("campaign", pages, mongo, (directory, people))
        await projector.prepare()
        return projector

    @asynccontextmanager
    async def imported(self) -> AsyncIterator[Projector]:
        """Every event folded and every card written, batch by batch, and no quiet moment yet."""
        projector = await self.projector()
        writing = asyncio.create_task(projector._write_on())
        for start in range(0, len(self.log), BATCH):
            batch = self.log[start : start + BATCH]
            await projector._fold_ahead(batch)
            await projector.reached(batch[-1].position, within=None)
        yield projector
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)


@pytest.mark.parametrize("rows", [100, 200, 400])
async def test_the_ledger_is_written_as_often_for_many_rows_as_for_few(rows: int) -> None:
    shelf = Shelf(rows)

    async with shelf.imported() as projector:
        assert (projector.position, projector.stored) == (rows + 1, 0)
        assert (len(shelf.cards.all), len(shelf.ledger.all)) == (rows, 0)
        await projector._fold_ahead([])  # the log is quiet
        await projector.reached(rows + 1, within=None, stored=True)

    (written,) = shelf.ledger.all
    assert len(written["roster"]["people"]) == rows


async def test_who_needs_it_stored_gets_it_without_a_quiet_moment() -> None:
    shelf = Shelf(100)

    async with shelf.imported() as projector:
        assert await projector.reached(101, within=None, stored=True)

    assert [document["position"] for document in shelf.ledger.all] == [101]


async def test_while_the_log_never_is_quiet_it_is_written_now_and_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(views, "LEDGERS_AFTER", 0.0)
    shelf = Shelf(BATCH * 3 - 1)

    async with shelf.imported():
        pass

    assert [document["position"] for document in shelf.ledger.all] == [20, 40, 60]


async def test_after_a_crash_it_is_folded_on_from_where_it_was_stored() -> None:
    shelf = Shelf(100)
    async with shelf.imported() as crashed:
        await crashed.save()
        was = crashed.ledger(directory, TOWN)
    cards, claimed = len(shelf.cards.all), await crashed.mongo.checkpoints().get("campaign")
    reached = {"people/v1": 101, "directory/v1": 0}
    assert claimed == {"_id": "campaign", "reaching": 101, "position": 101, "views": reached}

    again = await shelf.projector()
    began_at = again.position
    await again.apply(shelf.log)

    assert (began_at, again.stored) == (0, 101)
    assert again.ledger(directory, TOWN) == was
    assert len(shelf.cards.all) == cards


async def test_what_was_dropped_while_the_service_ran_is_folded_again() -> None:
    shelf = Shelf(100)
    async with shelf.imported() as projector:
        await projector.save()
    for name in (directory.collection, people.collection):
        shelf.chest.views(f"campaign.{name}").documents.clear()
    shelf.chest.checkpoints().documents.clear()
    more = Shelf(101).log[-1]

    async def goes_on() -> None:
        await projector.apply([more])
        await projector.save()

    with pytest.raises(Overtaken):
        await goes_on()

    await projector.prepare()
    began_at = projector.position
    await projector.apply([*shelf.log, more])
    assert (began_at, projector.position) == (0, more.position)
    assert len(shelf.chest.views(f"campaign.{people.collection}").documents) == 101
