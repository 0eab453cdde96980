"""The intake box: what derives from the key, when a batch begins, how many wrong codes are borne."""

import json
import re
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given, settings
from hypothesis import strategies as st

from services.campaign.calendar import Period
from services.campaign.defaults import Policy
from services.campaign.events import SettingUnit
from services.feedback.box import (
    SHORTEST,
    Budget,
    Receipts,
    ReceiptToken,
    Secrets,
    TooManyAttempts,
    UnknownReceipt,
    _empty,
    _interval,
    _round,
    begun,
    into_the_box,
    length,
)
from services.feedback.domain import UnknownSolicitation
from services.feedback.domain.collation import UnbalancedCollation
from services.feedback.domain.opinion import (
    AlreadyCollated,
    ChannelUnnamed,
    OnlyWithAName,
    UnknownTarget,
)
from services.feedback.events import CollationClosed, OpinionSubmitted
from services.feedback.queries import Receipt, receipt
from shared.decider import PersonId, Rejected, wire
from shared.runtime import KeyReused, Reply, Taken
from shared.security import Verifier
from shared.views import Working
from tests.feedback.memory import works
from tests.feedback.school import (
    ANONYMOUS,
    CAMPAIGN,
    CANTEEN,
    COLLATOR,
    NOON,
    SCHOOL,
    TEACHER,
    caller,
)
from tests.memory import Works

pytestmark = pytest.mark.thorough

SENDER = UUID("7f0c1a52-9d5e-4f1b-8a37-0d2f5f6f9a11")
mine = Secrets(b"k" * 32)
other_school = Secrets(b"s" * 32)


def test_the_same_sender_gets_the_same_receipt_and_id_again() -> None:
    assert mine.code(SENDER) == mine.code(SENDER)
    assert mine.opinion(SENDER) == mine.opinion(SENDER)


@given(st.uuids())
@settings(deadline=None)
def test_a_code_is_sixteen_digits_and_an_id_fits_a_subject(sender: UUID) -> None:
    assert re.fullmatch(r"\d{4}-\d{4}-\d{4}-\d{4}", mine.code(sender))
    assert re.fullmatch(r"[0-9a-f-]{36}", mine.opinion(sender))


@given(st.uuids(), st.uuids())
@settings(deadline=None)
def test_senders_and_schools_are_kept_apart(one: UUID, two: UUID) -> None:
    if one != two:
        assert mine.code(one) != mine.code(two)
        assert mine.opinion(one) != mine.opinion(two)
    assert mine.code(one) != other_school.code(one)
    assert mine.opinion(one) != other_school.opinion(one)


def test_the_log_never_sees_the_senders_own_key() -> None:
    opinion = mine.opinion(SENDER)
    assert mine.command(opinion) == mine.command(opinion)
    assert mine.command(opinion) not in {SENDER, UUID(opinion)}


async def test_a_code_is_found_by_a_slow_hash_under_the_schools_pepper() -> None:
    code = mine.code(SENDER)
    assert await mine.lookup(code) == await mine.lookup(code)
    assert await mine.lookup(code) != await other_school.lookup(code)
    assert code.replace("-", "") not in await mine.lookup(code)


def test_another_body_has_another_fingerprint() -> None:
    assert mine.fingerprint("{}") == mine.fingerprint("{}")
    assert mine.fingerprint("{}") != mine.fingerprint("{ }")
    assert mine.fingerprint("{}") != other_school.fingerprint("{}")


@given(st.text())
@settings(deadline=None)
def test_what_waits_is_unreadable_without_the_key(body: str) -> None:
    enclosed = mine.enclose("o1", body)
    assert mine.disclose("o1", enclosed) == body
    assert enclosed != mine.enclose("o1", body)
    for school, opinion in ((other_school, "o1"), (mine, "o2")):
        with pytest.raises(InvalidTag):
            school.disclose(opinion, enclosed)


def test_the_key_does_not_show() -> None:
    assert "k" * 32 not in repr(mine)


# -- Batches ---------------------------------------------------------------------------------------

instants = st.integers(0, 10**15).map(lambda n: NOON + timedelta(microseconds=n))
lengths = st.timedeltas(timedelta(seconds=1), timedelta(days=3))


@given(instants, lengths)
@settings(deadline=None)
def test_batches_lie_on_a_grid(moment: datetime, each: timedelta) -> None:
    begins = begun(moment, each)
    assert begins <= moment < begins + each
    assert begun(begins, each) == begins


@given(instants, lengths, st.floats(0, 0.999))
@settings(deadline=None)
def test_the_time_of_a_batch_says_nothing_about_the_time_of_an_act(
    moment: datetime, each: timedelta, fraction: float
) -> None:
    begins = begun(moment, each)
    assert begun(begins + each * fraction, each) == begins


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        ("PT2S", SettingUnit.duration, timedelta(seconds=2)),
        ("P1D", SettingUnit.duration, timedelta(days=1)),
        ("PT0S", SettingUnit.duration, SHORTEST),
        ("1", SettingUnit.school_days, timedelta(days=1)),
        ("0", SettingUnit.school_days, SHORTEST),
    ],
)
def test_policy_says_how_long_a_batch_is_collected(
    value: str, unit: SettingUnit, expected: timedelta
) -> None:
    assert length(Period(value=value, unit=unit)) == expected


# -- Wrong codes -----------------------------------------------------------------------------------


def test_so_many_wrong_codes_are_borne_and_no_more() -> None:
    budget = Budget(most=3, within=timedelta(minutes=10))
    for second in range(3):
        budget.spend(NOON + timedelta(seconds=second))
    with pytest.raises(TooManyAttempts):
        budget.spend(NOON + timedelta(minutes=9))


def test_after_a_while_codes_may_be_tried_again() -> None:
    budget = Budget(most=1, within=timedelta(minutes=10))
    budget.spend(NOON)
    budget.spend(NOON + timedelta(minutes=10))
    with pytest.raises(TooManyAttempts):
        budget.spend(NOON + timedelta(minutes=10))


def test_a_right_code_costs_nothing() -> None:
    budget = Budget(most=1)
    for _ in range(5):
        budget.spend(NOON)
        budget.give_back(NOON)
    budget.spend(NOON)
    with pytest.raises(TooManyAttempts):
        budget.spend(NOON)


# -- At work ---------------------------------------------------------------------------------------

WORDS = "食堂的早饭天天一样"
BEGINS = NOON - timedelta(hours=1)


def sent(at: Works, person: PersonId = ANONYMOUS, key: UUID = SENDER, **more: Any) -> Taken:
    stream, kind = at.runtime.service.commands()["submit-opinion"]
    body = {"verbatim_text": WORDS, "channel": "suggestion_box", **more}
    understood = wire(kind).model_validate_json(json.dumps(body))
    traced = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    return Taken(
        "wangxi", stream, kind, None, understood, caller(person), key, NOON, traceparent=traced
    )


async def put(at: Works, key: UUID = SENDER, **more: Any) -> Reply:
    reply = await into_the_box(sent(at, key=key, **more), at.runtime)
    assert reply is not None
    return reply


async def test_who_gives_no_name_gets_a_receipt_and_nothing_is_recorded_yet() -> None:
    at = await works()
    reply = await put(at)
    assert re.fullmatch(r"\d{4}(-\d{4}){3}", str(reply.more["receipt"]))
    assert (reply.position, reply.event, at.pages.log) == (0, None, [])


async def test_what_waits_says_neither_what_nor_when_nor_who() -> None:
    at = await works()
    reply = await put(at)
    (waiting,) = at.kept("box").values()
    assert set(waiting) == {"_id", "school", "opinion", "body"}
    assert WORDS.encode() not in waiting["body"]
    (receipt,) = at.kept("receipts").values()
    assert set(receipt) == {"_id", "school", "opinion", "fingerprint"}
    digits = str(reply.more["receipt"]).replace("-", "")
    everything = str(at.chest).replace("-", "")
    assert digits not in everything
    assert str(SENDER).replace("-", "") not in everything


async def test_a_repetition_shows_the_receipt_again() -> None:
    at = await works()
    first, again = await put(at), await put(at)
    assert (first.id, first.more) == (again.id, again.more)
    assert (first.repeated, again.repeated) == (False, True)
    assert len(at.kept("box")) == 1


async def test_another_text_needs_another_key() -> None:
    at = await works()
    await put(at)
    with pytest.raises(KeyReused):
        await put(at, verbatim_text="别的")
    assert len(at.kept("box")) == 1


async def test_who_gives_a_name_goes_the_usual_way() -> None:
    at = await works()
    assert await into_the_box(sent(at, TEACHER), at.runtime) is None
    assert not at.kept("box")


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ({"solicitation": "s9"}, UnknownSolicitation),
        ({"channel": "other"}, ChannelUnnamed),
        ({"target_kind": "member", "target": "nobody"}, UnknownTarget),
        ({"recorded_by_clerk": True}, OnlyWithAName),
        ({"occurred_at": "2023-02-01T00:00:00Z"}, OnlyWithAName),
    ],
)
async def test_what_would_be_refused_is_refused_at_the_door(
    wrong: dict[str, Any], rule: type[Rejected]
) -> None:
    at = await works()
    with pytest.raises(rule):
        await put(at, **wrong)
    assert not at.kept("box")
    assert not at.kept("receipts")


async def test_a_batch_enters_the_log_without_sender_trace_or_moment() -> None:
    at = await works()
    replies = [await put(at, UUID(int=n)) for n in range(8)]
    await _empty("wangxi", BEGINS, at.runtime)
    assert not at.kept("box")
    assert {record.stream for record in at.pages.log} == {reply.id for reply in replies}
    senders = {str(UUID(int=n)) for n in range(8)}
    for record in at.pages.log:
        assert (record.actor, record.at, record.occurred) == (ANONYMOUS, BEGINS, BEGINS)
        assert record.correlation == record.command
        assert not {"traceparent", "ce-causationid", "ce-onbehalfof"} & set(record.headers)
        assert str(record.command) not in senders
        assert isinstance(record.event, OpinionSubmitted)
        assert record.event.anonymous
        assert record.event.submitted_by is None
        assert await at.runtime.privacy.open("wangxi", record.event.verbatim_text) == WORDS


async def test_the_order_in_the_log_is_not_the_order_of_arrival() -> None:
    at = await works()
    arrived = [(await put(at, UUID(int=n))).id for n in range(12)]
    await _empty("wangxi", BEGINS, at.runtime)
    recorded = [record.stream for record in at.pages.log]
    assert recorded not in (arrived, sorted(arrived))


async def test_what_was_recorded_is_recorded_once_whatever_crashed() -> None:
    at = await works()
    await put(at)
    (waiting,) = at.kept("box").values()
    await _empty("wangxi", BEGINS, at.runtime)
    at.kept("box")[waiting["_id"]] = waiting  # as if the process had died before the deletion
    await _empty("wangxi", BEGINS + timedelta(minutes=1), at.runtime)
    assert len(at.pages.log) == 1
    assert not at.kept("box")


async def test_a_repetition_after_the_batch_shows_the_receipt_and_waits_no_more() -> None:
    at = await works()
    first = await put(at)
    await _empty("wangxi", BEGINS, at.runtime)
    again = await put(at)
    assert (again.more, again.repeated) == (first.more, True)
    assert not at.kept("box")


async def test_a_receipt_whose_box_was_lost_in_a_crash_is_made_good_by_repeating() -> None:
    at = await works()
    await put(at)
    at.kept("box").clear()
    await put(at)
    await _empty("wangxi", BEGINS, at.runtime)
    assert len(at.pages.log) == 1


async def test_what_cannot_be_recorded_stays_and_is_parked_until_it_can() -> None:
    at = await works()
    folding = at.runtime.projector._foldings[0]
    await put(at, target_kind="department", target=CANTEEN)
    await put(at, UUID(int=1))
    closed = SCHOOL.model_copy(update={"units": {}})
    folding.cache["wangxi/school"] = Working(closed, None, 0, 0)
    await _empty("wangxi", BEGINS, at.runtime)
    assert (len(at.pages.log), len(at.kept("box"))) == (1, 1)
    (parked,) = at.kept("parked").values()
    assert (parked["kind"], parked["reason"]) == ("box", "unknown-target")
    folding.cache["wangxi/school"] = Working(SCHOOL, None, 0, 0)
    await _empty("wangxi", BEGINS, at.runtime)
    assert (len(at.pages.log), at.kept("box"), at.kept("parked")) == (2, {}, {})


async def test_a_damaged_box_is_parked_and_the_others_go_on() -> None:
    at = await works()
    await put(at)
    await put(at, UUID(int=1))
    at.kept("box")[f"wangxi/{mine_of(at).opinion(SENDER)}"]["body"] = b"0" * 40
    await _empty("wangxi", BEGINS, at.runtime)
    (parked,) = at.kept("parked").values()
    assert parked["reason"] == "InvalidTag"
    assert len(at.pages.log) == 1


async def test_what_an_operator_gives_up_leaves_the_box_and_stays_on_record() -> None:
    at = await works()
    await put(at)
    (waiting,) = at.kept("box").values()
    waiting["body"] = b"0" * 40
    await _empty("wangxi", BEGINS, at.runtime)
    (parked,) = at.kept("parked").values()
    at.kept("parked")[parked["_id"]] = {**parked, "decision": "skip"}
    await _empty("wangxi", BEGINS, at.runtime)
    assert not at.kept("box")
    assert [item["decision"] for item in at.kept("parked").values()] == ["skip"]


def mine_of(at: Works) -> Secrets:
    return Secrets(at.runtime.privacy.keyring._known["wangxi/school.receipts"])


async def test_a_box_is_emptied_when_the_next_batch_begins() -> None:
    at = await works(box_interval=0.05)
    await put(at)
    seen: dict[str, datetime] = {}
    rounds = 0
    while at.kept("box"):
        rounds += 1
        await _round(at.runtime, seen)
        if at.kept("box"):
            assert set(seen) == {"wangxi"}
    (record,) = at.pages.log
    assert rounds > 1
    assert begun(record.at, timedelta(seconds=0.05)) == record.at
    assert seen == {}


async def test_a_school_whose_box_was_emptied_elsewhere_is_forgotten() -> None:
    at = await works(box_interval=3600)
    await put(at)
    seen: dict[str, datetime] = {}
    await _round(at.runtime, seen)
    assert set(seen) == {"wangxi"}
    at.kept("box").clear()
    await _round(at.runtime, seen)
    assert seen == {}


async def test_the_schools_own_interval_counts() -> None:
    at = await works(box_interval=7)
    assert _interval("wangxi", at.runtime) == timedelta(seconds=7)
    campaign = SCHOOL.campaigns[CAMPAIGN]
    two_minutes = Period(value="PT2M", unit=SettingUnit.duration)
    policy = campaign.model_copy(update={"policy": Policy(values={"intake_batch": two_minutes})})
    changed = SCHOOL.model_copy(update={"campaigns": {CAMPAIGN: policy}})
    at.runtime.projector._foldings[0].cache["wangxi/school"] = Working(changed, None, 0, 0)
    assert _interval("wangxi", at.runtime) == timedelta(minutes=2)


# -- Receipts --------------------------------------------------------------------------------------


async def test_a_receipt_code_is_good_for_a_token_of_its_originator() -> None:
    at = await works()
    reply = await put(at)
    query = ReceiptToken(code=str(reply.more["receipt"]).replace("-", " "))
    found = await Receipts().exchange(query, at.runtime.desk("wangxi", NOON), caller(ANONYMOUS))
    assert found["opinion"] == reply.id
    claims = Verifier(at.runtime.issuer).claims(f"Bearer {found['token']}")
    assert (claims.subject, claims.school) == (f"originator:{reply.id}", "wangxi")
    assert claims.roles == {"originator"}


async def test_a_code_opens_nothing_at_another_school() -> None:
    at = await works()
    reply = await put(at)
    query = ReceiptToken(code=str(reply.more["receipt"]))
    with pytest.raises(UnknownReceipt):
        await Receipts().exchange(query, at.runtime.desk("other", NOON), caller(ANONYMOUS))


async def test_wrong_codes_are_borne_up_to_a_number_and_right_ones_always() -> None:
    at = await works()
    reply = await put(at)
    receipts = Receipts({"wangxi": Budget(most=2)})
    desk = at.runtime.desk("wangxi", NOON)
    right = ReceiptToken(code=str(reply.more["receipt"]))
    for _ in range(3):
        assert await receipts.exchange(right, desk, caller(ANONYMOUS))
    for n in range(2):
        with pytest.raises(UnknownReceipt):
            await receipts.exchange(ReceiptToken(code=f"{n:016d}"), desk, caller(ANONYMOUS))
    with pytest.raises(TooManyAttempts):
        await receipts.exchange(right, desk, caller(ANONYMOUS))


# -- From the spoken word to the settled batch -----------------------------------------------------


async def carry(
    at: Works, person: PersonId, name: str, target: str | None = None, **fields: Any
) -> Reply:
    stream, kind = at.runtime.service.commands()[name]
    body = wire(kind).model_validate_json(json.dumps(fields))
    command = uuid5(SENDER, f"{name} {target} {fields}")
    taken = Taken("wangxi", stream, kind, target, body, caller(person), command, NOON)
    reply = await at.runtime.carry_out(taken)
    await at.look()
    return reply


async def test_a_nameless_opinion_is_heard_answered_collated_and_followed_by_its_receipt() -> None:
    at = await works()
    opinion = (await put(at)).id
    await _empty("wangxi", BEGINS, at.runtime)
    await at.look()
    await carry(at, COLLATOR, "acknowledge-opinion", opinion, text="收到")
    await carry(at, COLLATOR, "send-message", opinion, text="是哪个食堂？")
    me = PersonId(f"originator:{opinion}")
    await carry(at, me, "send-message", opinion, text="北区食堂")
    batch = (await carry(at, COLLATOR, "open-collation")).id
    with pytest.raises(UnbalancedCollation):
        await carry(at, COLLATOR, "close-collation", batch)
    group = {
        "key": "breakfast",
        "title": "早餐品种少",
        "parts": [{"opinion": opinion}],
        "addressee": "team",
        "not_four_winds": True,
        "topics": ["canteen"],
        "discovery": "raised_by_public",
    }
    await carry(at, COLLATOR, "group-opinions", batch, **group)
    await carry(at, COLLATOR, "close-collation", batch)
    with pytest.raises(AlreadyCollated):
        await carry(at, COLLATOR, "refuse-opinion", opinion, code="other", reason="晚了")

    desk = at.runtime.desk("wangxi", NOON)
    found = await at.runtime.privacy.open("wangxi", await receipt(Receipt(), desk, caller(me)))
    assert (found["verbatim_text"], found["acknowledgement"]) == (WORDS, "收到")
    assert [m["text"] for m in found["messages"]] == ["是哪个食堂？", "北区食堂"]
    assert (found["stage"], found["version"]) == ("collated", 4)
    closed = at.pages.log[-1].event
    assert isinstance(closed, CollationClosed)
    (title,) = await at.runtime.privacy.open("wangxi", [i.title for i in closed.issues])
    assert title == "早餐品种少"
