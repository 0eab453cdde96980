"""What can be done to an issue, as forms: each is a command of the HTTP door, and rehearsed before shown."""

import asyncio
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import Response

from services.gateway.console.door import Door, Form, Visit, one, sent_by
from services.gateway.console.life import Told, told
from services.gateway.console.look import say
from services.gateway.lettering import words
from services.gateway.problems import STATUS, answer_of
from services.gateway.receipts import Refused
from shared.decider import NotFound, Unavailable

MOST_ROWS = 50


@dataclass(frozen=True)
class Field:
    """A field of a form: the command's own name for it, and how it is filled in."""

    name: str
    kind: Literal["text", "line", "date", "choice", "checks", "pick"]
    label: str
    help: str = ""


@dataclass(frozen=True)
class Act:
    """A command on an issue; `rows` are the fields of a list in it.

    It is rehearsed with `trial`. Where a refusal may be due to that, only those that `bar` the way count;
    of a choice `any_of` which may be right, each is tried. `looked` is an act on what was seen: it is
    refused if that has changed. What is done but `seldom` stands apart.
    """

    path: str
    command: str
    fields: tuple[Field, ...] = ()
    rows: tuple[Field, ...] = ()
    trial: Mapping[str, Any] = field(default_factory=dict)
    bars: frozenset[str] = frozenset()
    any_of: str = ""
    looked: bool = True
    seldom: bool = False

    def body(self, form: Form) -> dict[str, Any]:
        """What the form says, as the command has it; what is left empty is left out."""
        said = {f.name: v for f in self.fields if (v := _value(f, form, f.name))}
        if self.rows:
            rows = ({f.name: _value(f, form, f"{f.name}.{n}") for f in self.rows}
                    for n in range(1, rows_of(form) + 1))  # fmt: skip
            said["measures"] = [
                {n: v for n, v in row.items() if v} for row in rows if any(row.values())
            ]
        return said


def _value(f: Field, form: Form, name: str) -> Any:  # noqa: ANN401 -- a text or a list of them
    return form.get(name, []) if f.kind == "checks" else one(form, name).strip()


def rows_of(form: Form) -> int:
    """How many rows a form has."""
    rows = one(form, "rows")
    return min(int(rows), MOST_ROWS) if rows.isascii() and rows.isdecimal() and rows != "0" else 1


_BARS = frozenset({
    "out-of-order", "not-the-owner", "not-allowed", "merged-elsewhere", "merged-in-a-circle",
    "already-owned", "already-asked", "collation-still-open", "objection-pending",
    "party-to-the-matter",
})  # fmt: skip
_HASH = "0" * 64
ACTS: dict[str, Act] = {
    act.path: act
    for act in (
        Act("claim", "claim-issue"),
        Act(
            "assign",
            "assign-issue",
            (Field("owner", "pick", "ledger.owner"), Field("reason", "text", "field.reason")),
            trial={"owner": "nobody", "reason": "—"},
            bars=_BARS,
        ),
        Act("start-rectification", "start-rectification"),
        Act("grant-extension", "grant-extension", (Field("remarks", "text", "field.remarks"),)),
        Act("refuse-extension", "refuse-extension", (Field("reason", "text", "field.reason"),),
            trial={"reason": "—"}),
        Act("dismiss-objection", "dismiss-objection", (Field("answer", "text", "field.answer"),),
            trial={"answer": "—"}),
        Act("uphold-objection", "uphold-objection", (Field("answer", "text", "field.answer"),),
            trial={"answer": "—"}),
        Act(
            "report-progress",
            "report-progress",
            (Field("text", "text", "field.text"),),
            trial={"text": "—"},
            looked=False,
        ),
        Act(
            "add-evidence",
            "add-evidence",
            (
                Field("name", "line", "field.name"),
                Field("sha256", "line", "field.sha256", "field.sha256_help"),
                Field("phase", "choice", "field.phase"),
                Field("media_type", "pick", "field.media_type"),
            ),
            trial={"name": "—", "sha256": _HASH, "phase": "after", "media_type": "image/jpeg"},
            looked=False,
        ),
        Act(
            "request-strike-off",
            "request-strike-off",
            (
                Field("statement", "text", "field.statement"),
                Field("evidence", "checks", "field.evidence"),
            ),
            trial={"statement": "—", "evidence": [_HASH]},
        ),
        Act("verify", "verify-issue", (Field("finding", "text", "field.finding"),),
            trial={"finding": "—"}),
        Act(
            "return",
            "return-issue",
            (Field("code", "choice", "field.code"), Field("reason", "text", "field.reason")),
            trial={"code": "other", "reason": "—"},
        ),
        Act("publish-notice", "publish-notice", (Field("text", "text", "field.text_notice"),),
            trial={"text": "—"}),
        Act("strike-off", "strike-off"),
        Act(
            "plan-measures",
            "plan-measures",
            (
                Field("mode", "choice", "field.mode"),
                Field("reviewer", "pick", "field.reviewer", "field.reviewer_help"),
                Field("accountable_leader", "pick", "field.accountable_leader"),
                Field("responsible_department", "pick", "field.responsible_department"),
                Field("due_on", "date", "field.due_on"),
            ),
            rows=(
                Field("text", "line", "field.measure_text"),
                Field("owner", "pick", "field.measure_owner"),
                Field("begins_on", "date", "field.measure_begins_on"),
                Field("due_on", "date", "field.measure_due_on"),
                Field("deliverable", "line", "field.measure_deliverable"),
            ),
            trial={
                "mode": "immediate", "reviewer": "nobody", "accountable_leader": "nobody",
                "measures": [{"text": "—", "owner": "nobody", "begins_on": "2000-01-01",
                              "due_on": "2000-01-01", "deliverable": "—"}],
            },
            bars=_BARS,
        ),
        Act(
            "request-extension",
            "request-extension",
            (Field("until", "date", "field.until"), Field("reason", "text", "field.reason")),
            trial={"until": "2000-01-01", "reason": "—"},
            bars=_BARS,
        ),
        Act(
            "reopen",
            "reopen-issue",
            (
                Field("cause", "choice", "field.cause"),
                Field("reason", "text", "field.reason"),
                Field("owner", "pick", "field.owner_again"),
            ),
            trial={"cause": "relapse", "reason": "—"},
            bars=_BARS | {"no-grounds", "four-eyes"},
            any_of="cause",
        ),
        Act("raise-objection", "raise-objection", (Field("text", "text", "field.objection"),),
            trial={"text": "—"}, seldom=True),
        Act("decline", "decline-issue", (Field("reason", "text", "field.reason"),),
            trial={"reason": "—"}, seldom=True),
        Act(
            "transfer",
            "transfer-issue",
            (Field("to", "pick", "field.to"), Field("reason", "text", "field.reason")),
            trial={"to": "nobody", "reason": "—"},
            bars=_BARS,
            seldom=True,
        ),
        Act(
            "convert-to-long-term",
            "convert-to-long-term",
            (
                Field("reason", "text", "field.reason"),
                Field("stage_goal", "text", "field.stage_goal"),
            ),
            trial={"reason": "—", "stage_goal": "—"},
            seldom=True,
        ),
        Act(
            "explain-not-possible",
            "explain-not-possible",
            (Field("explanation", "text", "field.explanation"),),
            trial={"explanation": "—"},
            seldom=True,
        ),
        Act(
            "merge",
            "merge-issue",
            (
                Field("into", "pick", "field.into", "field.into_help"),
                Field("reason", "text", "field.reason"),
            ),
            trial={"into": "nothing", "reason": "—"},
            bars=_BARS | {"four-eyes"},
            seldom=True,
        ),
        Act("void", "void-issue", (Field("reason", "text", "field.reason"),),
            trial={"reason": "—"}, seldom=True),
    )
}  # fmt: skip
"""Every act on an issue, the likeliest first."""
CHOICES = {
    "cause": ("verdict_unsolved", "objection_upheld", "relapse"),
    "mode": ("immediate", "time_limited", "long_term"),
    "code": ("not_solved", "evidence_missing", "evidence_unfit", "only_on_paper", "other"),
    "phase": ("before", "after"),
}
MEDIA = {
    "image/jpeg": "media_image",
    "application/pdf": "media_pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "media_word",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "media_sheet",
}


async def possible(
    visit: Visit, issue: Mapping[str, Any]
) -> tuple[list[Act], list[tuple[str, str]]]:
    """What this person can do now, and of the rest of what is theirs to do why not.

    The rules themselves are asked; what has the same reason is told together.
    """

    async def tried(act: Act, **chosen: str) -> str | None:
        trial = {**act.trial, **chosen}
        if "evidence" in trial and issue["evidence"]:
            trial["evidence"] = [e["sha256"] for e in issue["evidence"]]
        try:
            reply = await visit.asking.do(
                visit.session, act.command, trial, key=secrets.token_hex(16),
                target=issue["id"], rehearse=True,
            )  # fmt: skip
        except Refused as refusal:
            decisive = not act.bars or refusal.error["code"] in act.bars
            return str(refusal.error["title"]["zh"]) if decisive else ""
        return "" if reply.get("type") else None

    async def best(act: Act) -> str | None:
        ways = [{act.any_of: way} for way in CHOICES[act.any_of]] if act.any_of else [{}]
        found = await asyncio.gather(*(tried(act, **way) for way in ways))
        return "" if "" in found else found[0]

    theirs = [act for act in ACTS.values() if visit.may(act.command)]
    known = [*zip(theirs, await asyncio.gather(*map(best, theirs)), strict=True)]
    later: dict[str, list[str]] = {}
    for act, why in known:
        if why:
            later.setdefault(why, []).append(say(f"act.{act.path}"))
    told = [(say("page.and").join(acts), why) for why, acts in later.items()]
    return [act for act, why in known if why == ""], told


class Acts:
    """The pages on which something is done."""

    def __init__(self, door: Door) -> None:
        """The door lets people in."""
        self.door = door

    async def show(self, request: Request) -> Response:
        """An empty form."""
        visit = await self.door.member(request)
        return await self.form(visit, request.path_params["id"], request.path_params["act"], {})

    async def take(self, request: Request) -> Response:
        """Do what a form says; on to the issue, or back to the form with the reason and every word of it."""
        form, visit = await sent_by(self.door, request)
        issue, path = request.path_params["id"], request.path_params["act"]
        if not visit.session.vouches(one(form, "form")):
            return await self.form(visit, issue, path, form, again=True)
        act = _act(path)
        if one(form, "more") and act.rows:
            form["rows"] = [str(min(rows_of(form) + 1, MOST_ROWS))]
            return await self.form(visit, issue, path, form)
        try:
            reply = await self.door.asking.do(
                visit.session, act.command, act.body(form), key=one(form, "key"), target=issue,
                version=one(form, "version") if act.looked else None,
            )  # fmt: skip
        except Refused as refusal:
            return await self.form(visit, issue, path, form, error=refusal.error)
        except Unavailable as trouble:
            return await self.form(visit, issue, path, form, error=answer_of(trouble))
        return visit.go(f"issues/{issue}?done={path}", visit.session.seen(reply["position"]))

    async def form(
        self,
        visit: Visit,
        issue_id: str,
        path: str,
        said: Form,
        *,
        again: bool = False,
        error: Mapping[str, Any] | None = None,
    ) -> Response:
        """The form of an act with what was `said` in it, and why it was not done if it was tried."""
        act = _act(path)
        wanted = {f.name for f in act.fields}
        issue, names, departments, others = await asyncio.gather(
            visit.find("issue", id=issue_id),
            visit.names(),
            visit.departments(),
            _others(visit, issue_id) if "into" in wanted else _none(),
        )
        seen = one(said, "version")
        changed: list[Told] = []
        if error and seen.isdecimal() and int(seen) < issue["version"]:
            biography = await visit.asking.all(visit.session, "issue-biography", id=issue_id)
            own = f"issue.{issue_id}"
            since = [e for e in told(biography, visit.school["zone"]) if e.stream == own]
            changed = [e for e in since if e.version > int(seen)]
        status = 403 if again else STATUS.get(error["code"], 409) if error else 200
        return visit.page(
            "act.html", issue["position"], "ledger", status,
            act=act, issue=issue, said=said, again=again, changed=changed, rows=rows_of(said),
            key=one(said, "key") or secrets.token_hex(16),
            problems=problems_of(act, error) if error else [],
            options={**_options(issue, names, departments), "into": others},
        )  # fmt: skip


async def _others(visit: Visit, issue_id: str) -> list[tuple[str, str]]:
    """The issues this one may be merged into."""
    found = await visit.asking.all(visit.session, "issues", live=True)
    return [(i["id"], words(i["title"])) for i in found["items"] if i["id"] != issue_id]


async def _none() -> list[tuple[str, str]]:
    return []


def _act(path: str) -> Act:
    act = ACTS.get(path)
    if act is None:
        raise NotFound
    return act


def _options(
    issue: Mapping[str, Any], names: Mapping[str, str], departments: Mapping[str, str]
) -> dict[str, Iterable[tuple[str, str]]]:
    """What can be chosen from, field by field."""
    people = [*names.items()]
    return {
        **dict.fromkeys(("reviewer", "accountable_leader", "owner", "to"), people),
        "responsible_department": [*departments.items()],
        "mode": [(m, say(f"mode.{m}")) for m in CHOICES["mode"]],
        "code": [(c, say(f"field.code_{c}")) for c in CHOICES["code"]],
        "cause": [(c, say(f"field.cause_{c}")) for c in CHOICES["cause"]],
        "phase": [(p, say(f"field.phase_{p}")) for p in CHOICES["phase"]],
        "media_type": [(kind, say(f"field.{word}")) for kind, word in MEDIA.items()],
        "evidence": [(e["sha256"], str(e["name"])) for e in issue["evidence"]],
    }


def problems_of(act: Act, error: Mapping[str, Any]) -> list[dict[str, str]]:
    """What is wrong, in words, each with the control it is about."""
    if error["code"] == "unavailable":
        return [{"field": "", "words": say("act.unavailable")}]
    labels = {f.name: (f.name, f) for f in act.fields}
    for n in range(MOST_ROWS):
        labels |= {f"measures.{n}.{f.name}": (f"{f.name}.{n + 1}", f) for f in act.rows}
    if act.rows:
        labels["measures"] = (f"{act.rows[0].name}.1", act.rows[0])
    found = []
    for wrong in error.get("fields", ()):
        control, f = labels.get(wrong["field"], ("", None))
        if f:
            left_out = wrong["problem"] in {"missing", "too_short", "string_too_short"}
            written = f.kind in {"text", "line", "date"}
            how = "missing" if written else "unchosen"
            told = say(f"wrong.{how if left_out else 'other'}", field=say(f.label))
            found.append({"field": control, "words": told})
    return found or [{"field": "", "words": error["title"]["zh"]}]
