# SPDX-License-Identifier: Apache-2.0
"""Model names: always a C identifier that nothing else uses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runnel.errors import RunnelError
from runnel.naming import LONGEST_NAME, RESERVED_NAMES, check_name, model_name


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("person.tflite", "person"),
        ("models/mcunet-vww1.tflite", "mcunet_vww1"),
        ("96x96 int8.tflite", "model_96x96_int8"),
        ("int.tflite", "int_model"),
        ("main.tflite", "main_model"),
        ("exp.tflite", "exp_model"),
        ("class.tflite", "class_model"),
        ("uint8_t.tflite", "uint8_t_model"),
        ("_hidden__.tflite", "hidden"),
        ("runnel_model.tflite", "model_runnel_model"),
        ("détecteur.tflite", "detecteur"),
        ("Модель.tflite", "model"),
        ("人.tflite", "model"),
        (".tflite", "tflite"),
        ("a.b.c.tflite", "a_b_c"),
        ("x" * 200 + ".tflite", "x" * LONGEST_NAME),
    ],
)
def test_name_from_file(file: str, name: str) -> None:
    assert model_name(Path(file)) == name


@given(st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1))
def test_every_file_name_gives_a_name_that_the_check_accepts(stem: str) -> None:
    name = model_name(Path(f"{stem}.tflite"))
    assert re.fullmatch(r"[A-Za-z][0-9A-Za-z_]*", name)
    assert name not in RESERVED_NAMES
    assert len(name) <= LONGEST_NAME + len("_model")


@pytest.mark.parametrize("name", ["", "9lives", "a-b", "int", "while", "x" * 99, "runnel", "a__b", "foo_t", "é", "a b"])
def test_bad_name_is_refused_with_a_suggestion(name: str) -> None:
    with pytest.raises(RunnelError, match="--name") as caught:
        check_name(name)
    suggestion = str(caught.value).rsplit(" ", 1)[1]
    assert check_name(suggestion) == suggestion


def test_good_name_stays() -> None:
    assert check_name("Person2_v1") == "Person2_v1"
