"""Out of the events alone come the figures that the board, the overview and the rates show."""

from datetime import timedelta

from services.campaign.directory import Directory, School
from services.campaign.events import SchoolEnrolled
from services.oversight.rules.account import SchoolAccount
from services.oversight.rules.figures import other_rates
from services.oversight.rules.overview import overview
from services.oversight.rules.world import World
from services.rectification.events import Satisfied, Solved
from tests.memory import TOWN
from tests.oversight.test_figures import BAD, FAIR, GOOD, story
from tests.oversight.town import MAY, Entry, lives, records

ENROLLED = Entry(TOWN, SchoolEnrolled(name="…", zone="Asia/Shanghai", language="zh"))
VERDICTS: list[tuple[Solved, Satisfied]] = [
    (Solved.solved, GOOD),
    (Solved.solved, FAIR),
    (Solved.partly_solved, FAIR),
    (Solved.unsolved, BAD),
    (Solved.solved, GOOD),
]


def test_the_account_of_a_school_is_what_oversight_shows_on_the_last_day_of_its_log() -> None:
    later = MAY + timedelta(days=14)
    log = records(
        [ENROLLED, *story(*VERDICTS), *story((Solved.solved, GOOD), on=later, prefix="j")]
    )
    account = SchoolAccount()
    for record in log:
        account.take(record)
    school = School(name="…", zone="Asia/Shanghai", language="zh")
    world = World.at(Directory(school=school), later, lives(log[1:]), len(log))

    found = account.figures(len(log), ())["schools"]

    assert found == {TOWN: {**overview(world, later), "others": other_rates(world)}}
    (group,) = found[TOWN]["three_rates"]["groups"]
    rates = group["rates"]
    assert (rates["resolution_rate"]["numerator"], rates["resolution_rate"]["denominator"]) == (
        3,
        5,
    )


def test_a_school_that_was_never_enrolled_has_no_figures() -> None:
    account = SchoolAccount()
    for record in records(story((Solved.solved, GOOD))):
        account.take(record)
    assert account.figures(10, ()) == {"schools": {TOWN: None}}
