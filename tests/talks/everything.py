"""Every command of talks at least once, as the laws try them on every reachable state."""

from typing import Any

from services.talks.domain.request import (
    AcceptRequest,
    CorrectRequest,
    HoldRequestedTalk,
    RefuseRequest,
    RequestTalk,
    VoidRequest,
    VoidRequestedTalk,
    WithdrawRequest,
)
from services.talks.domain.talk import (
    ArrangeTalk,
    CancelTalk,
    CommunicatedAsked,
    ConfirmTalk,
    CorrectTalk,
    DisputeTalk,
    HoldTalk,
    RaiseProblem,
    RearrangeTalk,
    RecordTalk,
    ReleaseTalk,
    SideAsked,
    VoidTalk,
)
from services.talks.events import Audience
from shared.decider import Command
from tests.talks.cast import (
    ADMINISTRATOR,
    CORRECTED,
    MEMBER,
    PLAN,
    PROBLEM,
    SERVICE,
    SUPERVISOR,
    TEACHER,
    TOLD,
    by,
    days,
)


def told(said: dict[str, Any]) -> dict[str, Any]:
    """What was said, as a sender gives it."""
    sides = tuple(SideAsked.model_validate(dict(side)) for side in said.get("sides", ()))
    criticism = tuple(
        CommunicatedAsked.model_validate(dict(c)) for c in said.get("communicated", ())
    )
    return {**said, "sides": sides, "communicated": criticism}


TALK_COMMANDS: tuple[Command, ...] = (
    by(MEMBER, ArrangeTalk, **PLAN, request="request-1"),
    by(ADMINISTRATOR, ArrangeTalk, **PLAN),
    by(
        TEACHER,
        RearrangeTalk,
        **{**PLAN, "planned_at": PLAN["planned_at"] + days(1)},
        reason="监考",
    ),
    by(MEMBER, CancelTalk, reason="对方外出培训"),
    by(MEMBER, HoldTalk, **told(TOLD)),
    by(TEACHER, RecordTalk, **told(TOLD), request="request-1"),
    by(TEACHER, RecordTalk, **told(TOLD)),
    by(MEMBER, CorrectTalk, **told(CORRECTED), reason="地点抄错"),
    by(MEMBER, ConfirmTalk),
    by(TEACHER, ConfirmTalk),
    by(TEACHER, DisputeTalk, reason="第二条建议不是我提的"),
    by(MEMBER, ReleaseTalk, audiences=(Audience.leadership_team,)),
    by(MEMBER, ReleaseTalk, audiences=()),
    by(TEACHER, ReleaseTalk, audiences=(Audience.everybody, Audience.leadership_team)),
    by(TEACHER, RaiseProblem, **PROBLEM),
    by(SUPERVISOR, VoidTalk, reason="没有这次谈话"),
)

REQUEST_COMMANDS: tuple[Command, ...] = (
    by(TEACHER, RequestTalk, asked=MEMBER, about="想谈谈备课组长的轮换"),
    by(ADMINISTRATOR, RequestTalk, asked=MEMBER, outsider="一名家长", about="宿舍管理"),
    by(TEACHER, CorrectRequest, asked=MEMBER, about="想谈谈教研组长的轮换", reason="写错"),
    by(MEMBER, AcceptRequest, remarks="周四下午"),
    by(MEMBER, RefuseRequest, reason="由分管副校长约谈"),
    by(TEACHER, WithdrawRequest, reason="已经解决"),
    by(ADMINISTRATOR, WithdrawRequest),
    by(SERVICE, HoldRequestedTalk, talk="talk-1"),
    by(SERVICE, VoidRequestedTalk, talk="talk-1"),
    by(SUPERVISOR, VoidRequest, reason="重复登记"),
)
