# SPDX-License-Identifier: Apache-2.0
"""apps/kws under Zephyr: the same scores as on the host, from a file, from flash, and through the DMIC API."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest

from apps.kws.kws_build import ROOT
from apps.kws.listening_model import write_listening_model
from apps.kws.test_app import speech_like, write_wav
from runnel.kws.outputs import model_outputs
from zephyr.workspaces import Workspace, build, each_workspace, has_board, run

APP = ROOT / "apps" / "kws"
FAKE = Path(__file__).parent / "fake_dmic"
STRIDE = 10
FULL = os.environ.get("RUNNEL_FULL") == "1"
# Every case is a build of 15 to 60 s in every workspace.
RUNNABLE = ("mps2_an385", *(("native_sim_64", "mps2_an521", "mps3_an547") if FULL else ()))
BOARDS = ("stm32f746g_disco", "nucleo_h743zi", "nucleo_f412zg")
only_full = pytest.mark.skipif(not FULL, reason="builds for several boards: RUNNEL_FULL=1")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_listening_model(tmp_path_factory.mktemp("model") / "keywords.tflite")


def scores(text: str) -> list[list[int]]:
    return [list(map(int, line.split()[1:])) for line in text.splitlines() if line.startswith("scores: ")]


def expected(model: Path, samples: np.ndarray[tuple[int], np.dtype[np.int16]]) -> list[list[int]]:
    outputs = model_outputs(model, samples, STRIDE)
    return [[320 * STRIDE * (i + 1), *map(int, row)] for i, row in enumerate(outputs)]


@each_workspace
@pytest.mark.parametrize("board", RUNNABLE)
def test_a_wav_file_of_the_host(workspace: Workspace, board: str, model: Path, tmp_path: Path) -> None:
    options = [f"-Dmodel={model}", "-DCONFIG_KWS_PRINT_SCORES=y"]
    built = build(workspace, APP, board, tmp_path / "build", cmake=options)
    write_wav(tmp_path / "sound.wav", speech_like())
    ran = run(built, directory=tmp_path)
    assert ran.exit_code == 0, ran.text
    assert "selftest: ok" in ran.text
    assert scores(ran.text) == expected(model, speech_like())
    (tmp_path / "sound.wav").unlink()
    ran = run(built, directory=tmp_path)
    assert ran.exit_code == 5
    assert "sound.wav: cannot be opened" in ran.text


@each_workspace
def test_a_microphone(workspace: Workspace, model: Path, tmp_path: Path) -> None:
    """A driver without hardware behind Zephyr's DMIC API loses a block once, and later falls silent."""
    blocks = 200
    built = build(
        workspace, APP, "native_sim_64", tmp_path / "build",
        cmake=[
            f"-Dmodel={model}", f"-DZEPHYR_EXTRA_MODULES={ROOT};{FAKE}", f"-DDTC_OVERLAY_FILE={FAKE}/fake_dmic.overlay",
            "-DCONFIG_KWS_PRINT_SCORES=y", f"-DCONFIG_FAKE_DMIC_BLOCKS={blocks}", "-DCONFIG_FAKE_DMIC_FAILS_AT=50",
        ],
    )  # fmt: skip
    assert built.config("KWS_SOUND_DMIC") == "y"
    ran = run(built, arguments=["-no-rt"])
    state, samples = 1, []
    for _ in range(blocks * 320):
        state = (state * 1664525 + 1013904223) % 2**32
        samples.append(state >> 16)
    sound = np.array(samples, np.uint16).view(np.int16)
    assert scores(ran.text) == expected(model, sound)[: blocks // STRIDE]
    assert ran.text.count("microphone: sound was lost") == 1
    assert "microphone: no sound for 1000 ms; starting it again" in ran.text
    assert ran.lines[-1] == "microphone: fake_dmic gives no more sound (error -11)"
    assert ran.exit_code == 5


@only_full
@each_workspace
def test_sound_in_flash_and_the_shell(workspace: Workspace, model: Path, tmp_path: Path) -> None:
    sound = write_wav(tmp_path / "words.wav", speech_like())
    built = build(
        workspace, APP, "mps2_an385", tmp_path / "build",
        cmake=[
            f"-Dmodel={model}", "-DEXTRA_CONF_FILE=shell.conf", "-DCONFIG_KWS_SOUND_FLASH=y",
            f'-DCONFIG_KWS_SOUND_FLASH_PATH="{sound}"', "-DCONFIG_KWS_PRINT_SCORES=y",
        ],
    )  # fmt: skip
    ran = run(built, directory=tmp_path)
    assert ran.exit_code == 0, ran.text
    assert scores(ran.text) == expected(model, speech_like())
    symbols = (built.folder / "zephyr" / "zephyr.map").read_text(errors="replace")
    assert "kws_commands" in symbols


@only_full
@each_workspace
@pytest.mark.parametrize("board", BOARDS)
def test_it_links_for_boards_without_a_microphone(
    workspace: Workspace, board: str, model: Path, tmp_path: Path
) -> None:
    if not has_board(workspace, board):
        pytest.skip(f"Zephyr {workspace.name} at {workspace.base} has no board {board}")
    built = build(workspace, APP, board, tmp_path / "build", cmake=[f"-Dmodel={model}"])
    assert built.config("KWS_SOUND_NONE") == "y"
    assert re.search(r"RAM: +\d+ ", built.output)
