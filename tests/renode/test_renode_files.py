# SPDX-License-Identifier: Apache-2.0
"""What can be said of the Renode files without Renode: they agree with the board file, the drivers and each other."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from runnel.boards import load_board

ROOT = Path(__file__).resolve().parents[2]
ROBOT = Path(__file__).with_name("vww.robot")
RENODE = ROOT / "boards" / "renode"
BOARD = load_board("stm32f746")

# Signatures of Renode's keywords (src/Renode/RobotFramework; tests/renode-keywords.robot), for a dry run.
KEYWORDS = """\
*** Keywords ***
Setup
    No Operation
Teardown
    No Operation
Reset Emulation
    No Operation
Test Teardown
    No Operation
Start Emulation
    No Operation
Execute Command
    [Arguments]    ${command}    ${machine}=${EMPTY}
    No Operation
Create Terminal Tester
    [Arguments]    ${uart}    ${timeout}=8    ${machine}=${EMPTY}    ${endLineOption}=x    ${defaultPauseEmulation}=x
    No Operation
Wait For Line On Uart
    [Arguments]    ${pattern}    ${timeout}=x    ${testerId}=x    ${treatAsRegex}=x    ${pauseEmulation}=x
    No Operation
"""


def test_clocks_are_those_of_the_board_file() -> None:
    repl = (RENODE / "stm32f746.repl").read_text(encoding="utf-8")
    resc = (RENODE / "stm32f746.resc").read_text(encoding="utf-8")
    runner = BOARD.runner
    assert runner is not None and runner.timer is not None
    counter = re.search(r"Miscellaneous\.DWT @ sysbus (0x[0-9A-F]+)\n    frequency: (\d+)", repl)
    assert counter is not None
    assert (int(counter[1], 16), int(counter[2])) == (runner.timer.address, runner.timer.hz)
    mips = re.search(r"^sysbus\.cpu PerformanceInMips (\d+)$", resc, re.MULTILINE)
    assert mips is not None and int(mips[1]) * 1_000_000 == BOARD.clock_hz


def test_the_console_is_that_of_the_drivers() -> None:
    header = (ROOT / "boards" / "drivers" / "stm32_board.h").read_text(encoding="utf-8")
    section = header.split("RUNNEL_BOARD_STM32F746)")[1].split("#elif")[0]
    number = re.search(r"STM32_CONSOLE_USART (\d)", section)
    assert number is not None
    assert f"sysbus.usart{number[1]}" in ROBOT.read_text(encoding="utf-8")
    assert f"showAnalyzer usart{number[1]}" in (RENODE / "stm32f746.resc").read_text(encoding="utf-8")


def test_files_that_are_named_exist() -> None:
    for script in RENODE.glob("*.resc"):
        names = re.findall(r"\$ORIGIN/(\S+)", script.read_text(encoding="utf-8"))
        assert names and all((RENODE / name).is_file() for name in names)
    script = re.search(r"\$\{SCRIPT\}\s+\$\{CURDIR\}/(\S+)", ROBOT.read_text(encoding="utf-8"))
    assert script is not None and (ROBOT.parent / script[1]).resolve().is_file()


def test_no_awaited_text_looks_like_a_named_argument() -> None:
    """Robot Framework would take `word=…` for one."""
    for file in Path(__file__).parent.glob("*.robot"):
        for text in re.findall(r"Wait For Line On Uart\s{2,}(.+)", file.read_text(encoding="utf-8")):
            assert not re.match(r"\w+=", text), text


def test_tags_are_those_that_are_asked_for() -> None:
    tags = re.findall(r"\[Tags\]\s+(\S+)", ROBOT.read_text(encoding="utf-8"))
    assert tags == [f"{kind}-{data}" for kind in ("bare", "zephyr") for data in ("flash", "memory")]


def test_robot_dry_run(tmp_path: Path) -> None:
    """Syntax, keywords and their arguments, against signatures written down here."""
    if importlib.util.find_spec("robot") is None:
        pytest.skip("Robot Framework is not installed: pip install robotframework")
    keywords = tmp_path / "keywords.resource"
    keywords.write_text(KEYWORDS, encoding="utf-8")
    options = ("--dryrun", "--output", "NONE", "--log", "NONE", "--report", "NONE", "--consolecolors", "off")
    command = (sys.executable, "-m", "robot", *options, "--variable", f"RENODEKEYWORDS:{keywords}", str(ROBOT))
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 tests, 4 passed, 0 failed" in done.stdout
