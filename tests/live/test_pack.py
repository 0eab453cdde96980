"""Packs of a running product, checked by a process that has nothing but the file and a public key."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from services.audit.keys import public_file
from tests.live.command import ROOT, WITHIN, Ended, taizhang
from tests.live.school import ISSUE, School
from tests.live.test_audit import sealed

pytestmark = pytest.mark.live


async def packed(school: School, *arguments: str) -> Ended:
    """What `taizhang pack` says, called by whoever operates the deployment."""
    settings = school.stack.settings
    audit = {
        "TAIZHANG_AUDIT_DIRECTORY": str(settings.audit_directory.absolute()),
        "TAIZHANG_AUDIT_KEY_FILE": str(settings.audit_key_file.absolute()),
        "TAIZHANG_AUDIT_ORIGIN": settings.audit_origin,
    }
    return await taizhang(settings, "pack", *arguments, **audit)


async def verified(pack: Path, place: Path, *arguments: str) -> tuple[int, Any]:
    """What a process without any setting makes of a pack, in a directory that holds nothing else."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.cli", "pack", "verify", str(pack), "--json", *arguments,
        cwd=place,
        env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await asyncio.wait_for(process.communicate(), WITHIN)
    assert err == b""
    assert process.returncode is not None
    return process.returncode, json.loads(out)


async def test_a_school_and_an_issue_of_it_are_packed_and_a_third_party_checks_both_offline(
    school: School, tmp_path: Path
) -> None:
    opinion = str(
        (await school.do("teacher", "/opinions", {"verbatim_text": "菜凉", "channel": "wechat"}))[
            "id"
        ]
    )
    issue = await school.collated(opinion)
    other = str((await school.do("clerk", "/issues", ISSUE))["id"])
    await school.do("leader", f"/issues/{issue}/claim")
    await school.settle()
    await sealed(school, school.position)
    empty, keys = tmp_path / "empty", tmp_path / "keys.pub"
    empty.mkdir()
    keys.write_bytes(public_file(school.stack.settings.audit_key_file).read_bytes())
    whole, one = tmp_path / "school.pack", tmp_path / "issue.pack"
    rates = await school.get("clerk", "/rates")

    made, small = await asyncio.gather(
        packed(school, "--school", school.id, "--out", str(whole), "--json"),
        packed(school, "--school", school.id, "--issue", issue, "--out", str(one), "--json"),
    )
    of_all, of_one = await asyncio.gather(
        verified(whole, empty, "--keys", str(keys)), verified(one, empty, "--keys", str(keys))
    )

    assert (made.code, small.code, made.err, small.err) == (0, 0, "", "")
    assert json.loads(made.out)["events"] == of_all[1]["events"] > of_one[1]["events"] > 0
    assert (of_all[0], of_one[0]) == (0, 0)
    assert of_all[1]["findings"] == of_one[1]["findings"] == []
    assert {"figures"} <= {said["about"] for said in of_all[1]["proved"]}
    figures = of_all[1]["figures"]["schools"][school.id]
    assert figures["others"][0]["exclusions"] == rates["others"][0]["exclusions"]
    assert figures["three_rates"]["exclusions"] == rates["three_rates"]["exclusions"]
    assert figures["issues"]["by_stage"] | {"open": 1, "owned": 1} == figures["issues"]["by_stage"]
    assert of_one[1]["figures"]["issues"][issue]["state"] == "owned"
    content = one.read_bytes()
    assert issue.encode() in content
    assert opinion.encode() in content
    assert other.encode() not in content
    assert other.encode() in whole.read_bytes()
    assert "菜凉".encode() not in content + whole.read_bytes()
    looks = (await school.get("leader", "/looks"))["items"]
    handed_out = [look["asked"] for look in looks if look["query"] == "pack"]
    assert sorted(str(asked["issue"]) for asked in handed_out) == sorted(["None", issue])
