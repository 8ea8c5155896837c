# SPDX-License-Identifier: Apache-2.0
"""Which layers share a C function, and what such a function is told at run time."""

from __future__ import annotations

from runnel.emit.functions import differing_members, sharing, sweep_arguments, sweep_statement
from runnel.operators.base import KernelCall, Sweep


def call(general: tuple[str, ...] = ("channels", "step"), **shape: int) -> KernelCall:
    return KernelCall("kernel", {"kind": 0, "channels": 8, "step": 1, **shape}, {}, (), (0,), 1, general=general)


def test_calls_that_differ_in_general_members_share_a_function() -> None:
    calls = [call(), call(channels=16), call(channels=24)]
    assert len({sharing(c) for c in calls}) == 1
    assert differing_members(calls) == {sharing(calls[0]): {"channels"}}


def test_members_that_are_the_same_for_all_stay_constants() -> None:
    assert differing_members([call(), call()]) == {sharing(call()): frozenset()}


def test_other_members_make_another_function() -> None:
    calls = [call(), call(kind=1), call(general=(), channels=16)]
    assert len(differing_members(calls)) == 3


def test_a_sweep_over_rows_is_a_loop() -> None:
    sweep = Sweep(rows=4, pixels=5, input_height=8, input_step=60, output_step=40)
    assert sweep_arguments(sweep, "pixels", "from", "to") == ["from + row * 60", "5", "to + row * 40"]
    rows = "&(const struct runnel_rows){from, 8, 60, 0}"
    assert sweep_arguments(sweep, "window", "from", "to") == [rows, "row", "0", "5", "to + row * 40"]
    assert sweep_statement(sweep, "f();") == "for (int32_t row = 0; row < 4; row++) {\n\tf();\n}"


def test_a_sweep_of_one_row_is_one_call() -> None:
    sweep = Sweep(rows=1, pixels=5, input_height=1, input_step=0, output_step=0)
    assert sweep_arguments(sweep, "pixels", "from", "to") == ["from", "5", "to"]
    assert sweep_arguments(sweep, "window", "from", "to")[1] == "0"
    assert sweep_statement(sweep, "f();") == "f();"
