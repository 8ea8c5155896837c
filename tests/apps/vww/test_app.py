# SPDX-License-Identifier: Apache-2.0
"""The whole app without an operating system: right answers, the oracle's bytes, exit codes and messages."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from apps.vww.image_filter import ROOT
from apps.vww.vww_build import APP, FRAMES, PHOTOS, Outputs, build_vww, expected_outputs, outputs_of
from runnel.app import compile_app_model, prepare_frames, run_app
from runnel.boards import load_board
from runnel.build.app import app_model, own_frames
from runnel.build.app_firmware import AppOptions, BuiltApp, build_app
from runnel.build.frames import end_binary, frame_binary, open_picture, to_frame
from runnel.run.process import run_program
from runnel.run.qemu import qemu_command

sys.path.append(str(ROOT / "boards" / "platformio"))  # at the end: runnel.py there must not hide the package

from runnel_platformio.firmware import _SRAM_SECTIONS

OK, SELFTEST, SOURCE = 0, 3, 5
BOARDS = ("qemu-m7", "qemu-m4", "qemu-m3", "qemu-m33", "qemu-m55")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> BuiltApp:
    return build_vww("qemu-m7", tmp_path_factory.mktemp("m7"))


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> BuiltApp:
    """The same sources on this machine, with sanitizers."""
    return build_vww("host", tmp_path_factory.mktemp("host"), AppOptions(sanitize=True))


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory, tflm: None) -> Outputs:
    return expected_outputs([FRAMES / name for name in PHOTOS], tmp_path_factory.mktemp("oracle"))


@pytest.mark.parametrize("board", BOARDS)
def test_right_answers_equal_to_tflm(
    board: str, built: BuiltApp, expected: Outputs, tmp_path: Path, full: bool
) -> None:
    if board not in BOARDS[:2] and not full:
        pytest.skip("the other cores run with RUNNEL_FULL=1")
    app = built if board == "qemu-m7" else build_vww(board, tmp_path)
    code, lines = run_app(app, FRAMES)
    assert code == OK
    assert lines[0].startswith(f"model: person, arena {arena_bytes(app)} bytes, ")
    assert lines[1] == "selftest: ok"
    assert outputs_of(lines) == expected
    astronaut, cat = (expected[name] for name in PHOTOS)
    assert astronaut[1] > 40 > -40 > cat[1]
    assert lines[-1] == "end: 2 frames, 1 times person"
    assert re.fullmatch(rf"frames: .*arena {arena_bytes(app)} bytes, static SRAM \d+ bytes, stack \d+ bytes", lines[-2])


def test_the_same_on_the_host_with_sanitizers(host: BuiltApp, expected: Outputs) -> None:
    code, lines = run_app(host, FRAMES)
    assert (code, outputs_of(lines)) == (OK, expected)


def test_a_damaged_model_fails_its_selftest(built: BuiltApp, tmp_path: Path) -> None:
    generated = built.path.parent.parent / "generated"
    damaged = tmp_path / "generated"
    damaged.mkdir()
    for file in generated.rglob("*"):
        if file.is_file():
            target = damaged / file.relative_to(generated)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read_bytes())
    constants = damaged / "person_constants.h"
    text = constants.read_text()
    start = text.index("{", text.index("op00_weights"))
    end = text.index("}", start)
    weights = re.sub(r"-?\d+", lambda m: str(-int(m[0])), text[start:end])
    constants.write_text(text[:start] + weights + text[end:])
    code, lines = run_app(build_app(APP, load_board("qemu-m7"), damaged, tmp_path / "firmware"), FRAMES)
    assert code == SELFTEST
    assert lines[-1] == "selftest: FAILED"


def arena_bytes(built: BuiltApp) -> int:
    assert built.footprint is not None
    return built.footprint.arena_bytes


def test_the_input_is_pulled(built: BuiltApp) -> None:
    """The input alone has 19,200 bytes; layer by layer the arena takes 89,600."""
    header = (built.path.parent.parent / "generated" / "person.h").read_text(encoding="utf-8")
    assert "int8_t *person_input(void);" not in header
    assert "int person_run(void);" not in header
    assert re.search(r"^#define PERSON_INPUT_PASSES 1$", header, re.MULTILINE)
    assert arena_bytes(built) < 24_000


def test_a_stored_input_gives_the_same(expected: Outputs, tmp_path: Path) -> None:
    stored = replace(APP, input="stored")
    board = load_board("host")
    generated = compile_app_model(stored, app_model(APP), board, tmp_path / "generated")
    app = build_app(stored, board, generated, tmp_path / "firmware", AppOptions(sanitize=True))
    code, lines = run_app(app, FRAMES)
    assert (code, outputs_of(lines)) == (OK, expected)


def write_list(folder: Path, *names: str) -> None:
    (folder / "frames.txt").write_text("".join(f"{name}\n" for name in names))


def test_a_missing_list_says_what_to_do(built: BuiltApp, tmp_path: Path) -> None:
    code, lines = run_app(built, tmp_path)
    assert code == SOURCE
    assert "frames.txt cannot be opened" in lines[-1]
    assert "apps/vww/frames" in lines[-1]


PPM = b"P6\n2 2\n255\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be opened"),
        (b"", "no PPM"),
        (b"P3\n2 2\n255\n", "no PPM"),
        (PPM + bytes(11), "ends too early"),
        (b"P6\n2 2\n65535\n" + bytes(24), "8 bits"),
        (b"P6\n0 2\n255\n", "header"),
        (b"P6\n99999999999 2\n255\n", "header"),
        (b"P6\n2\n", "header"),
        (b"P6\n321 240\n255\n", "frame buffer"),
        (b"P6\n65535 65535\n255\n", "frame buffer"),
    ],
)
def test_pictures_that_cannot_be_read(host: BuiltApp, tmp_path: Path, content: bytes | None, message: str) -> None:
    write_list(tmp_path, "photo.ppm")
    if content is not None:
        (tmp_path / "photo.ppm").write_bytes(content)
    code, lines = run_app(host, tmp_path)
    assert code == SOURCE
    assert lines[-1].startswith("frames: photo.ppm")
    assert message in lines[-1]


def test_lists_and_headers_may_look_different(host: BuiltApp, expected: Outputs, tmp_path: Path) -> None:
    """Comments, blank lines, Windows line ends, absolute paths, no end of line at the end."""
    data = (FRAMES / "astronaut.ppm").read_bytes()
    header, pixels = data[:15], data[15:]
    assert header == b"P6\n160 120\n255\n"
    (tmp_path / "astronaut.ppm").write_bytes(b"P6 # 160 wide\n#\n 160\r\n# more\n\n120\t255\n" + pixels)
    listing = f"# photos\r\n\r\n  astronaut.ppm \r\n{FRAMES / 'chelsea.ppm'}"
    (tmp_path / "frames.txt").write_bytes(listing.encode())
    code, lines = run_app(host, tmp_path)
    assert (code, outputs_of(lines)) == (OK, expected)


def test_a_long_line_in_the_list_is_refused(host: BuiltApp, tmp_path: Path) -> None:
    write_list(tmp_path, "x" * 300)
    code, lines = run_app(host, tmp_path)
    assert code == SOURCE
    assert "255 characters" in lines[-1]


def test_grey_pictures(host: BuiltApp, tmp_path: Path) -> None:
    grey = tmp_path / "grey.pgm"
    Image.open(FRAMES / "astronaut.ppm").convert("L").save(grey)
    write_list(tmp_path, "grey.pgm")
    code, lines = run_app(host, tmp_path)
    assert (code, outputs_of(lines)) == (OK, expected_outputs([grey], tmp_path))


def test_frames_in_flash(expected: Outputs, tmp_path: Path) -> None:
    built = build_vww("qemu-m7", tmp_path, AppOptions(data="flash"))
    code, lines = run_app(built, tmp_path)
    assert (code, outputs_of(lines)) == (OK, expected)
    assert any("no camera here" in line for line in lines)


def test_an_arena_in_a_section_of_its_own(built: BuiltApp, expected: Outputs, tmp_path: Path) -> None:
    """What the app prints is what PlatformIO adds up, and, but for gaps, what the usual build takes."""
    attribute = 'RUNNEL_ARENA_ATTRIBUTES=__attribute__((section(".dtcm_noinit")))'
    moved = build_vww("qemu-m7", tmp_path, AppOptions(defines=(attribute,)))
    code, lines = run_app(moved, FRAMES)
    assert (code, outputs_of(lines)) == (OK, expected)
    table = subprocess.run(["arm-none-eabi-size", "-A", "-d", moved.path], capture_output=True, text=True).stdout
    assert re.search(rf"^\.noinit\s+{arena_bytes(moved)}\s", table, re.MULTILINE)
    counted = sum(int(size) for size in re.findall(_SRAM_SECTIONS, table, re.MULTILINE))
    usual = run_app(built, FRAMES)[1]
    assert static_sram(lines) == counted == pytest.approx(static_sram(usual), abs=15)  # the arena is aligned to 16


def static_sram(lines: tuple[str, ...]) -> int:
    found = re.search(r"static SRAM (\d+) bytes", lines[-2])
    assert found is not None
    return int(found[1])


def test_frames_at_an_address(expected: Outputs, tmp_path: Path) -> None:
    """As Renode's LoadBinary does, through QEMU's loader: a frame, and the end of frames."""
    address = 0x20000000  # the RAM that the linker script leaves free
    define = f"FRAMES_MEMORY_ADDRESS=0x{address:x}u"
    built = build_vww("qemu-m7", tmp_path, AppOptions(data="memory", defines=(define, "VWW_LAST_FRAME=1")))
    frame = to_frame(open_picture(FRAMES / "astronaut.ppm"), "astronaut.ppm")
    answers = {}
    for name, data in (("frame", frame_binary(frame, 7)), ("end", end_binary(1))):
        file = tmp_path / f"{name}.bin"
        file.write_bytes(data)
        command = qemu_command(built.board, built.path, count_instructions=True)
        loader = ("-device", f"loader,file={file},addr=0x{address:x},force-raw=on")
        finished = run_program((*command, *loader), tmp_path, timeout_s=120)
        assert finished.exit_code == OK
        answers[name] = outputs_of(finished.lines)
    assert answers == {"frame": {"memory": expected["astronaut.ppm"]}, "end": {}}


def test_stm32_firmware_fits(tmp_path: Path) -> None:
    built = build_vww("stm32f746", tmp_path, AppOptions(data="flash"))
    assert built.footprint is not None
    assert built.footprint.flash_bytes < 1024 * 1024
    assert built.footprint.static_sram_bytes < 28 * 1024


def test_pictures_of_the_user_are_shrunk_to_the_buffer(tmp_path: Path) -> None:
    large = tmp_path / "in" / "large.png"
    large.parent.mkdir()
    Image.new("RGB", (1000, 500), (10, 200, 30)).save(large)
    prepare_frames((large, *own_frames()), tmp_path / "run")
    names = (tmp_path / "run" / "frames.txt").read_text().split()
    assert names == ["large.ppm", *PHOTOS]
    assert Image.open(tmp_path / "run" / "large.ppm").size == (320, 160)
    assert (tmp_path / "run" / PHOTOS[0]).read_bytes() == (FRAMES / PHOTOS[0]).read_bytes()


def scripts_app(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "runnel.app", *arguments], capture_output=True, text=True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("kvs",), "the apps are vww, kws"),
        (("vww", "--board", "qemu-m8"), "unknown board"),
        (("vww", "--board", "stm32f746", "--run"), "--board qemu-m7"),
        (
            ("vww", "--board", "stm32f412", "--run"),
            "without --run and flash the ELF, or `pio run -e stm32f412 -t upload`",
        ),
        (
            ("kws", "--board", "stm32f746", "--run"),
            "without --run and flash the ELF, or `pio run -e kws-stm32f746 -t up",
        ),
        (("kws", "--board", "stm32h743", "--run"), "without --run and flash the ELF; or run it on --board qemu-m7"),
        (("vww", "--wav", "a.wav"), "vww takes no --wav; it looks at the pictures in a folder: --frames DIR"),
        (("kws", "--frames", "{empty}"), "kws takes no --frames; it listens to a sound: --wav FILE"),
        (("kws", "--jpeg"), "kws takes no --jpeg"),
        (("vww", "-D", "VWW_ON_PERCENT=500"), "VWW_ON_PERCENT must be 1 to 99"),
        (("vww", "-D", "VWW_ON_FRAMES=0"), "VWW_ON_FRAMES must be 1 to 1000"),
        (("kws", "-D", "KWS_THRESHOLD_PERCENT=100"), "KWS_THRESHOLD_PERCENT must be 1 to 99"),
        (("kws", "-D", "KWS_AVERAGE=0"), "KWS_AVERAGE must be 1 to 16"),
        (("vww", "--frames", "{empty}"), "has no pictures"),
        (("vww", "--model", "{empty}/none.tflite"), "none.tflite"),
        (("vww", "--data", "none", "-o", "{empty}/o"), "host, flash, memory"),
    ],
)
def test_bad_use_gets_a_message(arguments: tuple[str, ...], message: str, tmp_path: Path) -> None:
    done = scripts_app(*(a.replace("{empty}", str(tmp_path)) for a in arguments))
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_the_command_runs_the_app_and_passes_its_exit_code_on(tmp_path: Path) -> None:
    done = scripts_app("vww", "--board", "host", "--run", "-o", str(tmp_path / "out"))
    assert done.returncode == OK, done.stderr
    assert set(outputs_of(done.stdout.splitlines())) == set(PHOTOS)
    broken = tmp_path / "broken"
    broken.mkdir()
    Image.new("RGB", (4000, 1)).save(broken / "sliver.png")
    done = scripts_app("vww", "--board", "host", "--run", "-o", str(tmp_path / "out"), "--frames", str(broken))
    assert done.returncode in (OK, SOURCE)
