# SPDX-License-Identifier: Apache-2.0
"""What the networks of the zoo look like, read from architectures.yaml."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from runnel.errors import RunnelError

FACTS = Path(__file__).with_name("architectures.yaml")
LARGEST_SIDE, MOST_CLASSES = 1024, 65536
IMAGE_CHANNELS = 3


class ZooError(RunnelError):
    """No such network, or it cannot be built with these options."""


@dataclass(frozen=True)
class Block:
    """An inverted residual: 1x1 to `expanded` channels, depthwise `kernel` x `kernel`, 1x1 to `channels`."""

    kernel: int
    expanded: int
    stride: int
    channels: int


@dataclass(frozen=True)
class Architecture:
    """A chain of inverted residuals on a colour image; sizes in pixels.

    head: channels of a 1x1 convolution before the global pool, None where there is none.
    published: what its authors call its file, None where they published none.
    macs, parameters: of the authors' table, at the resolution and classes given there; 0 where they do not apply.
    """

    name: str
    height: int
    width: int
    classes: int
    stem_kernel: int
    stem_stride: int
    stem_channels: int
    blocks: tuple[Block, ...]
    head: int | None
    published: str | None = None
    macs: int = 0
    parameters: int = 0

    def resized(self, height: int | None = None, width: int | None = None, classes: int | None = None) -> Architecture:
        """The same layers for another image or number of classes. Raises ZooError where that cannot be."""
        changed = replace(
            self, height=height or self.height, width=width or self.width, classes=classes or self.classes
        )
        if changed == self:
            return self
        if not (1 <= changed.height <= LARGEST_SIDE and 1 <= changed.width <= LARGEST_SIDE):
            raise ZooError(
                f"an image of {changed.height}x{changed.width} is not supported; give a side from 1 to {LARGEST_SIDE}"
            )
        if not 1 <= changed.classes <= MOST_CLASSES:
            raise ZooError(f"{changed.classes} classes are not supported; give a number from 1 to {MOST_CLASSES}")
        return replace(changed, macs=0, parameters=0)


@functools.cache
def architectures() -> Mapping[str, Architecture]:
    """All that the zoo knows, by name, in the order of the file."""
    facts = yaml.safe_load(FACTS.read_text(encoding="utf-8"))
    return {name: _architecture(name, entry) for name, entry in facts.items()}


def architecture(name: str) -> Architecture:
    """The one called `name`, which may be its authors' file or have the resolution behind it. Raises ZooError."""
    known = architectures()
    aliases = {f"{n}-r{a.height}": n for n, a in known.items()} | {a.published: n for n, a in known.items()}
    name = aliases.get(name, name)
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f" (did you mean {close[0]}?)" if close else ""
        raise ZooError(f"the zoo has no network '{name}'{hint}; it has {', '.join(known)}")
    return known[name]


def _architecture(name: str, entry: Mapping[str, Any]) -> Architecture:
    side, stem = int(entry["resolution"]), entry["stem"]
    return Architecture(
        name=name,
        height=side,
        width=side,
        classes=int(entry["classes"]),
        stem_kernel=int(stem["kernel"]),
        stem_stride=int(stem["stride"]),
        stem_channels=int(stem["channels"]),
        blocks=tuple(Block(*block) for block in entry["blocks"]),
        head=entry["head"],
        published=entry["published"],
        macs=int(entry["macs"]),
        parameters=int(entry["parameters"]),
    )
