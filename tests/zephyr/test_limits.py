# SPDX-License-Identifier: Apache-2.0
"""How much flash a model may use by default: the CMake arithmetic alone, without Zephyr."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

PROJECT = """\
cmake_minimum_required(VERSION 3.20)
project(limits NONE)
function(dt_chosen out)
  set(${out} /soc/flash PARENT_SCOPE)
endfunction()
function(dt_reg_size out)
  set(${out} 1048576 PARENT_SCOPE)
endfunction()
include(HELPERS)
set(CONFIG_RUNNEL_PRODUCT_FLASH 64)
SETTINGS
_runnel_flash_limit(size from "")
message("limit: '${size}' (${from})")
"""
WHOLE = "'960K' (zephyr,flash 1024K less CONFIG_RUNNEL_PRODUCT_FLASH=64)"


@pytest.mark.parametrize(
    ("settings", "limit"),
    [
        ({"XIP": "y"}, WHOLE),
        ({"XIP": "y", "FLASH_LOAD_SIZE": "0", "FLASH_LOAD_OFFSET": "0"}, WHOLE),
        ({"XIP": "y", "FLASH_LOAD_SIZE": "0x0", "FLASH_LOAD_OFFSET": "0x0"}, WHOLE),
        ({"XIP": "y", "FLASH_LOAD_SIZE": "0x80000", "FLASH_LOAD_OFFSET": "0x20000"}, "'448K' (CONFIG_FLASH_LOAD_SIZE"),
        ({"XIP": "y", "FLASH_LOAD_SIZE": "0x0", "FLASH_LOAD_OFFSET": "0x20000"}, "'832K' (zephyr,flash behind"),
        ({}, "'' (the devicetree does not say)"),
    ],
)
def test_flash(settings: dict[str, str], limit: str, tmp_path: Path) -> None:
    if shutil.which("cmake") is None:
        pytest.skip("cmake is not installed")
    lines = "\n".join(f"set(CONFIG_{name} {value})" for name, value in settings.items())
    helpers = (ROOT / "zephyr_module/cmake/runnel_helpers.cmake").as_posix()
    project = PROJECT.replace("HELPERS", helpers).replace("SETTINGS", lines)
    (tmp_path / "CMakeLists.txt").write_text(project, encoding="utf-8")
    command = ("cmake", "-S", str(tmp_path), "-B", str(tmp_path / "build"))
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert f"limit: {limit}" in done.stderr
