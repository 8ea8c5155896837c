# SPDX-License-Identifier: Apache-2.0
"""The workflow for GitHub: valid, and every file, environment and command that it names is there."""

from __future__ import annotations

import configparser
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from runnel.boards import load_board
from runnel.cli import cli

ROOT = Path(__file__).resolve().parents[2]
WORKFLOW = ROOT / ".github" / "workflows" / "ci.yml"
TEXT = WORKFLOW.read_text(encoding="utf-8")
JOBS: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["jobs"]
LANES = {"test", "full", "zephyr", "zephyr-manifest", "renode", "platformio", "wheel", "release"}


def steps() -> list[dict[str, Any]]:
    return [step for job in JOBS.values() for step in job["steps"]]


def commands() -> str:
    return "\n".join(step["run"] for step in steps() if "run" in step)


def test_lanes() -> None:
    assert set(JOBS) == LANES
    assert set(JOBS["release"]["needs"]) == LANES - {"full", "release"}
    assert all(job["timeout-minutes"] for job in JOBS.values())


def test_schema() -> None:
    pytest.importorskip("check_jsonschema", reason="check-jsonschema is not installed: pip install check-jsonschema")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(WORKFLOW)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout


def test_every_shell_script_parses() -> None:
    for step in steps():
        script = re.sub(r"\$\{\{.*?\}\}", "value", step.get("run", ""))
        done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"{step['name']}: {done.stderr}"


def test_files_of_the_repository() -> None:
    named = set(re.findall(r"\b((?:scripts|tests|apps|examples|models|zephyr_module)/[\w./-]+)", commands()))
    # Of other trees, and lists that a loop completes.
    named -= {"scripts/requirements.txt", "tests/requirements.txt"}
    assert {"scripts/test", "tests/zephyr", "tests/renode", "models/person/person.tflite"} <= named
    missing = [name for name in sorted(named) if not (ROOT / name.rstrip("/")).exists()]
    assert missing == []
    for script in (name for name in named if name.startswith("scripts/")):
        assert (ROOT / script).stat().st_mode & 0o111, f"{script} is not executable"
    assert (ROOT / "west.yml").is_file()


def test_apps_and_boards_of_the_zephyr_lane() -> None:
    script = next(step["run"] for step in JOBS["zephyr"]["steps"] if "for board" in step.get("run", ""))
    boards = re.search(r"for board in (.+);", script)
    apps = re.search(r"for app in (.+);", script)
    assert boards is not None and apps is not None
    assert all((ROOT / "apps" / app / "CMakeLists.txt").is_file() for app in apps[1].split())
    assert [load_board(board).name for board in boards[1].split()] == ["stm32f746", "stm32h743", "stm32f412"]


def test_environments_of_platformio() -> None:
    settings = configparser.ConfigParser()
    settings.read(ROOT / "platformio.ini")
    for name in re.findall(r"pio \w+ .*-e (\S+)", commands()):
        assert f"env:{name}" in settings
    for folder in re.findall(r"pio run -d (\S+)", commands()):
        assert (ROOT / folder / "platformio.ini").is_file()
    assert {Path(f).name for f in re.findall(r"pio run -d (\S+)", commands())} == {
        p.parent.name for p in (ROOT / "examples").glob("*/platformio.ini")
    }


def test_subcommands_and_options_of_runnel() -> None:
    assert isinstance(cli, click.Group)
    used = re.findall(r"bin/runnel (\w+)(.*)", commands())
    assert {name for name, _ in used} == {"boards", "compile"}
    for name, rest in used:
        command = cli.commands[name]
        known = {option for parameter in command.params for option in parameter.opts}
        assert set(re.findall(r"(?<=\s)--?\w+", rest)) <= known


def test_the_release_knows_the_name_of_the_wheel() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    name = re.search(r'^name = "(\w+)"', project, re.MULTILINE)
    assert name is not None and f"dist/{name[1]}-${{GITHUB_REF_NAME#v}}-py3-none-any.whl" in TEXT


def test_every_debian_package_is_one_of_scripts_setup() -> None:
    known = (ROOT / "scripts" / "setup").read_text(encoding="utf-8")
    packages = yaml.safe_load(TEXT)["env"]["DEBIAN_PACKAGES"].split()
    assert packages and [p for p in packages if p not in known] == []
