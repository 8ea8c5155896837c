# SPDX-License-Identifier: Apache-2.0
"""The vww app on a simulated STM32F746: vww.robot, run by renode-test where it is on PATH.

What the firmware must answer is what the same sources answer in QEMU, where they equal TensorFlow Lite Micro.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from zephyr.workspaces import Workspace, build, each_workspace

ROOT = Path(__file__).resolve().parents[2]
ROBOT = Path(__file__).with_name("vww.robot")
PICTURES = ("astronaut.ppm", "chelsea.ppm")
_TIMEOUT_S = 1800


@pytest.fixture(scope="module")
def renode() -> str:
    found = shutil.which("renode-test")
    if found is None:
        pytest.skip("renode-test is not on PATH (Renode 1.14 or newer: https://github.com/renode/renode/releases)")
    return found


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """What QEMU prints behind the time, which is not the same in both: `output: -90 90`."""
    for tool in ("arm-none-eabi-gcc", "qemu-system-arm"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    printed = run("scripts/app", "vww", "--run", "--fast", "-o", str(tmp_path_factory.mktemp("qemu")))
    found = re.findall(r"^(\S+\.ppm): .*(output: [-0-9 ]+)$", printed, re.MULTILINE)
    assert [name for name, _ in found] == list(PICTURES)
    return tuple(output for _, output in found)


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pictures as Renode puts them into memory."""
    folder = tmp_path_factory.mktemp("frames")
    for number, name in enumerate(PICTURES, start=1):
        picture = str(ROOT / "apps" / "vww" / "frames" / name)
        options = ("--binary", "--sequence", str(number), "-o", str(folder / f"{number}.bin"))
        run(sys.executable, "-m", "runnel.frames", picture, *options)
    return folder


def run(*command: str) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=_TIMEOUT_S)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def renode_test(renode: str, tag: str, elf: Path, frames: Path, answers: tuple[str, ...], results: Path) -> None:
    variables = {"ELF": elf, "FRAMES": frames, "FIRST_ANSWER": answers[0], "SECOND_ANSWER": answers[1]}
    options = [part for name, value in variables.items() for part in ("--variable", f"{name}:{value}")]
    run(renode, str(ROBOT), "--include", tag, "-r", str(results), *options)


@pytest.mark.parametrize("data", ["flash", "memory"])
def test_bare_firmware(data: str, renode: str, answers: tuple[str, ...], frames: Path, tmp_path: Path) -> None:
    settings = ("--data", "memory", "-D", "FRAMES_MEMORY_ADDRESS=0xC0000000u") if data == "memory" else ()
    run("scripts/app", "vww", "--board", "stm32f746", "-o", str(tmp_path / "app"), *settings)
    renode_test(renode, f"bare-{data}", tmp_path / "app" / "vww.elf", frames, answers, tmp_path / "results")


@each_workspace
@pytest.mark.parametrize("data", ["flash", "memory"])
def test_zephyr_firmware(
    data: str, workspace: Workspace, renode: str, answers: tuple[str, ...], frames: Path, tmp_path: Path
) -> None:
    cmake = [f"-DCONFIG_VWW_FRAMES_{data.upper()}=y"]
    built = build(workspace, ROOT / "apps" / "vww", "stm32f746g_disco", tmp_path / "build", cmake=cmake)
    assert built.code == 0, built.output
    renode_test(renode, f"zephyr-{data}", built.program, frames, answers, tmp_path / "results")
