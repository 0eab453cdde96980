"""The `taizhang` command as an operator calls it: a process of its own, configured by the environment."""

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from shared.settings import Settings

ROOT = Path(__file__).parents[2]
WITHIN = 60  # seconds


@dataclass(frozen=True)
class Ended:
    """Exit code and what was said."""

    code: int
    out: str
    err: str


def environment(settings: Settings) -> dict[str, str]:
    """The `TAIZHANG_*` variables that give a process these settings."""
    passwords = {user: p.get_secret_value() for user, p in settings.nats_passwords.items()}
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "TAIZHANG_NATS_URL": settings.nats_url,
        "TAIZHANG_NATS_PASSWORDS": json.dumps(passwords),
        "TAIZHANG_MONGO_URL": settings.mongo_url,
        "TAIZHANG_KEY_FILE": str(settings.key_file),
        "TAIZHANG_ISSUER_FILE": str(settings.issuer_file),
        "TAIZHANG_AUDIT_DIRECTORY": str(settings.audit_directory),
        "TAIZHANG_AUDIT_KEY_FILE": str(settings.audit_key_file),
    }


async def taizhang(settings: Settings, *arguments: str, **more: str) -> Ended:
    """Run the command to its end; `more` are further variables."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.cli",
        *arguments,
        cwd=ROOT,
        env={**environment(settings), **more},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), WITHIN)
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())
