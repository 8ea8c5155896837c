# SPDX-License-Identifier: Apache-2.0
"""The command zoo: networks with random weights, and the published weights of them."""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

from runnel import zoo
from runnel.cli_options import json_option
from runnel.cli_print import console, print_json
from runnel.errors import RunnelError
from runnel.output_folder import write_whole
from runnel.report.text import kilobytes, millions
from runnel.tflite.writer import write_tflite
from runnel.zoo.download import Report, download_model
from runnel.zoo.published import published, published_files


class _ZooGroup(click.Group):
    """`runnel zoo NAME` is short for `runnel zoo build NAME`, and `runnel zoo` for `runnel zoo list`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or args == ["--json"]:
            args = ["list", *args]
        elif not any(word in ("-h", "--help", *self.commands) for word in args[:1]):
            args = ["build", *args]
        return super().parse_args(ctx, args)


@click.group("zoo", cls=_ZooGroup)
def zoo_command() -> None:
    """Writes networks that everybody measures, with random weights; fetches the published weights.

    \b
    Examples:
      runnel zoo                                   which networks there are
      runnel zoo mcunet-in3 -o in3.tflite          one of them with random weights
      runnel zoo mbv2-1.0 --resolution 96x160 -o small.tflite
      runnel zoo fetch mcunet-in3                  the weights that its authors trained
    """


@zoo_command.command("list")
@json_option
def list_command(as_json: bool) -> None:
    """Lists the networks with resolution, MACs and parameters (this is what `runnel zoo` does)."""
    if as_json:
        print_json({"networks": [_figures(name) for name in zoo.names()]})
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("network", "image", "classes", "MACs", "parameters", "published weights"):
        table.add_column(heading, justify="left" if heading in ("network", "published weights") else "right")
    for name in zoo.names():
        figures, file = _figures(name), published_files().get(name)
        weights = "none" if file is None else "checksum known" if file.sha256 is not None else "checksum not known"
        table.add_row(
            name,
            f"{figures['width']}×{figures['height']}",
            str(figures["classes"]),
            millions(figures["macs"]),
            f"{figures['parameters']:,}",
            weights,
        )
    console.print(table)


def _figures(name: str) -> dict[str, Any]:
    found = zoo.architecture(name)
    return {
        "name": name,
        "height": found.height,
        "width": found.width,
        "classes": found.classes,
        "macs": found.macs,
        "parameters": found.parameters,
    }


def _resolution(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[int | None, int | None]:
    """Height and width."""
    if value is None:
        return None, None
    match = re.fullmatch(r"([0-9]+)(?:[x×]([0-9]+))?", value.strip().lower())
    if match is None or int(match[1]) == 0 or match[2] == "0":
        raise click.BadParameter(f"{value!r} is no size; write 96, or height x width: 96x160", context, parameter)
    return int(match[1]), int(match[2] or match[1])


def _check_folder(file: Path | None) -> None:
    """Raises RunnelError where the folder of the file to write is not there: its name may be a slip."""
    if file is not None and not file.parent.is_dir():
        raise RunnelError(f"cannot write {file}: there is no folder {file.parent}; make it, or choose another place")


_output_option = click.option(
    "-o", "--output", "file", type=click.Path(path_type=Path), metavar="FILE",
    help="The .tflite file to write.  [default: NAME.tflite]",
)  # fmt: skip


@zoo_command.command("build")
@click.argument("name")
@_output_option
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Of the random weights.")
@click.option(
    "--resolution", callback=_resolution, metavar="SIZE",
    help="Side of the image in pixels, or height x width.  [default: as published]",
)  # fmt: skip
@click.option("--classes", type=click.IntRange(1), help="Of the answer.  [default: as published]")
@json_option
def build_command(
    name: str,
    file: Path | None,
    seed: int,
    resolution: tuple[int | None, int | None],
    classes: int | None,
    as_json: bool,
) -> None:
    """Writes network NAME with random weights as an int8 .tflite file (this is what `runnel zoo NAME` does).

    The same name, seed and sizes give the same bytes everywhere. Padding, activations and quantization are like in
    the published files; every layer has live values, so that equal outputs mean something.
    """
    height, width = resolution
    _check_folder(file)
    graph = zoo.build(name, seed, height, width, classes)
    target = file or Path(f"{graph.name}.tflite")
    description = f"{graph.name} with random weights, seed {seed}, by runnel zoo"
    data = write_tflite(graph.replace(metadata={**graph.metadata, "description": description}))
    write_whole(target, data)
    image = graph.tensor(graph.inputs[0]).shape
    figures = {
        "name": graph.name,
        "file": str(target),
        "bytes": len(data),
        "height": image[1],
        "width": image[2],
        "macs": zoo.macs(graph),
        "parameters": zoo.parameters(graph),
        "seed": seed,
    }
    if as_json:
        print_json(figures)
        return
    console.print(
        f"Wrote {target} ({kilobytes(len(data))}): {graph.name}, image {image[2]}×{image[1]}, "
        f"{millions(zoo.macs(graph))} MACs, {zoo.parameters(graph):,} parameters, random weights of seed {seed}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )


@zoo_command.command("fetch")
@click.argument("name")
@_output_option
@click.option("--url", metavar="URL", help="Another place that has the file, for example a mirror.")
@json_option
def fetch_command(name: str, file: Path | None, url: str | None, as_json: bool) -> None:
    """Downloads the published weights of network NAME.

    The file appears when it is whole and, where its checksum is known, verified. An interrupted download leaves
    FILE.part; the same command goes on from there. Where no checksum is known the command says so and prints that of
    the file. https_proxy is obeyed.
    """
    entry = published(name)
    _check_folder(file)
    source = url or entry.url
    target = file or Path(f"{zoo.architecture(name).name}.tflite")
    known = entry.sha256 is not None
    if known and target.is_file() and hashlib.sha256(target.read_bytes()).hexdigest() == entry.sha256:
        size, found, resumed, note = target.stat().st_size, entry.sha256, 0, "was there already"
    else:
        with _download_bar(target.name) as report:
            result = download_model(source, target, entry.sha256, report)
        size, found, resumed, note = result.bytes, result.sha256, result.resumed, "written"
    if as_json:
        print_json({"name": name, "file": str(target), "url": source, "bytes": size, "sha256": found,
                    "verified": known, "resumed_bytes": resumed})  # fmt: skip
        return
    verdict = "verified" if known else "not verified: no checksum of this file is known"
    console.print(
        f"{target} {note} ({kilobytes(size)}) from {source}\nSHA-256 {found}, {verdict}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )


@contextmanager
def _download_bar(name: str) -> Iterator[Report]:
    """A progress bar on stderr, where somebody watches."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
