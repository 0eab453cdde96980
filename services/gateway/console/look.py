"""How a page looks: templates, the word catalogue, the style sheet, and the headers that keep it safe."""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import Response

from services.gateway.lettering import words
from services.gateway.life import STAGES, STEPS

_HERE = Path(__file__).parent
SHEET = (_HERE / "console.css").read_bytes()
SHEET_PATH = f"/console/console.{hashlib.sha256(SHEET).hexdigest()[:16]}.css"
"""Where the style sheet is; another sheet has another path, so a browser may keep it for ever."""
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
SOON = 3
"""Days before a deadline at which it is yellow."""


def _catalogue(text: str) -> dict[str, str]:
    """Section and name → words."""
    told = tomllib.loads(text)
    return {f"{part}.{name}": zh for part, names in told.items() for name, zh in names.items()}


WORDS = {
    **_catalogue((_HERE / "words.zh.toml").read_text(encoding="utf-8")),
    **{f"stage.{stage}": zh for stage, zh in STAGES.items()},
    **{f"did.rectification.issue.{step}": zh for step, zh in STEPS.items()},
}
"""Every word of the console; what a stage and a step are called is said in one place for all."""


def say(key: str, **parts: object) -> str:
    """The words of the catalogue, with their parts filled in."""
    return WORDS[key].format(**parts)


def period(name: str) -> str:
    """What a period is called: a stage of the plan by its name, a week or a month as it is written."""
    return WORDS.get(f"period.{name}", name)


def did(event: Mapping[str, Any]) -> str:
    """What an event of a biography is called."""
    return WORDS.get(f"did.{event['type'].rpartition('.')[0]}", WORDS["did.other"])


@dataclass(frozen=True)
class Due:
    """A deadline as people read it; red, yellow and green each have a symbol and words as well."""

    colour: Literal["over", "soon", "ok", "none"]
    words: str


def due(deadline: Mapping[str, Any] | None, stage: str, today: str) -> Due:
    """How long until a deadline that still runs, in days of the school's calendar."""
    if deadline is None or stage not in {"open", "owned", "planned", "underway", "long_term"}:
        return Due("none", say("due.none"))
    left = (date.fromisoformat(deadline["on"]) - date.fromisoformat(today)).days
    if left < 0:
        return Due("over", say("due.over", days=-left))
    if left == 0:
        return Due("soon", say("due.today"))
    return Due("soon" if left <= SOON else "ok", say("due.left", days=left))


def moment(instant: str | None, zone: str) -> str:
    """An instant as the school's clocks showed it."""
    if not instant:
        return say("page.nothing")
    there = datetime.fromisoformat(instant).astimezone(ZoneInfo(zone))
    return say("page.moment", y=there.year, m=there.month, d=there.day, time=f"{there:%H:%M}")


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {
        "say": say,
        "due": due,
        "did": did,
        "moment": moment,
        "period": period,
        "sheet": SHEET_PATH,
    }
    made.filters["words"] = words
    return made


ENVIRONMENT = _environment()


def page(template: str, status: int = 200, **told: object) -> Response:
    """A page; whatever anybody wrote stands in it as text."""
    text = ENVIRONMENT.get_template(template).render(told)
    return Response(text, status, HEADERS, media_type="text/html")
