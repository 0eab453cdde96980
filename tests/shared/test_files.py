"""A file that is written once is whole, whoever else writes it."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from shared.files import write_once
from shared.security import Issuer


def test_of_many_who_write_a_file_one_counts_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "key"

    def written(n: int) -> bytes:
        write_once(path, bytes([n]) * 9, mode=0o600)
        return path.read_bytes()

    with ThreadPoolExecutor(8) as writers:
        (only,) = set(writers.map(written, range(40)))

    assert only == only[:1] * 9
    assert path.stat().st_mode & 0o777 == 0o600
    assert [*path.parent.iterdir()] == [path]


def test_processes_that_start_together_have_one_issuer(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as starting:
        issuers = [*starting.map(lambda _: Issuer.load(tmp_path / "issuer.pem"), range(24))]

    assert len({issuer.key.private_bytes_raw() for issuer in issuers}) == 1
