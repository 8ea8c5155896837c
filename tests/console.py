# SPDX-License-Identifier: Apache-2.0
"""The command line, called as its users do, for tests that read what it prints."""

from __future__ import annotations

import json
from typing import Any

import pytest

from runnel.cli import execute


class Console:
    """Runs command lines as the console script does."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self, *arguments: object) -> tuple[int, str, str]:
        code = execute([str(a) for a in arguments])
        captured = self.capsys.readouterr()
        assert "Traceback" not in captured.err
        return code, captured.out, captured.err

    def json(self, *arguments: object) -> Any:
        code, out, err = self(*arguments, "--json")
        assert code == 0, err
        return json.loads(out)
