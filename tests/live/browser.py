"""A person at the console, by plain HTTP: follows links and fills in forms as the pages have them."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import httpx

from services.gateway.console.session import COOKIE
from tests.live.school import School


class Form(HTMLParser):
    """The fields of the last form of a page that has a key or a token, and the page's text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag == "form":
            self.fields = {}
        if tag == "input" and told.get("type") in {"hidden", "text"}:
            self.fields[str(told["name"])] = told.get("value") or ""

    def handle_data(self, data: str) -> None:
        self.words.append(data.strip())


@dataclass
class Person:
    """One browser at one school."""

    school: School
    http: httpx.AsyncClient
    last: httpx.Response | None = field(default=None)

    @property
    def text(self) -> str:
        """What the last page says."""
        assert self.last is not None
        return self.last.text

    async def open(self, path: str, status: int = 200) -> str:
        """Open a page."""
        self.last = await self.http.get(f"/console/{self.school.id}/{path}", follow_redirects=True)
        assert self.last.status_code == status, self.text
        return self.text

    async def send(self, path: str, status: int = 200, **said: Any) -> str:
        """Fill in the form of the last page and send it."""
        fields = {**Form(self.text).fields, **{n.replace("__", "."): v for n, v in said.items()}}
        self.last = await self.http.post(
            f"/console/{self.school.id}/{path}", data=fields, follow_redirects=True
        )
        assert self.last.status_code == status, self.text
        return self.text

    async def sign_in(self, who: str) -> str:
        """Sign in with somebody's token, once everything done so far is to be seen."""
        await self.school.settle()
        await self.open("sign-in")
        return await self.send("sign-in", token=self.school.tokens[who])

    def forget(self) -> None:
        """Lose the session, as when it is over."""
        del self.http.cookies[COOKIE]
