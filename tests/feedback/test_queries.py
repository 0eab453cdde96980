"""Who sees how much, page by page; and the facts the rules are given."""

from collections.abc import Callable
from typing import Any

import pytest

from services.feedback import queries as q
from services.feedback.app import service
from services.feedback.domain.collation import CloseCollation, Known, PartAsked
from services.feedback.domain.report import Counted
from services.feedback.events import (
    Addressee,
    Channel,
    CollatedOpinion,
    CollationOpened,
    MessageSent,
    OpinionRedacted,
    OpinionsGrouped,
    RedactionMode,
    TargetKind,
    TextRange,
)
from services.rectification.events import (
    IssueClaimed,
    IssueMerged,
    IssueVoided,
    NoticePublished,
)
from shared.callers import UnknownSchool
from shared.decider import Event, NotFound, PersonId
from shared.marks import TOKEN_PREFIX
from shared.privacy import SEALED, _encrypt
from shared.runtime import Desk
from tests.feedback import test_collation as c
from tests.feedback import test_opinion as o
from tests.feedback import test_report as r
from tests.feedback import test_solicitation as s
from tests.feedback.memory import after
from tests.feedback.school import (
    ADMINISTRATOR,
    ANONYMOUS,
    CANTEEN,
    COLLATOR,
    DUPLICATE,
    LEADER,
    MEMBER,
    NOON,
    OTHER_TEACHER,
    SUPERVISOR,
    TEACHER,
    caller,
    with_duplicate,
)
from tests.feedback.test_projection import DUE, WATCH, opened
from tests.memory import KEYS

ORIGINATOR = PersonId("originator:o1")


def opinions(count: int, **more: Any) -> list[tuple[str, Event]]:
    return [(f"o{n}", o.submitted(**more)) for n in range(1, count + 1)]


async def listed(desk: Desk, person: PersonId = COLLATOR, **filters: Any) -> list[str]:
    found = await q.all_opinions(q.Opinions(**filters), desk, caller(person))
    return [item["id"] for item in found["items"]]


# -- Who sees what ---------------------------------------------------------------------------------

identified = o.submitted(voiced_by="退休教师", contact="13800000000")
told_to_clerk = o.submitted(voiced_by="退休教师", contact="13800000000", recorded_by_clerk=True)


@pytest.mark.parametrize("person", [COLLATOR, ADMINISTRATOR, SUPERVISOR, TEACHER])
async def test_confidants_and_the_sender_know_who_said_it(person: PersonId) -> None:
    found = await q.one_opinion(q.Opinion(id="o1"), await after(("o1", identified)), caller(person))
    assert (found["voiced_by"], found["contact"]) == ("退休教师", "13800000000")
    assert found["submitted_by"] == TEACHER


async def test_a_leader_reads_the_words_and_not_who_said_them() -> None:
    # In the log names are tokens; what is left of one is a mask.
    sealed = o.submitted(voiced_by=f"{TOKEN_PREFIX}a~b~c", contact=f"{TOKEN_PREFIX}a~b~d")
    found = await q.one_opinion(q.Opinion(id="o1"), await after(("o1", sealed)), caller(LEADER))
    assert found["verbatim_text"] == o.WORDS
    assert (found["voiced_by"], found["contact"]) == (SEALED, SEALED)
    assert found["submitted_by"] is None


async def test_what_the_sender_did_later_does_not_name_them_either() -> None:
    desk = await after(("o1", o.said, TEACHER), ("o1", o.corrected, TEACHER), ("o1", o.refused))
    for person, known in ((LEADER, [None, COLLATOR]), (COLLATOR, [TEACHER, COLLATOR])):
        found = await q.one_opinion(q.Opinion(id="o1"), desk, caller(person))
        assert [note["by"] for note in found["notes"]] == known


async def test_nobody_learns_who_said_something_about_them() -> None:
    said = o.submitted(target_kind=TargetKind.member, target=ADMINISTRATOR)
    desk = await after(("o1", said))
    for person, known in ((COLLATOR, TEACHER), (ADMINISTRATOR, None)):
        found = await q.one_opinion(q.Opinion(id="o1"), desk, caller(person))
        assert found["submitted_by"] == known


@pytest.mark.parametrize("person", [ADMINISTRATOR, COLLATOR])
async def test_nobody_learns_who_said_what_became_an_issue_of_theirs(person: PersonId) -> None:
    personal = {"addressee": Addressee.member, "person": person}
    desk = await after(
        *opinions(4, contact=f"{TOKEN_PREFIX}a~b~c"),
        ("i1", opened("o1", **personal)),
        ("i2", opened("o2")),
        ("i3", opened("o3")),
        ("i3", IssueMerged(into="i1", reason="同一件事")),
    )
    found = (await q.all_opinions(q.Opinions(), desk, caller(person)))["items"]
    assert [item["submitted_by"] for item in found] == [None, TEACHER, None, TEACHER]
    assert [item["contact"] == SEALED for item in found] == [True, False, True, False]
    found = (await q.issue_opinions(q.IssueOpinions(id="i1"), desk, caller(person)))["items"]
    assert [item["submitted_by"] for item in found] == [None, None]
    (issue,) = (await q.one_opinion(q.Opinion(id="o1"), desk, caller(TEACHER)))["became"]
    assert person not in str(issue)


async def test_who_was_in_the_roster_twice_is_one_reader() -> None:
    about = o.submitted(target_kind=TargetKind.member, target=DUPLICATE)
    desk = await after(
        ("o1", about),
        ("o2", o.said),
        ("i2", opened("o2", addressee=Addressee.member, person=DUPLICATE)),
        ("o3", o.submitted(DUPLICATE)),
        ("r1", r.on_member().model_copy(update={"member": DUPLICATE})),
        directory=with_duplicate(ADMINISTRATOR),
    )
    found = (await q.all_opinions(q.Opinions(), desk, caller(ADMINISTRATOR)))["items"]
    assert [item["submitted_by"] for item in found] == [None, None, DUPLICATE]
    assert await listed(desk, ADMINISTRATOR, mine=True) == ["o3"]
    for person in (ADMINISTRATOR, DUPLICATE):
        assert await listed(desk, COLLATOR, target=person) == ["o1"]
        found = (await q.all_reports(q.Reports(member=person), desk, caller(COLLATOR)))["items"]
        assert [report["id"] for report in found] == ["r1"]


async def test_a_member_who_was_in_the_roster_twice_sees_what_is_theirs() -> None:
    desk = await after(
        ("o1", o.said),
        ("i1", opened("o1")),
        ("i1", IssueClaimed(owner=DUPLICATE, watch=WATCH)),
        ("r1", r.on_member().model_copy(update={"member": DUPLICATE})),
        directory=with_duplicate(MEMBER),
    )
    assert (await q.one_opinion(q.Opinion(id="o1"), desk, caller(MEMBER)))["became"]
    assert (await q.one_report(q.Report(id="r1"), desk, caller(MEMBER)))["id"] == "r1"
    assert len((await q.all_reports(q.Reports(), desk, caller(MEMBER)))["items"]) == 1


async def test_the_facts_know_who_was_in_the_roster_twice_by_one_id() -> None:
    about = o.submitted(target_kind=TargetKind.member, target=DUPLICATE, solicitation="s1")
    desk = await after(
        ("o1", about),
        ("i1", opened("o1")),
        ("i1", IssueClaimed(owner=DUPLICATE, watch=WATCH)),
        directory=with_duplicate(MEMBER),
    )
    assert (await q.opinion_facts(o.message(MEMBER), desk)).owners == {MEMBER}
    assert (await q.collation_facts(c.group(), desk)).about("o1", MEMBER)
    assert (await q.report_facts(r.compile_(), desk)).opinions["o1"].target == MEMBER


async def test_which_clerk_wrote_it_down_is_no_secret() -> None:
    found = await q.one_opinion(
        q.Opinion(id="o1"), await after(("o1", told_to_clerk)), caller(LEADER)
    )
    assert found["submitted_by"] == TEACHER


@pytest.mark.parametrize("person", [OTHER_TEACHER, MEMBER])
async def test_everybody_else_sees_no_opinion_at_all(person: PersonId) -> None:
    desk = await after(("o1", identified))
    assert await listed(desk, person) == []
    with pytest.raises(NotFound):
        await q.one_opinion(q.Opinion(id="o1"), desk, caller(person))


async def test_everybody_sees_what_they_said_themselves() -> None:
    desk = await after(("o1", identified), ("o2", o.nameless), ("o3", o.submitted(OTHER_TEACHER)))
    assert await listed(desk, TEACHER) == ["o1"]
    assert await listed(desk, COLLATOR) == ["o1", "o2", "o3"]
    assert await listed(desk, COLLATOR, mine=True) == []


async def test_who_works_on_the_issue_sees_the_conversation_only() -> None:
    words = f"{TOKEN_PREFIX}opinion.o1~submit-opinion.verbatim_text~box"
    desk = await after(
        ("o1", o.submitted(verbatim_text=words)),
        ("o1", MessageSent(text="哪个年级？", from_originator=False), MEMBER),
        ("i1", opened("o1")),
        ("i1", IssueClaimed(owner=MEMBER, watch=WATCH)),
    )
    found = await q.one_opinion(q.Opinion(id="o1"), desk, caller(MEMBER))
    assert found["verbatim_text"] == SEALED
    assert found["submitted_by"] is None
    assert [m["text"] for m in found["messages"]] == ["哪个年级？"]


async def test_hidden_passages_are_blocks_for_readers() -> None:
    desk = await after(("o1", o.said), ("o1", o.masked))
    found = await q.one_opinion(q.Opinion(id="o1"), desk, caller(COLLATOR))
    assert found["verbatim_text"] == f"■■■{o.WORDS[3:10]}■■■■{o.WORDS[14:]}"
    (line,) = (await q.all_opinions(q.Opinions(), desk, caller(SUPERVISOR)))["items"]
    assert line["verbatim_text"] == found["verbatim_text"]


async def test_whoever_said_it_reads_it_but_for_what_is_to_be_erased() -> None:
    desk = await after(("o1", o.said), ("o1", o.masked), ("o1", o.erased))
    found = await q.one_opinion(q.Opinion(id="o1"), desk, caller(TEACHER))
    assert found["verbatim_text"] == f"■■■{o.WORDS[3:]}"
    assert (await q.receipt(q.Receipt(), desk, caller(ORIGINATOR)))["verbatim_text"] == (
        found["verbatim_text"]
    )


async def test_words_that_look_like_a_token_are_not_opened_again() -> None:
    words = f"{TOKEN_PREFIX}person.luo~enter-person.name~abc"
    scope = "opinion.o1"
    token = _encrypt(
        KEYS[f"wangxi/{scope}"], "wangxi", scope, "submit-opinion.verbatim_text", words
    )
    hide = OpinionRedacted(
        ranges=(TextRange(start=len(words) - 1, end=len(words)),),
        mode=RedactionMode.masking,
        reason="~",
    )
    desk = await after(("o1", o.submitted(verbatim_text=token, length=len(words))), ("o1", hide))
    found = await q.one_opinion(q.Opinion(id="o1"), desk, caller(COLLATOR))
    assert found["verbatim_text"] == f"{words[:-1]}■"
    assert await desk.privacy.open("wangxi", found["verbatim_text"]) == found["verbatim_text"]


# -- Receipts --------------------------------------------------------------------------------------


async def test_a_receipt_shows_the_state_the_answers_and_the_issues() -> None:
    desk = await after(
        ("o1", o.nameless, ANONYMOUS),
        ("o1", o.acknowledged),
        ("o1", MessageSent(text="哪个年级？", from_originator=False), COLLATOR),
        ("i1", opened("o1")),
        ("i1", IssueClaimed(owner=MEMBER, watch=WATCH)),
        ("i1", NoticePublished(text="已停用", until=DUE)),
    )
    found = await q.receipt(q.Receipt(), desk, caller(ORIGINATOR))
    assert (found["id"], found["state"], found["acknowledgement"]) == (
        "o1", "acknowledged", "已收到，谢谢。",
    )  # fmt: skip
    assert found["version"] == 3
    assert [set(m) for m in found["messages"]] == [{"text", "from_originator", "at"}]
    (issue,) = found["became"]
    assert (issue["id"], issue["stage"], issue["notice"]) == ("i1", "on_notice", "已停用")
    assert MEMBER not in str(found)
    assert COLLATOR not in str(found)


async def test_what_is_still_in_the_box_was_received() -> None:
    found = await q.receipt(q.Receipt(), await after(), caller(ORIGINATOR))
    assert (found["id"], found["state"]) == ("o1", "received")


async def test_an_originator_follows_a_merged_issue_to_where_it_went() -> None:
    desk = await after(
        ("o1", o.nameless),
        ("i1", opened("o1")),
        ("i2", opened("o2")),
        ("i1", IssueMerged(into="i2", reason="同一件事")),
    )
    found = await q.receipt(q.Receipt(), desk, caller(ORIGINATOR))
    assert [issue["id"] for issue in found["became"]] == ["i1", "i2"]


async def test_a_long_conversation_is_cut_to_its_latest_lines() -> None:
    long = MessageSent(text="长" * 20_000, from_originator=True)
    desk = await after(("o1", o.said), *[("o1", long)] * 9)
    found = await q.one_opinion(q.Opinion(id="o1"), desk, caller(COLLATOR))
    assert 0 < len(found["messages"]) < 9
    assert len(found["messages"]) + found["messages_left_out"] == 9


# -- Lists -----------------------------------------------------------------------------------------


async def test_a_list_goes_on_where_the_page_ended() -> None:
    desk = await after(*opinions(5))
    first = await q.all_opinions(q.Opinions(limit=2), desk, caller(COLLATOR))
    assert [item["id"] for item in first["items"]] == ["o1", "o2"]
    rest = await q.all_opinions(q.Opinions(limit=3, after=first["next"]), desk, caller(COLLATOR))
    assert [item["id"] for item in rest["items"]] == ["o3", "o4", "o5"]
    assert rest["next"] is None


async def test_a_page_of_long_texts_is_shorter() -> None:
    desk = await after(*opinions(9, verbatim_text="长" * 20_000))
    seen: list[str] = []
    query = q.Opinions(limit=9)
    while True:
        page = await q.all_opinions(query, desk, caller(COLLATOR))
        assert 0 < len(page["items"]) < 9
        seen += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        query = q.Opinions(limit=9, after=page["next"])
    assert seen == [f"o{n}" for n in range(1, 10)]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"state": "refused"}, ["o2"]),
        ({"channel": "wechat"}, ["o3"]),
        ({"solicitation": "s1"}, ["o3"]),
        ({"target_kind": "department"}, ["o4"]),
        ({"target": CANTEEN}, ["o4"]),
        ({"anonymous": True}, ["o5"]),
        ({"anonymous": False}, ["o1", "o2", "o3", "o4"]),
        ({"stage": "collating"}, ["o1", "o2"]),
        ({"state": "submitted", "stage": "waiting"}, ["o3", "o4", "o5"]),
    ],
)
async def test_opinions_are_filtered(filters: dict[str, Any], expected: list[str]) -> None:
    desk = await after(
        ("o1", o.said),
        ("o2", o.said),
        ("o2", o.refused),
        ("o3", o.submitted(channel=Channel.wechat, solicitation="s1")),
        ("o4", o.submitted(target_kind=TargetKind.department, target=CANTEEN)),
        ("o5", o.nameless),
        ("c1", c.begun),
    )
    assert await listed(desk, **filters) == expected


async def test_who_has_no_login_sees_what_is_asked_for_now() -> None:
    desk = await after(("s1", s.opened()), ("s2", s.own), ("s2", s.closed))
    for person, expected in ((ANONYMOUS, ["s1"]), (ORIGINATOR, ["s1"]), (TEACHER, ["s1", "s2"])):
        found = await q.all_solicitations(q.Solicitations(), desk, caller(person))
        assert [item["id"] for item in found["items"]] == expected
    hidden = await q.all_solicitations(q.Solicitations(state="closed"), desk, caller(ANONYMOUS))
    assert [item["id"] for item in hidden["items"]] == ["s1"]


async def test_a_solicitation_counts_what_came_by_which_channel() -> None:
    asked: dict[str, Any] = {"solicitation": "s1"}
    desk = await after(
        ("s1", s.opened()),
        ("o1", o.submitted(**asked)),
        ("o2", o.submitted(channel=Channel.wechat, **asked)),
        ("o3", o.submitted(**asked)),
        ("o3", o.withdrawn),
        ("o4", o.said),
    )
    found = await q.one_solicitation(q.Solicitation(id="s1"), desk, caller(TEACHER))
    assert {k: v for k, v in found["heard"].items() if v} == {"suggestion_box": 1, "wechat": 1}
    with pytest.raises(NotFound):
        await q.one_solicitation(q.Solicitation(id="s9"), desk, caller(TEACHER))


# -- Lineage ---------------------------------------------------------------------------------------


async def test_what_went_nowhere_is_listed_with_how_far_it_came() -> None:
    desk = await after(
        *opinions(6),
        ("c1", c.begun),
        ("c1", c.closed),
        ("i3", opened("o3")),
        ("i4", opened("o4")),
        ("i4", IssueVoided(reason="重复")),
        ("o5", o.refused),
    )
    found = await q.unheard(q.Unheard(), desk, caller(SUPERVISOR))
    assert [(item["id"], item["where"]) for item in found["items"]] == [
        ("o1", "collated"), ("o2", "collated"), ("o4", "voided"), ("o6", "waiting"),
    ]  # fmt: skip


async def test_a_page_that_lists_nobody_still_leads_on() -> None:
    desk = await after(
        *opinions(3),
        ("i1", opened("o1")),
        ("i2", opened("o1")),
        ("i2", IssueVoided(reason="重复")),
    )
    first = await q.unheard(q.Unheard(limit=1), desk, caller(COLLATOR))
    assert (first["items"], first["next"]) == ([], 1)
    rest = await q.unheard(q.Unheard(after=first["next"]), desk, caller(COLLATOR))
    assert [item["id"] for item in rest["items"]] == ["o2", "o3"]


async def test_an_issue_leads_back_to_the_words_and_to_those_of_what_was_merged_into_it() -> None:
    desk = await after(
        *opinions(4),
        ("i1", opened("o1")),
        ("i2", opened("o2", "o3")),
        ("i3", opened("o4")),
        ("i3", IssueMerged(into="i2", reason="~")),
        ("i2", IssueMerged(into="i1", reason="~")),
    )
    found = await q.issue_opinions(q.IssueOpinions(id="i1"), desk, caller(LEADER))
    assert [item["id"] for item in found["items"]] == ["o1", "o2", "o3", "o4"]
    with pytest.raises(NotFound):
        await q.issue_opinions(q.IssueOpinions(id="i9"), desk, caller(LEADER))


# -- Collations ------------------------------------------------------------------------------------

three = CollationOpened(
    opinions=tuple(CollatedOpinion(opinion=f"o{n}", length=20) for n in (1, 2, 3)),
    collator=COLLATOR,
)


async def at_work() -> Desk:
    return await after(
        *opinions(3),
        ("c1", three),
        ("o3", o.refused),
        ("c1", c.split),
        ("c1", OpinionsGrouped(issue=c.proposed(c.HEAD))),
    )


async def test_a_batch_shows_its_balance() -> None:
    found = await q.one_collation(q.Collation(id="c1"), await at_work(), caller(COLLATOR))
    assert (found["received"], found["grouped"], found["refused"], found["left"]) == (3, 0, 1, 2)
    assert (found["left_first"], found["group_count"]) == (["o1", "o2"], 1)
    assert "lengths" not in found
    with pytest.raises(NotFound):
        await q.one_collation(q.Collation(id="c9"), await at_work(), caller(COLLATOR))


async def test_a_settled_batch_stays_balanced_and_names_its_issues() -> None:
    desk = await after(
        *opinions(2),
        ("c1", c.begun),
        ("c1", c.grouped),
        ("c1", c.closed),
        ("i1", opened("o1", "o2")),
    )
    found = await q.one_collation(q.Collation(id="c1"), desk, caller(COLLATOR))
    assert (found["received"], found["grouped"], found["refused"], found["left"]) == (2, 2, 0, 0)
    assert [issue["id"] for issue in found["issues"]] == ["i1"]
    (line,) = (await q.all_collations(q.Collations(state="closed"), desk, caller(LEADER)))["items"]
    assert line["grouped"] == 2


async def test_the_opinions_of_a_batch_show_where_their_pieces_went() -> None:
    query = q.CollationOpinions(id="c1")
    found = await q.collation_opinions(query, await at_work(), caller(COLLATOR))
    one, two, three_ = found["items"]
    assert (list(one["cuts"]), one["groups"]) == ([8], ["forms"])
    assert one["left"] == [{"opinion": "o1", "start": 8, "end": 20}]
    assert two["left"] == [{"opinion": "o2", "start": None, "end": None}]
    assert three_["left"] == []


@pytest.mark.parametrize(("waiting", "expected"), [(True, ["o1", "o2"]), (False, ["o3"])])
async def test_the_opinions_that_wait_can_be_asked_for(
    *, waiting: bool, expected: list[str]
) -> None:
    query = q.CollationOpinions(id="c1", waiting=waiting)
    found = await q.collation_opinions(query, await at_work(), caller(COLLATOR))
    assert [item["id"] for item in found["items"]] == expected


async def test_the_proposed_issues_of_a_batch_come_in_pages() -> None:
    groups = [("c1", OpinionsGrouped(issue=c.proposed(c.TWO, key=f"k{n}"))) for n in range(3)]
    desk = await after(*opinions(2), ("c1", c.begun), *groups)
    first = await q.collation_groups(q.CollationGroups(id="c1", limit=2), desk, caller(LEADER))
    assert [group["key"] for group in first["items"]] == ["k0", "k1"]
    query = q.CollationGroups(id="c1", limit=2, after=first["next"])
    rest = await q.collation_groups(query, desk, caller(LEADER))
    assert ([group["key"] for group in rest["items"]], rest["next"]) == (["k2"], None)


async def test_suggestions_pair_what_waits_with_what_sounds_alike() -> None:
    texts = ["食堂饭菜太贵了", "食堂的饭菜太贵了！", "晚自习灯光太暗", "晚自习的灯光太暗"]
    said = [(f"o{n}", o.submitted(verbatim_text=text)) for n, text in enumerate(texts, start=1)]
    lengths = tuple(CollatedOpinion(opinion=f"o{n}", length=20) for n in range(1, 5))
    both = c.proposed(PartAsked(opinion="o3"), PartAsked(opinion="o4"))
    desk = await after(
        *said,
        ("c1", CollationOpened(opinions=lengths, collator=COLLATOR)),
        ("c1", OpinionsGrouped(issue=both)),
    )
    found = await q.suggestions(q.Suggestions(id="c1"), desk, caller(COLLATOR))
    assert [(pair["one"], pair["other"]) for pair in found["pairs"]] == [("o1", "o2")]
    assert found["clusters"] == [("o1", "o2")]
    every = await q.suggestions(q.Suggestions(id="c1", waiting=False), desk, caller(COLLATOR))
    assert len(every["pairs"]) == 2
    one = await q.suggestions(
        q.Suggestions(id="c1", waiting=False, limit=1), desk, caller(COLLATOR)
    )
    assert one["left_out"] == 1


# -- Reports ---------------------------------------------------------------------------------------


async def test_a_member_sees_the_teams_reports_and_their_own() -> None:
    of_leader = r.compiled().model_copy(update={"member": LEADER})
    desk = await after(("r1", r.compiled()), ("r2", r.on_member()), ("r3", of_leader))
    found = await q.all_reports(q.Reports(), desk, caller(MEMBER))
    assert [item["id"] for item in found["items"]] == ["r1", "r2"]
    assert found["items"][0]["opinion_count"] == 4
    assert (await q.one_report(q.Report(id="r2"), desk, caller(MEMBER)))["opinions"] == ["o2"]
    for missing in ("r3", "r9"):
        with pytest.raises(NotFound):
            await q.one_report(q.Report(id=missing), desk, caller(MEMBER))
    every = await q.all_reports(q.Reports(solicitation="s1"), desk, caller(SUPERVISOR))
    assert len(every["items"]) == 3


# -- Facts -----------------------------------------------------------------------------------------


async def test_a_submission_is_told_whether_its_solicitation_counts() -> None:
    desk = await after(
        ("s1", s.opened()),
        ("s2", s.opened()),
        ("s2", s.voided),
        ("s3", s.opened()),
        ("s3", s.closed),
    )
    for solicitation, counts in (("s1", True), ("s2", False), ("s3", True), ("s9", False)):
        facts = await q.opinion_facts(o.submit(solicitation=solicitation), desk)
        assert facts.solicited is counts
    assert not (await q.opinion_facts(o.submit(), desk)).solicited


async def test_a_refusal_is_told_whether_an_issue_was_made_of_it() -> None:
    batch = *opinions(2), ("c1", c.begun)
    assert not (await q.opinion_facts(o.refuse(), await after(*batch))).collated
    assert (await q.opinion_facts(o.refuse(), await after(*batch, ("c1", c.closed)))).collated
    assert not (await q.opinion_facts(o.refuse(), await after())).collated


async def test_what_became_of_an_opinion_stands_until_all_of_it_is_voided() -> None:
    void = IssueVoided(reason="立项有误")
    both = *opinions(2), ("c1", c.begun), ("c1", c.closed)
    two = *both, ("i1", opened("o1", "o2")), ("i2", opened("o2"))
    merged = *two, ("i1", IssueMerged(into="i3", reason="~")), ("i3", opened("o3")), ("i3", void)
    again = *two, ("i1", void), ("c2", c.begun)
    cases: list[tuple[Any, list[str]]] = [
        (both, []),
        (two, []),
        ((*two, ("i1", void)), ["o1"]),
        ((*two, ("i1", void), ("i2", void)), ["o1", "o2"]),
        (merged, ["o1"]),
        ((*again, ("c2", c.closed)), []),
        ((*again, ("c2", c.closed), ("i4", opened("o1", collation="c2"))), []),
        ((*again, ("c2", c.closed), ("i4", opened("o1", collation="c2")), ("i4", void)), ["o1"]),
    ]
    for past, free in cases:
        desk = await after(*past)
        facts = await q.opinion_facts(o.refuse(), desk)
        assert facts.collated is ("o1" not in free), past
        for batch in (c.begin(), c.begin("o1", "o2")):
            known = (await q.collation_facts(batch, desk)).opinions
            assert [key for key, one in known.items() if not one.taken] == free, past


async def test_a_message_is_told_who_works_on_the_issues() -> None:
    desk = await after(
        ("o1", o.said), ("i1", opened("o1")), ("i1", IssueClaimed(owner=MEMBER, watch=WATCH))
    )
    facts = await q.opinion_facts(o.message(MEMBER), desk)
    assert facts.owners == {MEMBER}
    assert (await q.opinion_facts(o.acknowledge(), desk)).owners == frozenset()


async def test_a_batch_is_told_what_waits() -> None:
    desk = await after(
        *opinions(4),
        ("o2", o.refused),
        ("c1", c.begun.model_copy(update={"opinions": three.opinions[2:]})),
    )
    facts = await q.collation_facts(c.begin(), desk)
    assert facts.opinions == {"o1": Known(len(o.WORDS)), "o4": Known(len(o.WORDS))}
    named = await q.collation_facts(c.begin("o1", "o2", "o3", "o9"), desk)
    assert {k: (v.standing, v.taken) for k, v in named.opinions.items()} == {
        "o1": (True, False), "o2": (False, False), "o3": (True, True),
    }  # fmt: skip


async def test_a_batch_is_told_whom_its_opinions_are_about() -> None:
    about = o.submitted(target_kind=TargetKind.member, target=MEMBER)
    desk = await after(("o1", about), ("o2", o.said), ("c1", c.begun))
    for command in (c.group(), c.regroup(), c.set_aside(c.HEAD)):
        assert (await q.collation_facts(command, desk)).about("o1", MEMBER)
        assert not (await q.collation_facts(command, desk)).about("o2", MEMBER)


async def test_a_batch_of_a_solicitation_is_told_what_was_said_to_it() -> None:
    desk = await after(("s1", s.opened()), ("o1", o.submitted(solicitation="s1")), ("o2", o.said))
    facts = await q.collation_facts(c.begin(solicitation="s1"), desk)
    assert (set(facts.opinions), facts.solicited) == ({"o1"}, True)
    assert not (await q.collation_facts(c.begin(solicitation="s9"), desk)).solicited


async def test_the_rest_of_a_batch_is_told_what_still_stands() -> None:
    desk = await after(*opinions(2), ("c1", c.begun), ("o1", o.refused))
    close = CloseCollation(by=COLLATOR, at=NOON, stream="c1")
    assert not (await q.collation_facts(close, desk)).standing("o1")
    assert (await q.collation_facts(close, desk)).standing("o2")
    for command in (c.group(), c.regroup(), c.set_aside(c.HEAD)):
        assert not (await q.collation_facts(command, desk)).standing("o1")
    assert not (await q.collation_facts(c.void(), desk)).opinions


async def test_a_report_is_told_what_counts() -> None:
    asked: dict[str, Any] = {"solicitation": "s1"}
    desk = await after(
        ("s1", s.opened()),
        ("o1", o.submitted(target_kind=TargetKind.member, target=MEMBER, **asked)),
        ("o2", o.submitted(**asked)),
        ("o2", o.refused),
        ("o3", o.submitted(**asked)),
        ("o3", o.withdrawn),
        ("o4", o.said),
    )
    facts = await q.report_facts(r.compile_(), desk)
    assert facts.opinions == {
        "o1": Counted(Channel.suggestion_box, TargetKind.member, MEMBER),
        "o2": Counted(Channel.suggestion_box, TargetKind.unknown),
    }
    assert (facts.position, facts.solicited) == (7, True)
    unasked = r.compile_().model_copy(update={"solicitation": None})
    assert (await q.report_facts(unasked, desk)).opinions.keys() == {"o4"}
    assert not (await q.report_facts(r.correct(), desk)).opinions


FACTS: list[tuple[Callable[..., Any], object]] = [
    (q.solicitation_facts, s.ask()),
    (q.opinion_facts, o.submit()),
    (q.collation_facts, c.begin()),
    (q.report_facts, r.compile_()),
]


@pytest.mark.parametrize(("facts", "command"), FACTS)
async def test_a_school_nobody_enrolled_has_no_facts(
    facts: Callable[..., Any], command: object
) -> None:
    with pytest.raises(UnknownSchool):
        await facts(command, await after(directory=None))


def test_every_query_has_a_chinese_name_an_english_sentence_and_somebody_who_may() -> None:
    for query in service.queries:
        assert query.zh
        assert query.__doc__
        assert query.allowed
        assert query.path
    assert len({query.path for query in service.queries}) == len(service.queries)
