"""The console's pages before anybody looks: every word there, every text a text, nothing that could run."""

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, get_args

import pytest

from services.campaign.events import StageName
from services.feedback import events as feedback
from services.feedback.app import service as feedback_service
from services.gateway.console import desk, look
from services.gateway.console.acts import ACTS, CHOICES, MEDIA, Act, Field
from services.gateway.console.desk import AT_THE_DESK
from services.gateway.console.look import ENVIRONMENT, WORDS, due, say
from services.gateway.console.pages import WAITING, WALK, steps
from services.gateway.console.receipt import BY_RECEIPT, OF_AN_ISSUE, OPTIONS, Sheet, sheet
from services.gateway.console.talks import Row, grid
from services.rectification import events as rectification
from services.rectification.app import service
from shared.decider import Event, wire

HOSTILE = '"><script>alert(1)</script><b onclick="x" style="y">{{7*7}}{said}\u202e'
TEMPLATES = Path(look.__file__).parent / "templates"
SOURCES = {
    path.name: path.read_text("utf-8")
    for path in TEMPLATES.parent.rglob("*")
    if path.suffix in {".py", ".html"}
}
FRAME = {
    "base": "/console/s",
    "school": {"name": HOSTILE, "zone": "Asia/Shanghai", "today": "2026-03-01"},
    "me": {"name": HOSTILE},
    "here": "",
    "collates": True,
    "position": 7,
    "today": "2026-03-01",
    "form_token": HOSTILE,
    "problems": [{"field": "text", "words": HOSTILE}],
    "names": {"p": HOSTILE},
    "departments": {"d": HOSTILE},
    "next_page": "/console/s/ledger?after=1",
}
ISSUE: dict[str, Any] = {
    "id": "i", "version": 3, "title": HOSTILE, "description": HOSTILE, "stage": "underway",
    "addressee": "team", "discovery": "self_found", "winds": ["formalism"], "key_issue": True,
    "strongly_reflected": True, "opened_at": "2026-02-01T00:00:00Z", "owner": "p", "reviewer": "p",
    "accountable_leader": "p", "responsible_department": "d", "mode": "immediate",
    "due": {"at": "2026-02-27T16:00:00Z", "on": "2026-02-27"},
    "first_due": {"at": "2026-02-27T16:00:00Z", "on": "2026-02-27"}, "extensions": 0,
    "returned": 0, "statement": HOSTILE, "finding": HOSTILE, "struck_off_at": None,
    "measures": [{"text": HOSTILE, "owner": "p", "begins_on": "2026-02-01", "due_on": "2026-02-27",
                  "deliverable": HOSTILE}],
    "evidence": [{"name": HOSTILE, "sha256": "a" * 64, "phase": "before"}],
    "objection": HOSTILE, "extension_asked": "2026-03-09",
    "progress": {"text": HOSTILE}, "verdicts": [{"solved": "solved"}],
}  # fmt: skip
ENTRY = {
    "did": HOSTILE, "when": HOSTILE, "who": HOSTILE, "said": [HOSTILE], "turn": True, "position": 1,
    "hash": "b" * 64,
}  # fmt: skip
SUMMARY = {
    "total": 1, "overdue": ["i"], "unclaimed": [], "solved_not_struck_off": [], "by_stage": {},
}  # fmt: skip
RULE = {
    "rule": "R14", "quote": HOSTILE, "computed": True, "numerator": 1, "denominator": 2,
    "missing": 1, "waived": 1,
}  # fmt: skip


def _act(act: Act) -> dict[str, Any]:
    named = {f.name: [("x", HOSTILE)] for f in (*act.fields, *act.rows)}
    said = {name: [HOSTILE] for name in (*named, *(f"{n}.1" for n in named))}
    return {
        "act": act, "issue": ISSUE, "said": said, "again": True, "changed": [ENTRY], "rows": 1,
        "key": HOSTILE, "options": named,
    }  # fmt: skip


PAIR = {"people": ["p", "q"], "held": ["t"], "confirmed": []}
NO_TALKS: dict[str, Any] = {
    "on": "2026-03-01",
    **{
        part: {"required": 0, "held": 0, "missing": [], "items": []}
        for part in ("leader_member", "members", "member_head", "branches", "leads")
    },
}
LEAD = {"person": "p", "branch": "d", "leads": True, "first_on": "2026-02-02"}
TALKS: dict[str, Any] = {
    "found": {
        **NO_TALKS,
        "members": {"required": 9, "held": 1, "missing": [["p", HOSTILE]] * 8, "items": [PAIR]},
        "branches": {
            "required": 2, "held": 1, "missing": ["d"],
            "items": [{"branch": "d", "held": ["t"]}, {"branch": HOSTILE, "held": []}],
        },
        "leads": {
            "items": [LEAD, {**LEAD, "leads": False}, {**LEAD, "leads": False, "first_on": None}]
        },
    },
    "units": {"d": HOSTILE}, "rows": grid([PAIR], {}),
    "heads": [(["p", HOSTILE], how) for how in ("done", "part", "miss")],
}  # fmt: skip
OPINION = {
    "id": "o", "verbatim_text": HOSTILE, "channel": "wechat", "target_kind": "unknown",
    "state": "submitted",
}  # fmt: skip
BATCH = {
    "id": "b", "state": "open", "opened_at": "2026-02-01T00:00:00Z", "received": 4, "grouped": 2,
    "refused": 1, "left": 1, "issues": [{"id": "i", "title": HOSTILE, "stage": "open"}],
}  # fmt: skip
GROUP = {
    "key": "g", "title": HOSTILE, "parts": [{}], "addressee": "team", "discovery": "self_found",
}  # fmt: skip
FOLLOWED = {
    "state": "acknowledged", "verbatim_text": HOSTILE, "refusal": HOSTILE,
    "acknowledgement": HOSTILE, "messages": [{"text": HOSTILE, "from_originator": True}],
    "became": [
        {
            "id": "i", "title": HOSTILE, "stage": "on_notice", "notice": HOSTILE, "ending": HOSTILE,
            "objected": True, "objection_answer": None, "verdicts_until": None,
            "notice_until": "2026-02-01T00:00:00Z",
        }
    ],
}  # fmt: skip
ASKED: dict[str, Any] = {
    "me": None, "code": HOSTILE, "options": OPTIONS, "done": "", "tried": "",
    "walks": {"i": steps("on_notice")}, "later": [("withdraw", HOSTILE)],
    "sheets": [
        Sheet(act, issue, HOSTILE, {f.name: [HOSTILE] for f in act.fields}, HOSTILE, [])
        for act in BY_RECEIPT.values()
        for issue in ("i", "j")
    ],
}  # fmt: skip


PAGES: dict[str, tuple[str, dict[str, Any]]] = {
    "sign-in": (
        "sign-in.html",
        {"kept": [("text", HOSTILE)], "to": HOSTILE, "signed_out": True, "me": None},
    ),
    "refusal": ("refusal.html", {"words": HOSTILE, "code": HOSTILE}),
    "today": (
        "today.html",
        {
            "lists": [
                (c, [{"why": w, "issue": ISSUE, "due": look.Due(c, "x")} for w in WAITING])
                for c in ("over", "soon", "ok", "none")
            ],
            "summary": SUMMARY,
        },
    ),
    "ledger": (
        "ledger.html",
        {
            "items": [ISSUE], "summary": SUMMARY, "asked": {"stage": HOSTILE}, "later": True,
            "stages": [("open", "x")], "winds": [("x", "x")], "addressees": [("x", "x")],
            "people": [("p", HOSTILE)], "yes_no": [("true", "x")],
        },
    ),
    "issue": (
        "issue.html",
        {
            "issue": ISSUE, "steps": steps("underway"),
            "possible": [*ACTS.values()],
            "not_yet": [(HOSTILE, HOSTILE)], "done": "claim", "life": [ENTRY],
        },
    ),
    "intake": ("intake.html", {"said": {"verbatim_text": [HOSTILE]}, "key": "k", "me": None}),
    "intake-done": ("intake-done.html", {"code": HOSTILE, "me": None}),
    "receipt": ("receipt.html", {**ASKED, "found": FOLLOWED, "done": "send-message", "tried": ""}),
    "receipt-empty": (
        "receipt.html", {**ASKED, "code": "", "found": None, "sheets": [], "problems": []},
    ),
    "receipt-kept": ("receipt.html", {**ASKED, "found": None, "tried": "record-verdict"}),
    "collate-list": (
        "collate-list.html",
        {
            "batches": [BATCH], "waiting": [OPINION], "channels": {"wechat": HOSTILE},
            "key": HOSTILE,
        },
    ),
    "collate": (
        "collate.html",
        {
            "batch": BATCH, "groups": [GROUP], "pair": {"one": "o", "other": "p", "likeness": 0.5},
            "sides": [OPINION, OPINION], "number": 1, "pairs": 2, "channels": {"wechat": HOSTILE},
            "waiting": [{"value": "o:0:2", "opinion": OPINION, "text": HOSTILE}],
            "done": "refuse", "at_work": True,
        },
    ),
    "collate-even": (
        "collate.html",
        {
            "batch": {**BATCH, "left": 0}, "groups": [], "pair": None, "sides": [], "number": 1,
            "pairs": 0, "channels": {}, "waiting": [], "done": "", "at_work": True,
        },
    ),
    **{
        f"collate-{path}": (
            "collate-act.html",
            {
                "act": act, "batch": BATCH, "again": True, "offered": ["o:0:2"], "key": HOSTILE,
                "texts": [HOSTILE], "options": desk.options([("p", HOSTILE)], [("o:0:2", HOSTILE)]),
                "said": {
                    "title": [HOSTILE], "reason": [HOSTILE], "group": [HOSTILE], "opinion": ["o"],
                    "parts": ["o:0:2"],
                },
            },
        )
        for path, act in AT_THE_DESK.items()
    },
    "talks": ("talks.html", TALKS),
    "talks-none": ("talks.html", {**TALKS, "rows": [], "heads": [], "found": NO_TALKS}),
    "rules": ("rules.html", {"rules": [RULE, {**RULE, "computed": False}], "as_of": "2026-03-01"}),
    "outstanding": (
        "outstanding.html",
        {
            "rule": HOSTILE, "total": 1, "as_of": "2026-03-01",
            "items": [{"subject": ["p", HOSTILE], "period": "x", "due_on": None, "overdue": True}],
        },
    ),
    "audit": (
        "audit.html",
        {"sealed": dict.fromkeys(("size", "origin", "root", "key", "checkpoint"), HOSTILE)},
    ),
    **{f"act-{path}": ("act.html", _act(act)) for path, act in ACTS.items()},
}  # fmt: skip


class Tags(HTMLParser):
    """What a page consists of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def of(self, name: str) -> Iterator[dict[str, str | None]]:
        return (attrs for tag, attrs in self.tags if tag == name)


@pytest.fixture(params=PAGES)
def page(request: pytest.FixtureRequest) -> str:
    template, told = PAGES[request.param]
    return ENVIRONMENT.get_template(template).render({**FRAME, **told})


def test_whatever_people_write_stays_text_and_nothing_in_a_page_could_run(page: str) -> None:
    tags = Tags(page).tags
    assert not {tag for tag, _ in tags} & {"script", "style", "iframe", "object", "b2"}
    names = {name for _, attrs in tags for name in attrs}
    assert "style" not in names
    assert not {name for name in names if name.startswith("on")}
    assert "alert(1)" not in page or "&lt;script&gt;alert(1)" in page
    assert "49" not in re.findall(r"\{\{7\*7\}\}|49", page)


def test_a_page_has_a_language_a_title_one_heading_and_labelled_fields(page: str) -> None:
    tags = Tags(page)
    assert [html["lang"] for html in tags.of("html")] == ["zh-CN"]
    assert len(list(tags.of("title"))) == 1
    assert len(list(tags.of("h1"))) == 1
    ids = [attrs["id"] for _, attrs in tags.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    labelled = {label.get("for") for label in tags.of("label")}
    for name in ("input", "textarea", "select"):
        for control in tags.of(name):
            if control.get("type") not in {"hidden", "radio", "checkbox"}:
                assert control["id"] in labelled


def test_every_form_that_sends_has_the_sessions_token(page: str) -> None:
    posting = page.count('method="post"')
    assert page.count('<input type="hidden" name="form"') == posting


def test_every_word_that_is_said_is_in_the_catalogue_and_every_word_is_said() -> None:
    text = "\n".join(SOURCES.values())
    said = set(re.findall(r"say\(\s*f?['\"]([a-z_]+\.[\w.-]*)", text))
    acts = (*ACTS.values(), *BY_RECEIPT.values(), *AT_THE_DESK.values())
    said |= {f.label for act in acts for f in (*act.fields, *act.rows)}
    begun = tuple(word for word in said if word.endswith((".", "_")))
    assert said - {*begun} <= WORDS.keys()
    for beginning in begun:  # the rest comes from what is shown
        assert any(word.startswith(beginning) for word in WORDS), beginning
    elsewhere = re.findall(r"[\"']([a-z_]+\.\w+)[\"']", text)
    counted = (*begun, "did.", "field.", "act.", "stage.", "period.", "mark.", "refused_as.")
    assert {w for w in WORDS if not w.startswith(counted)} <= said | {*elsewhere}


def test_templates_hold_no_words_of_their_own() -> None:
    assert [n for n, s in SOURCES.items() if n.endswith(".html") and re.search("[一-鿿]", s)] == []


@pytest.mark.parametrize("of", [rectification, feedback], ids=["rectification", "feedback"])
def test_every_step_of_a_biography_has_a_name(of: object) -> None:
    events = (e for e in vars(of).values() if isinstance(e, type) and issubclass(e, Event))
    told = {str(e.TYPE) for e in events if "TYPE" in vars(e)}
    apart = ("feedback.solicitation", "feedback.report", "feedback.disclosure")
    there = {t.rpartition(".")[0] for t in told if not t.startswith(apart)}
    assert {f"did.{name}" for name in there} <= WORDS.keys()


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_a_form_has_the_fields_of_its_command(act: Act) -> None:
    stream, command = service.commands()[act.command]
    assert stream.plural == "issues"
    wire(command).model_validate_json(json.dumps(act.trial))
    needed = {n for n, f in wire(command).model_fields.items() if f.is_required()} - {"measures"}
    assert needed <= {f.name for f in act.fields} <= wire(command).model_fields.keys()
    for key in (f"act.{act.path}", f"act.{act.path}_lead"):
        assert key in WORDS


def test_every_act_on_an_issue_that_a_person_gives_has_a_form_or_is_left_to_the_api() -> None:
    given = {
        name
        for name, (stream, command) in service.commands().items()
        if stream.plural == "issues" and not command.creates and command.allowed != {"service"}
    }
    apart = {"correct-issue", "look-back", "record-verdict"}
    assert given - {act.command for act in ACTS.values()} == apart


@pytest.mark.parametrize("act", BY_RECEIPT.values(), ids=BY_RECEIPT)
def test_what_a_receipt_lets_do_is_what_the_api_lets_it(act: Act) -> None:
    stream, command = {**service.commands(), **feedback_service.commands()}[act.command]
    assert "originator" in command.allowed
    assert (stream.decider.category == "issue") is (act.path in OF_AN_ISSUE)
    wire(command).model_validate_json(json.dumps(act.trial))
    assert {f.name for f in act.fields} == wire(command).model_fields.keys()
    for part in ("", "_lead", "_submit", "_refused", "_done", "_early"):
        assert f"by_receipt.{act.path}{part}" in WORDS


def test_the_desk_offers_what_its_commands_take() -> None:
    known = {"winds": feedback.Wind, "discovery": feedback.Discovery,
             "addressee": feedback.Addressee, "code": feedback.RefusalCode}  # fmt: skip
    for name, values in known.items():
        assert {*desk.CHOICES[name]} - {desk.NO_WIND} == {*values}
    for act in AT_THE_DESK.values():
        assert {f"desk.{act.path}", f"desk.{act.path}_lead"} <= WORDS.keys()
        assert act.command in feedback_service.commands()


def test_a_proposed_issue_is_read_from_its_form_as_the_command_has_it() -> None:
    form = {
        "key": ["0123456789abcdef"], "parts": ["o", "p:0:4", "q:x:y"], "title": [" 排队太久 "],
        "winds": ["formalism"], "discovery": ["self_found"], "addressee": ["team"], "person": [""],
        "marks": ["key_issue"],
    }  # fmt: skip
    told = desk.body(AT_THE_DESK["group-opinions"], form)
    _, command = feedback_service.commands()["group-opinions"]
    wire(command).model_validate_json(json.dumps(told))
    assert told["parts"] == [
        {"opinion": "o"},
        {"opinion": "p", "start": 0, "end": 4},
        {"opinion": "q"},
    ]
    assert (told["title"], told["winds"], told["not_four_winds"]) == (
        "排队太久",
        ["formalism"],
        False,
    )
    assert (told["key_issue"], told["strongly_reflected"]) == (True, False)
    neither = desk.body(AT_THE_DESK["group-opinions"], {**form, "winds": ["none"]})
    assert (neither["winds"], neither["not_four_winds"]) == ([], True)
    assert [desk.named(p) for p in told["parts"]] == ["o", "p:0:4", "q"]


def test_a_piece_is_told_by_its_own_words_and_a_mask_stays_whole() -> None:
    piece = {"opinion": "o", "start": 2, "end": 4}
    assert desk.said({"verbatim_text": "一二三四五"}, piece) == "三四"
    assert desk.said({"verbatim_text": {"masked": "erased"}}, piece) == "〔已抹除〕"


def test_the_matrix_shows_each_pair_twice_and_counts_only_what_is_asked_for() -> None:
    pairs = [
        {"people": ["a", "b"], "held": ["t"], "confirmed": ["t"]},
        {"people": ["a", "c"], "held": ["u"], "confirmed": []},
        {"people": ["b", "d"], "held": [], "confirmed": []},
    ]
    rows = grid(pairs, {"b": "乙", "a": "甲", "c": "丙"})
    assert [row.person for row in rows] == ["b", "a", "c", "d"]
    assert rows[0] == Row("b", [("b", "self"), ("a", "done"), ("c", "void"), ("d", "miss")], 1, 2)
    assert rows[1] == Row("a", [("b", "done"), ("a", "self"), ("c", "part"), ("d", "void")], 2, 2)
    assert grid([], {}) == []


@pytest.mark.parametrize(
    ("act", "stage", "folded"),
    [
        ("record-verdict", "struck_off", False),
        ("raise-objection", "on_notice", False),
        ("raise-objection", "struck_off", True),
        ("send-message", "", False),
        ("withdraw", "", True),
    ],
)
def test_a_receipt_asks_for_what_is_due_and_folds_the_rest(
    act: str, stage: str, *, folded: bool
) -> None:
    shown = sheet(BY_RECEIPT[act], {"id": "", "title": "", "stage": stage})
    told = {**FRAME, **ASKED, "found": None, "later": [], "sheets": [shown], "problems": []}
    page = Tags(ENVIRONMENT.get_template("receipt.html").render(told))
    assert len([*page.of("details")]) == folded


def test_a_receipt_offers_whatever_the_api_offers_it() -> None:
    offered = {
        name
        for s in (service, feedback_service)
        for name, (_, command) in s.commands().items()
        if "originator" in command.allowed
    }
    assert offered == {act.command for act in BY_RECEIPT.values()}


def test_a_receipt_has_words_for_every_stage_and_every_verdict() -> None:
    told = {word.removeprefix("receipt.stands_") for word in WORDS}
    assert {*get_args(rectification.Stage.__value__)} <= told
    assert [v for v, _ in OPTIONS["solved"]] == [*rectification.Solved]
    assert [v for v, _ in OPTIONS["satisfied"]] == [*rectification.Satisfied]


def test_what_can_be_chosen_is_what_the_commands_take() -> None:
    modes, codes = set(rectification.Mode), set(rectification.ReturnReason)
    assert (set(CHOICES["mode"]), set(CHOICES["code"])) == (modes, codes)
    assert set(CHOICES["cause"]) == set(rectification.ReopenCause)
    assert {f"field.{word}" for word in MEDIA.values()} <= WORDS.keys()


def test_a_stage_of_the_plan_is_named_and_a_week_stays_as_it_is() -> None:
    names = {f"period.{name.value.replace('_', '-')}" for name in StageName}
    assert names == {word for word in WORDS if word.startswith("period.")}
    assert look.period("2026-W10") == "2026-W10"


def test_rows_left_empty_are_no_measures() -> None:
    form = {"rows": ["2"], "text.1": ["换灯"], "owner.1": [""], "text.2": [" "], "mode": [""]}
    assert ACTS["plan-measures"].body(form) == {"measures": [{"text": "换灯"}]}


@pytest.mark.parametrize(
    ("on", "stage", "colour", "words"),
    [
        ("2026-02-27", "underway", "over", "逾期2日"),
        ("2026-03-01", "open", "soon", "今天到期"),
        ("2026-03-04", "owned", "soon", "剩3日"),
        ("2026-03-05", "planned", "ok", "剩4日"),
        ("2026-02-27", "struck_off", "none", "不限期"),
    ],
)
def test_a_deadline_has_a_colour_and_words(on: str, stage: str, colour: str, words: str) -> None:
    assert due({"on": on}, stage, "2026-03-01") == look.Due(colour, words)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("why", "changed", "waits"),
    [
        ("publish", {}, True),
        ("publish", {"owner": "me"}, False),
        ("publish", {"person": "me"}, False),
        ("strike", {}, True),
        ("strike", {"notice_until": {"at": "2999-01-01T00:00:00Z"}}, False),
        ("strike", {"objection": "不实"}, False),
        ("strike", {"owner": "me"}, False),
        ("answer", {"objection": "不实"}, True),
        ("answer", {}, False),
        ("extend", {"extension_asked": "2026-03-09"}, True),
        ("extend", {"extension_asked": "2026-03-09", "owner": "me"}, False),
        ("extend", {}, False),
        ("claim", {"person": "me"}, True),
        ("claim", {"person": "p"}, False),
        ("own", {"stage": "awaiting_verification"}, False),
    ],
)
def test_an_issue_waits_for_whoever_may_do_what_comes_next(
    why: str, changed: dict[str, Any], *, waits: bool
) -> None:
    line = {**ISSUE, "person": None, "objection": None, "extension_asked": None}
    line["notice_until"] = {"at": "2026-02-01T00:00:00Z"}
    me = {"id": "me", "as_of": {"roles": ["team_member"]}}
    assert WAITING[why][2]({**line, **changed}, me) is waits


def test_only_the_team_is_asked_to_claim() -> None:
    me = {"id": "me", "as_of": {"roles": ["supervisor"]}}
    assert not WAITING["claim"][2]({**ISSUE, "person": None}, me)


def test_steps_are_behind_at_and_before_where_an_issue_stands() -> None:
    assert [s for _, s in steps("planned")][:4] == ["past", "past", "now", "later"]
    assert {s for _, s in steps("merged")} == {"later"}
    assert len(steps("open")) == len(WALK)


def test_parts_of_a_sentence_are_never_read_as_its_form() -> None:
    assert say("today.own", title=HOSTILE) == f"“{HOSTILE}”"
    assert isinstance(ACTS["claim"].fields, tuple)
    assert Field("text", "text", "field.text").help == ""
