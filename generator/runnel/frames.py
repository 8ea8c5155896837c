# SPDX-License-Identifier: Apache-2.0
"""Writes pictures as frames of a camera, for builds of the apps.

python -m runnel.frames astronaut.ppm chelsea.ppm -o frames_flash_data.c
python -m runnel.frames astronaut.ppm --binary --sequence 1 -o frame.bin
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from runnel.build.frames import end_binary, frame_binary, frames_c, is_jpeg, jpeg_frame, open_picture, to_frame
from runnel.cli import execute
from runnel.output_folder import write_whole


@click.command()
@click.argument("pictures", nargs=-1, type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), metavar="FILE")
@click.option("--binary", is_flag=True, help="A frame for a fixed address instead of C; without a picture: the end.")
@click.option(
    "--jpeg", is_flag=True, help="JPEG files stay as they are, for apps built to decode them; not in --binary."
)
@click.option("--sequence", type=click.IntRange(0, 2**32 - 1), default=1, show_default=True, help="Of --binary.")
def command(pictures: tuple[Path, ...], output: Path, binary: bool, jpeg: bool, sequence: int) -> None:
    """Writes PICTURES as frames of a camera."""
    if binary and jpeg:
        raise click.UsageError("--binary is for pixels: leave --jpeg out")
    frames = [
        jpeg_frame(path) if jpeg and is_jpeg(path) else to_frame(open_picture(path), path.name) for path in pictures
    ]
    if not binary:
        if not frames:
            raise click.UsageError("name at least one picture")
        write_whole(output, frames_c(frames))
        return
    if len(frames) > 1:
        raise click.UsageError("--binary takes one picture")
    data = frame_binary(frames[0], sequence) if frames else end_binary(sequence)
    partial = output.with_name(f".{output.name}.partial")
    partial.write_bytes(data)
    partial.replace(output)


if __name__ == "__main__":
    sys.exit(execute(sys.argv[1:], command, "python -m runnel.frames"))
