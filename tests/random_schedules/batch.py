# SPDX-License-Identifier: Apache-2.0
"""Runs many plans as one firmware: each in its own arena between guard bytes, full of noise when it starts.

A compiler takes longer to start than a small network takes to run. So the plans of a batch are linked together behind
a `batch_run()`. Plans of one network read one copy of its input, whether they store it or pull rows of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from random_schedules.material import Network
from runnel.boards import Board
from runnel.build import BuildOptions, HarnessModel, build_firmware
from runnel.build.from_plan import harness_model
from runnel.build.harness import EdgeBuffer
from runnel.emit.edges import input_edges
from runnel.emit.emitter import emit
from runnel.plan.plan import Plan
from runnel.resources import resource_root
from runnel.run import run_firmware

GUARD_BYTES = 64


def wrong_plans(networks: Sequence[Network], board: Board, folder: Path, build: BuildOptions) -> list[str]:
    """Names of the plans whose outputs differ from what is expected, with the number of bytes.

    Raises RunError where a guard byte was overwritten or a sanitizer spoke.
    """
    sources = folder / "sources"
    model = write_sources(networks, sources)
    firmware = build_firmware(sources, model, board, folder / "firmware", build)
    inferences = range(len(networks[0].inputs))
    records = [b"".join(a.tobytes() for network in networks for a in network.inputs[n]) for n in inferences]
    result = run_firmware(firmware, records, count_instructions=False)
    wrong = {plan.name: 0 for network in networks for plan in network.plans}
    for n, record in zip(inferences, result.outputs, strict=True):
        parts = iter(model.split_outputs(record))
        for network in networks:
            for plan in network.plans:
                for array in network.expected[n]:
                    wrong[plan.name] += sum(a != b for a, b in zip(next(parts), array.tobytes(), strict=True))
    return [f"{name}: {count} bytes" for name, count in wrong.items() if count]


def write_sources(networks: Sequence[Network], sources: Path) -> HarnessModel:
    include = resource_root() / "zephyr_module" / "include"
    plans = [plan for network in networks for plan in network.plans]
    files: dict[str, str] = {}
    for plan in plans:
        files.update(emit(plan, include))
    arenas = [name for name in files if name.endswith("_arena.c")]
    for name in arenas:  # one file to compile instead of many
        files[name.replace(".c", ".inc")] = files.pop(name)
    guard = f"#define RUNNEL_ARENA_GUARD_BYTES {GUARD_BYTES}\n"
    files["arenas.c"] = guard + "".join(f'#include "{name.replace(".c", ".inc")}"\n' for name in arenas)
    files["batch.c"], inputs = _batch_source(networks)
    functions = "".join(f"int8_t *{edge.function}(void);\n" for edge in inputs)
    headers = "".join(f'#include "{plan.name}.h"\n' for plan in plans)
    files["batch.h"] = f"#include <stdint.h>\n{headers}{functions}int batch_run(void);\n"
    for name, text in files.items():
        path = sources / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    outputs = tuple(edge for plan in plans for edge in harness_model(plan).outputs)
    return HarnessModel("batch", tuple(inputs), outputs)


_HELPERS = """#include <string.h>
#include "batch.h"

struct image {
	const int8_t *data;
	int32_t height, width, pixel;
	int32_t passes; /* that are left */
	int32_t next;   /* row that may be asked for in this one */
};

/* Rows from top to bottom, each once in a pass, none outside the image, no more passes than were promised. */
static int read_row(void *context, int32_t y, int32_t x, int32_t columns, void *destination)
{
	struct image *image = context;

	if (y < 0 || y >= image->height || x < 0 || columns < 1 || x + columns > image->width) {
		return -99;
	}
	if (y < image->next) {
		image->passes--;
	}
	image->next = y + 1;
	if (image->passes < 1) {
		return -97;
	}
	memcpy(destination, image->data + (y * image->width + x) * image->pixel, (size_t)(columns * image->pixel));
	return 0;
}

static void spoil(uint8_t *bytes, size_t count)
{
	static uint32_t state = 12345u;

	for (size_t i = 0; i < count; i++) {
		state = state * 1664525u + 1013904223u;
		bytes[i] = (uint8_t)(state >> 24);
	}
}

#define GUARD 0xA5

static int spoiled(const uint8_t *guarded, size_t bytes)
{
	int wrong = 0;

	for (size_t i = 0; i < GUARD_BYTES; i++) {
		wrong |= guarded[i] != GUARD || guarded[GUARD_BYTES + bytes + i] != GUARD;
	}
	return wrong;
}

static void prepare(uint8_t *guarded, size_t bytes)
{
	memset(guarded, GUARD, GUARD_BYTES);
	spoil(guarded + GUARD_BYTES, bytes);
	memset(guarded + GUARD_BYTES + bytes, GUARD, GUARD_BYTES);
}

"""


def _batch_source(networks: Sequence[Network]) -> tuple[str, list[EdgeBuffer]]:
    """batch.c, and the copies of the inputs that the harness fills."""
    parts, run, edges = [f"#define GUARD_BYTES {GUARD_BYTES}\n", _HELPERS], [], []
    for network in networks:
        graph, first = network.plans[0].schedule.graph, network.plans[0].name
        for place, index in enumerate(graph.inputs):
            name, size = f"{first}_copy_{place}", graph.tensor(index).bytes
            parts.append(f"static int8_t {name}[{size}];\n\nint8_t *{name}_of(void)\n{{\n\treturn {name};\n}}\n\n")
            edges.append(EdgeBuffer(f"{name}_of", "int8_t", size))
        for plan in network.plans:
            arena = f"{plan.name}_arena_guarded"
            parts.append(f"extern uint8_t {arena}[{plan.arena_bytes + 2 * GUARD_BYTES}];\n")
            run.append(f"\n\tprepare({arena}, {plan.arena_bytes});\n{_run(plan, first)}")
            run.append(f"\tif (spoiled({arena}, {plan.arena_bytes})) {{\n\t\treturn -98;\n\t}}\n")
    body = "".join(run)
    return "".join(
        parts
    ) + f"\nint batch_run(void)\n{{\n\tint status = 0;\n\n\t(void)read_row;\n{body}\treturn status;\n}}\n", edges


def _run(plan: Plan, first: str) -> str:
    edges = input_edges(plan)
    if plan.schedule.input_passes:
        edge, image = edges[0], f"{plan.name}_image"
        fields = f"{first}_copy_0, {edge.height}, {edge.width}, {edge.pixel}, {plan.schedule.input_passes}, 0"
        return f"\tstruct image {image} = {{{fields}}};\n\tstatus |= {plan.name}_run_rows(read_row, &{image});\n"
    copies = "".join(
        f"\tmemcpy({edge.function}(), {first}_copy_{place}, {edge.bytes});\n" for place, edge in enumerate(edges)
    )
    return f"{copies}\tstatus |= {plan.name}_run();\n"
