# SPDX-License-Identifier: Apache-2.0
"""Twister, Zephyr's test runner, is green: testcase.yaml of exact/ and sample.yaml of the apps."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from zephyr.workspaces import ROOT, Workspace, each_workspace, environment

# A tree that was not cloned whole has no tests/test_config.yaml, without which twister does not start.
_CONFIGURATION = """\
platforms:
  override_default_platforms: false
  increased_platform_scope: true
levels: []
"""
FOLDERS = [ROOT / "tests" / "zephyr", *sorted(p.parent for p in (ROOT / "apps").glob("*/sample.yaml"))]


@pytest.mark.parametrize("folder", FOLDERS, ids=[folder.name for folder in FOLDERS])
@each_workspace
def test_twister(workspace: Workspace, folder: Path, tmp_path: Path, full: bool) -> None:
    if not full:
        pytest.skip("builds for five boards: ./scripts/test --full does it")
    command = [*workspace.west, "twister", "-T", str(folder), "-O", str(tmp_path / "out"), "-j", "2"]
    if not (workspace.base / "tests" / "test_config.yaml").is_file():
        configuration = tmp_path / "test_config.yaml"
        configuration.write_text(_CONFIGURATION, encoding="utf-8")
        command += ["--test-config", str(configuration)]
    done = subprocess.run(
        command, cwd=workspace.root, env=environment(workspace), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=3000,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-5000:]
    report = json.loads((tmp_path / "out" / "twister.json").read_text(encoding="utf-8"))
    results = {(suite["name"], suite["platform"]): suite["status"] for suite in report["testsuites"]}
    assert "passed" in results.values(), results
    assert set(results.values()) <= {"passed", "not run"}, results  # 4.x says "not run" of what is only built
    assert len(results) >= 3, results
