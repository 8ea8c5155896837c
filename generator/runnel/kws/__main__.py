# SPDX-License-Identifier: Apache-2.0
"""The command behind scripts/kws_stream: makes streams of sound, measures apps/kws on them, tunes its settings."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from runnel.boards import load_board
from runnel.cache import cache_root
from runnel.cli import execute, use_any_terminal
from runnel.cli_print import progress
from runnel.kws.material import Material, load_material
from runnel.kws.measure import Measured, build_kws, labels_of, listen
from runnel.kws.outputs import model_outputs
from runnel.kws.scoring import Score
from runnel.kws.streams import Stream, background_stream, word_stream, write_stream
from runnel.kws.tuning import Trial, best, trials
from runnel.resources import resource_root

ROOT = resource_root()
DATA = ROOT.parent / "shared" / "data" / "kws"
MODEL = ROOT / "models" / "kws" / "keywords.tflite"
TICKS_PER_INSTRUCTION = 40  # of the emulator's 25 MHz timer when instructions are counted

_model = click.option(
    "--model", type=click.Path(path_type=Path, dir_okay=False, exists=True), default=MODEL, show_default=True
)
_data = click.option(
    "--data", type=click.Path(path_type=Path, file_okay=False, exists=True), default=DATA, show_default=True
)
_seed = click.option("--seed", default=0, show_default=True, help="Another seed, another stream.")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def command() -> None:
    """Measures apps/kws as it is used: on long streams of sound, with words in them and without.

    \b
    Examples:
      scripts/kws_stream measure                       10 minutes without a keyword, 10 with, in the emulator
      scripts/kws_stream tune                          settings for a model, from validation data
      scripts/kws_stream make --kind words out.wav     only the stream, to listen to
    """


def _material(data: Path, split: str, labels: tuple[str, ...]) -> Material:
    return load_material(data, split, labels, cache_root() / "kws")


@command.command("make")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--kind", type=click.Choice(["background", "words"]), default="background", show_default=True)
@click.option("--split", type=click.Choice(["val", "test"]), default="test", show_default=True)
@click.option("--minutes", default=10.0, show_default=True)
@_seed
@_model
@_data
def make_command(path: Path, kind: str, split: str, minutes: float, seed: int, model: Path, data: Path) -> int:
    """Writes a stream to PATH (wav), and what is said in it to a .json file beside it."""
    material = _material(data, split, labels_of(model))
    maker = background_stream if kind == "background" else word_stream
    stream = maker(material, minutes * 60, seed)
    write_stream(stream, path)
    click.echo(f"wrote {path}: {stream.seconds:.1f} s, {len(stream.events)} events")
    return 0


@command.command("measure")
@click.option("--board", "board_name", default="qemu-m7", show_default=True, help="An emulated board, or host.")
@click.option("--split", type=click.Choice(["val", "test"]), default="test", show_default=True)
@click.option("--minutes", default=10.0, show_default=True, help="Of each of the two streams.")
@click.option("--define", "-D", "defines", multiple=True, metavar="NAME=VALUE", help="A setting, as KWS_AVERAGE=4.")
@click.option("--exact-times", is_flag=True, help="Count instructions (slower): the statistics then mean something.")
@_seed
@_model
@_data
def measure_command(
    board_name: str, split: str, minutes: float, defines: tuple[str, ...], exact_times: bool, seed: int, model: Path,
    data: Path,
) -> int:  # fmt: skip
    """Runs the app on a stream without keywords and one with, and counts."""
    labels = labels_of(model)
    with progress() as report, tempfile.TemporaryDirectory(prefix="runnel-kws-") as folder:
        report("making the streams")
        material = _material(data, split, labels)
        report(f"building apps/kws for {board_name}")
        built = build_kws(model, load_board(board_name), Path(folder), defines)

        def measure(stream: Stream) -> Measured:
            return listen(built, stream, labels, exact_times=exact_times, report=report)

        background = background_stream(material, minutes * 60, seed)
        words = word_stream(material, minutes * 60, seed)
        alarms, found = measure(background), measure(words)
    click.echo(f"{board_name}, split {split}, seed {seed}")
    click.echo(f"  no keyword in {background.seconds:.0f} s ({len(background.events)} utterances): "
               f"{alarms.score.false_alarms} false alarms")  # fmt: skip
    for heard in alarms.heard:
        click.echo(f"    {labels[heard.word]} at {heard.sample / 16000:.2f} s")
    click.echo(f"  {words.seconds:.0f} s with keywords: {describe(found.score)}")
    for line in by_word(words, found, labels):
        click.echo(f"    {line}")
    if exact_times:
        row, run = (ticks * TICKS_PER_INSTRUCTION for ticks in found.ticks)
        click.echo(f"  instructions: {row:,} a row of features, {run:,} a run of the model")
    return 0


def describe(result: Score) -> str:
    """One line of figures."""
    return (
        f"{result.hits} of {result.words} heard ({100 * result.recall:.1f} %), {result.wrong} as another word, "
        f"{result.false_alarms} more; from word end to decision {result.delay():.2f} s on average, "
        f"{result.delay(95):.2f} s for 95 %"
    )


def by_word(stream: Stream, found: Measured, labels: tuple[str, ...]) -> list[str]:
    """How many of each word were said, and heard within the time."""
    from runnel.kws.scoring import score

    lines = []
    for word in sorted({event.word for event in stream.events if event.word is not None}):
        events = [event for event in stream.events if event.word == word]
        result = score(events, [heard for heard in found.heard if heard.word == word])
        lines.append(f"{labels[word]}: {result.hits} of {result.words}")
    return lines


@dataclass(frozen=True)
class _Streams:
    words: Stream
    background: Stream


@command.command("tune")
@click.option("--minutes", default=20.0, show_default=True, help="Of each of the two streams.")
@click.option("--strides", default="6,8,10", show_default=True, help="Rows of 20 ms between two runs of the model.")
@click.option("--per-hour", default=6.0, show_default=True, help="Most false alarms an hour that are allowed.")
@_seed
@_model
@_data
def tune_command(minutes: float, strides: str, per_hour: float, seed: int, model: Path, data: Path) -> int:
    """Finds the detector's settings on streams of the validation split (the test split is for `measure`)."""
    labels = labels_of(model)
    with progress() as report:
        report("making the streams")
        material = _material(data, "val", labels)
        streams = _Streams(word_stream(material, minutes * 60, seed), background_stream(material, minutes * 60, seed))
        tried = _try_all(model, streams, [int(s) for s in strides.split(",")], report)
    for stride in sorted({trial.settings.stride_rows for trial in tried}):
        click.echo(
            f"stride {stride} rows: {_line(best([t for t in tried if t.settings.stride_rows == stride], per_hour))}"
        )
    chosen = best(tried, per_hour)
    click.echo("chosen: " + " ".join(f"-D {define}" for define in chosen.settings.defines()))
    return 0


def _try_all(model: Path, streams: _Streams, strides: list[int], report: Callable[[str], None]) -> list[Trial]:
    scores = {}
    for name, stream in (("words", streams.words), ("background", streams.background)):
        for stride in strides:
            report(f"running the model on the {name}, stride {stride}")
            scores[name, stride] = model_outputs(model, stream.samples, stride)
    report("trying the settings")
    per_stride = [{stride: scores[name, stride] for stride in strides} for name in ("words", "background")]
    return trials(streams.words, per_stride[0], streams.background, per_stride[1])


def _line(trial: Trial) -> str:
    settings = ", ".join(f"{name} {value}" for name, value in asdict(trial.settings).items() if name != "stride_rows")
    return f"{trial.alarms_per_hour:.1f} false alarms an hour, {describe(trial.words)}; {settings}"


if __name__ == "__main__":
    use_any_terminal()
    sys.exit(execute(sys.argv[1:], command, "scripts/kws_stream"))
