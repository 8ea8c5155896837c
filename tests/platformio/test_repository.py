# SPDX-License-Identifier: Apache-2.0
"""This repository as a PlatformIO project: firmware that fits, runs in QEMU, and fails where it must."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest
from PIL import Image

from platformio_builds import ROOT, Ran, folders, pio, run_pio, run_repository

KB = 1024
BOARDS = {"stm32f746": (320, 1024), "stm32f412": (256, 1024), "stm32f765": (512, 2048), "stm32h743": (512, 2048)}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pio()
    return tmp_path_factory.mktemp("pio")


def used_bytes(ran: Ran, what: str) -> int:
    found = re.search(rf"^{what}: .*\(used (\d+) bytes", ran.output, re.MULTILINE)
    assert found, ran.output
    return int(found[1])


def check_fits(ran: Ran, sram_kb: int, flash_kb: int) -> None:
    assert ran.exit_code == 0, ran.output
    assert "warning" not in ran.output.lower(), ran.output
    assert PERSON_ARENA_BYTES < used_bytes(ran, "RAM") <= MOST_SRAM_BYTES
    assert sram_kb * KB > MOST_SRAM_BYTES
    assert used_bytes(ran, "Flash") <= flash_kb * KB


PERSON_ARENA_BYTES = 12_000
"""Less would mean that the model is not linked."""

MOST_SRAM_BYTES = 36 * KB
"""More would mean that the input is stored. The stack's 8 KB are part of it."""


def test_firmware_fits_the_discovery_board(workspace: Path) -> None:
    check_fits(run_repository(workspace, "run", "-e", "stm32f746"), *BOARDS["stm32f746"])


@pytest.mark.parametrize("board", [name for name in BOARDS if name != "stm32f746"])
def test_firmware_fits_the_other_boards(workspace: Path, board: str, full: bool) -> None:
    if not full:
        pytest.skip("one board is built by default; RUNNEL_FULL=1 builds all")
    check_fits(run_repository(workspace, "run", "-e", board), *BOARDS[board])


def test_upload_hands_the_firmware_to_openocd(workspace: Path, tmp_path: Path) -> None:
    """An openocd that writes down what it was told; the real one needs a board."""
    log = tmp_path / "arguments"
    openocd = tmp_path / "openocd"
    openocd.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > "{log}"\n')
    openocd.chmod(0o755)
    path = os.pathsep.join([str(tmp_path), os.environ["PATH"]])
    ran = run_pio(ROOT, "run", "-e", "stm32f746", "-t", "upload", PATH=path, **folders(workspace))
    assert ran.exit_code == 0, ran.output
    words = log.read_text().splitlines()
    elf = workspace / "build" / "stm32f746" / "firmware.elf"
    assert words[:-1] == ["-f", "board/stm32f7discovery.cfg", "-c"]
    assert words[-1] == f"program {{{elf}}} verify reset exit"
    assert elf.is_file()


def scores(ran: Ran) -> dict[str, float]:
    return {name: float(score) for name, score in re.findall(r"^(\S+): person: (\d\.\d+) ", ran.output, re.MULTILINE)}


def test_qemu_tells_photos_apart_and_passes_the_exit_code_on(workspace: Path) -> None:
    ran = run_repository(workspace, "run", "-e", "qemu-m7", "-t", "qemu")
    assert ran.exit_code == 0, ran.output
    assert "selftest: ok" in ran.output
    found = scores(ran)
    assert set(found) == {"astronaut.ppm", "chelsea.ppm"}
    assert found["astronaut.ppm"] >= 0.7
    assert found["chelsea.ppm"] < 0.5

    # One weight off by one, after generation: the self-test must notice, and pio must say so.
    constants = workspace / "build" / "qemu-m7" / "runnel" / "person" / "person_constants.h"
    text = constants.read_text(encoding="utf-8")
    weight = re.search(r"_weights\[\d+\] = {\s*(-?\d+)", text)
    assert weight
    wrong = int(weight[1]) + (1 if int(weight[1]) < 0 else -1)
    constants.write_text(f"{text[: weight.start(1)]}{wrong}{text[weight.end(1) :]}", encoding="utf-8")
    ran = run_repository(workspace, "run", "-e", "qemu-m7", "-t", "qemu")
    constants.write_text(text, encoding="utf-8")
    assert "up to date" in ran.output, "the generator ran again: nothing was broken"
    assert "selftest: FAILED" in ran.output, ran.output
    assert "the firmware ended with code 3" in ran.output
    assert ran.exit_code == 3


def test_qemu_m4(workspace: Path, full: bool) -> None:
    if not full:
        pytest.skip("qemu-m7 is run by default; RUNNEL_FULL=1 runs both")
    ran = run_repository(workspace, "run", "-e", "qemu-m4", "-t", "qemu")
    assert ran.exit_code == 0, ran.output
    assert scores(ran)["astronaut.ppm"] >= 0.7 > 0.5 > scores(ran)["chelsea.ppm"]


def test_qemu_decodes_jpeg_files(workspace: Path, tmp_path: Path, full: bool) -> None:
    if not full:
        pytest.skip("takes another build; RUNNEL_FULL=1 runs it")
    project = (ROOT / "platformio.ini").read_text(encoding="utf-8")
    configuration = tmp_path / "jpeg.ini"
    configuration.write_text(project.replace("custom_app = vww", "custom_app = vww\ncustom_app_jpeg = yes"), "utf-8")
    photos = tmp_path / "photos"
    photos.mkdir()
    Image.open(ROOT / "apps" / "vww" / "frames" / "astronaut.ppm").save(photos / "mine.jpg", quality=95)
    ran = run_repository(
        tmp_path / "pio", "run", "-c", str(configuration), "-e", "qemu-m7", "-t", "qemu", "-a", str(photos)
    )
    assert ran.exit_code == 0, ran.output
    assert scores(ran)["mine.jpg"] >= 0.7


def test_qemu_looks_at_other_pictures(workspace: Path, tmp_path: Path, full: bool) -> None:
    if not full:
        pytest.skip("takes another build; RUNNEL_FULL=1 runs it")
    shutil.copy(ROOT / "apps" / "vww" / "frames" / "chelsea.ppm", tmp_path / "mine.ppm")
    ran = run_repository(tmp_path / "pio", "run", "-e", "qemu-m7", "-t", "qemu", "-a", str(tmp_path))
    assert ran.exit_code == 0, ran.output
    assert list(scores(ran)) == ["mine.ppm"]
    ran = run_repository(tmp_path / "pio", "run", "-e", "qemu-m7", "-t", "qemu", "-a", str(tmp_path / "nowhere"))
    assert ran.exit_code != 0
    assert "is not a folder with pictures" in ran.output
    ran = run_repository(tmp_path / "pio", "run", "-e", "qemu-m7", "-t", "upload")
    assert ran.exit_code != 0
    assert "pio run -e qemu-m7 -t qemu" in ran.output


@pytest.mark.parametrize("environment", ["kws-stm32f746", "kws-qemu-m4", "kws-qemu-m7"])
def test_keyword_app_is_built(workspace: Path, environment: str, full: bool) -> None:
    if not (ROOT / "models" / "kws" / "keywords.tflite").is_file():
        pytest.skip("models/kws/keywords.tflite is not there")
    if not full and environment != "kws-stm32f746":
        pytest.skip("one environment is built by default; RUNNEL_FULL=1 builds all")
    ran = run_repository(workspace, "run", "-e", environment)
    assert ran.exit_code == 0, ran.output
    assert "warning" not in ran.output.lower(), ran.output


def test_keyword_app_hears_a_word(workspace: Path, testdata: Path, full: bool) -> None:
    if not full:
        pytest.skip("takes another build; RUNNEL_FULL=1 runs it")
    sound = testdata / "wav" / "sc_happy_3efef882_nohash_0.wav"
    ran = run_repository(workspace, "run", "-e", "kws-qemu-m7", "-t", "qemu", "-a", str(sound))
    assert ran.exit_code == 0, ran.output
    assert "heard: happy" in ran.output
    ran = run_repository(workspace, "run", "-e", "kws-qemu-m7", "-t", "qemu")
    assert ran.exit_code == 0, ran.output
    assert "heard: cat" in ran.output


def test_pio_test_runs_on_the_emulator(workspace: Path, full: bool) -> None:
    chosen = [] if full else ["-f", "test_image"]
    ran = run_repository(workspace, "test", "-e", "qemu-m7", *chosen)
    assert ran.exit_code == 0, ran.output
    assert "byte_orders_agree\t[PASSED]" in ran.output
    assert f"{12 if full else 6} test cases: {12 if full else 6} succeeded" in ran.output


def test_pio_test_fails_when_a_test_fails_or_does_not_end(workspace: Path, tmp_path: Path) -> None:
    """Two test folders that are not in the repository: a wrong one, and one that faults."""
    for name, body in (("wrong", "CHECK(1 + 1 == 3);"), ("fault", "*(volatile int *)0xF0000000 = 1;")):
        folder = tmp_path / f"test_{name}"
        folder.mkdir()
        code = f'#include "check.h"\nstatic void sums(void) {{ {body} }}\n'
        code += "int main(void) { port_start(); RUN(sums); return check_end(); }\n"
        (folder / "test_main.c").write_text(code, encoding="utf-8")
    for name in ("check.h", "test_custom_runner.py"):
        shutil.copy(ROOT / "test" / name, tmp_path)
    ran = run_pio(ROOT, "test", "-e", "qemu-m7", PLATFORMIO_TEST_DIR=str(tmp_path), **folders(workspace))
    assert ran.exit_code != 0
    assert "sums: 1 + 1 == 3\t[FAILED]" in ran.output, ran.output
    assert "the firmware ended with code 6 before its tests were over" in ran.output, ran.output


def test_without_the_build_tool(workspace: Path, tmp_path: Path) -> None:
    """A checkout that nobody ran ./scripts/setup in."""
    ran = run_pio(
        ROOT, "run", "-e", "stm32f412", timeout_s=300, **folders(workspace), PLATFORMIO_CORE_DIR=str(tmp_path)
    )
    if (tmp_path / "packages" / "tool-scons").is_dir():
        pytest.skip("PlatformIO's registry answers and supplies the build tool")
    assert ran.exit_code != 0
    assert "build tool (tool-scons) is not installed" in ran.output, ran.output
    assert "./scripts/setup" in ran.output
    assert "PLATFORMIO_CORE_DIR=<checkout>/.cache/platformio/core" in ran.output
    assert "Traceback" not in ran.output


def test_without_a_compiler(workspace: Path, tmp_path: Path) -> None:
    """Says what to install, quickly, instead of waiting for the registry. Where that answers, it would be used."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("sh", "env", "git"):
        found = shutil.which(name)
        if found:
            (tools / name).symlink_to(found)
    ran = run_pio(ROOT, "run", "-e", "stm32f412", PATH=str(tools), timeout_s=300, **folders(workspace))
    if "toolchain-gccarmnoneeabi@" in ran.output:
        pytest.skip("PlatformIO's registry answers and supplies the compiler")
    assert ran.exit_code != 0
    assert "arm-none-eabi-gcc, the cross compiler, is not on PATH" in ran.output, ran.output
    assert "sudo apt-get install gcc-arm-none-eabi" in ran.output
    assert "Traceback" not in ran.output
