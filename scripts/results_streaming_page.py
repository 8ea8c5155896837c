# SPDX-License-Identifier: Apache-2.0
"""The section of docs/results.md about streaming, from what results_streaming.py measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from peers import CUBE_AI_KB, PEERS, PUBLISHED
from results_streaming import BUDGETS, FREE_STACK, LIMITS, Case

from runnel import zoo

Record = Mapping[str, Any]
Records = Mapping[str, Record]

INTRODUCTION = f"""\
## Streaming

The networks of `runnel zoo` with random weights, int8 in and out, on qemu-m7. **pulled**: the run asks for the rows of
the image, each once, and the image is never stored. **stored**: the image is in the arena. Neither computes anything
twice. Bytes are what the linked firmware takes: arena (inputs, outputs, rings, scratch), other static RAM of the model,
stack above {FREE_STACK} bytes. 1 kB is 1024 bytes. "msf" is the pulled figure as msf-CNN counts: without the network's
input and output, residuals and scratch. The peers' figures leave the stack out; X-CUBE-AI's are published ones.
"""
WORK = """\
Executed instructions of one inference with the same kernels: streamed against layer by layer. "predicted" says whether
the scheduler's prediction, the plan and the linked arena are the same number of bytes; "differing" counts bytes of the
output that are not TensorFlow Lite Micro's, over the three ways to run. Flash is the whole image with the harness.
"""
BUDGET = """\
Less SRAM for more work: halos are computed again, a pulled image may be asked for more than once.
"""
PAPERS = """\
What papers report for the same networks; they trained and measured with other code.
"""


def streaming_section(records: Records) -> str:
    """All tables of the section. records: label -> what was measured."""
    names = [name for name in zoo.names() if f"{name}-layers" in records]
    return "\n".join(
        [
            INTRODUCTION,
            table(SRAM, names, records),
            WORK,
            table(WORK_COLUMNS, names, records),
            BUDGET,
            budget_table(records),
            PAPERS,
            papers_table(names, records),
        ]
    )


Column = tuple[str, Callable[[str, Records], str]]


def kilobytes(count: float) -> str:
    return f"{count / 1024:.1f}"


def counted(key: str) -> Callable[[str, Records], str]:
    return lambda name, records: f"**{kilobytes(records[f'{name}-{key}']['counted_bytes'])}**"


def limit(place: int) -> Callable[[str, Records], str]:
    return lambda name, _: str(LIMITS[name][place]) if name in LIMITS else "–"


def peer(key: str) -> Callable[[str, Records], str]:
    def show(name: str, _: Records) -> str:
        value = getattr(PEERS[name], key) if name in PEERS else None
        return "–" if value is None else kilobytes(value)

    return show


def against_layers(key: str) -> Callable[[str, Records], str]:
    def show(name: str, records: Records) -> str:
        streamed, layers = (records[f"{name}-{k}"]["instructions"] for k in (key, "layers"))
        return f"{100 * (streamed / layers - 1):+.1f} %"

    return show


def agreement(name: str, records: Records) -> str:
    """Whether predicted, planned and linked bytes are the same in all three runs."""
    for key in ("pulled", "stored", "layers"):
        record = records[f"{name}-{key}"]
        sizes = (record["predicted_bytes"], record["arena_bytes"], record["linked_bytes"])
        if len(set(sizes)) > 1:
            return f"{key}: " + " / ".join(str(size) for size in sizes)
    return "= planned = linked"


def bound(name: str, records: Records) -> str:
    """How far the arenas are above the lower bound of their schedules."""
    shares = [
        records[f"{name}-{key}"]["arena_bytes"] / records[f"{name}-{key}"]["arena_lower_bound_bytes"] - 1
        for key in ("pulled", "stored")
    ]
    return "equal" if not any(shares) else f"+{100 * max(shares):.1f} %"


def flash(record: Record) -> str:
    return f"{record['flash_bytes'] / 1024:.0f}"


SRAM: tuple[Column, ...] = (
    ("kB of SRAM", lambda name, _: name),
    ("pulled", counted("pulled")),
    ("asked for", limit(0)),
    ("stored", counted("stored")),
    ("asked for", limit(1)),
    ("arena to lower bound", bound),
    ("layer by layer", lambda name, records: kilobytes(records[f"{name}-layers"]["counted_bytes"])),
    ("TinyEngine", peer("tinyengine_ram")),
    ("X-CUBE-AI 7.3", lambda name, _: str(CUBE_AI_KB.get(name, "–"))),
    ("TFLM + CMSIS-NN", peer("cmsis_nn_ram")),
    ("msf", lambda name, records: kilobytes(records[f"{name}-pulled"]["msf_bytes"])),
)
WORK_COLUMNS: tuple[Column, ...] = (
    ("model", lambda name, _: name),
    ("MMAC", lambda name, records: f"{records[f'{name}-layers']['macs'] / 1e6:.1f}"),
    ("layer by layer, M instr.", lambda name, records: f"{records[f'{name}-layers']['instructions'] / 1e6:.1f}"),
    ("pulled", against_layers("pulled")),
    ("stored", against_layers("stored")),
    ("segments pulled", lambda name, records: str(records[f"{name}-pulled"]["segment_count"])),
    ("segments stored", lambda name, records: str(records[f"{name}-stored"]["segment_count"])),
    ("flash pulled, kB", lambda name, records: flash(records[f"{name}-pulled"])),
    ("flash layer by layer, kB", lambda name, records: flash(records[f"{name}-layers"])),
    ("stack", lambda name, records: str(records[f"{name}-pulled"]["stack_bytes"])),
    ("predicted", agreement),
    (
        "differing",
        lambda name, records: str(sum(records[f"{name}-{k}"]["mismatches"] for k in ("pulled", "stored", "layers"))),
    ),
)
README_COLUMNS: tuple[Column, ...] = (
    ("kB of SRAM", lambda name, _: name),
    ("Runnel, input pulled", counted("pulled")),
    ("Runnel, input stored", counted("stored")),
    ("layer by layer", lambda name, records: kilobytes(records[f"{name}-layers"]["counted_bytes"])),
    ("TinyEngine", peer("tinyengine_ram")),
    ("TFLM + CMSIS-NN", peer("cmsis_nn_ram")),
    ("instructions, pulled to layer by layer", against_layers("pulled")),
    ("per MAC, Cortex-M7", lambda name, records: per_mac(records[f"{name}-pulled"])),
    ("TinyEngine exact", lambda name, records: peer_per_mac(name, records[f"{name}-pulled"])),
)


def per_mac(record: Record) -> str:
    return f"**{record['instructions'] / record['macs']:.2f}**"


def peer_per_mac(name: str, record: Record) -> str:
    instructions = PEERS[name].tinyengine_exact_m7 if name in PEERS else None
    return "–" if instructions is None else f"{1e6 * instructions / record['macs']:.2f}"


def table(columns: Sequence[Column], names: Sequence[str], records: Records) -> str:
    return lines([title for title, _ in columns], [[show(name, records) for _, show in columns] for name in names])


def readme_table(names: Sequence[str], records: Records) -> str:
    """The README's: what a network takes, ours and the others', and what streaming costs."""
    return table(README_COLUMNS, names, records)


def budget_table(records: Records) -> str:
    """One line for each of the budgets that were asked for."""
    rows = [budget_row(case, records[case.label]) for case in BUDGETS if case.label in records]
    return lines(["model", "allowed", "asked for, kB", "kB", "extra MACs", "input passes", "differing"], rows)


def budget_row(case: Case, record: Record) -> list[str]:
    return [
        case.network,
        case.text,
        str(case.limit),
        f"**{kilobytes(record['counted_bytes'])}**",
        f"{100 * record['macs_overhead']:.1f} %",
        str(record["input_passes"]),
        str(record["mismatches"]),
    ]


def papers_table(names: Sequence[str], records: Records) -> str:
    rows = []
    for name, whose, size, extra in PUBLISHED:
        if name in names:
            ours = records[f"{name}-pulled"]
            work = "not stated" if extra is None else f"+{extra} %"
            rows.append(
                [name, whose, f"{size:g}", work, kilobytes(ours["counted_bytes"]), kilobytes(ours["msf_bytes"])]
            )
    return lines(["model", "whose", "kB", "extra MACs", "Runnel, pulled, +0 %, kB", "the same, msf"], rows)


def lines(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; all columns but the first are numbers."""
    head = [" | ".join(titles), " | ".join(["---", *["--:"] * (len(titles) - 1)])]
    return "\n".join(f"| {line} |" for line in [*head, *(" | ".join(row) for row in rows)]) + "\n"
