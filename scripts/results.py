# SPDX-License-Identifier: Apache-2.0
"""Measures models on emulated boards and writes docs/results.md and the table of the README. See scripts/results."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from peers import PEERS, Peers
from results_streaming import cases, measure_all
from results_streaming_page import readme_table, streaming_section

from runnel import zoo
from runnel.boards import load_board
from runnel.compiler import Options, load_model, plan_model
from runnel.errors import RunnelError
from runnel.figures import run_figures
from runnel.graph import Graph
from runnel.inference import infer
from runnel.naming import model_name
from runnel.output_folder import write_whole
from runnel.plan.plan import Plan
from runnel.report.html import render_html
from runnel.run.inputs import random_inputs
from runnel.signals import stop_cleanly

ROOT = Path(__file__).resolve().parent.parent
MODELS = ROOT.parent / "shared" / "testdata" / "models"
RESULTS = ROOT / "docs" / "results.md"
PICTURE_NETWORK = "mcunet-vww1"
PICTURES = {
    ROOT / "docs" / "memory.svg": Options(input="pulled"),
    ROOT / "docs" / "memory-layers.svg": Options(layers=True),
}
README = ROOT / "README.md"
README_NETWORKS = ("mcunet-vww1", "mcunet-vww2", "mcunet-in3", "mbv2-w0.35", "mbv2-1.0")

HEAD = """\
<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- Written by scripts/results. Do not edit. -->
# Results

Measured with `scripts/results --inputs {inputs}`: {compiler}; {emulator}.

Instructions are executed ones, not cycles. On a real Cortex-M7 the ratio was about 1.4 instructions per cycle for
TinyEngine's published latencies; nothing of ours has been measured on hardware yet. The peers' figures are from the
same model files, emulators and way of counting (`scripts/peers.py`); "–" means that the engine rejects the model or
that it was not measured.
"""

SPEED_TEXT = """\
## Speed

Our models and the test files, on {inputs} seeded random inputs on qemu-m4 and qemu-m7, streamed with the input stored
(the default), with int8 inputs and outputs (QUANTIZE and DEQUANTIZE at the ends are dropped). Instructions per
multiply-accumulate, everything included; an inference is one call of `<model>_run()`. "differing" counts bytes that are
not TensorFlow Lite Micro's.

"""

MEMORY_TEXT = """\
## SRAM

Bytes. Arena: activations, inputs, outputs, rings and scratch; it is the linked size of the one static array. The lower
bound is the largest sum of bytes that are live at once; equal means no layout of this schedule can be smaller. "pulled"
is the arena when the run asks for the rows of its input instead. The peers' figures leave the stack out.

"""

FLASH_TEXT = """\
## Flash

Bytes. Flash is the whole image with start-up and harness; code is the rest after constants, start-up and harness.

"""


@dataclass(frozen=True)
class Measured:
    """One model on both boards: figures as `runnel run --json` prints them.

    pulled: arena when the input is pulled, None where it cannot be; layers: arena without streaming. Bytes.
    """

    stem: str
    m4: dict[str, Any]
    m7: dict[str, Any]
    plan: Plan
    pulled: int | None
    layers: int

    @property
    def peers(self) -> Peers | None:
        return PEERS.get(self.stem)

    @property
    def mismatches(self) -> int:
        return int(self.m4["mismatches"]) + int(self.m7["mismatches"])


def label(path: Path) -> str:
    """What the tables call a model: ours by their folder, for two of them are keywords.tflite."""
    return path.parent.name if path.is_relative_to(ROOT / "models") else path.stem


def measure(path: Path, inputs: int) -> Measured:
    def make(graph: Graph) -> list[list[Any]]:
        return random_inputs([graph.tensor(i) for i in graph.inputs], inputs, seed=0)

    def on(board: str) -> tuple[Plan, dict[str, Any]]:
        inference = infer(path, load_board(board), Options(), model_name(path), make)
        figures = run_figures(inference)
        print(f"{label(path)} on {board}: {figures['instructions']:,} instructions, "
              f"{figures['mismatches']} bytes differ", file=sys.stderr)  # fmt: skip
        return inference.plan, figures

    (_, m4), (plan, m7) = on("qemu-m4"), on("qemu-m7")
    return Measured(
        label(path), m4, m7, plan, arena(path, Options(input="pulled")), arena(path, Options(layers=True)) or 0
    )


def arena(path: Path, options: Options) -> int | None:
    """Bytes of the arena with these options, None where the model cannot run so."""
    try:
        return plan_model(load_model(path, options), load_board("qemu-m7"), options, model_name(path)).arena_bytes
    except RunnelError:
        return None


Column = tuple[str, Callable[[Measured], str]]


def peer(get: Callable[[Peers], float | int | None], show: Callable[[Any, Measured], str]) -> Callable[[Measured], str]:
    """A column with a figure of another engine, or a dash."""

    def column(measured: Measured) -> str:
        value = None if measured.peers is None else get(measured.peers)
        return "–" if value is None else show(value, measured)

    return column


def per_mac(millions: float, measured: Measured) -> str:
    return f"{millions * 1e6 / measured.m4['macs']:.2f}"


def own_per_mac(figures: dict[str, Any]) -> str:
    return f"**{figures['instructions'] / figures['macs']:.2f}**" if figures["macs"] else "–"


def number(value: float, _: Measured) -> str:
    return f"{value:,}"


def total(key: str, board: str = "m7") -> Callable[[Measured], str]:
    return lambda measured: f"{getattr(measured, board)[key]:,}"


def millions(key: str, board: str) -> Callable[[Measured], str]:
    return lambda measured: f"{getattr(measured, board)[key] / 1e6:.3f}"


NAME: Column = ("model", lambda m: m.stem)
SPEED: tuple[Column, ...] = (
    NAME,
    ("MMAC", millions("macs", "m4")),
    ("M4, M instr.", millions("instructions", "m4")),
    ("M4 per MAC", lambda m: own_per_mac(m.m4)),
    ("TFLM reference, M4", peer(lambda p: p.tflm_reference_m4, per_mac)),
    ("TFLM + CMSIS-NN, M4", peer(lambda p: p.cmsis_nn_m4, per_mac)),
    ("M7, M instr.", millions("instructions", "m7")),
    ("M7 per MAC", lambda m: own_per_mac(m.m7)),
    ("TinyEngine exact, M7", peer(lambda p: p.tinyengine_exact_m7, per_mac)),
    ("TinyEngine default, M7", peer(lambda p: p.tinyengine_default_m7, per_mac)),
    ("differing", lambda m: str(m.mismatches)),
)
MEMORY: tuple[Column, ...] = (
    NAME,
    ("arena", total("arena_bytes")),
    ("lower bound", total("arena_lower_bound_bytes")),
    ("pulled", lambda m: "–" if m.pulled is None else f"{m.pulled:,}"),
    ("layer by layer", lambda m: f"{m.layers:,}"),
    ("stack M4", total("stack_bytes", "m4")),
    ("stack M7", total("stack_bytes")),
    ("SRAM with stack, M7", total("sram_bytes")),
    ("TinyEngine RAM", peer(lambda p: p.tinyengine_ram, number)),
    ("TFLM + CMSIS-NN RAM", peer(lambda p: p.cmsis_nn_ram, number)),
)
FLASH: tuple[Column, ...] = (
    NAME,
    ("constants", total("constants_bytes")),
    ("code M4", total("code_bytes", "m4")),
    ("code M7", total("code_bytes")),
    ("flash M7", total("flash_bytes")),
    ("TinyEngine exact", peer(lambda p: p.tinyengine_exact_flash, number)),
    ("TinyEngine default", peer(lambda p: p.tinyengine_default_flash, number)),
)


def table(columns: Sequence[Column], rows: Sequence[Measured]) -> str:
    lines = [" | ".join(title for title, _ in columns), " | ".join(["---", *["--:"] * (len(columns) - 1)])]
    lines += [" | ".join(show(row) for _, show in columns) for row in rows]
    return "\n".join(f"| {line} |" for line in lines) + "\n"


def results_page(rows: Sequence[Measured], inputs: int, streaming: Mapping[str, Mapping[str, Any]]) -> str:
    head = HEAD.format(inputs=inputs, compiler=first_line("arm-none-eabi-gcc"), emulator=first_line("qemu-system-arm"))
    parts = [head, streaming_section(streaming)]
    parts.append(SPEED_TEXT.format(inputs=inputs) + table(SPEED, rows))
    return "\n".join([*parts, MEMORY_TEXT + table(MEMORY, rows), FLASH_TEXT + table(FLASH, rows)])


def first_line(program: str) -> str:
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]


def with_table(readme: str, streaming: Mapping[str, Mapping[str, Any]]) -> str:
    """The README with the table between its two markers replaced."""
    names = [name for name in README_NETWORKS if f"{name}-layers" in streaming]
    marked = f"<!-- results:begin -->\n{readme_table(names, streaming)}<!-- results:end -->"
    return re.sub(r"<!-- results:begin -->.*<!-- results:end -->", lambda _: marked, readme, flags=re.DOTALL)


def picture(plan: Plan) -> str:
    """The report's picture of memory over time as a file of its own."""
    page = render_html(plan, None)
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    drawing = re.search(r"<svg (.*?</svg>)", page, re.DOTALL)
    assert style is not None and drawing is not None
    # Viewers of single pictures know neither variables nor the page around: light colours, only the picture's rules.
    colours = dict(re.findall(r"--([\w-]+): ([^;]+);", style[1].split("@media")[0]))
    unwanted = ("hover", "width: 100%")
    lines = [line for line in style[1].splitlines() if not any(word in line for word in unwanted)]
    rules = "\n".join(line for line in lines if line.startswith("svg "))
    rules = re.sub(r"var\(--([\w-]+)\)", lambda match: colours[match[1]], rules)
    head, body = drawing[1].split(">", 1)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {head}>\n'
        "<!-- SPDX-License-Identifier: Apache-2.0 -->\n<!-- Written by scripts/results. -->\n"
        f"<style>\nsvg {{ font: 11px system-ui, sans-serif; }}\n{rules}\n</style>\n"
        f'<rect width="100%" height="100%" fill="{colours["card"]}"/>{body}\n'
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, default=MODELS, help="folder with .tflite files (default: %(default)s)")
    parser.add_argument("--inputs", type=int, default=3, help="random inputs for each model (default: %(default)s)")
    parser.add_argument("--only", choices=["streaming"], help="print this part and write nothing")
    parser.add_argument("--check", action="store_true", help="measure and print, write nothing")
    options = parser.parse_args()
    stop_cleanly()
    try:
        return measure_and_write(options)
    except RunnelError as error:
        print(f"results: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("results: interrupted; what was measured of the zoo is kept, start again to go on", file=sys.stderr)
        return 130


def measure_and_write(options: argparse.Namespace) -> int:
    streaming = measure_all(cases())
    wrong = any(record["mismatches"] for record in streaming.values())
    if options.only == "streaming":
        print(streaming_section(streaming))
        return int(wrong)
    paths = sorted(ROOT.glob("models/*/*.tflite")) + sorted(options.models.glob("*.tflite"))
    if not paths:
        raise RunnelError(f"no .tflite files in {options.models}; give the folder with --models")
    rows = [measure(path, options.inputs) for path in paths]
    page = results_page(rows, options.inputs, streaming)
    if options.check:
        print(page)
    else:
        write_whole(RESULTS, page)
        write_whole(README, with_table(README.read_text(encoding="utf-8"), streaming))
        write_pictures()
    return int(wrong or any(row.mismatches for row in rows))


def write_pictures() -> None:
    """Memory over time of one network, layer by layer and streamed, as SVG files for the documentation."""
    graph = zoo.network(PICTURE_NETWORK)
    for path, options in PICTURES.items():
        write_whole(path, picture(plan_model(graph, load_board("qemu-m7"), options, model_name(Path(PICTURE_NETWORK)))))


if __name__ == "__main__":
    sys.exit(main())
