# SPDX-License-Identifier: Apache-2.0
"""Options of the tests on a real board, and the table that they end with. docs/hardware.md says how to use them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .board_run import ROOT, Record

_REPORT = pytest.StashKey[Record]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Known only when pytest is started with this folder; without it the tests skip themselves."""
    group = parser.getgroup("hardware", "real boards")
    group.addoption("--board", help="board, as in boards/*.yaml: stm32f746")
    group.addoption("--port", help="its serial port, as /dev/ttyACM0; auto-pty starts an emulated board behind one")
    group.addoption("--no-flash", action="store_true", help="never write firmware; the board must run the right one")
    group.addoption("--inferences", type=int, default=5, help="seeded inputs for each model (default: 5)")
    group.addoption("--record", type=Path, help="JSON file for the figures (default: build/hardware/BOARD.json)")
    group.addoption("--current-log", type=Path, help="CSV of a current probe: time, current, voltage, marker")
    group.addoption("--volts", type=float, help="voltage of the board where the log has none")


@pytest.fixture(scope="session")
def record(request: pytest.FixtureRequest) -> Iterator[Record]:
    """What is measured; written to a JSON file at the end. Skips everything when no board was named."""
    config = request.config
    board, port = config.getoption("--board", default=None), config.getoption("--port", default=None)
    if board is None:
        pytest.skip("no board: pytest tests/hardware --board stm32f746 --port /dev/ttyACM0")
    path = config.getoption("--record") or ROOT / "build" / "hardware" / f"{Path(board).stem}.json"
    record = Record(board, port, path)
    config.stash[_REPORT] = record
    yield record
    record.save()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    record = config.stash.get(_REPORT, None)
    if record is None or not record.models:
        return
    terminalreporter.section(f"{record.board} on {record.port}")
    for line in record.table():
        terminalreporter.write_line(line)
    terminalreporter.write_line(f"written to {record.path}")
