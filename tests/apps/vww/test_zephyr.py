# SPDX-License-Identifier: Apache-2.0
"""The app under every Zephyr that is found here: the oracle's bytes, the camera's code, and real boards' builds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from apps.vww.image_filter import ROOT
from apps.vww.jpeg_filter import jpeg_bytes, smooth_picture
from apps.vww.vww_build import FRAMES, PHOTOS, Outputs, build_vww, expected_outputs, outputs_of
from runnel.app import run_app
from runnel.build.app_firmware import AppOptions
from zephyr.workspaces import Workspace, build, can_run, each_workspace, has_board, run

APP = ROOT / "apps" / "vww"
EMULATED = ("mps2_an385", "native_sim_64", "mps2_an521", "mps3_an547")
BOARDS = ("stm32f746g_disco", "nucleo_h743zi", "nucleo_f412zg")
GENERATOR = "-DEXTRA_CONF_FILE=generator.conf"


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory, tflm: None) -> Outputs:
    return expected_outputs([FRAMES / name for name in PHOTOS], tmp_path_factory.mktemp("oracle"))


def skip_unless(full: bool, workspace: Workspace, board: str) -> None:
    if not full:
        pytest.skip("built with RUNNEL_FULL=1")
    if not has_board(workspace, board):
        pytest.skip(f"Zephyr {workspace.name} has no {board}")


@each_workspace
@pytest.mark.parametrize("board", EMULATED)
def test_equal_to_tflm(workspace: Workspace, board: str, expected: Outputs, tmp_path: Path, full: bool) -> None:
    if board not in EMULATED[:2]:
        skip_unless(full, workspace, board)
    if reason := can_run(board):
        pytest.skip(reason)
    built = build(workspace, APP, board, tmp_path / "build")
    ran = run(built)
    assert outputs_of(ran.lines) == expected
    assert ran.exit_code == 0
    assert "selftest: ok" in ran.text
    assert ran.lines[-1] == "end: 2 frames, 1 times person"
    header = (built.folder / "runnel" / "person" / "person.h").read_text(encoding="utf-8")
    assert "#define PERSON_INPUT_PASSES 1\n" in header
    assert "int8_t *person_input(void);" not in header


@each_workspace
@pytest.mark.parametrize("board", EMULATED[:2])
def test_jpeg_files(workspace: Workspace, board: str, tmp_path: Path, full: bool, tflm: None) -> None:
    """The same answers as from the app on this machine."""
    if not full and board != EMULATED[1]:
        pytest.skip("native_sim by default; RUNNEL_FULL=1 runs an emulated board, too")
    if reason := can_run(board):
        pytest.skip(reason)
    (tmp_path / "colours.jpg").write_bytes(jpeg_bytes(smooth_picture(300, 200), subsampling="4:2:0"))
    (tmp_path / "frames.txt").write_text("colours.jpg\n")
    options = ["-DCONFIG_VWW_JPEG=y", f'-DCONFIG_VWW_FRAMES_LIST="{tmp_path / "frames.txt"}"']
    ran = run(build(workspace, APP, board, tmp_path / "build", cmake=options))
    assert ran.exit_code == 0, ran.text
    host = build_vww("host", tmp_path / "host", AppOptions(jpeg=True))
    assert outputs_of(ran.lines) == outputs_of(run_app(host, tmp_path)[1]) != {}


@each_workspace
def test_the_cameras_code_with_the_software_generator(workspace: Workspace, tmp_path: Path) -> None:
    options = [GENERATOR, "-DCONFIG_VWW_LAST_FRAME=5"]
    if workspace.version >= (4, 1, 99):
        options.append("-DEXTRA_DTC_OVERLAY_FILE=generator.overlay")
    ran = run(build(workspace, APP, "native_sim_64", tmp_path / "build", cmake=options))
    assert ran.exit_code == 0
    assert re.search(r"^camera: \S+, 160x120 RGB565$", ran.text, re.MULTILINE)
    assert ran.lines[-1].startswith("end: 5 frames")


@each_workspace
def test_a_missing_list_and_a_missing_camera_are_said(workspace: Workspace, tmp_path: Path) -> None:
    options = ['-DCONFIG_VWW_FRAMES_LIST="nowhere.txt"']
    ran = run(build(workspace, APP, "native_sim_64", tmp_path / "list", cmake=options))
    assert ran.exit_code == 5
    assert "nowhere.txt cannot be opened" in ran.text
    failed = build(
        workspace, APP, "native_sim_64", tmp_path / "camera", cmake=["-DEXTRA_CONF_FILE=camera.conf"], check=False
    )
    assert failed.code != 0
    assert "There is no camera in the devicetree" in failed.output


@each_workspace
@pytest.mark.parametrize("board", BOARDS)
def test_boards_build(workspace: Workspace, board: str, tmp_path: Path, full: bool) -> None:
    skip_unless(full, workspace, board)
    # Without a name the app builds for the first of them.
    built = build(
        workspace,
        APP,
        None if board == BOARDS[0] else board,
        tmp_path / "build",
        cmake=["-DEXTRA_CONF_FILE=shell.conf"],
    )
    assert built.program.is_file() or (built.folder / "zephyr" / "zephyr.elf").is_file()
    assert built.config("BOARD") == board


@each_workspace
@pytest.mark.parametrize(
    ("board", "options"),
    [
        ("nucleo_h743zi", ["-DEXTRA_DTC_OVERLAY_FILE=camera/nucleo_h743zi.overlay"]),
        ("mini_stm32h743", ["-DSHIELD=weact_ov2640_cam_module"]),
    ],
)
def test_cameras_build(workspace: Workspace, board: str, options: list[str], tmp_path: Path, full: bool) -> None:
    skip_unless(full, workspace, board)
    if workspace.version < (4, 1, 99):
        pytest.skip(f"Zephyr {workspace.name} has no driver for the camera port that these overlays are for")
    built = build(workspace, APP, board, tmp_path / "build", cmake=["-DEXTRA_CONF_FILE=camera.conf", *options])
    assert built.config("VIDEO_STM32_DCMI") == "y"
    assert built.config("VWW_CAMERA_BIG_ENDIAN") == "y"
    assert built.config("CACHE_MANAGEMENT") == "y"
