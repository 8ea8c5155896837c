# SPDX-License-Identifier: Apache-2.0
"""Models in Zephyr firmware give TensorFlow Lite Micro's outputs: on every emulator, wherever their arenas are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from runnel.build.elf import symbol_bytes
from zephyr.cases import Case, cases_source, make_case, printed_outputs
from zephyr.workspaces import (
    ROOT,
    Build,
    Workspace,
    board_name,
    build,
    can_run,
    each_workspace,
    find_workspaces,
    has_board,
    run,
    words,
)

APP = ROOT / "tests" / "zephyr" / "exact"
PERSON = ROOT / "models" / "person" / "person.tflite"
BOARDS = ("mps2_an385", "mps2_an386", "mps2_an500", "mps2_an521", "mps3_an547", "native_sim_64")
REGION = "MODEL_RAM"
REGION_START, REGION_BYTES = 0x21000000, 0x40000  # in the PSRAM of mps2_an385, which its devicetree does not name
ARENAS = {
    "separate": (),
    "shared": ("-DEXACT_SHARED_ARENA=",),
    "region": (f"-DEXACT_OPTIONS=ARENA_SECTION;{REGION}",),
    "shared_region": (f"-DEXACT_SHARED_ARENA={REGION}",),
    "pulled": ("-DEXACT_OPTIONS=INPUT;pulled",),
}
SAMPLE = {("mps2_an385", "region"): "all", ("mps3_an547", "shared"): "newest", ("native_sim_64", "pulled"): "newest"}
PLACES = [(board, arenas) for board in BOARDS for arenas in ("separate", "shared", "pulled")]
PLACES += [("mps2_an385", "region"), ("mps2_an385", "shared_region")]


@pytest.fixture(scope="module")
def cases(testdata: Path, tflm: None) -> tuple[Case, ...]:
    photos = sorted((testdata / "images").glob("coco_*.jpg"))
    keywords = testdata / "models" / "mlperf_kws_ref_model.tflite"
    return (make_case("person", PERSON, photos=photos[::3]), make_case("words", keywords, noise=5, seed=1))


@pytest.fixture(scope="module")
def expected(cases: tuple[Case, ...]) -> dict[tuple[str, int], list[int]]:
    return {key: values for case in cases for key, values in case.expected().items()}


def _build(workspace: Workspace, board: str, cases: tuple[Case, ...], folder: Path, arenas: str) -> Build:
    source = folder / "cases.c"
    source.write_text(cases_source(cases, pulled=arenas == "pulled"), encoding="utf-8")
    models = ";".join(f"{case.name}={case.model}" for case in cases)
    cmake = [f"-DEXACT_MODELS={models}", f"-DEXACT_CASES={source}", *ARENAS[arenas]]
    if "region" in arenas:
        overlay = folder / "region.overlay"
        overlay.write_text(_region_node(), encoding="utf-8")
        cmake.append(f"-DEXTRA_DTC_OVERLAY_FILE={overlay}")
    return build(workspace, APP, board, folder / "build", cmake=cmake)


def _region_node() -> str:
    return f"""/ {{
    memory@{REGION_START:x} {{
        compatible = "zephyr,memory-region", "mmio-sram";
        reg = <{REGION_START:#x} {REGION_BYTES:#x}>;
        zephyr,memory-region = "{REGION}";
    }};
}};
"""


@pytest.mark.parametrize(("board", "arenas"), PLACES)
@each_workspace
def test_outputs_are_those_of_tflm(
    workspace: Workspace,
    board: str,
    arenas: str,
    cases: tuple[Case, ...],
    expected: dict[tuple[str, int], list[int]],
    tmp_path: Path,
    full: bool,
) -> None:
    newest = workspace == find_workspaces()[-1]
    if not full and SAMPLE.get((board, arenas)) not in ("all", "newest" if newest else ""):
        pytest.skip("a sample of the boards runs by default: ./scripts/test --full runs all")
    if not has_board(workspace, board):
        pytest.skip(f"Zephyr {workspace.name} has no board {board_name(workspace, board)}")
    if (reason := can_run(board)) is not None:
        pytest.skip(reason)

    built = _build(workspace, board, cases, tmp_path, arenas)
    ran = run(built, until="^end: all$")

    assert [line for line in ran.lines if line.startswith("selftest")] == [f"selftest: {c.name} ok" for c in cases]
    assert printed_outputs(ran.lines) == expected
    _check_sizes(built, ran.text, shared="shared" in arenas)
    _check_header(built, pulled=arenas == "pulled")
    if "region" in arenas:
        _check_places(built, ran.text, shared="shared" in arenas)


def _check_sizes(built: Build, text: str, *, shared: bool) -> None:
    sizes = {name: symbol_bytes(built.program, f"{name}_arena") for name in ("person", "words", "shared")}
    if shared:
        assert sizes["shared"] == max(sizes["person"] or 0, sizes["words"] or 0)
    else:
        assert sizes["shared"] is None
        assert f"model: person, arena {sizes['person']} bytes" in text
        assert f"model: words, arena {sizes['words']} bytes" in text


def _check_header(built: Build, *, pulled: bool) -> None:
    for name in ("person", "words"):
        header = (built.folder / "runnel" / name / f"{name}.h").read_text(encoding="utf-8")
        assert f"#define {name.upper()}_INPUT_PASSES {int(pulled)}\n" in header
        assert (f"int8_t *{name}_input(void);" in header) == (not pulled)


def _check_places(built: Build, text: str, *, shared: bool) -> None:
    places = [int(address, 16) for address in re.findall(r"^model: .* at (0x[0-9a-f]+)$", text, re.MULTILINE)]
    assert len(places) == 2
    assert all(REGION_START <= place < REGION_START + REGION_BYTES for place in places)
    if not shared:
        assert f"SRAM {REGION_BYTES // 1024}K (memory region of section {REGION})" in words(built.output)
