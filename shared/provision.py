"""How the broker has to be: streams and durable consumers, made by one command and watched for drift."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from shared.broker import EVENTS, SCHEDULES, Broker, JetStreamRefusal
from shared.settings import Settings

SECOND = 10**9  # JetStream counts in nanoseconds

_NOT_FOUND = frozenset({10014, 10059})
"""JetStream: no such consumer, no such stream."""


@asynccontextmanager
async def operator(settings: Settings) -> AsyncIterator[Broker]:
    """A connection as the one NATS user that may change streams and consumers."""
    broker = Broker(settings.nats_url, "operator", settings.password("operator"))
    await broker.open()
    try:
        yield broker
    finally:
        await broker.close()


def streams(replicas: int) -> dict[str, dict[str, Any]]:
    """The streams' configuration: EVENTS can only grow; SCHEDULES holds timers, which must be removable.

    Named is also what must not be set: a lifetime an event brings with it, another source of events,
    a copy of them elsewhere, an acknowledgement that is not given.
    """
    common = {
        "storage": "file",
        "num_replicas": replicas,
        "retention": "limits",
        "max_msgs": -1,
        "max_bytes": -1,
        "max_age": 0,
        "max_msg_size": -1,
        "duplicate_window": 120 * SECOND,
        "sealed": False,
        "no_ack": False,
        "republish": None,
        "sources": None,
        "mirror": None,
        "subject_transform": None,
    }
    return {
        EVENTS: {
            "name": EVENTS,
            "subjects": ["evt.*.*.*.*"],
            **common,
            "discard": "new",
            "max_msgs_per_subject": -1,
            "deny_delete": True,
            "deny_purge": True,
            "allow_rollup_hdrs": False,
            "allow_msg_ttl": False,
            "allow_msg_schedules": False,
            "allow_direct": True,
            "allow_atomic": True,
        },
        SCHEDULES: {
            "name": SCHEDULES,
            "subjects": ["sched.def.*", "sched.off.*", "sched.fire.*"],
            **common,
            "max_msgs_per_subject": 1,
            "allow_msg_schedules": True,
            "allow_msg_ttl": True,
        },
    }


def durable(
    stream: str, name: str, *, starts: str = "first", filters: Iterable[str]
) -> dict[str, Any]:
    """A consumer whose position the broker keeps; `starts` counts only when it is first made.

    `filters` are the subjects it is shown.
    """
    return {
        "stream_name": stream,
        "config": {
            "durable_name": name,
            "name": name,
            "deliver_policy": "all" if starts == "first" else "new",
            "ack_policy": "explicit",
            "ack_wait": 10 * SECOND,  # what a killed service had taken comes again after this
            "max_ack_pending": 1000,
            "max_deliver": -1,
            "replay_policy": "instant",
            "filter_subject": None,
            "filter_subjects": sorted(filters),
            "headers_only": False,
            "inactive_threshold": 0,
            "mem_storage": False,
            "pause_until": None,
        },
    }


async def provision(
    operator: Broker, durables: Iterable[Mapping[str, Any]], *, replicas: int
) -> list[str]:
    """Make or correct every stream and durable; give what was changed.

    Raises:
        JetStreamRefusal: the broker cannot be brought into the wanted state.
    """
    made = [await _stream(operator, wanted) for wanted in streams(replicas).values()]
    made += [await _durable(operator, consumer) for consumer in durables]
    return [what for what in made if what]


async def _stream(operator: Broker, wanted: Mapping[str, Any]) -> str:
    name = wanted["name"]
    actual = await _config(operator, f"STREAM.INFO.{name}")
    if actual is None:
        await operator.api(f"STREAM.CREATE.{name}", wanted)
        return f"stream {name} created"
    if differences(wanted, actual):
        await operator.api(f"STREAM.UPDATE.{name}", {**actual, **wanted})
        return f"stream {name} corrected"
    return ""


async def _durable(operator: Broker, wanted: Mapping[str, Any]) -> str:
    name = wanted["config"]["name"]
    place = f"{wanted['stream_name']}.{name}"
    actual = await _config(operator, f"CONSUMER.INFO.{place}")
    if actual and not differences(wanted["config"], actual):
        return ""
    await operator.api(f"CONSUMER.DURABLE.CREATE.{place}", wanted)  # corrects what exists
    if actual and actual.get("pause_until"):  # has a call of its own: without a time, go on
        await operator.api(f"CONSUMER.PAUSE.{place}", {})
    return f"durable {name} {'corrected' if actual else 'created'}"


async def drift(
    broker: Broker,
    *,
    replicas: int,
    only: Iterable[str] = (EVENTS,),
    durables: Iterable[Mapping[str, Any]] = (),
) -> list[str]:
    """Where streams and durables are not as provisioned, one line each; empty when all is well."""
    wanted = {f"STREAM.INFO.{name}": (name, streams(replicas)[name]) for name in only}
    for consumer in durables:
        name = consumer["config"]["name"]
        wanted[f"CONSUMER.INFO.{consumer['stream_name']}.{name}"] = (name, consumer["config"])
    found: list[str] = []
    for call, (name, config) in wanted.items():
        actual = await _config(broker, call)
        if actual is None:
            found.append(f"{name}: missing")
        else:
            found += [f"{name}.{what}" for what in differences(config, actual)]
    return found


async def _config(broker: Broker, call: str) -> dict[str, Any] | None:
    """How a stream or consumer is configured; `None` when it does not exist."""
    try:
        return dict((await broker.api(call))["config"])
    except JetStreamRefusal as refusal:
        if refusal.code in _NOT_FOUND:
            return None
        raise


def differences(wanted: Mapping[str, Any], actual: Mapping[str, Any]) -> list[str]:
    """The settings that are not as wanted. The server leaves out what is false or zero."""
    return [
        f"{key}: {actual.get(key)!r} instead of {value!r}"
        for key, value in wanted.items()
        if (actual.get(key) or 0) != (value or 0)
    ]
