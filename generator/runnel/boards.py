# SPDX-License-Identifier: Apache-2.0
"""Boards: what a model can be compiled for. One YAML file each, in `boards/` or the user's own."""

from __future__ import annotations

import difflib
import functools
import itertools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import jsonschema
import yaml

from runnel.errors import BoardError
from runnel.resources import resource_root

MemoryKind = Literal["sram", "flash"]
RunnerKind = Literal["qemu", "host", "renode", "serial"]
Fpu = Literal["none", "single", "double"]

_UNIT_BYTES = {"K": 1024, "M": 1024 * 1024}


@dataclass(frozen=True)
class Memory:
    """A memory region. `cached`: behind the core's data cache; `dma`: the DMA that feeds peripherals reaches it."""

    name: str
    kind: MemoryKind
    address: int
    bytes: int
    cached: bool
    dma: bool

    @property
    def end(self) -> int:
        """The first address behind the region."""
        return self.address + self.bytes


@dataclass(frozen=True)
class Timer:
    """A free-running timer of an emulated board, counting at `hz`."""

    kind: Literal["cmsdk", "sse"]
    address: int
    hz: int


@dataclass(frozen=True)
class Runner:
    """How firmware is executed: QEMU or Renode with a machine, natively, or on hardware over a serial line.

    `boot` names the memory that holds the vector table, where that is not the first flash.
    """

    kind: RunnerKind
    machine: str | None = None
    boot: str | None = None
    timer: Timer | None = None


@dataclass(frozen=True)
class Board:
    """A board: core, clock in Hz, and its memories in order of address within each kind."""

    name: str
    description: str
    core: str
    fpu: Fpu
    dsp: bool
    mve: bool
    clock_hz: int
    memories: tuple[Memory, ...]
    zephyr: str | None = None
    platformio: str | None = None
    runner: Runner | None = None
    try_instead: str | None = None

    @property
    def is_host(self) -> bool:
        return self.core == "host"

    @property
    def sram(self) -> Memory:
        """The largest contiguous SRAM: what one arena can use. Adjacent regions are merged, flags and all."""
        return max(_merged(self.memories, "sram"), key=lambda m: m.bytes)

    @property
    def flash(self) -> Memory:
        """The largest contiguous flash, where code and constants go."""
        return max(_merged(self.memories, "flash"), key=lambda m: m.bytes)

    @property
    def sram_bytes(self) -> int:
        return self.sram.bytes

    @property
    def flash_bytes(self) -> int:
        return self.flash.bytes

    def memory(self, name: str) -> Memory:
        """The region called `name`. Raises BoardError when the board has none."""
        for memory in self.memories:
            if memory.name == name:
                return memory
        known = [m.name for m in self.memories]
        raise BoardError(f"{self.name} has no memory {name!r}; it has {', '.join(known)}{did_you_mean(name, known)}")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint to append to a message, or nothing when no known word is close."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _merged(memories: Iterable[Memory], kind: MemoryKind) -> list[Memory]:
    """The regions of `kind`, adjacent ones made one: cached if any part is, open to DMA if all parts are."""
    merged: list[Memory] = []
    for memory in sorted((m for m in memories if m.kind == kind), key=lambda m: m.address):
        if merged and merged[-1].end == memory.address:
            last = merged.pop()
            memory = Memory(
                name=f"{last.name}+{memory.name}",
                kind=kind,
                address=last.address,
                bytes=last.bytes + memory.bytes,
                cached=last.cached or memory.cached,
                dma=last.dma and memory.dma,
            )
        merged.append(memory)
    return merged


def known_boards() -> tuple[Board, ...]:
    """Every board that comes with Runnel, by name."""
    return tuple(_load_file(path) for path in sorted((resource_root() / "boards").glob("*.yaml")))


def load_board(name_or_path: str) -> Board:
    """The board of that name, or the one in a YAML file of the user's.

    Raises BoardError for an unknown name, an unreadable file, a typo, or memories that contradict each other.
    """
    builtin = {path.stem: path for path in (resource_root() / "boards").glob("*.yaml")}
    if name_or_path in builtin:
        return _load_file(builtin[name_or_path])
    path = Path(name_or_path)
    if path.suffix in (".yaml", ".yml") or path.is_file():
        return _load_file(path)
    known = sorted(builtin)
    raise BoardError(
        f"unknown board {name_or_path!r}; known boards: {', '.join(known)}, "
        f"or the path of a board file ending in .yaml{did_you_mean(name_or_path, known)}"
    )


def _load_file(path: Path) -> Board:
    data = _read_yaml(path)
    errors = sorted(_validator().iter_errors(data), key=lambda e: [str(p) for p in e.absolute_path])
    if errors:
        raise BoardError(f"{path}: {_explain(errors[0])}")
    board = _to_board(data)
    _check(board, path)
    return board


@functools.cache
def _validator() -> jsonschema.protocols.Validator:
    schema = json.loads((resource_root() / "boards" / "board.schema.json").read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator(schema)


class _StrictLoader(yaml.SafeLoader):
    """Without what a board file never needs: of two equal keys PyYAML keeps the last in silence, and a few lines of
    aliases can stand for gigabytes.
    """

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases are not allowed in a board file", mark)
        return super().compose_node(parent, index)


def _construct_mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise yaml.constructor.ConstructorError(None, None, "a key must be a word", key.start_mark)
        if key.value in seen:
            raise yaml.constructor.ConstructorError(None, None, f"key {key.value!r} is there twice", key.start_mark)
        seen.add(key.value)
    return loader.construct_mapping(node, deep=True)


_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _construct_mapping)


def _read_yaml(path: Path) -> Any:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise BoardError(f"{path}: cannot read the board file: {reason}") from error
    try:
        return yaml.load(text, Loader=_StrictLoader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}:" if mark is not None else ""
        problem = getattr(error, "problem", None) or "nested too deeply or not a value"
        raise BoardError(f"{path}:{where} not valid YAML: {problem}") from error


def _explain(error: jsonschema.ValidationError) -> str:
    """What is wrong, which key, what is allowed."""
    key = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in error.absolute_path).lstrip(".")
    where = f"{key}: " if key else ""
    schema: Mapping[str, Any] = error.schema if isinstance(error.schema, Mapping) else {}
    found: Any = error.instance
    if error.validator == "additionalProperties":
        allowed = list(schema["properties"])
        unknown = next(str(k) for k in found if k not in allowed)
        return f"{where}unknown key {unknown!r}; allowed: {', '.join(allowed)}{did_you_mean(unknown, allowed)}"
    if error.validator == "required":
        missing = next(k for k in schema["required"] if k not in found)
        return f"{where}key {missing!r} is missing"
    if error.validator == "enum":
        allowed = [str(v) for v in schema["enum"]]
        hint = did_you_mean(str(found), allowed)
        return f"{where}{found!r} is not one of {', '.join(allowed)}{hint}"
    if error.validator == "pattern":
        return f"{where}{found!r} has the wrong form; {schema.get('description', schema['pattern'])}"
    return f"{where}{error.message}"


def _to_bytes(value: int | str) -> int:
    return value if isinstance(value, int) else int(value[:-1]) * _UNIT_BYTES[value[-1]]


def _to_board(data: Mapping[str, Any]) -> Board:
    fields = dict(data)
    fields["memories"] = tuple(Memory(**{**m, "bytes": _to_bytes(m["bytes"])}) for m in data["memories"])
    runner = data.get("runner")
    if runner is not None:
        timer = runner.get("timer")
        fields["runner"] = Runner(**{**runner, "timer": None if timer is None else Timer(**timer)})
    return Board(**fields)


def _check(board: Board, path: Path) -> None:
    """What a schema cannot say: both kinds of memory, no overlaps, a boot memory and a machine that exist."""
    for kind in ("sram", "flash"):
        if not any(m.kind == kind for m in board.memories):
            raise BoardError(f"{path}: memories: the board has no {kind}")
    ordered = sorted(board.memories, key=lambda m: m.address)
    for below, above in itertools.pairwise(ordered):
        if below.end > above.address:
            raise BoardError(f"{path}: memories: {below.name} and {above.name} overlap at 0x{above.address:08x}")
    if ordered[-1].end > 1 << 32:
        raise BoardError(f"{path}: memories: {ordered[-1].name} ends beyond 32-bit addresses")
    if board.runner is None:
        return
    if board.runner.boot is not None:
        board.memory(board.runner.boot)
    if board.runner.kind in ("qemu", "renode") and board.runner.machine is None:
        raise BoardError(f"{path}: runner: kind {board.runner.kind} needs the key 'machine'")
