# SPDX-License-Identifier: Apache-2.0
"""Dependency files, read by make, Ninja and CMake themselves: they rebuild when they must, and only then."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT
from runnel.cli import execute
from runnel.depfile import dependency_rule, generator_files
from runnel.errors import RunnelError
from small_model import small_classifier_bytes

COMPILE = (
    f"PYTHONPATH='{ROOT}/generator' '{sys.executable}' -m runnel compile '{{model}}' --board '{{board}}' --name net"
    " -o '{folder}' --depfile '{depfile}' --quiet"
)
MAKEFILE = "all: {folder}/net.c\n{folder}/net.c: {model}\n\t@echo again; {command}\n-include {depfile}\n"
NINJA = (
    "rule runnel\n  command = echo again; {command}\n  depfile = {depfile}\n{deps}"
    "build {folder}/net.c: runnel {model}\n"
)
CMAKE = """cmake_minimum_required(VERSION 3.20)
project(net C)
set(folder "${CMAKE_CURRENT_BINARY_DIR}/net")
set(model "${CMAKE_CURRENT_SOURCE_DIR}/net ü (1).tflite")
add_custom_command(OUTPUT ${folder}/net.c ${folder}/net.h ${folder}/net_arena.c
  COMMAND ${CMAKE_COMMAND} -E echo again
  COMMAND ${CMAKE_COMMAND} -E env PYTHONPATH=@ROOT@/generator @PYTHON@ -m runnel compile ${model} --board my.yaml
    --name net -o ${folder} --depfile ${folder}.d --quiet
  WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} DEPENDS ${model} DEPFILE ${folder}.d VERBATIM)
add_library(net STATIC ${folder}/net.c ${folder}/net_arena.c)
target_include_directories(net PRIVATE ${folder})
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a model and a board file, both older than any output; it is the current folder."""
    folder = tmp_path / "pro ject ü"
    folder.mkdir()
    for name in ("net.tflite", "net ü (1).tflite"):
        (folder / name).write_bytes(small_classifier_bytes())
    shutil.copy(ROOT / "boards" / "stm32f746.yaml", folder / "my.yaml")
    for path in folder.iterdir():
        os.utime(path, (1_000_000_000, 1_000_000_000))
    monkeypatch.chdir(folder)
    return folder


def need(*tools: str) -> None:
    for tool in tools:
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")


def runs_again(*command: str) -> bool:
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return "again" in done.stdout.split()


def check_builds(*command: str) -> None:
    """Builds once, not twice; again after each change."""
    assert runs_again(*command)
    assert not runs_again(*command)
    os.utime("my.yaml")
    assert runs_again(*command), "the board file is newer"
    assert not runs_again(*command), "the same content again, and yet newer than the board file"


@pytest.mark.parametrize("absolute", [False, True], ids=["relative", "absolute"])
def test_make(absolute: bool, project: Path) -> None:
    """A Makefile as in docs/build-systems.md; make takes net/net.c and its absolute path for two files."""
    need("make")
    base = f"{project}/" if absolute else ""
    command = COMPILE.format(model="net.tflite", board="my.yaml", folder=f"{base}net", depfile="net.d")
    escaped = base.replace(" ", "\\ ")
    Path("Makefile").write_text(
        MAKEFILE.format(folder=f"{escaped}net", model="net.tflite", command=command, depfile="net.d")
    )
    check_builds("make")


def test_make_goes_on_when_a_dependency_is_gone() -> None:
    """Another version of Runnel has other modules."""
    need("make")
    command = COMPILE.format(model="net.tflite", board="my.yaml", folder="net", depfile="net.d")
    text = MAKEFILE.format(folder="net", model="net.tflite", command=command, depfile="net.d")
    Path("Makefile").write_text(text)
    assert runs_again("make")
    Path("my.yaml").rename("your.yaml")
    Path("Makefile").write_text(text.replace("my.yaml", "your.yaml"))
    assert runs_again("make")
    assert not runs_again("make")


@pytest.mark.parametrize("deps", ["", "  deps = gcc\n"], ids=["depfile", "deps=gcc"])
@pytest.mark.parametrize("absolute", [False, True], ids=["relative", "absolute"])
def test_ninja(deps: str, absolute: bool, project: Path) -> None:
    need("ninja")
    base = f"{project}/" if absolute else ""
    names = {"folder": f"{base}net", "model": "net ü (1).tflite", "depfile": "net.d"}
    command = COMPILE.format(board="my.yaml", **names)
    escaped = {key: value.replace(" ", "$ ") for key, value in names.items()}
    Path("build.ninja").write_text(NINJA.format(command=command, deps=deps, **escaped))
    check_builds("ninja")


@pytest.mark.parametrize("generator", ["Ninja", "Unix Makefiles"])
def test_cmake(generator: str) -> None:
    need("cmake", "gcc", "ninja" if generator == "Ninja" else "make")
    Path("CMakeLists.txt").write_text(CMAKE.replace("@ROOT@", str(ROOT)).replace("@PYTHON@", sys.executable))
    subprocess.run(["cmake", "-G", generator, "-B", "build ü"], check=True, capture_output=True)
    check_builds("cmake", "--build", "build ü", "--verbose")


def read_rule(text: str) -> tuple[str, list[str]]:
    """Target and dependencies of the first rule; the others must be empty and for each dependency once."""
    rule, *others = text.replace("\\\n", " ").splitlines()
    target, _, dependencies = rule.replace("\\ ", "\0").replace("\\#", "#").replace("$$", "$").partition(": ")
    words = [word.replace("\0", " ") for word in dependencies.split()]
    assert [line.replace("\\ ", " ").replace("\\#", "#").replace("$$", "$") for line in others] == [
        f"{word}:" for word in words
    ]
    return target.replace("\0", " "), words


def compile_model(model: str, *others: str) -> None:
    assert execute(["compile", model, "--board", "host", "--name", "net", "--quiet", *others]) == 0


def test_the_rule_names_all_that_a_compilation_reads(project: Path) -> None:
    """All modules that the functions behind `runnel compile` import are in it, and what is in it exists."""
    Path("net.tflite").rename("small net $1 #2.tflite")
    compile_model("small net $1 #2.tflite", "-o", "saved")
    compile_model("small net $1 #2.tflite", "-o", "out", "--depfile", "build/net.d", "--plan", "saved/plan.json")
    target, words = read_rule(Path("build/net.d").read_text())
    assert target == "out/net.c"
    files = set(map(Path, words))
    assert {project / "small net $1 #2.tflite", ROOT / "boards" / "host.yaml", project / "saved" / "plan.json"} <= files
    assert all(path.is_absolute() and path.is_file() for path in files)
    program = (
        "import sys, runnel.compiler, runnel.boards, runnel.output_folder, runnel.reference\n"
        "print(*(m.__file__ for n, m in sys.modules.items() if n.split('.')[0] == 'runnel' and m.__file__), sep='\\n')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    imported = {Path(line) for line in done.stdout.split("\n") if line}
    assert len(imported) > 50
    assert imported <= files
    assert set((ROOT / "generator" / "runnel" / "emit").rglob("*.j2")) <= files
    written = {p.relative_to("out") for p in Path("out").rglob("runnel/**/*.h")}
    assert written
    assert {ROOT / "zephyr_module" / "include" / p for p in written} <= files


def test_training_and_running_do_not_trigger_a_build() -> None:
    folders = {path.relative_to(ROOT).parts[2] for path in generator_files() if "generator" in path.parts}
    assert not folders & {"train", "run", "build", "audio", "kws", "search"}


def test_a_path_with_a_line_break_is_refused() -> None:
    with pytest.raises(RunnelError, match="line break"):
        dependency_rule(Path("a.c"), [Path("b\nc")])


def test_names_that_are_not_text() -> None:
    """Names of files are bytes: those that are no UTF-8 come into the rule as they are."""
    folder = os.fsdecode(b"out\xff")
    try:
        Path(folder).mkdir()
    except OSError as error:
        pytest.skip(f"this file system has no such names: {error.strerror}")
    compile_model("net.tflite", "-o", folder, "--depfile", "net.d")
    assert Path("net.d").read_bytes().startswith(b"out\xff/net.c: ")


def test_a_folder_is_no_depfile(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["compile", "net.tflite", "--board", "host", "-o", "out", "--depfile", ".", "--quiet"]) == 2
    assert "cannot write to .: it is a folder, not a file. Nothing was changed" in capsys.readouterr().err
    assert not (project / "out").exists()
