# SPDX-License-Identifier: Apache-2.0
"""The module's own files: what west and pip read, the profile, and where an arena can be placed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from elftools.elf.elffile import ELFFile

from small_model import small_classifier_bytes
from zephyr.foreign import MODEL, PERSON, write_product
from zephyr.workspaces import ROOT, Workspace, build, each_workspace, environment, find_workspaces, run, words

if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib = None

COUNTING = ("-icount", "shift=0,sleep=off,align=off")
INSTRUCTIONS_PER_CYCLE = 40  # of the 25 MHz timer, at 1 ns an instruction


@pytest.mark.skipif(tomllib is None, reason="reading pyproject.toml needs Python 3.11")
def test_requirements_are_those_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = (ROOT / "zephyr_module" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not line.startswith("#")] == project["dependencies"]


def test_what_module_yml_names_is_there() -> None:
    module = yaml.safe_load((ROOT / "zephyr" / "module.yml").read_text(encoding="utf-8"))
    assert module["name"] == "runnel"
    assert (ROOT / module["build"]["cmake"] / "CMakeLists.txt").is_file()
    assert (ROOT / module["build"]["kconfig"]).is_file()
    assert all((ROOT / folder).is_dir() for folder in (*module["tests"], *module["samples"]))


_PARSE = """\
import json, sys
from west.manifest import ImportFlag, Manifest
manifests = [Manifest.from_data(open(p).read(), import_flags=ImportFlag.IGNORE) for p in sys.argv[1:]]
print(json.dumps([[[p.name, p.revision, p.url, p.path] for p in m.projects] for m in manifests]))
"""


@each_workspace
def test_west_reads_the_manifest(workspace: Workspace) -> None:
    files = [str(ROOT / "west.yml"), str(workspace.base / "west.yml")]
    command = [workspace.west[0], "-c", _PARSE, *files]
    done = subprocess.run(command, env=environment(workspace), capture_output=True, text=True, check=True)
    ours, zephyrs = json.loads(done.stdout)
    (_, _, _, own_path), (name, revision, url, _) = ours
    assert own_path == "runnel"
    assert (name, url) == ("zephyr", "https://github.com/zephyrproject-rtos/zephyr")
    assert re.fullmatch(r"v4\.\d+\.\d+", revision)

    projects = yaml.safe_load((ROOT / "west.yml").read_text(encoding="utf-8"))["manifest"]["projects"]
    wanted = set(projects[0]["import"]["name-allowlist"])
    missing = wanted - {project[0] for project in zephyrs}
    assert missing <= ({"cmsis_6"} if workspace.version < (4, 1, 0) else set())


@each_workspace
def test_profile_counts_as_much_as_bare_metal_takes(workspace: Workspace, tmp_path: Path, full: bool) -> None:
    """Zephyr builds with -Os and -ffreestanding: the model's code must not feel it."""
    if not full:
        pytest.skip("counts all instructions of two programs: ./scripts/test --full does")
    product = write_product(tmp_path / "product", configuration="CONFIG_RUNNEL=y\nCONFIG_RUNNEL_PROFILE=y\n")
    built = build(workspace, product, "mps2_an385", tmp_path / "build")
    lines = run(built, until="^run:", arguments=COUNTING).lines
    totals = [int(line.split()[-1]) for line in lines if re.match("profile: person: +total", line)]
    segments = [int(m[1]) for line in lines if (m := re.match(r"profile: person: +\d+ .* (\d+)$", line))]
    assert len(totals) == 2, "the self-test is a run, too"
    assert sum(segments) == sum(totals)

    command = [sys.executable, "-m", "runnel", "run", str(PERSON), "--board", "qemu-m3", "--json"]
    bare = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert totals[1] * INSTRUCTIONS_PER_CYCLE == pytest.approx(bare["instructions"], rel=0.01)


@pytest.mark.parametrize(
    ("section", "limit"), [("DTCM", "64K (memory region"), (".dtcm_noinit", "64K (memory region"), (".mine", "as the")]
)
@each_workspace
def test_arena_in_dtcm(workspace: Workspace, section: str, limit: str, tmp_path: Path, full: bool) -> None:
    if not full and (section != "DTCM" or workspace != find_workspaces()[-1]):
        pytest.skip("one section by default: ./scripts/test --full takes all")
    product = write_product(tmp_path / "product", MODEL.replace(")", f" ARENA_SECTION {section})"))
    (product / "person.tflite").write_bytes(small_classifier_bytes())
    built = build(workspace, product, "stm32f746g_disco", tmp_path / "build")
    assert f"Runnel: person for stm32f746; SRAM {limit}" in words(built.output)
    with ELFFile.load_from_path(str(built.program)) as elf:
        (arena,) = elf.get_section_by_name(".symtab").get_symbol_by_name("person_arena")
        place = elf.get_section(arena["st_shndx"])
        assert (0x20000000 <= arena["st_value"] < 0x20010000) == (section != ".mine")
        loaded = [s for s in elf.iter_segments("PT_LOAD") if s.section_in_segment(place) and s["p_filesz"]]
        assert not loaded or section == ".mine", "the arena must take no flash"


@each_workspace
def test_arena_larger_than_its_memory(workspace: Workspace, tmp_path: Path, full: bool) -> None:
    if not full:
        pytest.skip("./scripts/test --full does it")
    product = write_product(tmp_path / "product", MODEL.replace(")", " ARENA_SECTION SMALL)"))
    overlay = tmp_path / "small.overlay"
    overlay.write_text(
        """/ {
    memory@2004e000 {
        compatible = "zephyr,memory-region", "mmio-sram";
        reg = <0x2004e000 0x2000>;
        zephyr,memory-region = "SMALL";
    };
};
""",
        encoding="utf-8",
    )
    cmake = [f"-DEXTRA_DTC_OVERLAY_FILE={overlay}"]
    built = build(workspace, product, "stm32f746g_disco", tmp_path / "build", cmake=cmake, check=False)
    assert built.code != 0
    assert "(memory region of section SMALL)" in built.output
    assert "more than the 8,192 bytes" in built.output
