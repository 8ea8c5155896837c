# SPDX-License-Identifier: Apache-2.0
"""Thousands of damaged and lying models: each ends in a plan or in one RunnelError, within a second."""

from __future__ import annotations

import resource
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from bad_files import convolution_file, damaged, lying_file, serialise, sound_graph
from runnel.check import check_graph
from runnel.emit.emitter import emit
from runnel.errors import RunnelError
from runnel.operators import Target
from runnel.passes import Edges, optimise
from runnel.plan.planner import make_plan
from runnel.plan.verify import verify
from runnel.resources import resource_root
from runnel.schedule.layer_by_layer import layer_by_layer
from runnel.tflite.reader import read_tflite
from runnel.tflite.writer import write_tflite

LARGEST_ARENA = 1 << 24
INCLUDE = resource_root() / "zephyr_module" / "include"
TESTDATA = Path(__file__).resolve().parents[2] / "shared" / "testdata"


def outcome(content: bytes, number: int) -> str:
    """How far a damaged model gets: "read", "checked" or "planned". Only RunnelError may end it, within a second."""
    stage, begin = "damaged", time.process_time()
    edges: Edges = "int8" if number % 2 else "original"
    try:
        graph = optimise(read_tflite(content, "bad.tflite"), edges)
        stage = "read"
        check_graph(graph, "bad.tflite")
        stage = "checked"
        plan = make_plan(layer_by_layer(graph, "sram"), "bad", "host", Target(dsp=number % 4 > 1))
        if plan.arena_bytes <= LARGEST_ARENA:  # the verifier simulates the arena; no board has more
            verify(plan)
            assert number % 10 or emit(plan, INCLUDE, None)  # writing all constants as text takes long
        stage = "planned"
    except RunnelError as error:
        message = str(error)
        assert message and len(message) < 2000
        assert stage == "checked" or message.startswith("bad.tflite: "), message
    assert time.process_time() - begin < 1.0, "took more than a second"
    return stage


def mutations(count: int, seed: int, make: Callable[[int], bytes]) -> Counter[str]:
    """How far `count` mutated models got. A failure says which number makes it again."""
    stages: Counter[str] = Counter()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(seed * count, (seed + 1) * count):
        try:
            stages[outcome(make(number), number)] += 1
        except Exception as error:
            raise AssertionError(f"mutation {number}: {type(error).__name__}: {error}") from error
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 300_000, f"memory grew by {grown} kB"
    return stages


def test_mutated_bytes(full: bool, seed: int) -> None:
    """Damage to files that our builder and our writer made, and to small real ones where they are there."""
    files = [serialise(convolution_file())]
    files += [write_tflite(sound_graph(number)) for number in range(8)]
    for name in ("tflm_hello_world_int8", "tflm_micro_speech_quantized", "wv_ymac"):
        path = TESTDATA / "models" / f"{name}.tflite"
        files += [path.read_bytes()] if path.is_file() else []
    stages = mutations(5000 if full else 250, seed, lambda number: damaged(files[number % len(files)], number))
    assert stages["damaged"] and stages["planned"], stages


def test_mutated_graphs(full: bool, seed: int) -> None:
    """Lies that the flatbuffer carries faithfully."""
    stages = mutations(5000 if full else 250, seed, lying_file)
    assert stages["damaged"] and stages["read"] and stages["planned"], stages


def test_damage_is_reproducible() -> None:
    content = serialise(convolution_file())
    assert damaged(content, 7) == damaged(content, 7) != content
    assert lying_file(7) == lying_file(7)
