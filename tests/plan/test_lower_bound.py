# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from runnel.plan.lower_bound import live_bytes, lower_bound, peak_step
from runnel.plan.plan import Buffer, Overlap


def tensor(name: str, size: int, first: int, last: int, *shares: str) -> Buffer:
    return Buffer(name, size, first, last, "tensor", shares=shares)


def test_nothing_needs_nothing() -> None:
    assert lower_bound([]) == 0
    assert peak_step([]) == 0


def test_sums_what_is_live_rounded_up_to_the_alignment() -> None:
    buffers = [tensor("a", 9, 0, 1), tensor("b", 5, 1, 2), tensor("c", 4, 2, 3)]
    assert lower_bound(buffers) == 12 + 8
    assert peak_step(buffers) == 1


def test_in_place_counts_the_larger_of_the_two() -> None:
    buffers = [tensor("in", 76800, 0, 1), tensor("out", 19200, 1, 2, "in")]
    assert lower_bound(buffers) == 76800
    assert live_bytes(buffers, 2) == 19200


def test_shares_holds_in_both_directions() -> None:
    assert lower_bound([tensor("in", 100, 0, 1, "out"), tensor("out", 40, 1, 2)]) == 100


def test_a_chain_of_in_place_operators_counts_once() -> None:
    assert lower_bound([tensor("a", 100, 0, 1), tensor("b", 100, 1, 2, "a"), tensor("c", 100, 2, 3, "b")]) == 100


def test_an_output_takes_the_place_of_one_input_only() -> None:
    buffers = [tensor("left", 100, 0, 2), tensor("right", 60, 1, 2), tensor("sum", 100, 2, 3, "left", "right")]
    assert lower_bound(buffers) == 160


def test_two_outputs_over_two_inputs_pair_up_best() -> None:
    buffers = [
        tensor("a", 100, 0, 1),
        tensor("b", 60, 0, 1),
        tensor("x", 100, 1, 2, "a", "b"),
        tensor("y", 60, 1, 2, "a", "b"),
    ]
    assert lower_bound(buffers) == 160


def test_a_name_that_is_not_live_is_ignored() -> None:
    assert lower_bound([tensor("a", 8, 0, 1), tensor("b", 8, 1, 2, "gone", "b")]) == 16


def growing(name: str, size: int, first: int, last: int, over: str, distance: int) -> Buffer:
    return Buffer(name, size, first, last, "tensor", grows_into=Overlap(over, distance))


def test_a_rolling_overlap_counts_what_the_two_span() -> None:
    image = tensor("in", 1000, -1, 1)
    assert lower_bound([image, growing("out", 400, 1, 3, "in", 64)]) == 1064
    assert lower_bound([image, growing("out", 1200, 1, 3, "in", 64)]) == 1200
    assert lower_bound([image, growing("out", 400, 1, 3, "in", 500)]) == 1400
    assert live_bytes([image, growing("out", 400, 1, 3, "in", 64)], 2) == 400


def test_a_rolling_overlap_needs_an_input_that_dies_there() -> None:
    assert lower_bound([tensor("in", 1000, -1, 2), growing("out", 400, 1, 3, "in", 64)]) == 1400
    assert lower_bound([growing("out", 400, 1, 3, "gone", 64)]) == 400


def test_one_output_takes_an_input_over() -> None:
    buffers = [tensor("in", 1000, -1, 1), growing("a", 400, 1, 3, "in", 0), growing("b", 300, 1, 3, "in", 0)]
    assert lower_bound(buffers) == 1300


def test_a_rolling_overlap_and_an_in_place_pair_at_one_step() -> None:
    buffers = [
        tensor("in", 1000, -1, 1),
        growing("out", 400, 1, 3, "in", 64),
        tensor("a", 100, 0, 1),
        tensor("b", 60, 1, 2, "a"),
    ]
    assert lower_bound(buffers) == 1164
