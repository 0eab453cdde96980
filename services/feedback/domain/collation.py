"""Collating: every opinion goes into an issue or is refused with a reason (R33, R38, R45)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, assert_never

from pydantic import ConfigDict, Field

from services.campaign.directory import Directory
from services.feedback.domain import (
    CLERKS,
    InOwnCause,
    UnknownOpinion,
    UnknownSolicitation,
    in_order,
)
from services.feedback.domain.ranges import (
    Offset,
    OverlappingRanges,
    RangeOutsideText,
    checked,
    overlap,
    segments,
)
from services.feedback.events import (
    Addressee,
    CollatedOpinion,
    CollationClosed,
    CollationEvent,
    CollationOpened,
    CollationVoided,
    Discovery,
    OpinionPart,
    OpinionsGrouped,
    OpinionSplit,
    OpinionsRegrouped,
    OpinionsUngrouped,
    PartSetAside,
    PartTakenBack,
    ProposedIssue,
    RefusalCode,
    TextRange,
    Topic,
    Wind,
)
from shared.decider import Command, Decider, OutOfOrder, PersonId, Rejected
from shared.marks import Id, Line, Prose

LARGEST_BATCH = 2_000
"""Opinions one collation takes; the next one takes the rest."""
LARGEST_CLOSING = 600 * 1024
"""Bytes of all proposed issues as JSON: the closing event has to fit into one message."""
NAMED = 10
"""Ids a refusal names at most."""

# -- Facts ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Known:
    """An opinion as a collation sees it.

    `standing` means neither refused nor withdrawn nor voided, `taken` that a collation has it or
    made an issue of it that stands, `target` who or what it is about.
    """

    length: int
    standing: bool = True
    taken: bool = False
    solicitation: str | None = None
    target: str | None = None


@dataclass(frozen=True)
class Facts:
    """What a decision on a collation looks at beside it: the opinions concerned, earliest first."""

    directory: Directory
    opinions: Mapping[str, Known] = field(default_factory=dict)
    solicited: bool = False

    def standing(self, opinion: str) -> bool:
        """Whether an opinion of the batch still has to be dealt with."""
        return opinion not in self.opinions or self.opinions[opinion].standing

    def about(self, opinion: str, person: PersonId) -> bool:
        """Whether an opinion is about somebody."""
        return opinion in self.opinions and self.opinions[opinion].target == person


# -- Commands ------------------------------------------------------------------------------------


class PartAsked(OpinionPart):
    """An opinion, or a range of its text, as a sender gives it."""

    model_config = ConfigDict(extra="forbid", strict=True)
    opinion: Id
    start: Offset | None = None
    end: Offset | None = None


Parts = Annotated[tuple[PartAsked, ...], Field(min_length=1, max_length=LARGEST_BATCH)]


class OpenCollation(Command):
    """Take up a batch: the opinions named, or all that nobody has taken up yet."""

    zh = "开始汇总梳理"
    allowed = CLERKS
    creates = True
    solicitation: Id | None = None
    opinions: Annotated[tuple[Id, ...], Field(min_length=1, max_length=LARGEST_BATCH)] | None = None


class SplitOpinion(Command):
    """Cut a text before the given characters, so that its pieces may go different ways.

    Without cuts it is whole again.
    """

    zh = "拆分意见"
    allowed = CLERKS
    opinion: Id
    cuts: Annotated[tuple[Offset, ...], Field(max_length=200)]


class _Group(Command):
    """Propose an issue: what several opinions, or pieces of them, amount to."""

    allowed = CLERKS
    key: Id
    title: Line
    parts: Parts
    addressee: Addressee
    person: Id | None = None
    winds: tuple[Wind, ...] = ()
    not_four_winds: bool = False
    topics: tuple[Topic, ...] = ()
    discovery: Discovery
    key_issue: bool = False
    strongly_reflected: bool = False


class GroupOpinions(_Group):
    """Propose an issue: what several opinions, or pieces of them, amount to."""

    zh = "归并为问题"


class RegroupOpinions(_Group):
    """Replace a proposed issue by another of the same key."""

    zh = "调整归并"


class UngroupOpinions(Command):
    """Drop a proposed issue; its opinions are waiting again."""

    zh = "取消归并"
    allowed = CLERKS
    key: Id


class SetPartAside(Command):
    """Say why a piece of an opinion does not belong to any issue, while another one does (R38)."""

    zh = "搁置片段"
    allowed = CLERKS
    part: PartAsked
    code: RefusalCode
    reason: Prose


class TakePartBack(Command):
    """Let a piece set aside wait again."""

    zh = "取消搁置"
    allowed = CLERKS
    part: PartAsked


class CloseCollation(Command):
    """Settle the batch: from each proposed issue an issue will be opened."""

    zh = "结束汇总梳理"
    allowed = CLERKS


class VoidCollation(Command):
    """Drop the whole batch before it is settled; its opinions are free again."""

    zh = "作废汇总梳理"
    allowed = CLERKS
    reason: Prose


type CollationCommand = (
    OpenCollation
    | SplitOpinion
    | GroupOpinions
    | RegroupOpinions
    | UngroupOpinions
    | SetPartAside
    | TakePartBack
    | CloseCollation
    | VoidCollation
)

# -- States --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class NotBegun:
    """There is no such batch."""


@dataclass(frozen=True)
class Open:
    """A batch at work. `lengths` are the opinions in it and how long their texts are."""

    lengths: dict[str, int]
    collator: PersonId
    solicitation: str | None = None
    cuts: dict[str, tuple[int, ...]] = field(default_factory=dict)
    groups: dict[str, ProposedIssue] = field(default_factory=dict)
    aside: tuple[PartSetAside, ...] = ()
    ungrouped: frozenset[str] = frozenset()
    taken_back: PartTakenBack | None = None

    def pieces(self, opinion: str) -> tuple[TextRange, ...]:
        """What the opinion's text falls into."""
        return segments(self.cuts.get(opinion, ()), self.lengths[opinion])

    def span(self, part: OpinionPart) -> TextRange:
        """The characters a part stands for."""
        if part.start is None or part.end is None:
            return TextRange(start=0, end=self.lengths[part.opinion])
        return TextRange(start=part.start, end=part.end)


@dataclass(frozen=True)
class Closed:
    """Settled."""


@dataclass(frozen=True)
class Voided:
    """Dropped."""

    voiding: CollationVoided


type Collation = NotBegun | Open | Closed | Voided

# -- Rules ---------------------------------------------------------------------------------------


class NothingToCollate(Rejected):
    """No opinion is waiting."""

    zh = "没有待梳理的意见"


class BatchTooLarge(Rejected):
    """The proposed issues no longer fit into one batch; merge some of them."""

    zh = "本批问题过多，请先合并一部分"


class InAnotherCollation(Rejected):
    """Another collation has this opinion, or made an issue of it."""

    zh = "该意见已在另一批汇总梳理中"


class OfAnotherSolicitation(Rejected):
    """The opinion was not given to this solicitation."""

    zh = "该意见不属于这次征求意见"


class NotStanding(Rejected):
    """The opinion was refused, withdrawn or voided."""

    zh = "该意见已不受理、撤回或作废"


class NotInThisCollation(Rejected):
    """The opinion does not belong to this batch."""

    zh = "该意见不在本批汇总梳理中"


class KeyTaken(Rejected):
    """Another proposed issue has this key."""

    zh = "该编号已用于另一个拟提问题"


class UnknownGroup(Rejected):
    """There is no proposed issue of this key."""

    zh = "没有这个拟提问题"


class WindsUnclear(Rejected):
    """An issue has at least one of the four winds or is marked as none of them, not both (R45)."""

    zh = "须选择四风类别或注明非四风，二者择一"


class AddresseeUnclear(Rejected):
    """A personal issue names the person, a team's issue does not (R33)."""

    zh = "个人问题须写明本人，班子问题不得指定个人"


class PersonNotHere(Rejected):
    """This person does not belong to the school today."""

    zh = "此人目前不在本校"


class PartNotCut(Rejected):
    """A piece of a text begins and ends where the text was cut."""

    zh = "片段须以拆分处为界，请先拆分"


class PartsInUse(Rejected):
    """These cuts go through a piece that is grouped or set aside."""

    zh = "相关片段已归并或搁置，请先取消"


class WholeOpinion(Rejected):
    """An opinion as a whole is refused, not set aside, so that its originator learns why."""

    zh = "整条意见不能搁置，请说明理由后不受理"


class GroupedAlready(Rejected):
    """A piece that is grouped cannot be set aside."""

    zh = "该片段已归入问题，不能搁置"


class AsideAlready(Rejected):
    """A piece that was set aside cannot be grouped."""

    zh = "该片段已搁置，请先取消搁置"


class UnbalancedCollation(Rejected):
    """Every opinion must be in an issue or refused with a reason before the batch ends (R38)."""

    zh = "还有意见既未归入问题也未说明理由，不能结束本批"


class GroupWithoutOpinions(Rejected):
    """Nothing is left of a proposed issue: its opinions were refused, withdrawn or voided."""

    zh = "拟提问题已没有有效意见，请取消归并"


def decide(command: CollationCommand, collation: Collation, facts: Facts) -> CollationEvent | None:
    """One row per thing that may happen; what is not listed is refused."""
    match command, collation:
        case OpenCollation(), NotBegun():
            return _opened(command, facts)
        case OpenCollation(), Open() if _same_batch(command, collation):
            return None

        case SplitOpinion(opinion=opinion, cuts=cuts), Open():
            return _split(opinion, cuts, collation)

        case GroupOpinions(key=key), Open(groups=groups):
            proposed = _proposed(command, collation, facts)
            if key in groups and groups[key] == proposed:
                return None
            if key in groups:
                raise KeyTaken(key)
            return OpinionsGrouped(issue=_fitting(proposed, collation))
        case RegroupOpinions(key=key), Open(groups=groups):
            if key not in groups:
                raise UnknownGroup(key)
            proposed = _proposed(command, collation, facts)
            if groups[key] == proposed:
                return None
            return OpinionsRegrouped(issue=_fitting(proposed, collation))
        case UngroupOpinions(key=key), Open(groups=groups) if key in groups:
            return OpinionsUngrouped(key=key)
        case UngroupOpinions(key=key), Open(ungrouped=ungrouped) if key in ungrouped:
            return None
        case UngroupOpinions(key=key), Open():
            raise UnknownGroup(key)

        case SetPartAside(), Open():
            return _set_aside(command, collation, facts)
        case TakePartBack(part=asked), Open():
            event = PartTakenBack(part=_part(asked, collation))
            if any(event.part == known.part for known in collation.aside):
                return event
            if event == collation.taken_back:
                return None
            raise OutOfOrder

        case CloseCollation(), Open():
            return _closed(command, collation, facts)
        case CloseCollation(), Closed():
            return None

        case VoidCollation(reason=reason), Open(lengths=lengths):
            return CollationVoided(opinions=tuple(lengths), reason=reason)
        case VoidCollation(reason=reason), Voided(voiding) if reason == voiding.reason:
            return None

        case _:
            raise OutOfOrder


def _opened(command: OpenCollation, facts: Facts) -> CollationOpened:
    if command.solicitation and not facts.solicited:
        raise UnknownSolicitation(command.solicitation)
    if command.opinions is None:
        wanted = [o for o, known in facts.opinions.items() if known.standing and not known.taken]
    else:
        wanted = list(dict.fromkeys(command.opinions))
    for opinion in wanted:
        _free(opinion, command.solicitation, facts)
    if not wanted:
        raise NothingToCollate
    return CollationOpened(
        solicitation=command.solicitation,
        opinions=tuple(
            CollatedOpinion(opinion=o, length=facts.opinions[o].length)
            for o in wanted[:LARGEST_BATCH]
        ),
        collator=command.by,
    )


def _free(opinion: str, solicitation: str | None, facts: Facts) -> None:
    if opinion not in facts.opinions:
        raise UnknownOpinion(opinion)
    known = facts.opinions[opinion]
    if not known.standing:
        raise NotStanding(opinion)
    if known.taken:
        raise InAnotherCollation(opinion)
    if solicitation and known.solicitation != solicitation:
        raise OfAnotherSolicitation(opinion)


def _same_batch(command: OpenCollation, collation: Open) -> bool:
    named = command.opinions is None or set(command.opinions) == set(collation.lengths)
    return (
        named
        and command.by == collation.collator
        and command.solicitation == collation.solicitation
    )


def _split(opinion: str, cuts: tuple[int, ...], collation: Open) -> OpinionSplit | None:
    if opinion not in collation.lengths:
        raise NotInThisCollation(opinion)
    borders = _borders(segments(cuts, collation.lengths[opinion]))
    if cuts == collation.cuts.get(opinion, ()):
        return None
    used = [
        (key, collation.span(part)) for key, part in _used(collation) if part.opinion == opinion
    ]
    broken = [key for key, span in used if not {span.start, span.end} <= borders]
    if broken:
        raise PartsInUse(" ".join(dict.fromkeys(broken[:NAMED])))
    return OpinionSplit(opinion=opinion, cuts=cuts)


def _used(collation: Open) -> Iterable[tuple[str, OpinionPart]]:
    """Every part in a group or set aside, with the group's key or the word for the other."""
    for key, group in collation.groups.items():
        yield from ((key, part) for part in group.parts)
    yield from (("aside", entry.part) for entry in collation.aside)


def _part(asked: OpinionPart, collation: Open) -> OpinionPart:
    """A part as it is recorded: without a range where it is the whole text.

    Raises:
        NotInThisCollation, RangeOutsideText, PartNotCut: as their names say.
    """
    if asked.opinion not in collation.lengths:
        raise NotInThisCollation(asked.opinion)
    if (asked.start is None) is not (asked.end is None):
        raise RangeOutsideText(asked.opinion)
    length = collation.lengths[asked.opinion]
    (span,) = checked([collation.span(asked)], length)
    if (span.start, span.end) == (0, length):
        return OpinionPart(opinion=asked.opinion)
    if not {span.start, span.end} <= _borders(collation.pieces(asked.opinion)):
        raise PartNotCut(asked.opinion)
    return OpinionPart(opinion=asked.opinion, start=span.start, end=span.end)


def _borders(pieces: Iterable[TextRange]) -> set[int]:
    return {border for piece in pieces for border in (piece.start, piece.end)}


def _proposed(command: _Group, collation: Open, facts: Facts) -> ProposedIssue:
    if command.not_four_winds is bool(command.winds):
        raise WindsUnclear
    if (command.addressee is Addressee.member) is not (command.person is not None):
        raise AddresseeUnclear
    person = None if command.person is None else PersonId(command.person)
    _here(person, command, facts)
    return ProposedIssue(
        key=command.key,
        title=command.title,
        parts=_parts(command, collation, facts),
        addressee=command.addressee,
        person=person,
        winds=in_order(Wind, command.winds),
        not_four_winds=command.not_four_winds,
        topics=in_order(Topic, command.topics),
        discovery=command.discovery,
        key_issue=command.key_issue,
        strongly_reflected=command.strongly_reflected,
    )


def _here(person: PersonId | None, command: Command, facts: Facts) -> None:
    day = facts.directory.day(command.at)
    if person and not facts.directory.roster.present(person, day):
        raise PersonNotHere(person)


def _parts(command: _Group, collation: Open, facts: Facts) -> tuple[OpinionPart, ...]:
    parts = tuple(_part(part, collation) for part in command.parts)
    spans: dict[str, list[TextRange]] = {}
    for part in parts:
        if not facts.standing(part.opinion):
            raise NotStanding(part.opinion)
        if facts.about(part.opinion, command.by):
            raise InOwnCause(part.opinion)
        span = collation.span(part)
        if any(overlap(span, other) for other in spans.get(part.opinion, ())):
            raise OverlappingRanges(part.opinion)
        if any(overlap(span, other) for other in _aside(collation, part.opinion)):
            raise AsideAlready(part.opinion)
        spans.setdefault(part.opinion, []).append(span)
    return parts


def _aside(collation: Open, opinion: str) -> list[TextRange]:
    return [collation.span(e.part) for e in collation.aside if e.part.opinion == opinion]


def _grouped(collation: Open, opinion: str) -> list[TextRange]:
    return [
        collation.span(part)
        for group in collation.groups.values()
        for part in group.parts
        if part.opinion == opinion
    ]


def _fitting(proposed: ProposedIssue, collation: Open) -> ProposedIssue:
    groups = {**collation.groups, proposed.key: proposed}
    if sum(len(g.model_dump_json().encode()) for g in groups.values()) > LARGEST_CLOSING:
        raise BatchTooLarge
    return proposed


def _set_aside(command: SetPartAside, collation: Open, facts: Facts) -> PartSetAside | None:
    part = _part(command.part, collation)
    event = PartSetAside(part=part, code=command.code, reason=command.reason)
    if event in collation.aside:
        return None
    if part.start is None:
        raise WholeOpinion(part.opinion)
    if not facts.standing(part.opinion):
        raise NotStanding(part.opinion)
    if facts.about(part.opinion, command.by):
        raise InOwnCause(part.opinion)
    span = collation.span(part)
    if any(overlap(span, other) for other in _grouped(collation, part.opinion)):
        raise GroupedAlready(part.opinion)
    if any(overlap(span, other) for other in _aside(collation, part.opinion)):
        raise AsideAlready(part.opinion)
    return event


def waiting(collation: Open, excused: frozenset[str]) -> tuple[OpinionPart, ...]:
    """The pieces that are neither in a proposed issue nor set aside: what the balance lacks (R38).

    `excused` are the opinions refused, withdrawn or voided. An opinion of which every piece was set
    aside waits as a whole: to leave all of it out, it has to be refused, so that its originator
    learns why.
    """
    grouped: dict[str, list[TextRange]] = {}
    settled: dict[str, list[TextRange]] = {}
    for group in collation.groups.values():
        for part in group.parts:
            grouped.setdefault(part.opinion, []).append(collation.span(part))
            settled.setdefault(part.opinion, []).append(collation.span(part))
    for entry in collation.aside:
        settled.setdefault(entry.part.opinion, []).append(collation.span(entry.part))
    left: list[OpinionPart] = []
    for opinion in collation.lengths:
        if opinion in excused:
            continue
        if opinion not in grouped:
            left.append(OpinionPart(opinion=opinion))
            continue
        left += (
            OpinionPart(opinion=opinion, start=piece.start, end=piece.end)
            for piece in collation.pieces(opinion)
            if not any(overlap(piece, span) for span in settled[opinion])
        )
    return tuple(left)


def _closed(command: CloseCollation, collation: Open, facts: Facts) -> CollationClosed:
    excused = frozenset(o for o in collation.lengths if not facts.standing(o))
    if left := waiting(collation, excused):
        some = " ".join(dict.fromkeys(part.opinion for part in left[:NAMED]))
        detail = f"{len(left)}: {some}"
        raise UnbalancedCollation(detail)
    issues = tuple(
        group.model_copy(
            update={"parts": tuple(p for p in group.parts if p.opinion not in excused)}
        )
        for group in collation.groups.values()
    )
    if empty := [issue.key for issue in issues if not issue.parts]:
        raise GroupWithoutOpinions(" ".join(empty[:NAMED]))
    for issue in issues:
        _here(issue.person, command, facts)
    return CollationClosed(
        issues=issues,
        not_collated=tuple(o for o in collation.lengths if o in excused),
        solicitation=collation.solicitation,
    )


def evolve(collation: Collation, event: CollationEvent) -> Collation:
    """What happened, happened: no rules here."""
    if isinstance(event, CollationOpened):
        lengths = {entry.opinion: entry.length for entry in event.opinions}
        return Open(lengths, event.collator, event.solicitation)
    if not isinstance(collation, Open):
        return collation
    match event:
        case OpinionSplit(opinion=opinion, cuts=cuts):
            return replace(collation, cuts={**collation.cuts, opinion: cuts})
        case OpinionsGrouped(issue=issue) | OpinionsRegrouped(issue=issue):
            return replace(collation, groups={**collation.groups, issue.key: issue})
        case OpinionsUngrouped(key=key):
            groups = {k: group for k, group in collation.groups.items() if k != key}
            return replace(collation, groups=groups, ungrouped=collation.ungrouped | {key})
        case PartSetAside():
            return replace(collation, aside=(*collation.aside, event))
        case PartTakenBack(part=part):
            aside = tuple(entry for entry in collation.aside if entry.part != part)
            return replace(collation, aside=aside, taken_back=event)
        case CollationClosed():
            return Closed()
        case CollationVoided():
            return Voided(event)
        case _:
            assert_never(event)


decider: Decider[CollationCommand, CollationEvent, Collation, Facts] = Decider(
    "collation",
    NotBegun(),
    decide,
    evolve,
    commands=CollationCommand,
    events=CollationEvent,
    states=Collation,
)
