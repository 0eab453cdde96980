"""Act twelve: the board of all rules; what was broken on purpose is named there."""

from services.demo.cast import SUPERVISORS
from services.demo.stage import Play
from services.demo.studying import GAVE_LESS, WITHOUT_REFLECTION
from services.demo.talking import HURRIED, NOT_ALONE
from services.demo.telling import Broken

READER = SUPERVISORS[0]

type Subjects = set[tuple[str, ...]]


async def survey(play: Play) -> dict[str, object]:
    """Look at every rule, and for those broken on purpose at who is named."""
    await play.settle()
    seen = await play.line.see(READER, "board")
    board = play.result.board = seen["rules"]
    await _name_the_broken(play)
    computed = [row for row in board if row["computed"]]
    return {
        "规则": len(board),
        "可计算": len(computed),
        "全部做到": sum(not row["missing"] for row in computed),
        "算到位置": seen["position"],
        "故意违反查得": sum(one.good for one in play.result.broken),
    }


async def _name_the_broken(play: Play) -> None:
    """Compare whom the lists name with who it is."""
    people, kinds = play.cast.people, {row["rule"]: row["kinds"] for row in play.result.board}
    pair = tuple(sorted(people[who] for who in NOT_ALONE))
    autumns = (begin for begin, _ in play.terms[::2] if begin.isoformat() <= play.taught(1)[0])
    taught = f"school-year-{max(autumns)}"
    for rule, what, where, wanted in (
        ("R14", "一名干部没有交心得体会", "outstanding", (people[WITHOUT_REFLECTION],)),
        ("R15", "一篇心得无人评阅", "outstanding", (play.unread,)),
        ("R16", "一名班子成员捐资不足", "outstanding", (people[GAVE_LESS],)),
        ("R47", "两名班子成员只参加了集体谈心", "outstanding", pair),
        ("R52", "一次谈话时间太短", "findings", (play.talks[frozenset(HURRIED)],)),
        ("R54", "一条批评会前没有沟通", "findings", (play.life_meeting, play.untold)),
    ):
        found: Subjects = {
            tuple(item["subject"])
            async for item in play.line.all(READER, where, rule=rule)
            if not item["period"].startswith("school-year") or item["period"] == taught
        }
        names = {known: play.cast.named(known) for known in people.values()}
        named = "、".join(sorted(names[part] for one in found for part in one if part in names))
        broken = Broken(rule, tuple(kinds[rule]), what, named, found == {wanted})
        play.result.broken.append(broken)
