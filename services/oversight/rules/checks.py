"""What does not add up: advisory findings beside the obligations, the false-closing detectors first. Pure.

What can be seen and what cannot: texts are sealed with a key per stream, so two texts can only be
compared within one issue, talk or reflection. That the same statement was handed in again after it had
been sent back is seen; that one statement was copied into another issue is not, but that the same file
was handed in as evidence for two issues is. Copied reflections are found by study, which may read them.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from services.campaign.events import Role
from services.feedback.events import MessageSent, OpinionAcknowledged
from services.oversight.rules.evidence import Happened
from services.oversight.rules.lines import Issue, Talk, proofs, proved
from services.oversight.rules.world import Subject, World
from services.rectification.events import ProgressReported, Satisfied
from services.talks.events import TalkHeld

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Found:
    """One thing a check found: about whom or what, and the events that show it."""

    subject: Subject
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class Check:
    """One check of a rule: its id, its name for people, what it looks for."""

    id: str
    zh: str
    meaning: str
    find: Callable[[World], Iterable[Found]]


# -- False closings (R06) ------------------------------------------------------------------------


def _closed(w: World) -> Iterator[tuple[str, Issue, Happened]]:
    """Issues that are struck off, with the event that did it."""
    for i, issue in w.issues.items():
        if issue.struck_off:
            yield i, issue, issue.struck_off


def _before_evidence(w: World) -> Iterator[Found]:
    """What was to show the result happened, or was entered, after the strike-off was asked for."""
    for i, issue, struck in _closed(w):
        if issue.requested is None:
            continue
        wanted = set(issue.requested.event.evidence)
        shown = [h for h in issue.evidence if h.event.evidence.sha256 in wanted or not wanted]
        late = [
            h
            for h in shown
            if h.event.evidence.phase == "after"
            and (h.position > issue.requested.position or h.occurred > issue.requested.occurred)
        ]
        if late or not any(h.event.evidence.phase == "after" for h in issue.evidence):
            yield Found((i,), proofs(issue.requested, *late, struck))


def _close_verifier(w: World) -> Iterator[Found]:
    """The verifier helped, deputised for the owner, or answers to them."""
    roster = w.directory.roster
    for i, issue, struck in _closed(w):
        if issue.verified is None or issue.owner is None:
            continue
        verifier, owner = w.who(issue.verified.event.verifier), w.who(issue.owner)
        day = w.on(issue.verified.at)
        measures = issue.planned.event.measures if issue.planned else ()
        hands = {w.who(p) for m in measures for p in (m.owner, *m.helpers)}
        entry = roster.people.get(owner)  # type: ignore[call-overload]  # an id
        deputies = {w.who(d.deputy) for d in entry.deputies if d.holds(day)} if entry else set()
        overseen = entry.departments(day) if entry else frozenset()
        heads = {p for d in overseen for p in roster.holders(Role.department_head, day, d)}
        if verifier in hands | deputies | heads:
            yield Found((i,), proofs(issue.verified, struck))


def _same_text(w: World) -> Iterator[Found]:
    """A statement handed in again word for word, or a file that is evidence for another issue too."""
    files: dict[str, list[tuple[str, Happened]]] = {}
    for i, issue in w.issues.items():
        for h in issue.evidence:
            files.setdefault(h.event.evidence.sha256, []).append((i, h))
    for i, issue, struck in _closed(w):
        said = [h.event.statement for h in issue.requests]
        again = [h for h in issue.requests if said.count(h.event.statement) > 1]
        shared = [
            h
            for mine in issue.evidence
            for other, h in files[mine.event.evidence.sha256]
            if other != i
        ]
        if again or shared:
            yield Found((i,), proofs(*again, *shared, struck))


def _mass(w: World) -> Iterator[Found]:
    """One person struck off many issues within an hour."""
    many = int(w.setting("mass_closing"))
    by: dict[str, list[tuple[str, Happened]]] = {}
    for i, _, struck in _closed(w):
        by.setdefault(w.who(struck.by), []).append((i, struck))
    for closings in by.values():
        closings.sort(key=lambda one: (one[1].at, one[0]))
        first = 0
        massed: dict[str, list[Happened]] = {}
        for last, (_, struck) in enumerate(closings):
            while struck.at - closings[first][1].at >= HOUR:
                first += 1
            if last - first + 1 >= many:
                near = closings[first : last + 1]
                massed |= {i: [h for _, h in near] for i, _ in near}
        for i, together in massed.items():
            yield Found((i,), proved(together))


def _eve(w: World) -> Iterator[Found]:
    """Asked for on the last day, or the school day before it, without a word of progress until then."""
    for i, issue, struck in _closed(w):
        if issue.requested is None or issue.due_on is None:
            continue
        life = w.lives["rectification.issue"][i]
        day = w.on(issue.requested.at)
        if w.directory.calendar.school_days_from(issue.due_on, -1) <= day <= issue.due_on:
            told = [
                h
                for h in life.all(ProgressReported)
                if h.position < issue.requested.position and w.on(h.at) < day
            ]
            if not told:
                yield Found((i,), proofs(issue.requested, struck))


def _no_contact(w: World) -> Iterator[Found]:
    """Called satisfied although nobody ever answered those who had spoken up."""
    for i, issue, struck in _closed(w):
        pleased = [h for h in issue.verdicts if h.event.satisfied is not Satisfied.dissatisfied]
        if pleased and not contacted(w, issue):
            yield Found((i,), proofs(*pleased, struck))


def contacted(w: World, issue: Issue) -> bool:
    """Whether one of those an issue comes from was answered: acknowledged or written to."""
    opinions = [o for source in issue.what.sources for o in source.opinions]
    for opinion in opinions:
        life = w.opinions.get(opinion)
        if life and any(
            isinstance(h.event, OpinionAcknowledged)
            or (isinstance(h.event, MessageSent) and not h.event.from_originator)
            for h in life.standing
        ):
            return True
    return not opinions


# -- Others --------------------------------------------------------------------------------------


def _not_struck_off(w: World) -> Iterator[Found]:
    """Verified, its notice over, and still not struck off (R43)."""
    for i, issue in w.issues.items():
        notice = issue.noticed.event.until.on if issue.noticed else None
        if issue.stage == "on_notice" and notice and notice < w.day:
            yield Found((i,), proofs(issue.verified, issue.noticed))


def _unfounded(w: World) -> Iterator[Found]:
    """What it comes from was voided there, and the issue stands: somebody has to look."""
    for i, issue in w.issues.items():
        if issue.live and issue.unfounded:
            yield Found((i,), proofs(issue.opened, issue.unfounded))


def _short_reflection(w: World) -> Iterator[Found]:
    shortest = int(w.setting("minimum_reflection"))
    for life in w.counting("study.reflection"):
        if life.what.length is not None and life.what.length < shortest:
            yield Found((life.id,), (life.standing[0].id,))


def _overlapping(w: World) -> Iterator[Found]:
    """Somebody was in two talks at the same time."""
    whose: dict[str, list[Talk]] = {}
    for talk in w.talks.values():
        for person in {w.who(p) for p in talk.told.parties}:
            whose.setdefault(person, []).append(talk)
    for person, talks in sorted(whose.items()):
        talks.sort(key=lambda t: (t.told.begun_at, t.id))
        latest = talks[0]
        for earlier, later in pairwise(talks):
            latest = max(latest, earlier, key=lambda t: t.told.ended_at)
            if later.told.begun_at < latest.told.ended_at:
                yield Found((person, later.id), proofs(latest.held, later.held))


def _disputed(w: World) -> Iterator[Found]:
    """A talk one of its parties disputes counts for nothing until it is put right."""
    for life in w.counting("talks.talk"):
        held = life.latest(TalkHeld)
        if held and life.id not in w.talks:
            yield Found((life.id,), proofs(held, life.last))


FALSE_CLOSINGS: tuple[Check, ...] = (
    Check(
        "R06.before-evidence",
        "先销号后补证",
        "Closed earlier than its evidence, or without any of how it is now.",
        _before_evidence,
    ),
    Check(
        "R06.close-verifier",
        "验收人与责任人关系密切",
        "The verifier is close to the owner: a helper, a deputy, or answers to them.",
        _close_verifier,
    ),
    Check(
        "R06.same-text",
        "材料重复使用",
        "The same statement again, or the same file for two issues.",
        _same_text,
    ),
    Check(
        "R06.mass-closing",
        "一小时内集中销号",
        "Many issues struck off by one person within an hour.",
        _mass,
    ),
    Check(
        "R06.eve-of-deadline",
        "临期突击销号",
        "Asked for on the eve of the deadline with no progress reported before.",
        _eve,
    ),
    Check(
        "R06.without-contact",
        "未联系即满意",
        "Satisfied, though nobody answered those who had spoken up.",
        _no_contact,
    ),
)
CHECKS: tuple[Check, ...] = (
    *FALSE_CLOSINGS,
    Check("R15.too-short", "心得过短", "A reflection is too short.", _short_reflection),
    Check(
        "R41.source-voided",
        "来源已作废仍在台账",
        "What it comes from was voided there, and the issue is still on the ledger.",
        _unfounded,
    ),
    Check(
        "R43.not-struck-off",
        "已解决未销号",
        "Verified, the notice over, not struck off.",
        _not_struck_off,
    ),
    Check("R46.overlapping", "谈话时间重叠", "Somebody was in two talks at once.", _overlapping),
    Check("R46.disputed", "谈话记录有争议", "A party disputes the record of a talk.", _disputed),
)


def found(w: World, check: Check) -> tuple[Found, ...]:
    """What a check finds that day, in a fixed order."""
    return w.once(
        ("check", check.id),
        lambda: tuple(sorted(check.find(w), key=lambda one: one.subject)),
    )


def false_closings(w: World) -> frozenset[str]:
    """The issues that any of the false-closing detectors is suspicious of."""
    return w.once(
        "false-closings",
        lambda: frozenset(one.subject[0] for check in FALSE_CLOSINGS for one in found(w, check)),
    )


def dated(w: World, stream: str) -> tuple[date | None, str]:
    """The day a record is about, and the event that says so."""
    if talk := w.talks.get(stream):
        return w.on(talk.told.begun_at), talk.held.id
    if met := w.meetings.get(stream):
        return met.on, met.held.id if met.held else met.planned.id
    for of, name in (("study.session", "held_on"), ("study.reflection", "written_on")):
        if life := w.lives.get(of, {}).get(stream):
            return getattr(life.what, name), life.standing[0].id
    return None, ""
