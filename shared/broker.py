"""The one door to NATS: publishing with an outcome, reading the log, serving requests, provisioning.

Nothing above this file knows nats-py or FastStream. Every failure to get an answer is `Unavailable`;
what JetStream itself refuses is `JetStreamRefusal`.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import nats
import nats.errors
from faststream.nats import NatsBroker
from faststream.security import SASLPlaintext
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from shared.decider import Rejected, Unavailable

EVENTS = "EVENTS"
SCHEDULES = "SCHEDULES"
ANSWER_WITHIN = 5.0  # seconds to wait for a single answer
PULL_EXPIRES = 5.0  # seconds a pull request stays open at the server
FOLLOW_BATCH = 2_000  # events read at once by who follows the whole log
MAX_MESSAGE = 1_000_000
"""Bytes of body and headers: the server counts both, and cuts who sends it more than 1 MB."""
IN_FLIGHT = 512  # requests a service works on at once; more wait in the subscription

_UNANSWERED = (
    nats.errors.Error,
    TimeoutError,
    ConnectionError,
)
_LEAVING = (*_UNANSWERED, RuntimeError)
"""What may come of taking leave of a server that is away: uvloop says the last of what is closed already."""


class JetStreamRefusal(Exception):  # noqa: N818 -- the server's answer, examined by the caller
    """JetStream answered with an error."""

    def __init__(self, code: int, description: str) -> None:
        """`code` is JetStream's `err_code`."""
        super().__init__(f"{code}: {description}")
        self.code = code


class TooLarge(Rejected):
    """This is larger than can be taken."""

    zh = "内容过大"


class ConsumerLost(Exception):  # noqa: N818 -- expected after a restart: make a new one
    """The consumer or its server went away."""


class NobodyThere(Unavailable):
    """Nobody serves what was asked for."""


class Forbidden(Exception):  # noqa: N818 -- a condition, named like the others
    """This user's permissions do not allow what the service needs."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A message of a stream as the server gives it: `position` is its sequence number."""

    position: int
    subject: str
    headers: Mapping[str, str]
    body: bytes
    reply: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that came in: its subject, headers and body."""

    subject: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back: a JSON body and headers."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


type Answering = Callable[[Asked], Awaitable[Answer]]

TOO_LARGE = Answer(
    json.dumps(
        {
            "error": {
                "code": "too-large",
                "title": {
                    "zh": "查询结果过大,请缩小范围",
                    "en": "The answer is larger than one message may be",
                },
            }
        },
        ensure_ascii=False,
    ).encode(),
    {
        "Nats-Service-Error-Code": "too-large",
        "Nats-Service-Error": "too-large",
    },
)
"""What goes back in place of an answer the server would not take: whoever asked need not wait."""


@dataclass
class Broker:
    """One service's connection, as its own NATS user, with its own inbox prefix."""

    url: str
    user: str
    password: str
    on_trouble: Callable[[str], None] = lambda _: None
    in_flight: int = IN_FLIGHT
    _faststream: NatsBroker = field(init=False)
    _connection: Client = field(default_factory=Client)
    _answers: dict[str, Answering] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _violations: list[str] = field(default_factory=list)
    _reconnects: int = 0
    _opened: bool = False

    def __post_init__(self) -> None:
        """Prepare the connection; nothing is sent before `open`."""
        self._slots = asyncio.Semaphore(self.in_flight)
        self._faststream = NatsBroker(
            self.url,
            name=self.user,
            security=SASLPlaintext(username=self.user, password=self.password),
            inbox_prefix=f"_INBOX_{self.user}",
            apply_types=False,
            logger=None,
            ping_interval=10,
            max_outstanding_pings=2,
            max_reconnect_attempts=-1,
            reconnect_time_wait=1,
            connect_timeout=5,
            error_cb=self._error,
            reconnected_cb=self._reconnected,
        )

    async def open(self) -> None:
        """Connect and start whatever `serve` declared; wait as long as the server is away.

        Raises:
            Forbidden: the user may not do what the service declared.
        """
        connection = self._connection = await self._faststream.connect()
        self._opened = True
        connection._parse_header_lines = _header_lines  # type: ignore[method-assign]  # noqa: SLF001 -- a fifth of a command's time otherwise
        connection._send_publish = self._send  # type: ignore[method-assign]  # noqa: SLF001 -- 60 of 65 us
        connection._process_err = self._complained  # type: ignore[method-assign, assignment]  # noqa: SLF001 -- nats-py would close for ever
        await self._faststream.start()
        await self.round_trip()
        if self._violations:
            raise Forbidden("; ".join(self._violations))

    async def close(self) -> None:
        """Take no more requests, finish the ones at work, then leave.

        FastStream alone would lose what is delivered while it stops: the subscriptions are drained
        first.
        """
        for subscriber in self._faststream.subscribers:
            subscription = getattr(subscriber, "subscription", None)
            if isinstance(subscription, Subscription):
                with suppress(*_LEAVING):
                    await subscription.drain()  # type: ignore[no-untyped-call]
                subscriber.subscription = None  # type: ignore[attr-defined]  # else stop() ends it twice
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=10)
        with suppress(*_LEAVING):
            await self._faststream.stop()
        if (
            self._opened and not self._connection.is_closed
        ):  # a server that is away cannot take our leave
            with suppress(*_LEAVING):
                await self._connection.close()

    async def _send(
        self,
        subject: str,
        reply: str,
        payload: bytes,
        payload_size: int,
        headers: Mapping[str, str] | None,
    ) -> None:
        """Write a message as nats-py does, its headers in one go."""
        connection = self._connection
        await connection._send_command(_written(subject, reply, payload, headers))  # noqa: SLF001 -- as `open` says
        connection.stats["out_msgs"] += 1
        connection.stats["out_bytes"] += payload_size
        if connection._flush_queue is not None and connection._flush_queue.empty():  # noqa: SLF001 -- as above
            await connection._flush_pending()  # noqa: SLF001 -- as above

    async def _error(self, error: Exception) -> None:
        text = str(error)
        if "permissions violation" in text.lower():
            self._violations.append(text)
        self.on_trouble(text)

    async def _complained(self, what: str) -> None:
        """The server said `-ERR`: go on if it forbade something, else connect anew until it lets us."""
        error = nats.errors.Error(f"nats: {what}")
        await self._error(error)
        if "permissions violation" not in what.lower():
            await self._connection._process_op_err(error)  # noqa: SLF001 -- what it does when a connection breaks

    async def _reconnected(self) -> None:
        self._reconnects += 1

    @property
    def at_work(self) -> int:
        """Requests being answered right now."""
        return len(self._tasks)

    # -- Asking and answering ------------------------------------------------

    def serve(self, subject: str, queue: str, answer: Answering) -> None:
        """Answer every request on a subject, several at once; call before `open`.

        `answer` must not raise: it turns every failure into an `Answer`.
        """
        self._answers[subject.partition(".")[0]] = answer

        subscriber = self._faststream.subscriber(subject, queue, no_reply=True)

        @subscriber
        async def handed_over(body: bytes) -> None:
            """Never reached: `consume` is the last thing FastStream does with a message."""

        subscriber.consume = self._hand_over  # type: ignore[method-assign]  # its own way is an eighth of a command's time

    async def _hand_over(self, msg: Msg) -> None:
        """Give a message to a task of its own: one at a time would be a third of the speed."""
        await self._slots.acquire()
        task = asyncio.create_task(self._work(msg))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self, message: Msg) -> None:
        answer = self._answers[message.subject.partition(".")[0]]
        try:
            asked = Asked(message.subject, message.headers or {}, bytes(message.data))
            reply = await answer(asked)
            if message.reply:
                if len(reply.body) > MAX_MESSAGE:
                    self.on_trouble(f"{asked.subject}: an answer of {len(reply.body)} bytes")
                    reply = TOO_LARGE
                with suppress(*_UNANSWERED):
                    await self._connection.publish(
                        message.reply, reply.body, headers=dict(reply.headers)
                    )
        finally:
            self._slots.release()

    async def ask(
        self,
        subject: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        within: float = ANSWER_WITHIN,
    ) -> Answer:
        """Request and wait for the reply.

        Raises:
            TooLarge: over `MAX_MESSAGE`.
            Unavailable: nobody answered in time.
        """
        message = await self._request(subject, body, headers, within)
        return Answer(bytes(message.data), message.headers or {})

    async def _request(
        self, subject: str, body: bytes, headers: Mapping[str, str] | None, within: float
    ) -> Msg:
        size = len(body) + sum(len(k) + len(v) + 4 for k, v in (headers or {}).items())
        if size > MAX_MESSAGE:
            raise TooLarge(str(size))
        if not self._connection.is_connected:
            raise Unavailable("log")
        try:
            return await self._connection.request(
                subject, body, timeout=within, headers=dict(headers) if headers else None
            )
        except nats.errors.NoRespondersError as error:
            raise NobodyThere("log") from error
        except _UNANSWERED as error:
            raise Unavailable("log") from error

    # -- The log -------------------------------------------------------------

    async def publish(
        self, subject: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[int, bool]:
        """Publish to a stream: the position once it is on the broker's disk, and whether it was before.

        Raises:
            JetStreamRefusal: the stream did not take it.
            Unavailable: no answer; it may or may not have been stored.
        """
        answer = json.loads((await self._request(subject, body, headers, ANSWER_WITHIN)).data)
        if "error" in answer:
            raise JetStreamRefusal(answer["error"].get("err_code", 0), str(answer["error"]))
        return int(answer["seq"]), bool(answer.get("duplicate"))

    async def api(self, name: str, request: object = None, *, within: float = ANSWER_WITHIN) -> Any:  # noqa: ANN401 -- JSON
        """Call `$JS.API.<name>` and give its JSON answer.

        Raises:
            JetStreamRefusal: the answer is an error.
            Unavailable: no answer.
        """
        body = b"" if request is None else json.dumps(request).encode()
        answer = json.loads((await self._request(f"$JS.API.{name}", body, None, within)).data)
        if "error" in answer:
            raise JetStreamRefusal(answer["error"].get("err_code", 0), str(answer["error"]))
        return answer

    async def round_trip(self) -> None:
        """Ask the server something it must answer: a socket that is open proves nothing."""
        await self.api("INFO", within=2.0)

    async def message(self, stream: str, request: Mapping[str, object]) -> Stored | None:
        """Read one message from the stream's leader (`STREAM.MSG.GET`), `None` if there is none."""
        try:
            found = (await self.api(f"STREAM.MSG.GET.{stream}", request))["message"]
        except JetStreamRefusal as refusal:
            if refusal.code == _NO_MESSAGE:
                return None
            raise
        headers = _headers(base64.b64decode(found.get("hdrs", "")))
        body = base64.b64decode(found.get("data", ""))
        return Stored(int(found["seq"]), found["subject"], headers, body)

    async def history(self, stream: str, subject: str, *, after: int) -> list[Stored]:
        """Read every message of one subject behind a position, in one round trip per 1,000.

        Any replica may answer, so the newest may be missing: appends are protected by their expected
        sequence, refusals by a look at the leader.
        """
        found: list[Stored] = []
        pending = 1
        while pending:
            request = {
                "seq": (found[-1].position if found else after) + 1,
                "batch": 1000,
                "next_by_subj": subject,
            }
            more, pending = await self._direct(stream, request)
            found += more
        return found

    async def slice(
        self, stream: str, *, after: int, limit: int = 1000, subject: str = ">"
    ) -> list[Stored]:
        """Read messages behind a position, of any subject or of some, in order, without a consumer."""
        request = {"seq": after + 1, "batch": limit, "next_by_subj": subject}
        return (await self._direct(stream, request))[0]

    async def _direct(self, stream: str, request: object) -> tuple[list[Stored], int]:
        """One batched direct get; the messages and how many are left."""
        if not self._connection.is_connected:
            raise Unavailable("log")
        inbox = self._connection.new_inbox()
        found: list[Stored] = []
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def receive(message: Msg) -> None:
            headers = message.headers or {}
            status = headers.get("Status")
            if "Nats-Sequence" in headers:  # a stored one, whatever status it says it has
                found.append(
                    Stored(
                        int(headers["Nats-Sequence"]),
                        headers["Nats-Subject"],
                        headers,
                        message.data,
                    )
                )
            elif not done.done():
                if status in {"204", "404"}:
                    done.set_result(int(headers.get("Nats-Num-Pending", 0)))
                else:
                    done.set_exception(Unavailable("log"))

        try:
            subscription = await self._connection.subscribe(inbox, cb=receive)
            try:
                await self._connection.publish(
                    f"$JS.API.DIRECT.GET.{stream}", json.dumps(request).encode(), reply=inbox
                )
                return found, await asyncio.wait_for(done, ANSWER_WITHIN)
            finally:
                with suppress(*_UNANSWERED):
                    await subscription.unsubscribe()
        except _UNANSWERED as error:
            raise Unavailable("log") from error

    async def last_position(self, stream: str = EVENTS) -> int:
        """The stream's last sequence number, from its leader."""
        info = await self.api(f"STREAM.INFO.{stream}")
        return int(info["state"]["last_seq"])

    # -- Following -----------------------------------------------------------

    @asynccontextmanager
    async def follow(self, name: str, *, after: int) -> AsyncIterator["Pull"]:
        """Read the whole log behind a position, in order, through a consumer of our own."""
        with suppress(JetStreamRefusal):
            await self.api(f"CONSUMER.DELETE.{EVENTS}.{name}")
        config = {
            "name": name,
            "deliver_policy": "by_start_sequence",
            "opt_start_seq": after + 1,
            "ack_policy": "none",
            "replay_policy": "instant",
            "inactive_threshold": 60 * 10**9,
            "mem_storage": True,
            "num_replicas": 1,
        }
        await self.api(
            f"CONSUMER.CREATE.{EVENTS}.{name}",
            {"stream_name": EVENTS, "config": config, "action": "create"},
        )
        async with self.pull(EVENTS, name, batch=FOLLOW_BATCH) as pull:
            yield pull

    @asynccontextmanager
    async def pull(self, stream: str, consumer: str, *, batch: int = 500) -> AsyncIterator["Pull"]:
        """Pull from a consumer that exists."""
        pull = Pull(self._connection, stream, consumer, batch, lambda: self._reconnects)
        await pull.open()
        try:
            yield pull
        finally:
            await pull.close()

    async def acknowledge(self, stored: Stored) -> None:
        """Tell a durable consumer that a message is dealt with."""
        await self._publish_control(stored.reply, b"+ACK")

    async def later(self, stored: Stored, seconds: float) -> None:
        """Ask a durable consumer to give a message again after a while."""
        await self._publish_control(stored.reply, b'-NAK {"delay": %d}' % int(seconds * 10**9))

    async def _publish_control(self, subject: str, body: bytes) -> None:
        try:
            await self._connection.publish(subject, body)
        except _UNANSWERED as error:
            raise Unavailable("log") from error


async def plain(url: str, user: str, password: str) -> Client:
    """The client library's own connection, as it comes: what the benches measure against."""
    return await nats.connect(url, user=user, password=password, inbox_prefix=f"_INBOX_{user}")


class Pull:
    """A pipelined pull loop: one inbox, one callback, the next request out before this one is used up."""

    def __init__(
        self,
        connection: Client,
        stream: str,
        consumer: str,
        batch: int,
        reconnects: Callable[[], int],
    ) -> None:
        """Nothing is asked before `open`."""
        self._connection = connection
        self._next = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"
        self._batch = batch
        self._reconnects = reconnects
        self._seen_reconnects = reconnects()
        self._arrived: list[Stored] = []
        self._outstanding = 0
        self._gone = ""
        self._wake = asyncio.Event()

    async def open(self) -> None:
        """Subscribe to the inbox."""
        self._inbox = self._connection.new_inbox()
        self._subscription = await self._connection.subscribe(
            self._inbox, cb=self._receive, pending_msgs_limit=0, pending_bytes_limit=0
        )

    async def close(self) -> None:
        """Unsubscribe."""
        with suppress(*_UNANSWERED):
            await self._subscription.unsubscribe()

    async def _receive(self, message: Msg) -> None:
        headers = message.headers or {}
        status = headers.get("Status", "")
        if message.reply.startswith("$JS.ACK."):  # a stored one, whatever status it says it has
            tokens = message.reply.split(".")
            position = int(tokens[5] if len(tokens) == _ACK_TOKENS else tokens[7])
            self._outstanding -= 1
            self._arrived.append(
                Stored(position, message.subject, headers, message.data, message.reply)
            )
        elif status == "100":
            return
        else:
            left = headers.get("Nats-Pending-Messages")
            self._outstanding -= int(left) if left else self._outstanding
            if status != "408" and "Batch Completed" not in headers.get("Description", ""):
                self._gone = headers.get("Description", status)
        self._wake.set()

    async def batch(self) -> list[Stored]:
        """Wait for messages; give what has arrived, at most one batch, in order.

        An empty list means that nothing came for a few seconds.

        Raises:
            ConsumerLost: the consumer must be made anew.
            Unavailable: the server does not answer.
        """
        for _ in range(2):
            if self._arrived:
                break
            await self._ask()
            self._wake.clear()
            try:
                await asyncio.wait_for(self._wake.wait(), PULL_EXPIRES + 2)
            except TimeoutError:
                raise ConsumerLost("silence") from None
            await asyncio.sleep(0)  # let the read loop hand over what has come already
            if self._gone or self._reconnects() != self._seen_reconnects:
                raise ConsumerLost(self._gone or "reconnected")
        taken, self._arrived = self._arrived[: self._batch], self._arrived[self._batch :]
        await self._ask()
        return taken

    async def _ask(self) -> None:
        """Keep up to two batches on their way."""
        while self._outstanding <= self._batch and len(self._arrived) <= self._batch:
            self._outstanding += self._batch
            request = {"batch": self._batch, "expires": int(PULL_EXPIRES * 10**9)}
            if not self._connection.is_connected:
                raise Unavailable("log")
            try:
                await self._connection.publish(
                    self._next, json.dumps(request).encode(), reply=self._inbox
                )
            except _UNANSWERED as error:
                raise Unavailable("log") from error


_NO_MESSAGE = 10037
_ACK_TOKENS = 9


def _written(subject: str, reply: str, payload: bytes, headers: Mapping[str, str] | None) -> bytes:
    """A message as the protocol writes it: `PUB`, or `HPUB` where it has headers.

    Raises:
        ValueError: a header has a line break in it, or no name.
    """
    if not subject:
        raise nats.errors.BadSubjectError
    if not headers:
        return b"PUB %b %b %d\r\n%b\r\n" % (
            subject.encode(), reply.encode(), len(payload), payload)  # fmt: skip
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    if not lines.count("\r") == lines.count("\n") == len(headers) or any(
        not name or ":" in name for name in headers
    ):
        msg = "a header is one line and has a name"
        raise ValueError(msg)
    block = f"NATS/1.0\r\n{lines}\r\n".encode()
    return b"HPUB %b %b %d %d\r\n%b%b\r\n" % (
        subject.encode(), reply.encode(), len(block), len(block) + len(payload), block, payload)  # fmt: skip


def _headers(raw: bytes) -> dict[str, str]:
    """Parse a stored header block: `NATS/1.0`, then lines."""
    return _header_lines(raw.partition(b"\r\n")[2])


def _header_lines(raw: bytes) -> dict[str, str]:
    """Parse `Name: value` lines, as nats-py does but without looking at every character twice."""
    headers: dict[str, str] = {}
    for line in raw.decode("utf-8", "replace").split("\r\n"):
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip()] = value.strip()
    return headers
