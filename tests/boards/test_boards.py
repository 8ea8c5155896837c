# SPDX-License-Identifier: Apache-2.0
"""Boards that come with Runnel make sense; a user's board file with a mistake gives one clear message."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from runnel.boards import Board, known_boards, load_board
from runnel.errors import BoardError
from runnel.resources import resource_root

NAMES = (
    "host",
    "qemu-m3",
    "qemu-m33",
    "qemu-m4",
    "qemu-m55",
    "qemu-m7",
    "stm32f412",
    "stm32f746",
    "stm32f765",
    "stm32h743",
)

VALID = """
name: mine
description: A board of my own
core: cortex-m4
fpu: single
dsp: true
mve: false
clock_hz: 80000000
memories:
  - {name: flash, kind: flash, address: 0x08000000, bytes: 1M, cached: false, dma: true}
  - {name: sram1, kind: sram, address: 0x20000000, bytes: 96K, cached: false, dma: true}
"""


def write(directory: Path, text: str) -> str:
    path = directory / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_boards_of_the_design_are_there() -> None:
    assert tuple(sorted(board.name for board in known_boards())) == NAMES
    for path in (resource_root() / "boards").glob("*.yaml"):
        assert load_board(path.stem).name == path.stem


@pytest.mark.parametrize(
    ("name", "address", "sram", "flash"),
    [
        ("stm32f412", 0x20000000, 256, 1024),
        ("stm32f746", 0x20000000, 320, 1024),
        ("stm32f765", 0x20000000, 512, 2048),
        ("stm32h743", 0x24000000, 512, 2048),
        ("qemu-m33", 0x38000000, 4096, 4096),
        ("qemu-m55", 0x31000000, 4096, 8192),
    ],
)
def test_contiguous_memory(name: str, address: int, sram: int, flash: int) -> None:
    board = load_board(name)
    assert (board.sram.address, board.sram_bytes, board.flash_bytes) == (address, sram * 1024, flash * 1024)


def test_merged_memory_has_the_flags_that_hold_for_all_of_it() -> None:
    sram = load_board("stm32f746").sram
    assert sram.name == "dtcm+sram1+sram2"
    assert sram.cached
    assert sram.dma
    assert not load_board("stm32h743").memory("dtcm").dma


def test_alternatives_exist_and_have_the_same_core() -> None:
    for board in known_boards():
        if board.try_instead is not None:
            assert load_board(board.try_instead).core == board.core


def test_a_board_of_the_users(tmp_path: Path) -> None:
    board = load_board(write(tmp_path, VALID))
    assert isinstance(board, Board)
    assert (board.name, board.sram_bytes, board.flash_bytes) == ("mine", 96 * 1024, 1 << 20)
    assert board.runner is None


def test_unknown_board() -> None:
    with pytest.raises(BoardError, match=r"unknown board 'qemu-m77'; known boards: .*did you mean 'qemu-m7'"):
        load_board("qemu-m77")


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(BoardError, match=r"none\.yaml: cannot read the board file: No such file"):
        load_board(str(tmp_path / "none.yaml"))


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("clock_hz:", "clock_hertz:", r"unknown key 'clock_hertz'; allowed: name, .*did you mean 'clock_hz'"),
        ("clock_hz: 80000000\n", "", "key 'clock_hz' is missing"),
        (
            "cached: false, dma: true}\n  -",
            "cashed: false, dma: true}\n  -",
            r"memories\[0\]: unknown key 'cashed'.*'cached'",
        ),
        ("cortex-m4", "cortex-m5", r"core: 'cortex-m5' is not one of cortex-m3, .*did you mean 'cortex-m"),
        ("kind: sram", "kind: ram", r"memories\[1\].kind: 'ram' is not one of sram, flash; did you mean 'sram'"),
        ("96K", "96KB", r"memories\[1\].bytes: '96KB' has the wrong form; Bytes, or KiB and MiB as 256K and 2M"),
        ("96K", "-4", r"memories\[1\].bytes: -4 is less than the minimum of 1"),
        ("dsp: true", "dsp: 1", "dsp: 1 is not of type 'boolean'"),
        ("0x20000000", "0x08000010", "flash and sram1 overlap at 0x08000010"),
        ("0x20000000, bytes: 96K", "0xFFFFFF00, bytes: 96K", "sram1 ends beyond 32-bit addresses"),
        ("kind: sram", "kind: flash", "the board has no sram"),
        ("name: mine", "name: mine\nname: yours", r"line 3: not valid YAML: key 'name' is there twice"),
        ("name: mine", "name: [mine", r"line \d+: not valid YAML"),
        ("name: mine", "name: My Board", "name: 'My Board' has the wrong form; Lower-case letters"),
        ("dsp: true", "dsp: true\nrunner: {kind: qemu}", "runner: kind qemu needs the key 'machine'"),
        (
            "dsp: true",
            "dsp: true\nrunner: {kind: kemu}",
            "runner.kind: 'kemu' is not one of qemu, .*did you mean 'qemu'",
        ),
        (
            "dsp: true",
            "dsp: true\nrunner: {kind: qemu, machine: x, boot: itcm}",
            "no memory 'itcm'; it has flash, sram1",
        ),
    ],
)
def test_mistakes(before: str, after: str, message: str, tmp_path: Path) -> None:
    assert before in VALID
    path = write(tmp_path, VALID.replace(before, after, 1))
    with pytest.raises(BoardError, match=message) as raised:
        load_board(path)
    assert "\n" not in str(raised.value)
    assert "mine" in str(raised.value)


@pytest.mark.parametrize("text", ["", "- 1", "42", "&a [*a]", "? {a: b}\n: 1", "a: &x [*x]", "!!python/none x"])
def test_files_that_are_no_boards(text: str, tmp_path: Path) -> None:
    with pytest.raises(BoardError, match=r"mine\.yaml"):
        load_board(write(tmp_path, text))


def test_a_directory_and_binary_files(tmp_path: Path) -> None:
    directory = tmp_path / "folder.yaml"
    directory.mkdir()
    with pytest.raises(BoardError, match="cannot read the board file"):
        load_board(str(directory))
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(bytes(range(128, 256)))
    with pytest.raises(BoardError, match="not UTF-8"):
        load_board(str(binary))


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BoardError):
        load_board(write(tmp_path, "[" * 5000))


def test_board_files_have_a_licence() -> None:
    for path in (resource_root() / "boards").glob("*.yaml"):
        assert path.read_text(encoding="utf-8").startswith("# SPDX-License-Identifier: Apache-2.0\n")
        assert yaml.safe_load(path.read_text(encoding="utf-8"))["name"] == path.stem


@pytest.mark.parametrize("name", [n for n in NAMES if n.startswith("qemu-")])
def test_emulated_boards_hold_every_published_mcunet(name: str) -> None:
    """The largest, layer by layer, has 1.9 MB of weights and 450 kB of arena."""
    board = load_board(name)
    assert board.flash_bytes >= 2_500_000
    assert board.sram_bytes >= 1_000_000
