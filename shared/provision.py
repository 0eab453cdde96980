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
            "replay_policy": "instant",
            "filter_subjects": sorted(filters),
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
    config = await _config(operator, f"STREAM.INFO.{name}")
    if config is None:
        await operator.api(f"STREAM.CREATE.{name}", wanted)
        return f"stream {name} created"
    if differences(wanted, config):
        await operator.api(f"STREAM.UPDATE.{name}", {**config, **wanted})
        return f"stream {name} corrected"
    return ""


async def _durable(operator: Broker, wanted: Mapping[str, Any]) -> str:
    place = f"{wanted['stream_name']}.{wanted['config']['name']}"
    config = await _config(operator, f"CONSUMER.INFO.{place}")
    if config and not differences(wanted["config"], config):
        return ""
    await operator.api(f"CONSUMER.DURABLE.CREATE.{place}", wanted)  # corrects what exists
    return f"durable {place} {'corrected' if config else 'created'}"


async def _config(operator: Broker, question: str) -> Mapping[str, Any] | None:
    """The configuration of a stream or consumer; `None` where there is none."""
    try:
        return dict((await operator.api(question))["config"])
    except JetStreamRefusal as refusal:
        if refusal.code not in _NOT_FOUND:
            raise
        return None


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
