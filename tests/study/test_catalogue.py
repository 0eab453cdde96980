"""The reading catalogue, item by item, edition by edition (R10)."""

from datetime import date
from typing import Any

import pytest

from services.study.domain import EndsBeforeItBegins, FourEyes
from services.study.domain.catalogue import (
    AddCatalogueItem,
    CorrectCatalogueItem,
    ReviseCatalogueItem,
    VoidCatalogueItem,
    WithdrawCatalogueItem,
    decider,
)
from services.study.events import (
    CatalogueItemAdded,
    CatalogueItemCorrected,
    CatalogueItemRevised,
    CatalogueItemVoided,
    CatalogueItemWithdrawn,
)
from shared.decider import Event, OutOfOrder
from tests.scenario import Scenario
from tests.study.cast import OFFICER, SCHOOL, SECRETARY, by

item = Scenario(decider, SCHOOL)

SINCE, UNTIL = date(2023, 2, 13), date(2023, 6, 30)
WORDING: dict[str, Any] = {"title": "厉行节约反对浪费条例", "origin": "中发(2023)4号"}
added = CatalogueItemAdded(**WORDING, required=True, since=SINCE, added_by=OFFICER)
REVISED: dict[str, Any] = {**WORDING, "title": "厉行节约反对浪费条例(修订)", "reason": "新版印发"}
revised = CatalogueItemRevised(edition=2, **REVISED, required=True)
withdrawn = CatalogueItemWithdrawn(on=UNTIL, reason="学完")
voided = CatalogueItemVoided(reason="重复")

ADDED: tuple[Event, ...] = (added,)
WITHDRAWN = (*ADDED, withdrawn)
VOIDED = (*ADDED, voided)


def add(**changes: Any) -> AddCatalogueItem:
    return by(OFFICER, AddCatalogueItem, **{**WORDING, "since": SINCE, **changes})


def revise(**changes: Any) -> ReviseCatalogueItem:
    return by(OFFICER, ReviseCatalogueItem, **{**REVISED, **changes})


def correct(**changes: Any) -> CorrectCatalogueItem:
    said = {**WORDING, "since": SINCE, "reason": "抄错", **changes}
    return by(OFFICER, CorrectCatalogueItem, **said)


def withdraw(on: date = UNTIL, reason: str = "学完") -> WithdrawCatalogueItem:
    return by(OFFICER, WithdrawCatalogueItem, on=on, reason=reason)


def test_an_item_is_added_once() -> None:
    item.given().when(add()).then(added)
    item.given(*ADDED).when(add()).then_nothing()


@pytest.mark.parametrize(
    "other", [{"title": "别的"}, {"origin": "别的"}, {"required": False}, {"since": UNTIL}], ids=str
)
def test_another_item_is_not_taken_for_the_same(other: dict[str, Any]) -> None:
    item.given(*ADDED).when(add(**other)).then_rejected(OutOfOrder)


def test_a_revision_is_a_new_edition() -> None:
    item.given(*ADDED).when(revise()).then(revised)
    item.given(*ADDED, revised).when(revise()).then_nothing()
    item.given(*ADDED, revised).when(revise(title="第三版")).then(
        revised.model_copy(update={"edition": 3, "title": "第三版"})
    )


def test_a_correction_is_the_same_edition() -> None:
    item.given(*ADDED).when(correct(title="条例")).then(
        CatalogueItemCorrected(
            title="条例", origin=WORDING["origin"], required=True, since=SINCE, reason="抄错"
        )
    )
    item.given(*ADDED).when(correct()).then_nothing()


def test_an_item_is_withdrawn_from_a_day_on() -> None:
    item.given(*ADDED).when(withdraw()).then(withdrawn)
    item.given(*WITHDRAWN).when(withdraw()).then_nothing()
    item.given(*WITHDRAWN).when(withdraw(reason="别的")).then_rejected(OutOfOrder)
    item.given(*ADDED).when(withdraw(date(2023, 2, 12))).then_rejected(EndsBeforeItBegins)
    item.given(*WITHDRAWN).when(revise()).then_rejected(OutOfOrder)


def test_what_was_withdrawn_by_mistake_counts_again_by_a_correction() -> None:
    back = CatalogueItemCorrected(**WORDING, required=True, since=SINCE, reason="抄错")
    item.given(*WITHDRAWN).when(correct()).then(back)
    item.given(*WITHDRAWN, back).when(withdraw()).then(withdrawn)


def test_a_correction_keeps_the_days_in_order() -> None:
    wrong = correct(since=UNTIL, withdrawn_on=SINCE)
    item.given(*ADDED).when(wrong).then_rejected(EndsBeforeItBegins)


def test_an_item_is_struck_out_by_somebody_else() -> None:
    item.given(*ADDED).when(by(SECRETARY, VoidCatalogueItem, reason="重复")).then(voided)
    item.given(*ADDED).when(by(OFFICER, VoidCatalogueItem, reason="重复")).then_rejected(FourEyes)
    item.given(*VOIDED).when(by(SECRETARY, VoidCatalogueItem, reason="重复")).then_nothing()
    for command in (add(), revise(), correct(), withdraw()):
        item.given(*VOIDED).when(command).then_rejected(OutOfOrder)


def test_what_is_not_listed_is_not_changed() -> None:
    for command in (revise(), correct(), withdraw(), by(SECRETARY, VoidCatalogueItem, reason="x")):
        item.given().when(command).then_rejected(OutOfOrder)
