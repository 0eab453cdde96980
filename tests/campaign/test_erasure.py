"""Somebody is erased by two people, once they have left, and with every entry merged into theirs."""

from collections.abc import Iterable
from uuid import UUID

import pytest
from pydantic import BaseModel

from services.campaign.app import service
from services.campaign.calendar import duration
from services.campaign.defaults import SETTINGS, TEXTS
from services.campaign.domain import FourEyes, NotInRoster
from services.campaign.domain.erasure import (
    ApproveErasure,
    Facts,
    NoSuchRecord,
    RequestErasure,
    RequestTextErasure,
    StillHere,
    StillKept,
    WithdrawErasure,
    decider,
)
from services.campaign.domain.person import Erased, MergedElsewhere
from services.campaign.domain.person import decider as people
from services.campaign.events import (
    ErasureRequested,
    ErasureWithdrawn,
    PersonEntered,
    PersonErased,
    PersonMerged,
    SchoolLeft,
    TextErasureRequested,
    TextKind,
    TextsErased,
)
from services.campaign.projection import erasure_card
from services.campaign.queries import (
    Erasures,
    all_erasures,
    erasure_facts,
    person_shown,
)
from services.campaign.roster import Person
from services.stack import SERVICES
from shared.callers import Caller
from shared.decider import OutOfOrder, PersonId
from shared.envelope import GENESIS, Provenance, Subject, draft
from shared.marks import Sealed, marked
from shared.mongo import Document
from shared.privacy import ScopeErased, _ciphers
from shared.views import Working
from tests import memory
from tests.campaign.examples import (
    ADMIN,
    DIRECTORY,
    GONE,
    HEAD,
    NEW_YEAR,
    NOBODY,
    NOON,
    OPERATOR,
    SPARE,
    TEACHER,
    TODAY,
    TOMORROW,
    YESTERDAY,
    directory_after,
    log,
    someone,
)
from tests.campaign.test_person import correct, enter, merge, name_deputy, rejoin
from tests.campaign.test_school import enrolled
from tests.memory import TOWN, works
from tests.scenario import Scenario

erasure = Scenario(decider, Facts(DIRECTORY))
requested = ErasureRequested(person=GONE, reason="本人要求", requested_by=ADMIN)
withdrawn = ErasureWithdrawn(reason="本人收回")
erased = PersonErased(people=(GONE,), reason="核实无误")


NAMED = ("opinion.o1.originator",)
texts_requested = TextErasureRequested(
    kind=TextKind.originator, record="o1", reason="家长要求", requested_by=ADMIN
)
texts_erased = TextsErased(scopes=NAMED, reason="核实无误")


def ask_texts(
    kind: TextKind = TextKind.originator, record: str = "o1", reason: str = "家长要求"
) -> RequestTextErasure:
    return RequestTextErasure(by=ADMIN, at=NOON, kind=kind, record=record, reason=reason)


def ask(reason: str = "本人要求", person: PersonId = GONE) -> RequestErasure:
    return RequestErasure(by=ADMIN, at=NOON, person=person, reason=reason)


def approve(by: PersonId = HEAD, reason: str = "核实无误") -> ApproveErasure:
    return ApproveErasure(by=by, at=NOON, reason=reason)


def withdraw(reason: str = "本人收回") -> WithdrawErasure:
    return WithdrawErasure(by=HEAD, at=NOON, reason=reason)


def knowing(**people: Person) -> Scenario:
    """The same school with other entries in its roster."""
    entries = {PersonId(key): entry for key, entry in people.items()}
    roster = {**DIRECTORY.roster.people, **entries}
    changed = DIRECTORY.roster.model_copy(update={"people": roster})
    return erasure.knowing(Facts(DIRECTORY.model_copy(update={"roster": changed})))


def test_one_asks_and_another_approves() -> None:
    erasure.given().when(ask()).then(requested)
    erasure.given(requested).when(ask()).then_nothing()
    erasure.given(requested).when(ask("另")).then_rejected(OutOfOrder)
    erasure.given(requested).when(approve()).then(erased)
    erasure.given(requested).when(approve(OPERATOR)).then(erased)
    erasure.given(requested, erased).when(approve()).then_nothing()
    erasure.given(requested, erased).when(approve(reason="另")).then_rejected(OutOfOrder)
    assert ask().unique() != ask(person=SPARE).unique()


def test_the_same_person_under_whatever_entry_does_not_do_both() -> None:
    erasure.given(requested).when(approve(ADMIN)).then_rejected(FourEyes)
    under_another = requested.model_copy(update={"requested_by": SPARE})
    merged = knowing(**{SPARE: someone(merged_into=ADMIN)})
    merged.given(under_another).when(approve(ADMIN)).then_rejected(FourEyes)


def test_a_request_is_taken_back_and_made_again() -> None:
    erasure.given(requested).when(withdraw()).then(withdrawn)
    erasure.given(requested, withdrawn).when(withdraw()).then_nothing()
    erasure.given(requested, withdrawn).when(withdraw("另")).then_rejected(OutOfOrder)
    erasure.given(requested, withdrawn).when(approve()).then_rejected(OutOfOrder)
    erasure.given(requested, withdrawn).when(ask()).then(requested)


def test_what_nobody_asked_for_is_neither_approved_nor_taken_back() -> None:
    erasure.given().when(approve()).then_rejected(OutOfOrder)
    erasure.given().when(withdraw()).then_rejected(OutOfOrder)


def test_it_is_never_undone() -> None:
    erasure.given(requested, erased).when(withdraw()).then_rejected(OutOfOrder)
    erasure.given(requested, erased).when(ask()).then_rejected(Erased)
    as_alias = DIRECTORY.model_copy(update={"erased": (GONE,)})
    erasure.knowing(Facts(as_alias)).given().when(ask()).then_rejected(Erased)


there = erasure.knowing(Facts(DIRECTORY, there=True))


def test_who_spoke_up_without_being_in_the_roster_is_erased_by_two_people_as_well() -> None:
    there.given().when(ask_texts()).then(texts_requested)
    there.given(texts_requested).when(ask_texts()).then_nothing()
    there.given(texts_requested).when(ask_texts(reason="另")).then_rejected(OutOfOrder)
    there.given(texts_requested).when(approve(ADMIN)).then_rejected(FourEyes)
    there.given(texts_requested).when(approve()).then(texts_erased)
    there.given(texts_requested, texts_erased).when(approve()).then_nothing()
    there.given(texts_requested, texts_erased).when(withdraw()).then_rejected(OutOfOrder)
    there.given(texts_requested, texts_erased).when(ask_texts()).then_rejected(Erased)
    there.given(texts_requested).when(withdraw()).then(withdrawn)
    there.given(texts_requested, withdrawn).when(ask_texts()).then(texts_requested)
    assert ask_texts().unique() != ask_texts(record="o2").unique()
    assert ask_texts().unique() != ask_texts(TextKind.outsider).unique()


def test_what_is_not_there_or_gone_already_is_not_erased() -> None:
    erasure.given().when(ask_texts()).then_rejected(NoSuchRecord)
    erasure.given(texts_requested).when(approve()).then_rejected(NoSuchRecord)
    gone = DIRECTORY.model_copy(update={"erased_texts": NAMED})
    already = erasure.knowing(Facts(gone, there=True))
    already.given().when(ask_texts()).then_rejected(Erased)
    already.given(texts_requested).when(approve()).then_rejected(Erased)


WHOLE = [kind for kind, texts in TEXTS.items() if not texts.at_any_time]


@pytest.mark.parametrize("kind", WHOLE)
def test_a_whole_record_is_erased_only_when_policy_keeps_it_no_longer(kind: TextKind) -> None:
    for until, refused in ((TODAY, True), (YESTERDAY, False)):
        known = erasure.knowing(Facts(DIRECTORY, there=True, kept_until=until))
        for outcome in (
            known.given().when(ask_texts(kind)),
            known.given(texts_requested.model_copy(update={"kind": kind})).when(approve()),
        ):
            if refused:
                outcome.then_rejected(StillKept)
            else:
                assert outcome.decided() is not None


def test_what_is_erased_of_a_kind_are_all_the_keys_its_texts_have() -> None:
    """A part that is added to a stream of a kind is erased with it, or it would stay behind."""
    parts: dict[tuple[str, str], set[str]] = {}
    for each in SERVICES:
        for stream in each.streams:
            for event in stream.decider.members(stream.decider.events):
                place = each.name, stream.decider.category
                parts.setdefault(place, set()).update(_parts(event))
    for kind in WHOLE:
        texts = TEXTS[kind]
        assert {*texts.parts} == parts[texts.service, texts.category], kind
    for texts in TEXTS.values():
        assert {*texts.parts} <= parts[texts.service, texts.category]
        assert not texts.kept or texts.kept in SETTINGS


def _parts(model: type[BaseModel]) -> set[str]:
    found: set[str] = set()
    for what in marked(model).values():
        if isinstance(what, Sealed):
            found.add(what.part)
        elif isinstance(what, type):
            found |= _parts(what)
    return found


@pytest.mark.parametrize("kind", [TextKind.originator, TextKind.talk])
async def test_the_facts_of_an_erasure_are_read_from_the_log_of_the_record(kind: TextKind) -> None:
    at = await works(service, DIRECTORY)
    texts = TEXTS[kind]
    desk = at.runtime.desk(TOWN, NOON)
    assert not (await erasure_facts(ask_texts(kind), desk)).there
    place = Subject(TOWN, texts.service, texts.category, "o1")
    told = Provenance(ADMIN, NOON, NOON, UUID(int=1), "0" * 64, UUID(int=1))
    new = draft(place, erased, told, version=1, previous=GENESIS)
    await at.pages.append(new, after=0)

    found = await erasure_facts(ask_texts(kind), desk)

    kept = duration(SETTINGS[texts.kept].value or "")
    assert (found.there, found.kept_until) == (True, TODAY + kept)
    state = decider.fold([texts_requested.model_copy(update={"kind": kind})])
    approving = at.runtime.desk(TOWN, NOON, state)
    assert await erasure_facts(approve(), approving) == found


@pytest.mark.parametrize("person", [TEACHER, HEAD])
def test_who_belongs_to_the_school_leaves_it_first(person: PersonId) -> None:
    erasure.given().when(ask(person=person)).then_rejected(StillHere)


@pytest.mark.parametrize(
    "changed", [{"left_on": None}, {"left_on": TODAY}, {"joined_on": TOMORROW}]
)
def test_it_counts_whether_they_are_here_when_it_is_approved(changed: dict[str, object]) -> None:
    back = knowing(**{GONE: someone(**changed)})
    back.given(requested).when(approve()).then_rejected(StillHere)


def test_only_who_is_in_the_roster_is_erased_and_that_by_the_entry_that_stands() -> None:
    erasure.given().when(ask(person=NOBODY)).then_rejected(NotInRoster)
    duplicate = knowing(**{SPARE: someone(merged_into=GONE)})
    duplicate.given().when(ask(person=SPARE)).then_rejected(MergedElsewhere)
    duplicate.given(requested).when(approve()).then(
        PersonErased(people=(GONE, SPARE), reason="核实无误")
    )


def test_who_was_entered_by_mistake_can_be_erased_at_once() -> None:
    mistake = knowing(**{SPARE: someone(voided=True)})
    mistake.given().when(ask(person=SPARE)).then(requested.model_copy(update={"person": SPARE}))


def test_the_entry_of_who_was_erased_changes_no_more() -> None:
    after = DIRECTORY.model_copy(update={"erased": (GONE,)})
    person = Scenario(people, after)
    past = people.decide(enter(), people.initial, DIRECTORY)
    assert past is not None
    for command in (correct(), rejoin(), merge(HEAD)):
        theirs = command.model_copy(update={"stream": GONE})
        person.given(past, SchoolLeft(on=YESTERDAY)).when(theirs).then_rejected(Erased)
    person.given(past).when(merge(GONE)).then_rejected(Erased)
    person.given(past).when(name_deputy(GONE)).then_rejected(Erased)


def test_the_number_of_who_was_erased_is_free_and_the_entry_still_counts() -> None:
    entered = PersonEntered(name="…", number="…", number_index="index", joined_on=NEW_YEAR)
    past = [("no1", enrolled), (GONE, entered), (SPARE, entered.model_copy())]
    before = directory_after(log(*past))
    after = directory_after(log(*past, ("e", erased)))
    assert before is not None
    assert after is not None
    assert before.roster.with_number("index") == GONE
    assert before.roster.duplicates() == ((GONE, SPARE),)
    assert after.roster.with_number("index") == SPARE
    assert after.roster.duplicates() == ()
    assert after.roster.people.keys() == before.roster.people.keys()


def test_every_service_knows_from_the_directory_whom_to_forget() -> None:
    another = PersonErased(people=(SPARE, NOBODY), reason="核实无误")
    past = ("no1", enrolled), ("e", requested), ("e", erased), ("t", texts_erased), ("f", another)
    known = directory_after(log(*past))
    for each in SERVICES:
        assert each.erased(known) == (
            *(f"person.{person}" for person in (GONE, SPARE, NOBODY)),
            *NAMED,
        )


async def test_nobody_comes_back_with_an_old_key_or_while_views_begin_again() -> None:
    at = await works(service, DIRECTORY.model_copy(update={"erased": (GONE,)}))
    ring, name = at.runtime.privacy.keyring, f"{TOWN}/person.{GONE}"
    await ring.ensure(name)
    backup = at.kept("keys")[name]
    for directory in (None, DIRECTORY, None):
        await at.runtime._forget(TOWN)
        assert at.kept("keys")[name] == {"_id": name, "erased": True}
        assert ring.known(name) is None
        at.runtime.projector._foldings[0].cache[f"{TOWN}/school"] = Working(directory, None, 0, 0)

    at.kept("keys")[name] = backup

    assert await ring.find([name]) == {}
    with pytest.raises(ScopeErased):
        await ring.ensure(name)


async def test_a_key_that_is_destroyed_while_it_is_looked_up_is_not_remembered() -> None:
    at = await works(service, DIRECTORY)
    ring, name = at.runtime.privacy.keyring, f"{TOWN}/person.{GONE}"
    await ring.ensure(name)

    class Meanwhile(memory.Drawer):
        """Keys of which one is destroyed between the look and the answer."""

        async def get_many(self, keys: Iterable[str]) -> dict[str, Document]:
            found = await super().get_many(keys)
            await ring.destroy([name])
            return found

    at.chest.drawers["keep keys"] = Meanwhile(None, at.kept("keys"))  # type: ignore[arg-type]  # in memory
    ring._known.clear()
    assert (await ring.find([name])).keys() == {name}
    assert await ring.find([name]) == {}


async def test_nothing_made_of_a_destroyed_key_stays_in_memory() -> None:
    privacy = (await works(service, DIRECTORY)).runtime.privacy
    entered = enter().model_copy(update={"name": "司徒某甲"})
    sealed = await privacy.seal(entered, TOWN, "person", GONE, {}, begins=True)
    assert sealed.name != entered.name
    assert _ciphers.cache_info().currsize
    await privacy.keyring.destroy([f"{TOWN}/person.{GONE}"])
    assert not _ciphers.cache_info().currsize


def test_who_was_erased_stays_in_the_roster_and_is_shown_as_erased() -> None:
    after = DIRECTORY.model_copy(update={"erased": (GONE,)})
    place = {
        "_id": f"no1/{GONE}",
        "key": GONE,
        "school": "no1",
        "position": 1,
        "opened": 1,
        "version": 1,
    }
    entry = someone(left_on=YESTERDAY).model_dump(mode="json")
    card = {**entry, "changed_at": NOON.isoformat(), "reason": None}
    reader = Caller(TEACHER, frozenset({"person"}))
    assert person_shown({**card, **place}, TODAY, reader, after)["erased"]
    assert not person_shown({**card, **place}, TODAY, reader, DIRECTORY)["erased"]


async def test_erasures_are_listed_by_how_they_stand() -> None:
    at = await works(service, DIRECTORY)
    past = ("e", requested), ("f", requested), ("f", withdrawn)
    await at.runtime.projector.apply(memory.log(*past, by=ADMIN, noon=NOON))
    asker, desk = Caller(ADMIN, frozenset({"person"})), at.runtime.desk(TOWN, NOON)
    for state, listed in ((None, ["e", "f"]), ("requested", ["e"]), ("withdrawn", ["f"])):
        found = await all_erasures(Erasures(state=state), desk, asker)
        assert [item["id"] for item in found["items"]] == listed


def test_the_card_says_who_asked_who_approved_and_how_it_stands() -> None:
    records = log(("e", requested), ("e", withdrawn), ("e", requested), ("e", erased))
    cards = []
    card = None
    for record in records:
        card = erasure_card(card, record)
        assert card is not None
        cards.append((card.state, card.reason, card.requested_by, card.approved_by))
    assert cards == [
        ("requested", "本人要求", ADMIN, None),
        ("withdrawn", "本人收回", ADMIN, None),
        ("requested", "本人要求", ADMIN, None),
        ("erased", "核实无误", ADMIN, ADMIN),
    ]
    assert erasure_card(None, log(("e", PersonMerged(into=HEAD, reason="x")))[0]) is None
