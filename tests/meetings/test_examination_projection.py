"""What is seen of self-examinations and issues: no word of them on the cards, figures as of the roster."""

from datetime import date
from typing import Any

from services.campaign.events import Role
from services.campaign.roster import Holding
from services.feedback.events import Addressee, Discovery
from services.meetings.events import (
    Aspect,
    ExaminationDrafted,
    ExaminationGate,
    ExaminationGateRestored,
    ExaminationSubject,
    ExaminationSubmitted,
    ExaminationVoided,
    SectionLengths,
)
from services.meetings.projection.examination import (
    Claim,
    ExaminationCard,
    Owing,
    Writing,
    claim,
    claims,
    examination_card,
    examinations,
    owing,
    share_of_part_1,
    writing,
    writings,
)
from services.rectification.events import (
    ExplainedNotPossible,
    IssueAssigned,
    IssueClaimed,
    IssueDeclined,
    IssueMerged,
    IssueOpened,
    IssueReopened,
    IssueTransferred,
    IssueVoided,
    ReopenCause,
    Source,
    SourceKind,
    Watch,
)
from shared.decider import Event, PersonId
from tests import memory
from tests.meetings.examination_cast import (
    CADRE,
    DOUBLE,
    GONE,
    LEADER,
    MEMBER,
    NOON,
    SCHOOL,
    TEACHER,
    TODAY,
)
from tests.meetings.test_examination_review import adopted, consulted, reviewed, sent_back
from tests.meetings.test_examination_writing import (
    LENGTHS,
    PAPER,
    WORDS,
    begun,
    drafted,
    of_the_team,
    submitted,
    waived,
)

DUE = SCHOOL.on_day(date(2023, 5, 31))
WATCH = Watch(due=DUE, remind_at=(), urge_at=DUE.at, supervise_at=DUE.at, account_at=DUE.at)
issue_opened = IssueOpened(
    title="联系学生不够",
    addressee=Addressee.member,
    person=CADRE,
    winds=(),
    discovery=Discovery.raised_by_public,
    sources=(Source(kind=SourceKind.talk, id="talk-1"),),
    raised_by=LEADER,
    watch=WATCH,
)
issue_claimed = IssueClaimed(owner=CADRE, watch=WATCH)


def folded(project: Any, *events: Event) -> Any:
    document = None
    for record in memory.log(*(("s-1", event) for event in events), by=LEADER, noon=NOON):
        document = project(document, record)
    return document


def card(*events: Event) -> ExaminationCard:
    found: ExaminationCard = folded(examination_card, *events)
    return found


def test_a_card_follows_the_paper_from_draft_to_review() -> None:
    assert card(drafted).stage == "drafted"
    assert card(drafted, submitted).stage == "submitted"
    assert card(of_the_team, submitted, adopted).stage == "adopted"
    seen = card(of_the_team, submitted, adopted, consulted)
    assert (seen.stage, seen.meeting, seen.replies) == ("consulted", "meeting-1", 42)
    assert card(of_the_team, submitted, adopted, consulted, reviewed).stage == "reviewed"
    assert card(drafted, ExaminationVoided(reason="重复")).stage == "voided"


def test_what_was_sent_back_begins_anew_and_counts_its_rounds() -> None:
    seen = card(of_the_team, submitted, adopted, consulted, reviewed, sent_back)
    assert (seen.stage, seen.rounds, seen.rewrite_by) == ("drafted", 1, sent_back.rewrite_by)
    assert not any((seen.submitted_at, seen.adopted_at, seen.meeting, seen.replies))


def test_a_card_measures_without_a_word() -> None:
    seen = card(drafted)
    assert seen.sections == tuple(WORDS)
    assert seen.lengths == SectionLengths(**LENGTHS)
    assert (seen.aspects, seen.causes, seen.untagged) == ((Aspect.ideals, Aspect.purpose), 1, 0)
    assert (seen.measures, seen.vague) == (2, 1)
    assert card(begun).sections == ()
    stored = seen.model_dump_json()
    assert not any(word in stored for word in WORDS.values())


def test_unanswered_issues_and_waivers_are_on_it() -> None:
    gap = ExaminationSubmitted(unanswered=("issue-2",))
    assert card(drafted, gap).unanswered == ("issue-2",)
    assert card(begun, waived).waived == (ExaminationGate.four_sections,)
    restored = ExaminationGateRestored(gate=ExaminationGate.four_sections, reason="误")
    assert card(begun, waived, restored).waived == ()


def test_the_words_are_kept_apart() -> None:
    seen: Writing = folded(writing, of_the_team, submitted, adopted, consulted, reviewed)
    assert (seen.paper, seen.scope, seen.remarks) == (PAPER, "全体教职工代表", "问题找得准")
    back: Writing = folded(writing, drafted, submitted, sent_back)
    assert back.remarks == sent_back.remarks


def test_every_event_is_followed() -> None:
    assert ExaminationDrafted in examinations.follows
    assert set(writings.follows) < set(examinations.follows)


# -- Figures --------------------------------------------------------------------------------------


def test_the_share_of_part_one_is_counted_in_characters() -> None:
    assert share_of_part_1(SectionLengths(basic_situation=30, manifestations=70)) == 0.3
    assert share_of_part_1(SectionLengths(**LENGTHS)) == 15 / 48
    assert share_of_part_1(SectionLengths()) is None


def test_the_team_and_every_party_cadre_owe_one() -> None:
    assert owing([], SCHOOL.roster, TODAY) == Owing(team=True, persons=(CADRE, LEADER, MEMBER))
    own = card(drafted, submitted)
    teams = card(of_the_team, submitted, adopted)
    assert owing([own, teams], SCHOOL.roster, TODAY) == Owing(team=False, persons=(LEADER, MEMBER))


def test_a_draft_or_a_void_one_fulfils_nothing() -> None:
    for events in ((drafted,), (drafted, submitted, sent_back)):
        assert CADRE in owing([card(*events)], SCHOOL.roster, TODAY).persons
    voided = card(drafted, submitted, ExaminationVoided(reason="重复"))
    assert CADRE in owing([voided], SCHOOL.roster, TODAY).persons


def test_who_owes_depends_on_the_day() -> None:
    april = owing([], SCHOOL.roster, date(2023, 4, 28))
    assert GONE in april.persons
    assert GONE not in owing([], SCHOOL.roster, TODAY).persons
    entry = SCHOOL.roster.people[TEACHER]
    later = Holding(role=Role.party_cadre, since=date(2023, 5, 9))
    promoted = SCHOOL.roster.model_copy(
        update={
            "people": {
                **SCHOOL.roster.people,
                TEACHER: entry.model_copy(update={"posts": (*entry.posts, later)}),
            }
        }
    )
    assert TEACHER not in owing([], promoted, TODAY).persons
    assert TEACHER in owing([], promoted, date(2023, 5, 9)).persons


def test_what_a_duplicate_entry_handed_in_is_its_persons() -> None:
    double = card(drafted.model_copy(update={"person": DOUBLE}), submitted)
    assert CADRE not in owing([double], SCHOOL.roster, TODAY).persons


def test_a_persons_is_not_the_teams() -> None:
    assert owing([card(drafted, submitted)], SCHOOL.roster, TODAY).team
    assert card(drafted).subject is ExaminationSubject.person


# -- Issues ---------------------------------------------------------------------------------------


def known(*events: Event) -> Claim:
    found: Claim = folded(claim, *events)
    return found


def test_an_issue_waits_until_somebody_holds_it() -> None:
    assert known(issue_opened) == Claim(addressee=Addressee.member, person=CADRE)
    held = known(issue_opened, issue_claimed)
    assert (held.owner, held.waits, held.counts) == (CADRE, False, True)
    told = IssueAssigned(owner=MEMBER, reason="分工", watch=WATCH)
    assert known(issue_opened, told).owner == MEMBER
    declined = IssueDeclined(owner=CADRE, reason="不属本人", watch=WATCH)
    assert known(issue_opened, issue_claimed, declined) == known(issue_opened)


def test_who_holds_it_may_change() -> None:
    moved = IssueTransferred(owner=PersonId("new"), former=CADRE, reason="调离")
    assert known(issue_opened, issue_claimed, moved).owner == "new"
    again = IssueReopened(
        cause=ReopenCause.relapse, reason="反弹", owner=MEMBER, times=1, watch=WATCH
    )
    assert known(issue_opened, issue_claimed, again).owner == MEMBER


def test_what_is_merged_or_void_counts_no_more_what_is_explained_does_not_wait() -> None:
    for gone in (IssueMerged(into="issue-2", reason="同一"), IssueVoided(reason="误立")):
        assert not known(issue_opened, issue_claimed, gone).counts
    explained = ExplainedNotPossible(explanation="无权限", verdicts_until=DUE)
    seen = known(issue_opened, explained)
    assert (seen.waits, seen.counts) == (False, True)


def test_an_issue_that_was_never_opened_is_not_known() -> None:
    assert folded(claim, issue_claimed) is None
    assert IssueOpened in claims.follows
