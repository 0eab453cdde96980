"""A desk of paper: this service's views folded from a list of events, read without a database."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from pydantic import BaseModel

from services.campaign.app import service
from shared.envelope import Record
from shared.mongo import Document
from shared.runtime import Desk
from shared.views import View, Working, as_stored, content
from tests.campaign.examples import NOON


class PaperDesk:
    """Reads like a `Desk`; its documents went through JSON as a stored one does."""

    school = "no1"
    at = NOON

    def __init__(self, records: Iterable[Record]) -> None:
        self.stored: dict[str, dict[str, Document]] = {}
        records = list(records)
        for view in (service.directory, *service.views):
            working: dict[str, Working] = {}
            for record in records:
                if type(record.event) in view.follows:
                    for key in view.keys(record):
                        self._fold(view, working.setdefault(key, Working(None, None, 0, 0)), record)
            self.stored[view.name] = {
                key: as_stored(self.school, key, each) for key, each in working.items()
            }

    def _fold(self, view: View[Any], working: Working, record: Record) -> None:
        working.document = view.project(working.document, record)
        working.position, working.version = record.position, record.version
        working.opened = working.opened or record.position

    def ledger(self, view: View[Any]) -> BaseModel | None:
        document = self.stored[view.name].get("school")
        if document is None or document.get("gone"):
            return None
        known: BaseModel = view.document.model_validate(content(document))
        return known

    async def document(self, view: View[Any], key: str) -> Document | None:
        return self.stored[view.name].get(key)

    async def find(
        self, view: View[Any], where: Mapping[str, Any], *, after: int = 0, limit: int = 0
    ) -> list[Document]:
        fitting = (
            document
            for document in sorted(self.stored[view.name].values(), key=lambda d: d["opened"])
            if document["opened"] > after
            and all(_fits(document[name], wanted) for name, wanted in where.items())
        )
        return list(fitting)[: limit or None]


def _fits(value: object, wanted: object) -> bool:
    return value in wanted["$in"] if isinstance(wanted, dict) else value == wanted


def desk(records: Iterable[Record]) -> Desk:
    """A desk on which these events lie."""
    return cast("Desk", PaperDesk(records))
