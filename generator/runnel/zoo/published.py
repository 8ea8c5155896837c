# SPDX-License-Identifier: Apache-2.0
"""Where the published weights of the zoo's networks are: published.yaml."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from runnel.zoo.architecture import ZooError, architecture

TABLE = Path(__file__).with_name("published.yaml")


@dataclass(frozen=True)
class Published:
    """A file on a server. sha256: of its content in hexadecimal, None where nobody made it known."""

    url: str
    sha256: str | None


@functools.cache
def published_files() -> Mapping[str, Published]:
    """By the name of the network."""
    entries = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    return {name: Published(entry["url"], entry["sha256"]) for name, entry in entries.items()}


def published(name: str) -> Published:
    """The published weights of a network of the zoo. Raises ZooError where there are none."""
    known = published_files()
    found = architecture(name).name
    if found not in known:
        raise ZooError(
            f"no weights of {found} are published; runnel zoo {found} writes it with random ones. "
            f"Published are those of {', '.join(known)}"
        )
    return known[found]
