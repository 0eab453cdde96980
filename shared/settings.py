"""What the environment decides: every `TAIZHANG_*` variable, in one place."""

from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """The configuration of one process; embedded, tests and containers fill in the same fields."""

    model_config = SettingsConfigDict(env_prefix="TAIZHANG_", frozen=True, extra="ignore")

    nats_url: str = "nats://127.0.0.1:4222"
    """Address of the broker, without credentials."""
    nats_password: SecretStr = SecretStr("")
    """Password of this process's own NATS user (a service run on its own)."""
    nats_passwords: dict[str, SecretStr] = Field(default_factory=dict)
    """User → password, where one process runs several services (JSON in the environment)."""
    mongo_url: str = "mongodb://127.0.0.1:27017"
    """Address of MongoDB, with credentials if it wants them."""
    mongo_database: str = "taizhang"
    """Views live in this database; what is not a view in `<this>_keep`."""
    key_file: Path = Path("data/deployment.key")
    """The deployment's key: 32 random bytes in hex, readable by the services only."""
    issuer_file: Path = Path("data/issuer.pem")
    """Ed25519 private key of the local token issuer (PEM)."""
    http_host: str = "127.0.0.1"
    http_port: int = 8080
    """Where the gateway listens; 0 takes a free port."""
    replicas: int = 1
    """Copies of each stream the broker keeps: 1 or 3."""
    in_flight: int = 512
    """Requests one service works on at once."""
    audit_directory: Path = Path("data/audit")
    """Where signed checkpoints are written: outside the broker, best on another disk."""
    audit_key_file: Path = Path("data/audit.key")
    """The key that signs them; beside it, ending in `.pub`, the public keys: ours and witnesses'."""
    audit_origin: str = "taizhang/log"
    """The log's name in its checkpoints (C2SP: no spaces, no plus)."""
    audit_every: int = 1000
    """Events after which a checkpoint is signed."""
    audit_seconds: float = 60.0
    """Seconds after which one is signed if anything was recorded."""
    audit_webhook: str = ""
    """A second place that every checkpoint is posted to; a witness there may answer with signatures."""
    box_interval: float = 2.0
    """Seconds between two batches of anonymous submissions where a school's policy says nothing."""

    def password(self, user: str) -> str:
        """The NATS password of a user."""
        return self.nats_passwords.get(user, self.nats_password).get_secret_value()

    def with_changes(self, **changes: object) -> Self:
        """A copy with other values."""
        return self.model_copy(update=changes)
