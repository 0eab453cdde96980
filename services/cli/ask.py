"""Ask the gateway, and print what it says for people."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

if TYPE_CHECKING:
    import httpx


from services.cli.base import CANNOT, GOOD, WRONG, Json, app, end, put, show, tell, titled

Url = Annotated[str, typer.Option(help="Where the gateway listens.")]
SchoolToken = Annotated[str, typer.Option(help="The school's token.")]
Bearer = Annotated[str, typer.Option(envvar="TAIZHANG_TOKEN", help="A token that may read it.")]
AsOf = Annotated[str | None, typer.Option(help="At the end of this day, YYYY-MM-DD; else today.")]
PAGE = 100
"""Items a page; no query takes fewer."""


@dataclass(frozen=True)
class Door:
    """The gateway as one caller of one school asks it; `refused` is the exit code when it says no."""

    client: "httpx.Client"
    refused: int = CANNOT

    def get(self, path: str, **asked: str | int | None) -> dict[str, Any]:
        """What is to be seen there, or one line why not and the end."""
        return self._read(self._answer(path, asked))

    def picture(self, path: str) -> bytes:
        """The same as a picture (SVG)."""
        answer = self._answer(path, {"format": "svg"})
        if answer.is_error or not answer.headers["content-type"].startswith("image/svg+xml"):
            self._read(answer)
            end(f"{answer.url} is no picture", CANNOT)
        return answer.content

    def _answer(self, path: str, asked: Mapping[str, str | int | None]) -> "httpx.Response":
        import httpx

        sent = {name: value for name, value in asked.items() if value is not None}
        try:
            return self.client.get(path, params=sent)
        except httpx.HTTPError as error:
            end(f"{self.client.base_url.copy_with(path='')} does not answer: {error}", CANNOT)

    def _read(self, answer: "httpx.Response") -> dict[str, Any]:
        try:
            page = answer.json()
        except ValueError:
            page = None
        said = {"code", "title", "title_zh"} if answer.is_error else set[str]()
        if not isinstance(page, dict) or not said <= page.keys():
            end(f"{answer.url} is no door of taizhang ({answer.status_code})", CANNOT)
        if answer.is_error:
            wrong = ", ".join(field["field"] for field in page.get("fields", ()))
            why = f": {wrong}" if wrong else ""
            end(f"{page['title_zh']} / {page['title']} ({page['code']}{why})", self.refused)
        return page

    def all(self, path: str, **asked: str | int | None) -> dict[str, Any]:
        """The same to the last page, with the items of all of them."""
        items: list[dict[str, Any]] = []
        names: dict[str, Any] = {}
        after: int | None = 0
        while after is not None:
            page = self.get(path, after=after, limit=PAGE, **asked)
            items += page["items"]
            names |= page.get("names", {})
            after = page["next"]
        return {**page, "items": items, **({"names": names} if names else {})}

    def names(self) -> dict[str, str]:
        """What people and units are called and issues are about, by id, as far as the caller may know."""
        return {
            item["id"]: str(item[called])
            for path, called in (("people", "name"), ("units", "name"), ("issues", "title"))
            for item in self.all(path)["items"]
            if isinstance(item[called], str)
        }


@contextmanager
def gateway(url: str, school: str, bearer: str, *, refused: int = CANNOT) -> Iterator[Door]:
    """The door at an address; a board of a whole year may take its time at first."""
    import httpx

    try:
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        client = httpx.Client(base_url=f"{url}/v1/{school}", headers=headers, timeout=60)
    except (httpx.InvalidURL, UnicodeEncodeError):
        end("no such address, school or token", CANNOT)
    with client:
        yield Door(client, refused)


@app.command()
def biography(
    issue: Annotated[str, typer.Argument(help="The issue's id.")],
    school: SchoolToken,
    url: Url,
    bearer: Bearer,
    svg: Annotated[
        Path | None, typer.Option(help="Draw it for people into this file instead.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Tell one issue's life, from the spoken word to the verdict."""
    with gateway(url, school, bearer, refused=WRONG) as door:
        if svg:
            drawn = door.picture(f"issues/{issue}/biography")
            try:
                svg.write_bytes(drawn)
            except OSError as reason:
                end(str(reason), CANNOT)
            tell({"svg": str(svg), "bytes": len(drawn)}, [f"{svg}"], as_json=as_json)
            return
        told = door.all(f"issues/{issue}/biography")
    show(told, life, as_json=as_json)


def life(told: dict[str, Any]) -> Table:
    """A biography as a table; below it where the issue was raised and the lines of plans it stands in."""
    table = titled(f"问题 {told['id']}", "位置", "时间", "何人", "何事", "内容")
    for event in told["items"]:
        said = {**event["event"], **event["event"].get("line", {})}
        words = [v for v in said.values() if isinstance(v, str) and not v.isascii()]
        table.add_row(
            str(event["position"]),
            event["at"][:19].replace("T", " "),
            _called(told.get("names", {}), event["actor"]),
            event["type"].removesuffix(".v1"),
            (words[0] if words else "")[:60],
        )
    ruled = [f"制度 {rule['stage']} {rule['title']}" for rule in told["regulations"]]
    raised = [f"出自 {source['kind']} {source['id']}" for source in told["sources"]]
    planned = [f"方案 {line['plan']} {line['due_on']} {line['task']}" for line in told["lines"]]
    table.caption = "\n".join(raised + planned + ruled)
    return table


def _called(names: dict[str, Any], person: str) -> str:
    """What somebody is called, where that is known and not erased; else the beginning of their id."""
    name = names.get(person)
    return name if isinstance(name, str) else person[:13]


@app.command()
def rules(
    school: SchoolToken,
    url: Url,
    bearer: Bearer,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Show the board: every rule of the plan, how much of what it asks for is done, at which position."""
    with gateway(url, school, bearer) as door:
        told = door.get("board", as_of=as_of)
    show(told, board, as_json=as_json)


def board(told: dict[str, Any]) -> Table:
    """The board as a table; a rule that nobody can compute has no figures."""
    title = f"规则总览 截至 {told['as_of']} 位置 {told['position']}"
    table = titled(title, "规则", "类别", "原文", "完成/应完成", "豁免", "疑点")
    for rule in told["rules"]:
        found = sum(check["open"] for check in rule["checks"])
        figures = (
            (f"{rule['numerator']}/{rule['denominator']}", str(rule["waived"]))
            if rule["computed"]
            else ("-", "-")
        )
        table.add_row(
            rule["rule"],
            " ".join(rule["kinds"]),
            rule["quote"],
            *figures,
            str(found) if rule["checks"] else "",
        )
    return table


@app.command()
def outstanding(
    school: SchoolToken,
    url: Url,
    bearer: Bearer,
    rule: Annotated[str | None, typer.Argument(help="Of one rule (R46); else of all.")] = None,
    period: Annotated[str | None, typer.Option(help="Of one period, as the list names it.")] = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """List who still owes what (未填报名单); exit 1 when anything is outstanding, 0 when nothing."""
    with gateway(url, school, bearer) as door:
        told = _owed(door, rule, period, as_of)
    show(told, still_owed, as_json=as_json)
    raise typer.Exit(WRONG if told["items"] else GOOD)


def _owed(door: Door, rule: str | None, period: str | None, as_of: str | None) -> dict[str, Any]:
    """What is missing of a rule, or of every rule of which anything is."""
    pages = []
    asked = [rule] if rule else []
    if not rule:
        pages.append(door.get("board", as_of=as_of))
        asked = [line["rule"] for line in pages[0]["rules"] if line.get("missing")]
    pages += [door.all("outstanding", rule=r, period=period, as_of=as_of) for r in asked]
    items = [item for page in pages for item in page.get("items", ())]
    names = door.names() if items else {}
    return {
        "as_of": pages[0]["as_of"],
        "position": max(page["position"] for page in pages),
        "total": len(items),
        "items": [
            {**item, "opened": n, "names": [names.get(part) for part in item["subject"]]}
            for n, item in enumerate(items, start=1)
        ],
    }


def still_owed(told: dict[str, Any]) -> Table:
    """The list of what is outstanding as a table."""
    title = f"未填报名单 截至 {told['as_of']} 位置 {told['position']} 共 {told['total']} 项"
    table = titled(title, "规则", "对象", "周期", "截止", "逾期", "知悉")
    for item in told["items"]:
        called = zip(item["names"], item["subject"], strict=True)
        table.add_row(
            item["rule"],
            " / ".join(name or id_ for name, id_ in called),
            item["period"],
            item["due_on"] or "",
            "是" if item["overdue"] else "",
            "是" if item["acknowledged"] else "",
        )
    return table


@app.command()
def diff(
    since: Annotated[str, typer.Argument(metavar="FROM", help="The end of this day, YYYY-MM-DD.")],
    until: Annotated[str, typer.Argument(metavar="TO", help="The end of a later one.")],
    school: SchoolToken,
    url: Url,
    bearer: Bearer,
    as_json: Json = False,
) -> None:
    """Show what changed between the ends of two days: 新增, 推进, 办结, and every rule's figures."""
    with gateway(url, school, bearer) as door:
        told = door.get("difference", since=since, until=until)
        names = door.names() if not as_json and any(told["ledger"].values()) else {}
    show(told, lambda told: ledger_changes(told, names), as_json=as_json)
    if not as_json:
        put(rule_changes(told))


def ledger_changes(told: dict[str, Any], names: dict[str, str]) -> Table:
    """The weekly table of the ledger: what is new, what moved, what was struck off."""
    sides = (("新增", "opened"), ("推进", "moved"), ("办结", "struck_off"))
    counts = " ".join(f"{zh} {len(told['ledger'][name])}" for zh, name in sides)
    table = titled(f"台账 {told['from']} 至 {told['to']}: {counts}", "变化", "问题", "编号")
    for zh, name in sides:
        for issue in told["ledger"][name]:
            table.add_row(zh, names.get(issue, ""), issue)
    return table


def rule_changes(told: dict[str, Any]) -> Table:
    """The rules whose figures changed."""
    title = f"规则 {told['from']} 至 {told['to']}"
    table = titled(title, "规则", "新增应完成", "新增完成", "完成/应完成")
    for change in told["rules"]:
        was, now = zip(change["numerators"], change["denominators"], strict=True)
        table.add_row(
            change["rule"],
            str(change["newly_owed"]),
            str(change["newly_done"]),
            f"{was[0]}/{was[1]} → {now[0]}/{now[1]}",
        )
    return table


@app.command()
def overview(
    url: Url,
    bearer: Bearer,
    school: Annotated[str, typer.Option(help="One school's token; else every school.")] = "any",
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Show in sums every school that lets the caller see it: a bureau its schools, others their own."""
    with gateway(url, school, bearer) as door:
        if school == "any":
            told = door.all("overview", as_of=as_of)
        else:
            told = {"items": [{"school": school, **door.get("overview", as_of=as_of)}]}
    show(told, schools, as_json=as_json)


def schools(told: dict[str, Any]) -> Table:
    """Schools in sums as a table; a rate that may not be published is a dash."""
    position = max((item["position"] for item in told["items"]), default=0)
    title = f"各校汇总 共 {len(told['items'])} 校 位置 {position}"
    headings = ("学校", "方案", "完成/应完成", "逾期", "销号/问题", "逾期/未认领", "三率")
    table = titled(title, *headings)
    for item in told["items"]:
        board, issues, plan = item["board"], item["issues"], item["plan"]
        rates: dict[str, Any] = next(
            (g["rates"] for g in item["three_rates"]["groups"] if g["rates"]), {}
        )
        table.add_row(
            str(item["name"]),
            "无" if plan is None else "已备案" if plan["filed"] else "未备案",
            f"{board['numerator']}/{board['denominator']}",
            str(board["overdue"]),
            f"{issues['by_stage']['struck_off']}/{issues['total']}",
            f"{issues['overdue']}/{issues['unclaimed']}",
            " ".join(f"{r['value']:.0%}" for n, r in rates.items() if n != "composite") or "-",
        )
    return table
