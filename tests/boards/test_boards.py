# SPDX-License-Identifier: Apache-2.0
"""Boards that come with Runnel make sense; a user's board file with a mistake gives one clear message."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from runnel.boards import Board, board_file, known_boards, load_board
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


@pytest.mark.parametrize(
    ("name", "board"),
    [
        ("stm32f746g_disco", "stm32f746"),
        ("stm32f746g_disco/stm32f746xx", "stm32f746"),
        ("nucleo_f746zg", "stm32f746"),
        ("nucleo_f756zg/stm32f756xx", "stm32f746"),
        ("nucleo_h743zi", "stm32h743"),
        ("nucleo_h743zi/stm32h743xx", "stm32h743"),
        ("nucleo_h743zi@B", "stm32h743"),
        ("nucleo_h743zi@B/stm32h743xx", "stm32h743"),
        ("nucleo_f412zg/stm32f412zx", "stm32f412"),
        ("stm32f412g_disco", "stm32f412"),
        ("nucleo_f767zi", "stm32f765"),
        ("mps2_an385", "qemu-m3"),
        ("mps2/an385", "qemu-m3"),
        ("mps2@1.0/an386", "qemu-m4"),
        ("mps2/an500", "qemu-m7"),
        ("mps2_an521", "qemu-m33"),
        ("mps2_an521_ns", "qemu-m33"),
        ("mps2/an521/cpu0", "qemu-m33"),
        ("mps2/an521/cpu0/ns", "qemu-m33"),
        ("mps3_an547", "qemu-m55"),
        ("mps3/an547", "qemu-m55"),
        ("mps3/corstone300/an547", "qemu-m55"),
        ("mps3/corstone300/an547/ns", "qemu-m55"),
        ("native_sim", "host"),
        ("native_sim_64", "host"),
        ("native_sim//64", "host"),
        ("native_sim/native/64", "host"),
        ("disco_f746ng", "stm32f746"),
        ("nucleo_h743zi2", "stm32h743"),
    ],
)
def test_names_of_zephyr_and_platformio(name: str, board: str) -> None:
    assert load_board(name).name == board
    assert board_file(name).stem == board


@pytest.mark.parametrize(
    "name",
    ["mps2", "mps2/an38", "nucleo_h743", "nucleo_h743zi_x", "native", "mps3/corstone300", "@B", ""],
)
def test_part_of_a_zephyr_name_is_no_board(name: str) -> None:
    with pytest.raises(BoardError, match="unknown board"):
        load_board(name)


def test_unknown_board_is_one_message_with_the_ways_out() -> None:
    with pytest.raises(BoardError) as raised:
        load_board("nucleo_h743z1")
    message = str(raised.value)
    assert "\n" not in message
    assert all(name in message for name in ("'nucleo_h743z1'", *NAMES, ".yaml", "docs/adding-a-board.md"))
    assert message.endswith("did you mean 'nucleo_h743zi'?")


def test_no_name_stands_for_two_boards() -> None:
    names = [name for board in known_boards() for name in {board.name, *board.zephyr, *board.platformio}]
    assert sorted(names) == sorted(set(names))


def zephyr_trees() -> list[Path]:
    chosen = [Path(os.environ["ZEPHYR_BASE"])] if "ZEPHYR_BASE" in os.environ else []
    found = [*chosen, *sorted(Path.home().glob("zephyrproject*/zephyr"))]
    return [path for path in dict.fromkeys(found) if (path / "boards").is_dir()]


def zephyr_boards(tree: Path) -> set[str]:
    """All board targets of a tree, in the spelling of its version."""
    names = {path.name.removesuffix("_defconfig") for path in tree.glob("boards/*/*/*_defconfig")}
    for path in tree.glob("boards/**/board.yml"):
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        for board in data.get("boards") or [data["board"]]:
            names.add(board["name"])
            for soc in board.get("socs", ()):
                names.add(f"{board['name']}/{soc['name']}")
                names |= {f"{board['name']}/{soc['name']}/{v['name']}" for v in soc.get("variants", ())}
    return names


def test_every_zephyr_name_is_in_a_tree() -> None:
    """Catches typos. Names of other versions than those at hand are not looked up."""
    trees = zephyr_trees()
    if len(trees) < 2:
        pytest.skip("no Zephyr trees of two generations (ZEPHYR_BASE, ~/zephyrproject*): names cannot be looked up")
    there = set().union(*map(zephyr_boards, trees))
    missing = {name for board in known_boards() for name in board.zephyr} - there
    assert missing <= {"mps2_an386", "mps2_an500", "mps3/an547"}, "spellings of versions between or before these"


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
    with pytest.raises(BoardError, match=r"unknown board 'qemu-m77'; Runnel's boards: .*did you mean 'qemu-m7'"):
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
        ("dsp: true", "dsp: true\nzephyr: my_board", "zephyr: 'my_board' is not of type 'array'"),
        (
            "dsp: true",
            "dsp: true\nzephyr: [a@B]",
            r"zephyr\[0\]: 'a@B' has the wrong form; A board of Zephyr",
        ),
        ("dsp: true", "dsp: true\nzephyr: [a, a]", "zephyr: .* non-unique"),
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
