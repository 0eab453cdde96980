"""Who is asking: tokens are verified here, by every service for itself.

Bearer JWTs (RFC 7519), signed with EdDSA (RFC 8037) by the deployment's local issuer.
"""

import hmac
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from shared.callers import ANONYMOUS, Claims, Unauthenticated
from shared.files import write_once

LOCAL_ISSUER = "taizhang-local"
AUDIENCE = "taizhang"
SERVICE_TOKEN_LIFETIME = 3600  # seconds
_VERIFIED = 10_000  # tokens remembered until they expire


@dataclass
class Issuer:
    """The local issuer: signs tokens for people of an embedded stack, for services and originators."""

    key: Ed25519PrivateKey
    _own: dict[str, tuple[float, str]] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> "Issuer":
        """Read the private key (PEM); make one, for the owner only, where none is."""
        if not path.exists():
            pem = Ed25519PrivateKey.generate().private_bytes(
                Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
            )
            write_once(path, pem, mode=0o600)
        key = load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            msg = f"{path.name} is not an Ed25519 key"
            raise TypeError(msg)
        return cls(key)

    def token(
        self, subject: str, *, roles: frozenset[str] = frozenset(), school: str = "", lifetime: int
    ) -> str:
        """Sign a token; `lifetime` in seconds."""
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": LOCAL_ISSUER,
            "aud": AUDIENCE,
            "sub": subject,
            "iat": now,
            "exp": now + lifetime,
            "roles": sorted(roles),
        }
        if school:
            claims["school"] = school
        return jwt.encode(claims, self.key, algorithm="EdDSA")

    def keyed(self, text: str) -> UUID:
        """An id that is the same for the same text and tells nothing of it to who has not the key."""
        digest = hmac.digest(self.key.private_bytes_raw(), f"taizhang:{text}".encode(), "sha256")
        return UUID(bytes=digest[:16], version=4)

    def service_token(self, service: str) -> str:
        """A token for a service's own commands, renewed before it expires."""
        until, token = self._own.get(service, (0.0, ""))
        if until < time.time() + 60:
            until = time.time() + SERVICE_TOKEN_LIFETIME
            token = self.token(
                f"service:{service}", roles=frozenset({"service"}), lifetime=SERVICE_TOKEN_LIFETIME
            )
            self._own[service] = (until, token)
        return token


@dataclass
class Verifier:
    """Checks tokens; remembers the good ones until they expire."""

    issuer: Issuer
    _verified: dict[str, Claims] = field(default_factory=dict)

    def claims(self, authorization: str | None) -> Claims:
        """What the `Authorization` header proves; `ANONYMOUS` where there is none.

        Raises:
            Unauthenticated: the header is there but proves nothing.
        """
        if not authorization:
            return ANONYMOUS
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("scheme")
        known = self._verified.get(token)
        if known and known.expires > time.time():
            return known
        try:
            said = jwt.decode(
                token,
                self.issuer.key.public_key(),
                algorithms=["EdDSA"],
                audience=AUDIENCE,
                issuer=LOCAL_ISSUER,
                options={"require": ["exp", "iat", "sub", "iss", "aud"]},
            )
        except jwt.ExpiredSignatureError:
            raise Unauthenticated("expired") from None
        except jwt.InvalidTokenError:
            raise Unauthenticated("invalid") from None
        claims = Claims(
            issuer=said["iss"],
            subject=str(said["sub"]),
            roles=frozenset(map(str, said.get("roles", ()))),
            school=str(said.get("school", "")),
            expires=float(said["exp"]),
        )
        if len(self._verified) >= _VERIFIED:
            self._verified.clear()
        self._verified[token] = claims
        return claims
