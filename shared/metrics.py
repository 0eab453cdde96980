"""Every number we publish, in one place. Labels come from closed lists only."""

from prometheus_client import Counter, Gauge, Histogram

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
