# SPDX-License-Identifier: Apache-2.0
"""The pages that scripts/results writes, from made-up measurements; and that kept measurements are taken again."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPTS = Path(__file__).resolve().parents[1] / "scripts"


@pytest.fixture(scope="module")
def results() -> Iterator[ModuleType]:
    sys.path.insert(0, str(SCRIPTS))
    try:
        import results

        yield results
    finally:
        sys.path.remove(str(SCRIPTS))


def record(arena: int, instructions: int, **others: Any) -> dict[str, Any]:
    return {
        "arena_bytes": arena, "arena_lower_bound_bytes": arena, "predicted_bytes": arena, "linked_bytes": arena,
        "counted_bytes": arena, "msf_bytes": arena - 100, "instructions": instructions, "macs": 1_000_000,
        "macs_overhead": 0.0, "input_passes": 1, "mismatches": 0, "stack_bytes": 300, "segment_count": 9,
        "flash_bytes": 500 * 1024, **others,
    }  # fmt: skip


def records(name: str) -> dict[str, dict[str, Any]]:
    return {
        f"{name}-pulled": record(15 * 1024, 990_000),
        f"{name}-stored": record(20 * 1024, 1_020_000),
        f"{name}-layers": record(90 * 1024, 1_000_000),
    }


def test_the_section_shows_ours_the_bars_and_the_peers(results: ModuleType) -> None:
    text = results.streaming_section(records("mcunet-vww1"))
    assert "| mcunet-vww1 | **15.0** | 18 | **20.0** | 24 | equal | 90.0 | 91.8 | 113 | 219.3 | 14.9 |" in text
    assert "| mcunet-vww1 | 1.0 | 1.0 | -1.0 % | +2.0 % | 9 | 9 | 500 | 500 | 300 | = planned = linked | 0 |" in text
    assert "| mcunet-vww1 | msf-CNN | 26 | +11 % | 15.0 | 14.9 |" in text
    assert "mcunet-vww2" not in text.replace("runnel zoo", "")


def test_what_disagrees_or_differs_is_not_hidden(results: ModuleType) -> None:
    made = records("mcunet-vww1")
    made["mcunet-vww1-stored"] |= {"linked_bytes": 20_481, "mismatches": 3}
    made["mcunet-vww1-two-10"] = record(13 * 1024, 1_100_000, macs_overhead=0.085, input_passes=2, mismatches=7)
    text = results.streaming_section(made)
    assert "stored: 20480 / 20480 / 20481 | 3 |" in text
    assert "| mcunet-vww1 | two passes, at most 10 % extra MACs | 14 | **13.0** | 8.5 % | 2 | 7 |" in text


def test_the_readme_keeps_all_but_the_table(results: ModuleType) -> None:
    readme = "before\n<!-- results:begin -->\nold\n<!-- results:end -->\nafter\n"
    text = results.with_table(readme, records("mcunet-vww1"))
    assert text.startswith("before\n") and text.endswith("after\n") and "old" not in text
    assert "| mcunet-vww1 | **15.0** | **20.0** | 90.0 |" in text


def test_every_network_of_the_zoo_is_measured_in_three_ways(results: ModuleType) -> None:
    from runnel import zoo

    labels = [case.label for case in results.cases()]
    assert len(labels) == len(set(labels))
    assert {f"{name}-{key}" for name in zoo.names() for key in ("pulled", "stored", "layers")} <= set(labels)


def test_measurements_are_kept_until_the_sources_change(
    results: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    streaming = sys.modules["results_streaming"]
    measured: list[str] = []

    def measure(case: Any, folder: Path) -> dict[str, Any]:
        measured.append(case.label)
        return record(1, 1)

    monkeypatch.setattr(streaming, "measure", measure)
    case = results.cases()[0]
    for stamp in ("one", "one", "two"):
        kept = streaming.kept_or_measured(case, tmp_path / "case.json", stamp)
        assert kept["arena_bytes"] == 1
    assert measured == [case.label] * 2
    assert streaming.sources_stamp() == streaming.sources_stamp()
