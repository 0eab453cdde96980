"""Who is at the screen: a session sealed into a cookie, nothing of it kept here."""

import base64
import hmac
from dataclasses import dataclass
from typing import Self

from cryptography.fernet import Fernet, InvalidToken
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from shared.runtime import now
from shared.security import Issuer

COOKIE = "taizhang"
LIFETIME = 8 * 3600
"""Seconds after signing in, or less where the token ends before."""
LONGEST_TOKEN = 2_500
"""Characters of a token that still fits into a cookie, sealed."""


class Session(BaseModel):
    """What a browser carries: the token of who signed in (none before), and up to where they have seen.

    `form` is what every form of this session repeats; `until` is in seconds since 1970.
    """

    model_config = ConfigDict(frozen=True)
    school: str
    form: str
    until: float
    token: str = ""
    position: int = 0

    @property
    def authorization(self) -> str | None:
        """The header that this person asks with."""
        return f"Bearer {self.token}" if self.token else None

    def seen(self, position: int) -> Self:
        """The session once they have been told of a position."""
        return self.model_copy(update={"position": max(self.position, position)})

    def vouches(self, form: str) -> bool:
        """Whether a form was made for this session."""
        return hmac.compare_digest(self.form.encode(), form.encode())


@dataclass(frozen=True)
class Cookies:
    """Seals sessions and opens them; only this deployment can do either."""

    seal: Fernet

    @classmethod
    def of(cls, issuer: Issuer) -> "Cookies":
        """With a key of its own that derives from the issuer's."""
        key = hmac.digest(issuer.key.private_bytes_raw(), b"taizhang:console/session", "sha256")
        return cls(Fernet(base64.urlsafe_b64encode(key)))

    def read(self, request: Request) -> Session | None:
        """The session of a request; none where it is missing, forged, over, or for another school."""
        try:
            text = self.seal.decrypt(request.cookies.get(COOKIE, ""), ttl=LIFETIME * 2)
            session = Session.model_validate_json(text)
        except (InvalidToken, ValidationError):
            return None
        here = session.school == request.path_params["school"]
        return session if here and session.until > now().timestamp() else None

    def write(self, response: Response, session: Session, request: Request) -> None:
        """Give a session to the browser: for this school's pages, no script, no other site."""
        response.set_cookie(
            COOKIE,
            self.seal.encrypt(session.model_dump_json().encode()).decode(),
            max_age=max(0, int(session.until - now().timestamp())),
            path=f"/console/{session.school}",
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )
