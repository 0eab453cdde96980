"""Every number we publish, in one place. Labels come from closed lists only."""

from collections.abc import Awaitable, Callable

from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest

COMMANDS = Counter(
    "taizhang_commands_total",
    "Commands answered, by outcome: recorded, repeated, nothing-new, refused, unavailable, failed.",
    ["service", "command", "outcome"],
)
REFUSALS = Counter(
    "taizhang_refusals_total", "Commands refused, by the rule that said no.", ["service", "code"]
)
EVENTS = Counter("taizhang_events_total", "Events recorded.", ["service", "type"])
CONFLICTS = Counter(
    "taizhang_conflicts_total", "Appends decided again because the stream had moved.", ["service"]
)
APPEND_SECONDS = Histogram(
    "taizhang_append_seconds",
    "From sending an event to the broker's acknowledgement of its write to disk.",
    ["service"],
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 5),
)
QUERIES = Counter("taizhang_queries_total", "Queries answered.", ["service", "query", "outcome"])
VIEW_POSITION = Gauge(
    "taizhang_view_position", "The log position a service's views have applied.", ["service"]
)
VIEW_LAG = Gauge("taizhang_view_lag_events", "Events not yet applied to views.", ["service"])
LOG_POSITION = Gauge("taizhang_log_position", "The log's last position.", ["service"])
PARKED = Gauge(
    "taizhang_parked",
    "What is set aside and not skipped: streams, policy commands, timers, submissions.",
    ["service"],
)
UNKNOWN_TYPES = Counter(
    "taizhang_unknown_types_total",
    "Events skipped because this version does not know them.",
    ["service"],
)
DRIFT = Gauge("taizhang_config_drift", "1 when the broker is not as provisioned.", ["service"])
SEALED_POSITION = Gauge(
    "taizhang_sealed_position", "The log position the newest signed checkpoint reaches.", []
)
BROKER_TROUBLE = Counter(
    "taizhang_broker_trouble_total", "Errors the broker connection reported.", ["service"]
)
BOX_WAITING = Gauge(
    "taizhang_box_waiting", "Anonymous submissions not yet in the log.", ["service"]
)
TIMERS = Gauge("taizhang_timers", "Timers set.", ["service"])
TIMERS_FIRED = Counter(
    "taizhang_timers_fired_total",
    "Fired timers, by outcome: done, moot, unavailable, failed (the last two are tried again).",
    ["service", "outcome"],
)
HTTP_REQUESTS = Counter(
    "taizhang_http_requests_total", "HTTP answers, by route and status.", ["route", "status"]
)

# -- Of the schools: oversight's alone (services/oversight/telling.py) ----------------------------

ISSUES = Gauge("taizhang_issues", "Issues that count, by where they stand.", ["school", "stage"])
ISSUE_WINDS = Gauge(
    "taizhang_issue_winds",
    "The same by wind; an issue of two winds counts for each of them.",
    ["school", "wind", "stage"],
)
ISSUES_OVERDUE = Gauge("taizhang_issues_overdue", "Issues whose deadline has passed.", ["school"])
ISSUES_UNCLAIMED = Gauge("taizhang_issues_unclaimed", "Issues nobody has taken on.", ["school"])
OBLIGATIONS = Gauge(
    "taizhang_obligations",
    "What the plan asks for by today, by rule: done, missing, waived.",
    ["school", "rule", "state"],
)
OBLIGATIONS_OVERDUE = Gauge(
    "taizhang_obligations_overdue", "Of what is missing, what should have been.", ["school", "rule"]
)
RATES = Gauge(
    "taizhang_rate",
    "The three rates and their composite, of the last week's end they may be published of; else none.",
    ["school", "rate"],
)
VERDICTS = Gauge("taizhang_rate_verdicts", "The verdicts these rates are of.", ["school"])
FIGURES_POSITION = Gauge(
    "taizhang_figures_position",
    "The log position the figures of the schools are true at.",
    ["service"],
)

# -- Reading --------------------------------------------------------------------------------------

BEFORE_READING: list[Callable[[], Awaitable[None]]] = []
"""What brings numbers up to date when somebody reads them."""


async def told() -> tuple[bytes, str]:
    """Every number of this process as Prometheus reads them, and the media type."""
    for bring_up_to_date in [*BEFORE_READING]:
        await bring_up_to_date()
    return generate_latest(), CONTENT_TYPE_LATEST
