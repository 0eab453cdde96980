"""How the broker has to be: streams and durable consumers, made by one command and watched for drift."""

from collections.abc import Iterable, Mapping
from typing import Any

from shared.broker import EVENTS, SCHEDULES, Broker, JetStreamRefusal

SECOND = 10**9  # JetStream counts in nanoseconds

_NOT_FOUND = frozenset({10014, 10059})
"""JetStream: no such consumer, no such stream."""


def streams(replicas: int) -> dict[str, dict[str, Any]]:
    """The streams' configuration: EVENTS can only grow; SCHEDULES holds timers, which must be removable."""
    common = {"storage": "file", "num_replicas": replicas, "retention": "limits"}
    return {
        EVENTS: {
            "name": EVENTS,
            "subjects": ["evt.*.*.*.*"],
            **common,
            "discard": "new",
            "max_msgs": -1,
            "max_bytes": -1,
            "max_age": 0,
            "max_msgs_per_subject": -1,
            "max_msg_size": -1,
            "deny_delete": True,
            "deny_purge": True,
            "allow_rollup_hdrs": False,
            "allow_direct": True,
            "allow_atomic": True,
            "duplicate_window": 120 * SECOND,
        },
        SCHEDULES: {
            "name": SCHEDULES,
            "subjects": ["sched.def.*", "sched.off.*", "sched.fire.*"],
            **common,
            "max_msgs_per_subject": 1,
            "allow_msg_schedules": True,
            "allow_msg_ttl": True,
            "duplicate_window": 120 * SECOND,
        },
    }


def durable(stream: str, name: str, *, starts: str = "first", filters: str = "") -> dict[str, Any]:
    """A consumer whose position the broker keeps; `starts` counts only when it is first made."""
    return {
        "stream_name": stream,
        "config": {
            "durable_name": name,
            "name": name,
            "deliver_policy": "all" if starts == "first" else "new",
            "ack_policy": "explicit",
            "ack_wait": 10 * SECOND,  # what a killed service had taken comes again after this
            "max_ack_pending": 1000,
            "replay_policy": "instant",
            **({"filter_subject": filters} if filters else {}),
        },
    }


async def provision(
    operator: Broker, durables: Iterable[Mapping[str, Any]], *, replicas: int
) -> list[str]:
    """Make or correct every stream and durable; give what was changed.

    Raises:
        JetStreamRefusal: the broker cannot be brought into the wanted state.
    """
    changed: list[str] = []
    for name, wanted in streams(replicas).items():
        try:
            info = await operator.api(f"STREAM.INFO.{name}")
        except JetStreamRefusal as refusal:
            if refusal.code not in _NOT_FOUND:
                raise
            await operator.api(f"STREAM.CREATE.{name}", wanted)
            changed.append(f"stream {name} created")
        else:
            if differences(wanted, info["config"]):
                await operator.api(f"STREAM.UPDATE.{name}", {**info["config"], **wanted})
                changed.append(f"stream {name} corrected")
    for consumer in durables:
        stream, name = consumer["stream_name"], consumer["config"]["name"]
        create = f"CONSUMER.DURABLE.CREATE.{stream}.{name}"
        try:
            info = await operator.api(f"CONSUMER.INFO.{stream}.{name}")
        except JetStreamRefusal as refusal:
            if refusal.code not in _NOT_FOUND:
                raise
            await operator.api(create, consumer)
            changed.append(f"durable {name} created")
        else:
            if differences(consumer["config"], info["config"]):
                await operator.api(create, consumer)  # corrects it where it exists
                changed.append(f"durable {name} corrected")
    return changed


async def drift(broker: Broker, *, replicas: int, only: Iterable[str] = (EVENTS,)) -> list[str]:
    """Where the broker's streams are not as provisioned, one line each; empty when all is well."""
    found: list[str] = []
    wanted = streams(replicas)
    for name in only:
        try:
            info = await broker.api(f"STREAM.INFO.{name}")
        except JetStreamRefusal:
            found.append(f"{name}: missing")
        else:
            found += [f"{name}.{what}" for what in differences(wanted[name], info["config"])]
    return found


def differences(wanted: Mapping[str, Any], actual: Mapping[str, Any]) -> list[str]:
    """The settings that are not as wanted. The server leaves out what is false or zero."""
    return [
        f"{key}: {actual.get(key)!r} instead of {value!r}"
        for key, value in wanted.items()
        if (actual.get(key) or 0) != (value or 0)
    ]
