# SPDX-License-Identifier: Apache-2.0
"""The command run: compile, build, execute, compare with the oracle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import click
import numpy.typing as npt

from runnel.boards import load_board
from runnel.cli_options import (
    board_option,
    existing_model,
    json_option,
    model_argument,
    name_option,
    schedule_options_but_input,
)
from runnel.cli_print import print_json, print_run, progress
from runnel.compiler import Options
from runnel.errors import InputError
from runnel.figures import run_figures
from runnel.graph import Graph
from runnel.inference import OracleName, infer
from runnel.run.inputs import load_input, random_inputs

Arrays = list[npt.NDArray[Any]]

INPUT_MODES: tuple[Literal["stored", "pulled"], ...] = ("stored", "pulled")
"""Values of --input that are no files."""

DIFFERS = 1
"""Exit code when the output is not the oracle's."""


@click.command("run")
@model_argument
@board_option
@click.option(
    "--input", "given", multiple=True, metavar="FILE|stored|pulled",
    help="An image (png, jpg, bmp), array (npy, bin) or sound (wav). Repeat it for more inferences; a model with N "
    "inputs takes N files for each. The words stored and pulled say, as for `runnel compile`, whether the input is "
    "written before the run or asked for row by row.  [default: stored]",
)  # fmt: skip
@click.option("--random", "count", type=click.IntRange(1, 100_000), metavar="N", help="N random inputs.  [default: 1]")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of the random inputs.")
@click.option(
    "--oracle", type=click.Choice(["tflm", "litert", "none"]), default="tflm", show_default=True,
    help="What to compare with: TensorFlow Lite Micro, LiteRT's reference kernels (they round FULLY_CONNECTED "
    "differently), or nothing.",
)  # fmt: skip
@click.option(
    "--port", metavar="PORT",
    help="Serial port of a real board, as /dev/ttyACM0 or COM3; auto-pty starts an emulated board behind one.",
)  # fmt: skip
@click.option("--no-flash", is_flag=True, help="Never write firmware to a real board; it must run the right one.")
@name_option
@schedule_options_but_input
@json_option
def run_command(
    model: Path,
    board_name: str,
    given: tuple[str, ...],
    count: int | None,
    seed: int,
    oracle: OracleName,
    port: str | None,
    no_flash: bool,
    name: str,
    options: Options,
    as_json: bool,
) -> int:
    """Compiles MODEL, builds firmware, runs it on BOARD and compares with the oracle.

    BOARD is an emulated one (qemu-m3, -m4, -m7, -m33, -m55), host, or a real one with --port. Builds are kept, so that
    the second run is quick. The exit code is 1 when a single byte of the output differs.

    \b
    Examples:
      runnel run person.tflite --board qemu-m7 --input photo.jpg
      runnel run person.tflite --board qemu-m4 --random 20 --seed 7 --json
      runnel run person.tflite --board qemu-m7 --input pulled --input photo.jpg
      runnel run person.tflite --board stm32f746 --port /dev/ttyACM0
    """
    files = [Path(name) for name in given if name not in INPUT_MODES]
    for mode in INPUT_MODES:
        if mode in given:
            options = replace(options, input=mode)
    if files and count is not None:
        raise click.UsageError("--input and --random exclude each other")
    board = load_board(board_name)
    existing_model(model)
    with progress() as report:
        inputs = _inputs(files, count or 1, seed)
        inference = infer(model, board, options, name, inputs, oracle, report, port, may_flash=not no_flash)
    names = [str(f) for f in files] or [f"random {i} (seed {seed})" for i in range(count or 1)]
    if as_json:
        print_json(run_figures(inference))
    else:
        print_run(inference, names)
    return DIFFERS if inference.mismatches else 0


def _inputs(files: Sequence[Path], count: int, seed: int) -> Callable[[Graph], list[Arrays]]:
    def make(graph: Graph) -> list[Arrays]:
        edges = [graph.tensor(i) for i in graph.inputs]
        if not files:
            return random_inputs(edges, count, seed)
        if len(files) % len(edges):
            raise InputError(
                f"{len(files)} files for a model with {len(edges)} inputs; give {len(edges)} for each inference: "
                + ", ".join(f"{e.name} ({'x'.join(map(str, e.shape))} {e.type})" for e in edges)
            )
        arrays = [load_input(f, edges[i % len(edges)], graph.metadata) for i, f in enumerate(files)]
        return [arrays[i : i + len(edges)] for i in range(0, len(arrays), len(edges))]

    return make
