# SPDX-License-Identifier: Apache-2.0
"""The output folder is written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from runnel.errors import RunnelError
from runnel.output_folder import staged_folder


def contents(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): p.read_text() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_new_folder_with_parents(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b"
    with staged_folder(target) as stage:
        (stage / "runnel").mkdir()
        (stage / "runnel" / "x.h").write_text("new")
        assert not target.exists()
    assert contents(target) == {"runnel/x.h": "new"}
    assert [p.name for p in target.parent.iterdir()] == ["b"]
    assert target.stat().st_mode & 0o777 == 0o755


def test_existing_folder_keeps_what_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "main.c").write_text("theirs")
    (tmp_path / "model.c").write_text("old")
    with staged_folder(tmp_path) as stage:
        (stage / "model.c").write_text("new")
        assert (tmp_path / "model.c").read_text() == "old"
    assert contents(tmp_path) == {"main.c": "theirs", "model.c": "new"}


@pytest.mark.parametrize("exists", [True, False])
def test_nothing_changes_after_an_error(tmp_path: Path, exists: bool) -> None:
    target = tmp_path / "out"
    if exists:
        target.mkdir()
        (target / "model.c").write_text("old")

    def fail() -> None:
        with staged_folder(target) as stage:
            (stage / "model.c").write_text("half")
            raise ValueError

    with pytest.raises(ValueError):
        fail()
    assert contents(tmp_path) == ({"out/model.c": "old"} if exists else {})
    assert list(tmp_path.iterdir()) == ([target] if exists else [])


def test_a_folder_where_a_file_should_go(tmp_path: Path) -> None:
    (tmp_path / "model.c").mkdir()
    with pytest.raises(RunnelError, match=r"model\.c is a folder"), staged_folder(tmp_path) as stage:
        (stage / "a.c").write_text("x")
        (stage / "model.c").write_text("x")
    assert contents(tmp_path) == {}


@pytest.mark.parametrize("place", ["file", "file/below", "/proc/runnel", "/dev/null/x"])
def test_places_that_cannot_be_written(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(RunnelError, match="cannot write to"), staged_folder(tmp_path / place):
        pytest.fail("the block must not run")
    assert contents(tmp_path) == {"file": "x"}
