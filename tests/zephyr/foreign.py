# SPDX-License-Identifier: Apache-2.0
"""A product outside the repository that uses the module: all it needs, and the ways to get it wrong."""

from __future__ import annotations

import shutil
from pathlib import Path

from zephyr.workspaces import ROOT

PERSON = ROOT / "models" / "person" / "person.tflite"

MODEL = "runnel_model(TARGET app NAME person FILE person.tflite)"

_CMAKE = """\
cmake_minimum_required(VERSION 3.20)
find_package(Zephyr REQUIRED HINTS $ENV{{ZEPHYR_BASE}})
project(product LANGUAGES C)
target_sources(app PRIVATE main.c)
{models}
"""

_MAIN = """\
#include <string.h>
#include <zephyr/sys/printk.h>
#include "person.h"

int main(void)
{
	memset(person_input(), 0, PERSON_INPUT_BYTES);
	printk("selftest: %d\\n", person_selftest());
	printk("arena: %u\\n", (unsigned int)person.arena_bytes);
	printk("run: %d, output: %d\\n", person_run(), person_output()[0]);
	return 0;
}
"""


def write_product(folder: Path, models: str = MODEL, configuration: str = "CONFIG_RUNNEL=y\n") -> Path:
    """The product in `folder`, which is returned: 20 lines and the model."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(PERSON, folder / "person.tflite")
    (folder / "CMakeLists.txt").write_text(_CMAKE.format(models=models), encoding="utf-8")
    (folder / "prj.conf").write_text(configuration, encoding="utf-8")
    (folder / "main.c").write_text(_MAIN, encoding="utf-8")
    return folder


def copy_module(folder: Path) -> Path:
    """What a Zephyr build reads of the repository, in `folder`, so that a test may change it."""
    ignore = shutil.ignore_patterns("__pycache__")
    for part in ("boards", "generator", "zephyr", "zephyr_module"):
        shutil.copytree(ROOT / part, folder / part, ignore=ignore)
    return folder
