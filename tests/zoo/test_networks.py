# SPDX-License-Identifier: Apache-2.0
"""The zoo's networks: they are the published ones, their random weights keep every layer alive, equal seeds agree."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import yaml

from runnel import zoo
from runnel.cli import execute
from runnel.compiler import load_bytes, load_model
from runnel.graph import Graph
from runnel.reference import evaluate, selftest_inputs
from runnel.run.oracle import tflm_oracle
from runnel.tflite.reader import read_tflite
from runnel.tflite.writer import write_tflite
from runnel.zoo.architecture import Architecture, Block, ZooError

PUBLISHED = {"mbv2-w0.35-r144": "mbv2-w0.35", "proxyless-w0.3-r176": "proxyless-w0.3"}


@pytest.mark.parametrize("name", zoo.names())
def test_macs_and_parameters_are_the_published_ones(name: str) -> None:
    facts, graph = zoo.architecture(name), zoo.network(name)
    assert (zoo.macs(graph), zoo.parameters(graph)) == (facts.macs, facts.parameters)


def test_architectures_are_the_published_ones(testdata: Path) -> None:
    published = yaml.safe_load((testdata / "mcunet-architectures.yaml").read_text())
    assert len(published) == 10
    for name, entry in published.items():
        ours = zoo.architecture(PUBLISHED.get(name, name))
        assert (ours.macs, ours.parameters) == (entry["macs"], entry["params_bn"]), name
        assert (ours.height, ours.width, ours.head) == (entry["resolution"], entry["resolution"], entry["feature_mix"])
        assert ours.classes == entry["classifier"][1]
        channels = entry["first_conv"]["co"]
        for block, row in zip(ours.blocks, entry["blocks"], strict=True):
            assert block == Block(row["k"], row["mid"], row["s"], row["co"]), name
            assert row["res"] == (block.stride == 1 and block.channels == channels), name
            channels = block.channels


def test_the_published_file_has_the_same_layers(testdata: Path) -> None:
    theirs, ours = load_model(testdata / "models" / "mcunet-in3.tflite"), zoo.network("mcunet-in3")

    def layers(graph: Graph) -> list[tuple[object, ...]]:
        rows = []
        for operator in graph.operators:
            weights = graph.tensor(operator.inputs[1]).shape if "CONV" in operator.kind else ()
            kept = {k: v for k, v in operator.attributes.items() if k.startswith(("pad", "stride", "fused"))}
            rows.append((operator.kind, graph.tensor(operator.outputs[0]).shape, weights, sorted(kept.items())))
        return rows

    assert layers(ours) == layers(theirs)


@pytest.mark.parametrize("name", ["mcunet-vww1", "mcunet-in0", "mbv2-rd"])
def test_network_is_what_the_passes_make_of_the_file(name: str) -> None:
    quick, whole = zoo.network(name), load_bytes(write_tflite(zoo.build(name)), name)

    def structure(graph: Graph) -> list[tuple[object, ...]]:
        return [
            (o.kind, o.attributes, [None if t is None else (t.shape, t.type) for t in graph.input_tensors(o)],
             graph.tensor(o.outputs[0]).shape)
            for o in graph.operators
        ]  # fmt: skip

    assert structure(quick) == structure(whole)


def test_stride_two_is_pad_and_valid_as_in_the_published_files() -> None:
    graph = zoo.build("mcunet-vww0")
    for operator in graph.operators:
        if operator.attributes.get("stride_h", 1) > 1 and "CONV" in operator.kind:
            producer = graph.producer(operator.inputs[0] or 0)
            assert operator.attributes["padding"] == "VALID"
            assert producer is not None and producer.kind == "PAD"
    assert sum(operator.kind == "PAD" for operator in graph.operators) == 5


def test_dummy_weights_take_no_memory_and_little_time() -> None:
    seconds = []
    for _ in range(20):
        start = time.perf_counter()
        graph = zoo.network("mcunet-in4")
        seconds.append(time.perf_counter() - start)
    assert len(graph.operators) >= 60
    assert min(seconds) < 0.004
    constants = [t.data for t in graph.tensors.values() if t.data is not None]
    assert sum(data.base.nbytes if data.base is not None else data.nbytes for data in constants) < 1000


@pytest.mark.parametrize("name", ["mcunet-in0", "mcunet-vww1", "mbv2-w0.35"])
def test_every_layer_is_alive(name: str) -> None:
    graph = load_bytes(write_tflite(zoo.build(name, seed=5)), name)
    layers: list[npt.NDArray[np.int8]] = []
    evaluate(graph, selftest_inputs(graph), layers.append)
    assert len(layers) == len(graph.operators)
    for operator, values in zip(graph.operators, layers, strict=True):
        pixels = values.reshape(-1, values.shape[-1])
        assert (values == -128).mean() < 0.6 and (values == 127).mean() < 0.1, operator.label
        assert len(np.unique(values)) >= min(30, values.size // 2), operator.label
        if len(pixels) >= 9:
            assert (pixels.std(axis=0) == 0).mean() < 0.25, operator.label


def test_equal_seeds_give_equal_bytes_and_others_do_not() -> None:
    first, again, other = (write_tflite(zoo.build("mcunet-vww0", seed=seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_weights_and_scales_are_the_same_on_every_computer() -> None:
    # Written down once. If it changes, models that others have built by name and seed are not the same any more.
    digest = hashlib.sha256()
    for tensor in zoo.build("mcunet-vww0").tensors.values():
        digest.update(b"" if tensor.data is None else np.ascontiguousarray(tensor.data).tobytes())
        digest.update(repr(tensor.quantization).encode())
    assert digest.hexdigest()[:16] == "e0c70e820276a4af"


def test_the_file_gives_what_tensorflow_lite_micro_gives(tflm: None) -> None:
    data = write_tflite(zoo.build("mcunet-in0", seed=7))
    graph = load_bytes(data, "zoo")
    inputs = selftest_inputs(graph)
    assert np.array_equal(tflm_oracle(data, graph).run([inputs])[0][0], evaluate(graph, inputs)[0])


def test_other_sizes_and_own_architectures() -> None:
    graph = zoo.build("mcunet-vww0", height=40, width=72, classes=5)
    assert graph.tensor(graph.inputs[0]).shape == (1, 40, 72, 3)
    assert graph.tensor(graph.outputs[0]).shape == (1, 5)
    own = Architecture("own", 33, 47, 3, 5, 2, 8, (Block(7, 8, 1, 8), Block(3, 24, 2, 12), Block(1, 24, 1, 12)), None)
    data = write_tflite(zoo.build(own))
    graph = load_bytes(data, "own")
    assert [o.kind for o in graph.operators].count("ADD") == 2
    assert [o.kind for o in read_tflite(data, "own").operators].count("PAD") == 2
    assert len(np.unique(evaluate(graph, selftest_inputs(graph))[0])) > 1


@pytest.mark.parametrize(
    ("size", "says"), [({"height": 4096}, "from 1 to 1024"), ({"classes": 10**6}, "classes are not supported")]
)
def test_sizes_out_of_range_are_refused(size: dict[str, int], says: str) -> None:
    with pytest.raises(ZooError, match=says):
        zoo.network("mcunet-vww0", **size)


def test_names_with_resolution_and_of_the_authors_files() -> None:
    assert zoo.architecture("mbv2-w0.35-r144") is zoo.architecture("mbv2-w0.35")
    assert zoo.architecture("mcunet-5fps_vww") is zoo.architecture("mcunet-vww1")


def test_command_writes_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "vww.tflite"
    assert execute(["zoo", "mcunet-vww0", "-o", str(file), "--resolution", "48x32", "--seed", "3", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    graph = load_model(file)
    assert graph.tensor(graph.inputs[0]).shape == (1, 48, 32, 3)
    assert figures["bytes"] == file.stat().st_size
    assert figures["macs"] == zoo.macs(graph)
    assert list(tmp_path.iterdir()) == [file]


def test_command_lists_networks(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["zoo"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in zoo.names())
    assert execute(["zoo", "--json"]) == 0
    assert [row["name"] for row in json.loads(capsys.readouterr().out)["networks"]] == list(zoo.names())


@pytest.mark.parametrize(
    "arguments", [["mcunet-vw1"], ["mcunet-vww1", "--resolution", "x"], ["mcunet-in3", "--seed", "-1"]]
)
def test_wrong_use_is_one_message(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert execute(["zoo", *arguments]) == 2
    error = capsys.readouterr().err
    assert "Traceback" not in error and "runnel: " in error
    assert not list(tmp_path.iterdir())


def test_data_files_go_into_the_wheel() -> None:
    # pyproject's only-include takes whole folders; the files must lie in the package.
    folder = Path(zoo.__file__).parent
    assert (folder / "architectures.yaml").is_file() and (folder / "published.yaml").is_file()


@pytest.mark.parametrize("command", [("zoo",), ("zoo", "fetch")])
def test_a_slip_in_the_folder_makes_no_folders(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    assert execute([*command, "mcunet-vww0", "-o", str(tmp_path / "slip" / "net.tflite")]) == 2
    assert f"there is no folder {tmp_path / 'slip'}" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
