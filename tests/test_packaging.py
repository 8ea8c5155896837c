# SPDX-License-Identifier: Apache-2.0
"""The repository as a whole: style, types, licences, generated pages, and a wheel that works without the checkout."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from runnel.operator_docs import operators_markdown

ROOT = Path(__file__).resolve().parent.parent
SOURCE_SUFFIXES = {
    ".py", ".c", ".h", ".cpp", ".S", ".ld", ".j2", ".yaml", ".yml", ".toml", ".cmake", ".sh", ".md", ".robot", ".resc",
    ".repl", ".svg",
}  # fmt: skip


def tracked_files() -> list[Path]:
    """What git knows or would add; all files where there is no git (an unpacked sdist)."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def run(*command: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


def is_source(path: Path) -> bool:
    head = path.open("rb").read(2)
    return path.suffix in SOURCE_SUFFIXES or head == b"#!"


def test_ruff() -> None:
    done = run(sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format", "concise", ".")
    assert done.returncode == 0, done.stdout + done.stderr


def test_mypy_strict() -> None:
    done = run(sys.executable, "-m", "mypy", "--strict", "--no-error-summary")
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_source_file_names_its_licence() -> None:
    missing = [
        str(path.relative_to(ROOT))
        for path in tracked_files()
        if is_source(path)
        and "SPDX-License-Identifier: Apache-2.0" not in path.read_text(encoding="utf-8", errors="replace")[:400]
    ]
    assert missing == []


def test_no_large_files() -> None:
    assert [str(path) for path in tracked_files() if path.stat().st_size > 1_000_000] == []


def test_operators_page_is_up_to_date() -> None:
    page = (ROOT / "docs" / "operators.md").read_text(encoding="utf-8")
    assert page == operators_markdown(), "run: .venv/bin/runnel operators --markdown > docs/operators.md"


def test_links_in_the_documentation_lead_somewhere() -> None:
    broken = []
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "models").glob("*/*.md")]:
        for link in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
            if "://" not in link and not (page.parent / link).exists():
                broken.append(f"{page.relative_to(ROOT)}: {link}")
    assert broken == []


def test_stages_do_not_import_later_ones() -> None:
    """read -> graph -> passes -> schedule -> plan -> emit -> build -> run; the command line comes last."""
    order = ["operators", "tflite", "passes", "schedule", "plan", "emit", "build", "run"]
    wrong = []
    for stage in order:
        later = [*order[order.index(stage) + 1 :], "cli", "compiler", "inference", "demo"]
        for path in (ROOT / "generator" / "runnel" / stage).rglob("*.py"):
            imports = re.findall(r"^\s*(?:from|import) runnel\.(\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
            wrong += [f"{path.relative_to(ROOT)} imports {name}" for name in imports if name in later]
    assert wrong == []


def imported(path: Path, modules: Mapping[str, Path]) -> set[str]:
    """The modules of the package that a file imports, wherever in the file."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= inner & modules.keys() or {node.module}
    return found & modules.keys()


def test_modules_do_not_import_each_other_in_a_circle() -> None:
    package = ROOT / "generator" / "runnel"
    files = {path.relative_to(package.parent).with_suffix(""): path for path in package.rglob("*.py")}
    modules = {".".join(name.parts).removesuffix(".__init__"): path for name, path in files.items()}
    waits_for = {name: imported(path, modules) for name, path in modules.items()}
    while free := {name for name, others in waits_for.items() if not others & waits_for.keys()}:
        for name in free:
            del waits_for[name]
    assert waits_for == {}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as pip does. Needs the build backend from the package index."""
    folder = tmp_path_factory.mktemp("wheel")
    done = run(sys.executable, "-m", "pip", "wheel", "--no-deps", "-q", "-w", str(folder), str(ROOT))
    if done.returncode != 0 and "hatchling" in done.stderr and "No matching distribution" in done.stderr:
        pytest.skip("the build backend (hatchling) cannot be downloaded here")
    assert done.returncode == 0, done.stderr
    (path,) = folder.glob("*.whl")
    return path


def test_wheel_carries_what_the_package_reads(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert "runnel/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    boards = ("boards/drivers", "boards/harness", "boards/startup")
    for folder in (*boards, "zephyr_module/audio", "zephyr_module/include"):
        files = [p for p in (ROOT / folder).rglob("*") if p.is_file() and "__pycache__" not in p.parts]
        assert files
        assert {f"runnel/_data/{p.relative_to(ROOT).as_posix()}" for p in files} <= names
    assert {f"runnel/_data/boards/{p.name}" for p in (ROOT / "boards").glob("*.*")} <= names
    templates = (ROOT / "generator" / "runnel").rglob("*.j2")
    assert {p.relative_to(ROOT / "generator").as_posix() for p in templates} <= names


def test_wheel_compiles_a_model_without_the_checkout(wheel: Path, tmp_path: Path) -> None:
    from small_model import small_classifier_bytes

    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    (tmp_path / "net.tflite").write_bytes(small_classifier_bytes())
    program = (
        "import sys; sys.path.insert(0, 'site'); from runnel import cli; assert 'site' in cli.__file__; cli.main()"
    )
    command = [sys.executable, "-c", program, "compile", "net.tflite", "--board", "qemu-m4", "-o", "out"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": ""})
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "net.c").is_file()
    assert (tmp_path / "out" / "runnel" / "runnel.h").is_file()


def test_scripts_are_executable_bash() -> None:
    for name in ("scripts/setup", "scripts/demo", "scripts/test", "scripts/results", ".ci/run"):
        path = ROOT / name
        assert os.access(path, os.X_OK), name
        assert run("bash", "-n", str(path)).returncode == 0, name


def test_version_is_the_same_everywhere() -> None:
    import runnel

    assert f'version = "{runnel.__version__}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
