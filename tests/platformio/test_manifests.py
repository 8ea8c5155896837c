# SPDX-License-Identifier: Apache-2.0
"""What PlatformIO's files say about boards is what boards/*.yaml say, and what they name is there."""

from __future__ import annotations

import configparser
import json

import pytest

from platformio_builds import ROOT
from runnel.boards import load_board
from runnel.build.app import find_app

PLATFORM = ROOT / "boards" / "platformio"
BOARDS = ("qemu-m4", "qemu-m7", "stm32f412", "stm32f746", "stm32f765", "stm32h743")


def ini() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "platformio.ini")
    return parser


def test_there_is_a_file_for_each_board() -> None:
    assert sorted(path.stem for path in (PLATFORM / "boards").glob("*.json")) == sorted(BOARDS)


@pytest.mark.parametrize("name", BOARDS)
def test_boards_agree(name: str) -> None:
    manifest = json.loads((PLATFORM / "boards" / f"{name}.json").read_text(encoding="utf-8"))
    board = load_board(name)
    assert manifest["build"]["cpu"] == board.core
    assert manifest["build"]["f_cpu"] == f"{board.clock_hz}L"
    assert manifest["build"].get("emulated", False) == board.is_emulated
    assert manifest["upload"]["maximum_ram_size"] == board.sram_bytes
    assert manifest["upload"]["maximum_size"] == board.flash_bytes
    assert board.runner is not None
    if board.is_emulated:
        assert manifest["debug"] == {"qemu_machine": board.runner.machine}
    else:
        assert manifest["debug"] == {"openocd": list(board.runner.openocd)}


@pytest.mark.parametrize("name", BOARDS)
def test_every_board_has_an_environment(name: str) -> None:
    section = ini()[f"env:{name}"]
    assert section["board"] == name
    assert section["extends"] == "vww"


@pytest.mark.parametrize("app", ["vww", "kws"])
def test_environments_name_the_models_of_the_apps(app: str) -> None:
    section = ini()[app]
    expected = find_app(app)
    assert section["custom_app"] == app
    assert section["custom_runnel_models"] == f"{expected.model_name} = {expected.model}"
    assert section["build_src_filter"] == f"-<*> +<{app}/src/>"


def test_manifests_agree_on_version_and_licence() -> None:
    library = json.loads((ROOT / "library.json").read_text(encoding="utf-8"))
    platform = json.loads((PLATFORM / "platform.json").read_text(encoding="utf-8"))
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for manifest in (library, platform):
        assert f'version = "{manifest["version"]}"' in project
        assert f'license = "{manifest["license"]}"' in project
    for header in library["headers"]:
        assert (ROOT / library["build"]["includeDir"] / header).is_file()
    for example in library["examples"]:
        assert all((ROOT / example["base"] / file).is_file() for file in example["files"])
