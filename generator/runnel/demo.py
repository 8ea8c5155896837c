# SPDX-License-Identifier: Apache-2.0
"""The demo behind scripts/demo: our person detector on an emulated board sees a photo with a person and one without."""

from __future__ import annotations

import importlib.util
import sys
import time
from pathlib import Path

import click

from runnel.boards import load_board
from runnel.cli_print import answer_text, console, measured_text, progress, two_columns, verdict
from runnel.compiler import Options, write_sources
from runnel.errors import RunnelError
from runnel.figures import run_figures
from runnel.graph import Graph
from runnel.inference import Array, Inference, infer
from runnel.naming import model_name
from runnel.output_folder import staged_folder
from runnel.reference import selftest_crc
from runnel.report.html import render_html
from runnel.report.text import kilobytes
from runnel.resources import resource_root
from runnel.run.inputs import load_input

# Public-domain photos that come with scikit-image.
PHOTOS = {"astronaut.png": "an astronaut, a person", "chelsea.png": "Chelsea, a cat"}


def photo_paths() -> list[Path]:
    """Where the photos lie; scikit-image itself, which is slow to import, is not needed."""
    package = importlib.util.find_spec("skimage")
    if package is None or package.origin is None:
        raise RunnelError("the demo's photos come with scikit-image: pip install 'runnel[demo]', or run scripts/demo")
    return [Path(package.origin).parent / "data" / name for name in PHOTOS]


def default_model() -> Path:
    """Our person detector in a checkout. Raises RunnelError in an installed wheel, which does not carry models."""
    path = resource_root() / "models" / "person" / "person.tflite"
    if not path.is_file():
        raise RunnelError(f"there is no {path}; name a model with --model")
    return path


def run_demo(model: Path, board_name: str, folder: Path) -> Inference:
    """Compiles, runs and writes C and a report with the measured figures to `folder`."""
    photos = photo_paths()

    def inputs(graph: Graph) -> list[list[Array]]:
        edges = [graph.tensor(i) for i in graph.inputs]
        if len(edges) != 1:
            raise RunnelError(f"{model} has {len(edges)} inputs; the demo shows photos to a model with one")
        return [[load_input(photo, edges[0], graph.metadata)] for photo in photos]

    with progress() as report:
        inference = infer(model, load_board(board_name), Options(), model_name(model), inputs, "tflm", report)
    figures = {k: v for k, v in run_figures(inference).items() if k != "outputs"}
    with staged_folder(folder) as stage:
        write_sources(
            inference.plan, stage, selftest_crc(inference.plan.schedule.graph, inference.plan.schedule.segments)
        )
        (stage / "report.html").write_text(render_html(inference.plan, figures), encoding="utf-8")
    return inference


def _print(inference: Inference, model: Path, folder: Path, seconds: float) -> None:
    graph = inference.plan.schedule.graph
    edge = graph.tensor(graph.outputs[0])
    board = inference.firmware.board
    console.print(f"{model.name} ({kilobytes(model.stat().st_size)}) on {board.name}: {board.description}\n")
    answers = [
        (f"{photo} ({content})", answer_text(arrays[0], edge, graph.metadata))
        for (photo, content), arrays in zip(PHOTOS.items(), inference.outputs, strict=True)
    ]
    console.print(two_columns(answers))
    console.print()
    console.print(measured_text(run_figures(inference)))
    console.print(f"\n{verdict(inference)}", highlight=False)
    console.print(f"generated C and report: {folder / 'report.html'}", highlight=False, soft_wrap=True)
    console.print(f"finished in {seconds:.1f} s", highlight=False)


@click.command()
@click.option("--model", type=click.Path(path_type=Path), help="Another classifier of images (.tflite).")
@click.option("--board", "board_name", default="qemu-m7", show_default=True, help="Another emulated board.")
@click.option(
    "-o", "--output", "folder", type=click.Path(path_type=Path), metavar="DIR",
    help="Where the generated C and the report go.  [default: build/demo in the repository]",
)  # fmt: skip
def demo(model: Path | None, board_name: str, folder: Path | None) -> int:
    """Shows our person detector two photos on an emulated Cortex-M7."""
    start = time.monotonic()
    model = model or default_model()
    folder = (folder or resource_root() / "build" / "demo").resolve()
    inference = run_demo(model, board_name, folder)
    _print(inference, model, folder, time.monotonic() - start)
    return 1 if inference.mismatches else 0


if __name__ == "__main__":
    from runnel.cli import execute, use_any_terminal

    use_any_terminal()
    sys.exit(execute(sys.argv[1:], demo, "scripts/demo"))
