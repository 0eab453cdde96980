"""Rules that can be read in two ways: both readings, by what the school has set (R65, R72, R84)."""

from services.meetings.events import (
    ExaminationAdopted,
    ExaminationConsulted,
    ExaminationSentBack,
    MeetingKind,
)
from services.oversight.rules.catalogue import BY_ID
from services.oversight.rules.engine import obligations, row
from tests.oversight.deeds import TEXT, examined, met
from tests.oversight.histories import HISTORIES, said
from tests.oversight.town import (
    APRIL,
    JUNE,
    LEADER,
    SECRETARY,
    TEACHER,
    WU,
    ZHOU,
    Entry,
    school,
    world,
)

PAPERS = [
    *met("m0", MeetingKind.leadership, on=APRIL),
    *examined("e1", None, presided_by=LEADER),
    said("e1", ExaminationAdopted(meeting="m0")),
    said("e1", ExaminationConsulted(scope=TEXT, replies=7)),
    *examined("e2", ZHOU, presided_by=LEADER),
    *examined("e3", TEACHER),
]


def test_only_the_teams_paper_is_adopted_unless_the_school_says_otherwise() -> None:
    at = world(*PAPERS)
    assert [(o.subject, o.state) for o in obligations(BY_ID["R65"], at)] == [(("e1",), "done")]


def test_where_each_members_paper_is_adopted_the_members_papers_are_owed_too() -> None:
    at = world(*PAPERS, directory=school(adopted_papers="members"))
    states = {o.subject: o.state for o in obligations(BY_ID["R65"], at)}
    assert states == {("e1",): "done", ("e2",): "missing"}  # a teacher is no member of the team


def test_a_paper_that_was_sent_back_is_adopted_and_consulted_on_anew() -> None:
    back = said("e1", ExaminationSentBack(remarks=TEXT, rewrite_by=JUNE, rounds=1))
    again = [said("e1", event.event) for event in PAPERS if event.stream == "e1"][1:]

    def states(*more: Entry) -> list[str]:
        return [o.state for o in obligations(BY_ID["R65"], world(*PAPERS, back, *more))]

    found = [states(*again[:n]) for n in range(len(again) + 1)]
    assert found == [[], ["missing"], ["missing"], ["done"]]


def test_mutual_criticism_is_only_shown_unless_the_school_requires_it() -> None:
    at = world(*HISTORIES["R72"].good)
    states = {o.subject: o.state for o in obligations(BY_ID["R72"], at)}
    assert states == {("m1", ZHOU, WU): "done", ("m1", WU, ZHOU): "shown"}
    line = row(BY_ID["R72"], at)
    assert (line["numerator"], line["denominator"], line["shown"]) == (1, 1, 1)


def test_where_mutual_criticism_is_required_it_is_missing() -> None:
    at = world(*HISTORIES["R72"].good, directory=school(mutual_criticism="required"))
    line = row(BY_ID["R72"], at)
    assert (line["numerator"], line["denominator"], line["missing"]) == (1, 2, 1)


def test_the_branchs_principal_comments_unless_the_school_says_otherwise() -> None:
    history = HISTORIES["R84"]
    states = {o.subject: o.state for o in obligations(BY_ID["R84"], world(*history.good))}
    assert states[ZHOU,] == "done"
    assert states[SECRETARY,] == "missing"


def test_where_the_schools_principal_comments_the_branchs_does_not_count() -> None:
    history = HISTORIES["R84"]
    of_the_school = school(commenting_principal="school")

    def state(*, good: bool) -> str:
        entries = history.good if good else history.bad
        some = obligations(BY_ID["R84"], world(*entries, directory=of_the_school))
        return next(o.state for o in some if o.subject == (ZHOU,))

    assert state(good=True) == "missing"
    assert state(good=False) == "done"
