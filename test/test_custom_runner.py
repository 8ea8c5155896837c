# SPDX-License-Identifier: Apache-2.0
"""`pio test`: builds each folder here, runs it in QEMU or on the board, and reads what check.h prints."""

from __future__ import annotations

import json
import re
import subprocess
import threading
from pathlib import Path

import click
from platformio.exception import ReturnErrorCode
from platformio.test.exception import UnitTestError, UnitTestSuiteError
from platformio.test.result import TestCase, TestCaseSource, TestStatus
from platformio.test.runners.base import TestRunnerBase

_TIMEOUT_S = 300

_PASS = re.compile(r"PASS (?P<name>\w+)")
_FAIL = re.compile(r"FAIL (?P<file>[^:]+):(?P<line>\d+): (?P<name>\w+): (?P<message>.+)")
_END = re.compile(r"tests: (?P<count>\d+), failed: \d+")


class CustomTestRunner(TestRunnerBase):
    """Emulated boards need no upload: they are built, then started by QEMU. Boards go the usual way."""

    @property
    def _emulated(self) -> bool:
        board = self.project_config.get(f"env:{self.test_suite.env_name}", "board")
        return bool(self.platform.board_config(board).get("build.emulated", False))

    def stage_building(self) -> None:
        """The firmware of one test folder."""
        if not self._emulated:
            super().stage_building()
        elif not self.options.without_building:
            click.secho("Building...", bold=True)
            try:
                self.run_project_targets(["__test", "checkprogsize"])
            except ReturnErrorCode as error:
                raise UnitTestSuiteError("The firmware could not be built, see above; -vvv shows commands") from error

    def stage_uploading(self) -> None:
        """Boards only."""
        if not self._emulated:
            super().stage_uploading()

    def stage_testing(self) -> None:
        """Runs the firmware until it says how many tests there were."""
        if self.options.without_testing:
            return
        if not self._emulated:
            super().stage_testing()
            return
        click.secho("Testing...", bold=True)
        code = self._run_in_qemu()
        if not self.test_suite.is_finished():
            raise UnitTestError(f"the firmware ended with code {code} before its tests were over")

    def _run_in_qemu(self) -> int:
        build = Path(self.project_config.get("platformio", "build_dir")) / self.test_suite.env_name
        settings = json.loads((build / "firmware" / "settings.json").read_text(encoding="utf-8"))
        if settings["qemu_command"] is None:
            raise UnitTestError(settings["qemu_advice"])
        command = [str(build / "firmware.elf") if word == "ELF" else word for word in settings["qemu_command"]]
        with subprocess.Popen(
            command,
            cwd=settings["qemu_folder"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as process:
            timer = threading.Timer(_TIMEOUT_S, process.kill)
            timer.start()
            try:
                assert process.stdout is not None
                for line in process.stdout:
                    self.on_testing_data_output(line)
                return process.wait()
            finally:
                timer.cancel()
                process.kill()

    def on_testing_line_output(self, line: str) -> None:
        """One line of the firmware's console: a result, the end, or text of the app."""
        line = line.strip()
        if self.options.verbose:
            click.echo(line)
        if match := _PASS.fullmatch(line):
            self._add(TestCase(name=match["name"], status=TestStatus.PASSED))
        elif match := _FAIL.fullmatch(line):
            source = TestCaseSource(filename=match["file"], line=int(match["line"]))
            self._add(TestCase(match["name"], TestStatus.FAILED, message=match["message"], source=source, stdout=line))
        elif match := _END.fullmatch(line):
            self._end(int(match["count"]))

    def _add(self, case: TestCase) -> None:
        self.test_suite.add_case(case)
        click.echo(case.humanize())

    def _end(self, count: int) -> None:
        if count != len(self.test_suite.cases):
            raise UnitTestError(f"the firmware ran {count} tests, but {len(self.test_suite.cases)} results arrived")
        self.test_suite.on_finish()
