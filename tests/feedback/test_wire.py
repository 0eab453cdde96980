"""What a sender may fill in: everything needed passes as JSON, everything else is refused by its field."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from services.feedback.app import service
from services.feedback.box import ReceiptToken
from services.feedback.domain.collation import (
    GroupOpinions,
    OpenCollation,
    RegroupOpinions,
    SetPartAside,
    SplitOpinion,
    TakePartBack,
    UngroupOpinions,
    VoidCollation,
)
from services.feedback.domain.disclosure import (
    ApproveDisclosure,
    RequestDisclosure,
    WithdrawDisclosure,
)
from services.feedback.domain.opinion import (
    AcknowledgeOpinion,
    CorrectOpinion,
    LiftMasking,
    ReconsiderOpinion,
    RedactOpinion,
    RefuseOpinion,
    SendMessage,
    SubmitOpinion,
    VoidOpinion,
    WithdrawOpinion,
)
from services.feedback.domain.report import CompileReport, CorrectReport, VoidReport
from services.feedback.domain.solicitation import (
    CloseSolicitation,
    CorrectSolicitation,
    OpenSolicitation,
    VoidSolicitation,
)
from shared.decider import Command, wire
from shared.marks import MAX_TEXT, Personal, Sealed, marked

GROUP = {
    "key": "forms",
    "title": "评价表重复",
    "parts": [{"opinion": "o1", "start": 0, "end": 8}, {"opinion": "o2"}],
    "addressee": "team",
    "winds": ["formalism"],
    "topics": ["teaching"],
    "discovery": "raised_by_public",
}
WINDOW = {
    "scope": "全体教职工",
    "channels": ["symposium", "suggestion_box"],
    "opens_on": "2023-02-01",
    "closes_on": "2023-04-30",
}
ANALYSIS = {"responsibility": "一", "thinking": "二", "measures": "三"}
RANGES = {"ranges": [{"start": 0, "end": 3}], "reason": "姓名"}

GOOD: dict[type[Command], dict[str, Any]] = {
    OpenSolicitation: {
        "in_name_of": "organisation", "campaign": "c1", "subject": "four_winds", **WINDOW,
    },
    CorrectSolicitation: {**WINDOW, "reason": "日期有误"},
    CloseSolicitation: {"on": "2023-04-30"},
    VoidSolicitation: {"reason": "重复"},
    SubmitOpinion: {
        "verbatim_text": "食堂太贵",
        "channel": "other",
        "channel_text": "校长信箱",
        "solicitation": "s1",
        "target_kind": "department",
        "target": "canteen",
        "sitting": "2月21日座谈会",
        "voiced_by": "退休教师",
        "contact": "13800000000",
        "recorded_by_clerk": True,
        "attachments": [{"sha256": "5e" * 32, "media_type": "image/jpeg", "size": 10}],
        "occurred_at": "2023-02-21T16:00:00+08:00",
    },
    AcknowledgeOpinion: {},
    RefuseOpinion: {"code": "out_of_scope", "reason": "由上级决定"},
    ReconsiderOpinion: {"reason": "可以试点"},
    SendMessage: {"text": "请问是哪个年级？"},
    WithdrawOpinion: {},
    RedactOpinion: {"mode": "masking", **RANGES},
    LiftMasking: RANGES,
    CorrectOpinion: {"channel": "weibo", "target_kind": "unknown", "reason": "选错"},
    VoidOpinion: {"reason": "登记两次"},
    OpenCollation: {"solicitation": "s1", "opinions": ["o1", "o2"]},
    SplitOpinion: {"opinion": "o1", "cuts": [8]},
    GroupOpinions: GROUP,
    RegroupOpinions: GROUP,
    UngroupOpinions: {"key": "forms"},
    SetPartAside: {"part": GROUP["parts"][0], "code": "no_request", "reason": "问候"},
    TakePartBack: {"part": {"opinion": "o1", "start": 0, "end": 8}},
    VoidCollation: {"reason": "选错"},
    CompileReport: {"solicitation": "s1", "member": "tan", **ANALYSIS},
    CorrectReport: {**ANALYSIS, "reason": "遗漏"},
    VoidReport: {"reason": "选错"},
    RequestDisclosure: {"opinion": "o1", "reason": "当面答谢"},
    ApproveDisclosure: {"reason": "本人同意"},
    WithdrawDisclosure: {"reason": "不需要了"},
}  # fmt: skip

COMMANDS = [command for _, command in service.commands().values()]
every_command = pytest.mark.parametrize("command", COMMANDS, ids=[c.__name__ for c in COMMANDS])


def parse(command: type[Command], **fields: object) -> object:
    return wire(command).model_validate_json(json.dumps({**GOOD.get(command, {}), **fields}))


def parse_without(command: type[Command], *names: str) -> object:
    fields = {name: value for name, value in GOOD[command].items() if name not in names}
    return wire(command).model_validate_json(json.dumps(fields))


@every_command
def test_a_good_body_is_understood(command: type[Command]) -> None:
    assert parse(command)


@every_command
def test_what_the_runtime_sets_is_not_the_senders_to_give(command: type[Command]) -> None:
    for name in ("by", "at", "stream", "salt", "verbatim_sha256", "length", "unknown"):
        with pytest.raises(ValidationError):
            parse(command, **{name: "x"})


@every_command
def test_every_command_has_a_chinese_name_an_english_sentence_and_somebody_who_may(
    command: type[Command],
) -> None:
    assert command.zh
    assert command.__doc__
    assert command.allowed


BAD = [
    (OpenSolicitation, {"in_name_of": "somebody"}),
    (OpenSolicitation, {"subject": "weather"}),
    (OpenSolicitation, {"channels": []}),
    (OpenSolicitation, {"channels": ["telegraph"]}),
    (OpenSolicitation, {"campaign": "Not An Id"}),
    (OpenSolicitation, {"opens_on": "2023-02-30"}),
    (OpenSolicitation, {"opens_on": 20230201}),
    (OpenSolicitation, {"scope": ""}),
    (OpenSolicitation, {"scope": " \n\t"}),
    (CloseSolicitation, {"on": "yesterday"}),
    (SubmitOpinion, {"verbatim_text": ""}),
    (SubmitOpinion, {"verbatim_text": "\u200b \u3000"}),
    (SubmitOpinion, {"verbatim_text": "a" * (MAX_TEXT + 1)}),
    (SubmitOpinion, {"verbatim_text": "a\x00b"}),
    (SubmitOpinion, {"verbatim_text": 7}),
    (SubmitOpinion, {"channel": "telegraph"}),
    (SubmitOpinion, {"channel_text": "一行\n两行"}),
    (SubmitOpinion, {"channel_text": "长" * 201}),
    (SubmitOpinion, {"target": "../etc"}),
    (SubmitOpinion, {"target_kind": "pupil"}),
    (SubmitOpinion, {"voiced_by": " "}),
    (SubmitOpinion, {"contact": "一行\n两行"}),
    (SubmitOpinion, {"recorded_by_clerk": "yes"}),
    (SubmitOpinion, {"attachments": [{"sha256": "5e", "media_type": "image/jpeg", "size": 1}]}),
    (SubmitOpinion, {"attachments": [{"sha256": "5e" * 32, "media_type": "jpeg", "size": 1}]}),
    (SubmitOpinion, {"attachments": [{"sha256": "5e" * 32, "media_type": "a/b", "size": 0}]}),
    (SubmitOpinion, {"attachments": [GOOD[SubmitOpinion]["attachments"][0]] * 21}),
    (SubmitOpinion, {"occurred_at": "2023-02-21T16:00:00"}),
    (RefuseOpinion, {"code": "because"}),
    (RefuseOpinion, {"reason": " "}),
    (SendMessage, {"text": None}),
    (RedactOpinion, {"ranges": []}),
    (RedactOpinion, {"ranges": [{"start": -1, "end": 3}]}),
    (RedactOpinion, {"ranges": [{"start": 0, "end": 3.5}]}),
    (RedactOpinion, {"ranges": [{"start": 0, "end": 3, "text": "x"}]}),
    (RedactOpinion, {"mode": "soft"}),
    (OpenCollation, {"opinions": []}),
    (OpenCollation, {"opinions": ["o 1"]}),
    (SplitOpinion, {"cuts": [-1]}),
    (SplitOpinion, {"cuts": ["8"]}),
    (GroupOpinions, {"key": "Ü"}),
    (GroupOpinions, {"key": "k" * 37}),
    (GroupOpinions, {"title": "一行\n两行"}),
    (GroupOpinions, {"parts": []}),
    (GroupOpinions, {"parts": [{"opinion": "o1", "start": -1, "end": 2}]}),
    (GroupOpinions, {"winds": ["laziness"]}),
    (GroupOpinions, {"topics": ["weather"]}),
    (GroupOpinions, {"discovery": "by_chance"}),
    (GroupOpinions, {"addressee": "everybody"}),
    (CompileReport, {"measures": ""}),
]


@pytest.mark.parametrize(("command", "wrong"), BAD)
def test_a_bad_field_is_refused_by_its_name(
    command: type[Command], wrong: dict[str, object]
) -> None:
    with pytest.raises(ValidationError) as refusal:
        parse(command, **wrong)
    assert {str(error["loc"][0]) for error in refusal.value.errors()} == set(wrong)


@pytest.mark.parametrize(
    ("command", "missing"),
    [
        (OpenSolicitation, "campaign"),
        (SubmitOpinion, "verbatim_text"),
        (SubmitOpinion, "channel"),
        (RefuseOpinion, "reason"),
        (GroupOpinions, "discovery"),
        (CompileReport, "solicitation"),
        (VoidOpinion, "reason"),
    ],
)
def test_what_is_needed_must_be_given(command: type[Command], missing: str) -> None:
    with pytest.raises(ValidationError):
        parse_without(command, missing)


def test_every_free_text_is_sealed_and_the_originator_under_a_key_of_their_own() -> None:
    part = Sealed(part="originator")
    assert marked(SubmitOpinion) == {
        "verbatim_text": Sealed(),
        "salt": Sealed(),
        "channel_text": Sealed(),
        "sitting": Sealed(),
        "voiced_by": part,
        "contact": part,
    }
    assert marked(GroupOpinions) == {"title": Sealed()}


@every_command
def test_an_event_seals_what_its_command_seals(command: type[Command]) -> None:
    stream, _ = next(found for found in service.commands().values() if found[1] is command)
    for event in stream.decider.members(stream.decider.events):
        for name, what in marked(event).items():
            if name in marked(command):
                assert isinstance(what, Sealed | Personal)
                assert what == marked(command)[name]


@pytest.mark.parametrize(
    "typed",
    [
        "1234-5678-9012-3456", "1234567890123456", " 1234 5678 9012 3456 ",
        "1234－5678－9012－3456", "1234–5678–9012–3456", "１２３４５６７８９０１２３４５６",
    ],
)  # fmt: skip
def test_a_receipt_code_may_be_typed_in_any_fashion(typed: str) -> None:
    assert ReceiptToken(code=typed).code == "1234-5678-9012-3456"


@pytest.mark.parametrize(
    "typed", ["", "1234", "1234-5678-9012-345x", "12345678901234567", "٣" * 16]
)
def test_what_is_no_receipt_code_is_refused_without_repeating_it(typed: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        ReceiptToken(code=typed)
    told = refusal.value.errors(include_input=False, include_context=False, include_url=False)
    assert not typed or typed not in str(told)
    assert "code=" not in repr(ReceiptToken(code="1" * 16))
