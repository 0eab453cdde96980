"""Every page of the console and who answers for it."""

from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.gateway.console.acts import Acts
from services.gateway.console.asking import Asking
from services.gateway.console.desk import Desk
from services.gateway.console.door import Door
from services.gateway.console.entry import Entry
from services.gateway.console.intake import Intake
from services.gateway.console.look import HEADERS, SHEET, SHEET_PATH
from services.gateway.console.pages import Pages
from services.gateway.console.receipt import Receipts
from services.gateway.console.talks import Talks
from services.gateway.doors import Doors
from shared.runtime import Service


def site(doors: Doors, services: Iterable[Service]) -> list[Route]:
    """The routes of the console."""
    door = Door.of(doors, Asking.of(doors, services))
    acts, pages, intake, receipts = Acts(door), Pages(door), Intake(door), Receipts(door)
    desk = Desk(door)
    entry = Entry(door, acts, desk)
    answers = {
        ("GET", "sign-in"): entry.ask,
        ("POST", "sign-in"): entry.sign_in,
        ("POST", "sign-out"): entry.sign_out,
        ("GET", "today"): pages.today,
        ("GET", "ledger"): pages.ledger,
        ("GET", "issues/{id}"): pages.issue,
        ("GET", "issues/{id}/picture.svg"): pages.picture,
        ("GET", "issues/{id}/{act}"): acts.show,
        ("POST", "issues/{id}/{act}"): acts.take,
        ("GET", "collate"): desk.batches,
        ("POST", "collate"): desk.open,
        ("GET", "collate/{id}"): desk.batch,
        ("GET", "collate/{id}/{act}"): desk.show,
        ("POST", "collate/{id}/{act}"): desk.take,
        ("GET", "talks"): Talks(door).show,
        ("GET", "rules"): pages.rules,
        ("GET", "outstanding"): pages.outstanding,
        ("GET", "audit"): pages.audit,
        ("GET", "intake"): intake.ask,
        ("POST", "intake"): intake.take,
        ("GET", "receipt"): receipts.ask,
        ("POST", "receipt"): receipts.look,
        ("POST", "receipt/{act}"): receipts.take,
    }
    paths = ((method, f"/console/{{school}}/{at}", a) for (method, at), a in answers.items())
    return [
        Route(SHEET_PATH, _sheet),
        *(Route(path, door.guarded(path, a), methods=[method]) for method, path, a in paths),
    ]


async def _sheet(_: Request) -> Response:
    """The style sheet, for ever: another one would be elsewhere."""
    headers = {**HEADERS, "Cache-Control": "public, max-age=31536000, immutable"}
    return Response(SHEET, 200, headers, media_type="text/css")
