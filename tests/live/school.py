"""A school in the running stack, and its people as callers of the HTTP door."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx

from services.stack import NAMES, Stack
from shared.runtime import now, settled
from shared.security import LOCAL_ISSUER

CAST: dict[str, tuple[str, ...]] = {
    "leader": ("principal_leader", "team_member", "party_member", "party_cadre"),
    "member": ("team_member", "party_member", "party_cadre"),
    "other": ("team_member", "party_member", "party_cadre"),
    "clerk": ("school_administrator", "collator"),
    "supervisor": ("supervisor",),
    "teacher": (),
}


PATIENCE = 120  # seconds

ISSUE = {
    "title": "操场的灯坏了",
    "addressee": "team",
    "not_four_winds": True,
    "topics": ["other"],
    "discovery": "superior_pointed",
    "sources": [{"kind": "superior", "id": "letter-1"}],
}
"""An issue that a letter from above led to."""


@dataclass
class School:
    """One school: who is who, and the last position anybody was told."""

    stack: Stack
    id: str
    client: httpx.AsyncClient
    people: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    position: int = 0

    async def ask(
        self, who: str | None, method: str, path: str, body: object = None, **headers: str
    ) -> httpx.Response:
        """Call the HTTP door as somebody, having seen what came before."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if who:
            sent.setdefault("Authorization", f"Bearer {self.tokens[who]}")
        sent.setdefault("Taizhang-Min-Position", str(self.position))
        answer = await self.client.request(
            method, f"/v1/{self.id}{path}", json=body, headers=sent, timeout=30
        )
        if method == "POST":
            self.position = max(self.position, int(answer.headers.get("Taizhang-Position", 0)))
        return answer

    async def _patiently(
        self, who: str, method: str, path: str, body: object = None, **headers: str
    ) -> httpx.Response:
        """Repeat with the same key while the views are behind; any other trouble is an answer."""
        async with asyncio.timeout(PATIENCE):
            while True:
                answer = await self.ask(who, method, path, body, **headers)
                if answer.status_code != 503 or answer.json()["code"] != "not-there-yet":
                    return answer

    async def get(self, who: str, path: str) -> Any:
        """What is to be seen; it must be there."""
        answer = await self._patiently(who, "GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def do(self, who: str, path: str, body: object = None, **headers: str) -> Any:
        """Something that must succeed."""
        headers.setdefault("Idempotency_Key", str(uuid4()))
        answer = await self._patiently(who, "POST", path, body or {}, **headers)
        assert answer.is_success, f"{path}: {answer.text}"
        return answer.json()

    async def refused(self, who: str | None, path: str, body: object = None, **headers: str) -> Any:
        """Something that must not succeed; gives the problem."""
        answer = await self.ask(who, "POST", path, body or {}, **headers)
        assert not answer.is_success, answer.text
        return answer.json()

    async def collated(self, *opinions: str) -> str:
        """Make one issue of the team's of these opinions; gives its id."""
        collation = (await self.do("clerk", "/collations", {"opinions": opinions}))["id"]
        group = {
            "key": "canteen",
            "title": "食堂饭菜偏凉",
            "parts": [{"opinion": opinion} for opinion in opinions],
            "addressee": "team",
            "winds": ["bureaucratism"],
            "not_four_winds": False,
            "topics": ["canteen"],
            "discovery": "raised_by_public",
        }
        await self.do("clerk", f"/collations/{collation}/group-opinions", group)
        await self.do("clerk", f"/collations/{collation}/close", {})
        await self.settle()
        issues = (await self.get("clerk", "/issues"))["items"]
        return next(str(i["id"]) for i in issues if {*opinions} <= {*i["opinions"]})

    async def settle(self) -> int:
        """Wait until everything caused so far has happened."""
        broker = self.stack.gateway.broker
        self.position = await settled(broker, NAMES, self.position, within=PATIENCE)
        return self.position

    def token(self, subject: str, **claims: Any) -> str:
        """A token of the local issuer."""
        return self.stack.gateway.issuer.token(subject, **{"lifetime": 600, **claims})

    async def enter(self, key: str, roles: tuple[str, ...], **more: Any) -> str:
        """Enter a person and give them an account of the same name."""
        joined = (now() - timedelta(days=400)).date().isoformat()
        entered = await self.do(
            "operator",
            "/people",
            {
                "name": f"某{key}",
                "joined_on": joined,
                "posts": [{"role": role, "since": joined} for role in roles],
                **more,
            },
        )
        subject = f"{self.id}-{key}"
        person = str(entered["id"])
        await self.do(
            "operator",
            "/accounts",
            {"issuer": LOCAL_ISSUER, "subject": subject, "person": person},
        )
        self.people[key] = person
        self.tokens[key] = self.token(subject)
        return person


@asynccontextmanager
async def enrolled(stack: Stack, **policy: str) -> AsyncIterator[School]:
    """Enrol a new school with the cast; `policy` sets durations by setting."""
    async with httpx.AsyncClient(base_url=stack.url) as client:
        school = School(stack, f"s-{uuid4().hex[:12]}", client)
        school.tokens["operator"] = school.token("operator:tests", roles=frozenset({"operator"}))
        await school.do(
            "operator", "/schools", {"name": "示范中学", "zone": "Asia/Shanghai", "language": "zh"}
        )
        await asyncio.gather(*(school.enter(key, roles) for key, roles in CAST.items()))
        if policy:
            await set_policy(school, **policy)
        yield school


async def set_policy(school: School, **settings: str) -> str:
    """Draft a campaign and set some of its policy, as durations; gives the campaign's id."""
    today = now().date()
    until = (today + timedelta(days=200)).isoformat()
    names = (
        "study_and_listening",
        "problem_finding_and_criticism",
        "rectification_and_institution_building",
    )
    stages = [{"name": n, "begins_on": today.isoformat(), "ends_on": until} for n in names]
    plan = await school.do(
        "clerk",
        "/campaigns",
        {"title": "实施方案", "begins_on": today.isoformat(), "ends_on": until, "stages": stages},
    )
    for setting, value in settings.items():
        await school.do(
            "leader",
            f"/campaigns/{plan['id']}/set-policy",
            {"setting": setting, "value": value, "unit": "duration", "reason": "试用"},
        )
    return str(plan["id"])
