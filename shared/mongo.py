"""The one door to MongoDB: collections with the guarantees we rely on, and nothing of the driver.

Motor is behind this door only, so the move to PyMongo's own asyncio client is a change of this file.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from bson.errors import BSONError
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection
from pymongo import InsertOne, ReplaceOne
from pymongo.errors import BulkWriteError, ConnectionFailure, DuplicateKeyError, PyMongoError
from pymongo.monitoring import ConnectionPoolListener
from pymongo.write_concern import WriteConcern

from shared.decider import Unavailable

type Document = dict[str, Any]

DUPLICATE_KEY = 11000
OUT_OF_DISK_SPACE = 14031


class Unwritable(Exception):  # noqa: N818 -- a condition, named like the others
    """The database will never take this document: too large, or not of its kinds of values."""


@asynccontextmanager
async def _answering() -> AsyncIterator[None]:
    """Say `Unavailable` when the database does not answer; let bugs through."""
    try:
        yield
    except ConnectionFailure as error:
        raise Unavailable("database") from error
    except PyMongoError as error:
        if error.timeout or error.has_error_label("RetryableWriteError"):
            raise Unavailable("database") from error
        raise


@dataclass(frozen=True)
class Collection:
    """A collection whose writes are as durable as its database promises."""

    _inner: AsyncIOMotorCollection[Document]

    @property
    def name(self) -> str:
        """Its name."""
        return self._inner.name

    async def get(self, key: str) -> Document | None:
        """Fetch one document by `_id`."""
        async with _answering():
            return await self._inner.find_one({"_id": key})

    async def get_many(self, keys: Iterable[str]) -> dict[str, Document]:
        """Fetch documents by `_id`, those that exist."""
        async with _answering():
            found = await self._inner.find({"_id": {"$in": list(keys)}}).to_list(None)
        return {document["_id"]: document for document in found}

    async def find(
        self,
        where: Mapping[str, Any],
        *,
        sort: str | Sequence[tuple[str, int]] = "_id",
        limit: int = 0,
        fields: Sequence[str] | None = None,
    ) -> list[Document]:
        """Fetch documents in an order; 0 means all of them."""
        async with _answering():
            cursor = self._inner.find(dict(where), projection=fields).sort(sort).limit(limit)
            return await cursor.to_list(None)

    async def count(self, where: Mapping[str, Any]) -> int:
        """Count documents."""
        async with _answering():
            return await self._inner.count_documents(dict(where))

    async def insert(self, document: Document) -> bool:
        """Insert; `False` when a document of that `_id` exists."""
        try:
            async with _answering():
                await self._inner.insert_one(document)
        except DuplicateKeyError:
            return False
        return True

    async def insert_missing(self, documents: Sequence[Document]) -> list[str]:
        """Insert those whose `_id` does not exist yet; give the ids of the others."""
        try:
            async with _answering():
                await self._inner.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            _only_duplicates(error)
            return [documents[e["index"]]["_id"] for e in error.details["writeErrors"]]
        return []

    async def put(self, document: Document) -> None:
        """Insert or replace by `_id`."""
        async with _answering():
            await self._inner.replace_one({"_id": document["_id"]}, document, upsert=True)

    async def put_all(self, documents: Sequence[Document]) -> None:
        """Insert or replace several by `_id`, in one unordered bulk."""
        operations = [ReplaceOne({"_id": d["_id"]}, d, upsert=True) for d in documents]
        async with _answering():
            await self._inner.bulk_write(operations, ordered=False)

    async def update(self, key: str, changes: Mapping[str, Any], *, upsert: bool = True) -> bool:
        """Set fields of one document; gives whether there was one."""
        async with _answering():
            wanted = {"$set": dict(changes)}
            result = await self._inner.update_one({"_id": key}, wanted, upsert=upsert)
        return bool(result.matched_count)

    async def unset(self, key: str, fields: Iterable[str]) -> None:
        """Remove fields of one document."""
        async with _answering():
            await self._inner.update_one({"_id": key}, {"$unset": dict.fromkeys(fields, "")})

    async def replace_guarded(self, changes: Sequence[tuple[int | None, Document]]) -> int:
        """Write documents in one unordered bulk, each only over the position it was made from.

        `changes` are (position loaded, new document); `None` means that there was none. A document
        somebody has moved on meanwhile is left alone. Gives how many were written.

        Raises:
            Unwritable: a document cannot be stored; some of the others may have been.
        """
        if not changes:
            return 0
        operations = [
            InsertOne(document)
            if loaded is None
            else ReplaceOne({"_id": document["_id"], "position": loaded}, document)
            for loaded, document in changes
        ]
        try:
            async with _answering():
                result = await self._inner.bulk_write(operations, ordered=False)
        except BulkWriteError as error:
            _only_duplicates(error)
            return int(error.details["nInserted"]) + int(error.details["nMatched"])
        except (BSONError, OverflowError, UnicodeError) as error:
            raise Unwritable(f"{type(error).__name__}: {error}") from error
        return result.inserted_count + result.matched_count

    async def delete(self, where: Mapping[str, Any]) -> int:
        """Delete documents; gives how many."""
        async with _answering():
            return (await self._inner.delete_many(dict(where))).deleted_count

    async def drop(self) -> None:
        """Remove the collection."""
        async with _answering():
            await self._inner.drop()

    async def take(self, key: str) -> Document | None:
        """Delete one document and give it."""
        async with _answering():
            return await self._inner.find_one_and_delete({"_id": key})

    async def index(self, fields: Sequence[str]) -> None:
        """Make sure one index over these fields exists."""
        async with _answering():
            await self._inner.create_index([(field, 1) for field in fields])


def _only_duplicates(error: BulkWriteError) -> None:
    others = [e for e in error.details["writeErrors"] if e["code"] != DUPLICATE_KEY]
    if any(e["code"] == OUT_OF_DISK_SPACE for e in others):
        raise Unavailable("database") from error
    if others:
        raise Unwritable(str(others[0]["errmsg"])) from error


class _Watch(ConnectionPoolListener):
    """Counts how often the server we write to was lost. The driver calls it from its own threads."""

    times = 0

    def pool_cleared(self, event: Any) -> None:  # noqa: ANN401, ARG002 -- the driver's signature
        """Note that every connection to a server was given up."""
        self.times += 1

    def _nothing(self, event: Any) -> None:  # noqa: ANN401 -- one for several
        """Pass over what else the driver tells."""

    pool_created = pool_ready = pool_closed = _nothing
    connection_created = connection_ready = connection_closed = _nothing
    connection_check_out_started = connection_check_out_failed = _nothing
    connection_checked_out = connection_checked_in = _nothing


class Mongo:
    """A deployment's two databases: `views`, which can be rebuilt, and `keep`, which cannot.

    `keep` and the checkpoints of views are written with w=majority, j=true: a key is on the disk before
    the first event that uses it. Views are written with w=1, as a replica set writes in order: what was
    written before something durable is durable too, unless the server was `lost` in between.
    """

    def __init__(self, url: str, database: str) -> None:
        """Connects lazily, at the first call."""
        self._watch = _Watch()
        self._client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(
            url,
            serverSelectionTimeoutMS=3000,
            connectTimeoutMS=3000,
            appname="taizhang",
            event_listeners=[self._watch],
        )
        durable = WriteConcern("majority", j=True)
        self._views = self._client.get_database(database, write_concern=WriteConcern(1))
        self._checkpoints = self._views.get_collection("checkpoints", write_concern=durable)
        self._keep = self._client.get_database(f"{database}_keep", write_concern=durable)

    @property
    def lost(self) -> int:
        """How often the server was lost since the start; with it may be what was not yet durable."""
        return self._watch.times

    def views(self, name: str) -> Collection:
        """A collection of what can be rebuilt from the log."""
        return Collection(self._views[name])

    async def view_names(self) -> list[str]:
        """The collections of what can be rebuilt."""
        async with _answering():
            return sorted(await self._views.list_collection_names())

    def checkpoints(self) -> Collection:
        """How far each service's views are, durably."""
        return Collection(self._checkpoints)

    def keep(self, name: str) -> Collection:
        """A collection of what exists nowhere else."""
        return Collection(self._keep[name])

    async def round_trip(self) -> None:
        """Ask the server something it must answer."""
        async with _answering():
            await self._client.admin.command("ping")

    def close(self) -> None:
        """Close every connection."""
        self._client.close()
