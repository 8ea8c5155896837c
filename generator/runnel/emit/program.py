# SPDX-License-Identifier: Apache-2.0
"""What the C templates print: constants, layer structs, specialised functions and the calls of one run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy.typing as npt

from runnel.emit.text import array_body, c_type, dimensions, int_literal, short_name, string
from runnel.graph import Graph, Operator
from runnel.operators.base import KernelCall, Window, operator_type
from runnel.plan.constants import constant_key
from runnel.plan.plan import Plan, PlannedSegment


@dataclass(frozen=True)
class CArray:
    """A `static const` array in flash."""

    name: str
    type: str
    elements: int
    body: str
    note: str


@dataclass(frozen=True)
class CStruct:
    """A `static const struct`, fields as (name, initializer) pairs."""

    type: str
    name: str
    fields: tuple[tuple[str, str], ...]
    note: str


@dataclass(frozen=True)
class CFunction:
    """A kernel specialised for one shape, or for any shape when `shape` is None."""

    name: str
    kernel: str
    layer_struct: str
    function: str
    input_types: tuple[str, ...]
    output_type: str
    shape: tuple[tuple[str, str], ...] | None
    note: str


@dataclass(frozen=True)
class CCall:
    """One statement of the run function."""

    function: str
    arguments: str


@dataclass(frozen=True)
class CSegment:
    """The calls of one segment of the schedule, none where it has nothing to do; `label` names it in a profile.

    results: offset in the arena and bytes of each tensor that it leaves.
    """

    step: int
    note: str
    label: str
    calls: tuple[CCall, ...]
    results: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Program:
    """Everything between the header comment and the model's description."""

    arrays: tuple[CArray, ...]
    structs: tuple[CStruct, ...]
    functions: tuple[CFunction, ...]
    segments: tuple[CSegment, ...]
    headers: tuple[str, ...]


class _Builder:
    """Collects the pieces of a Program while walking the plan once."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.graph: Graph = plan.schedule.graph
        self.shared_functions = plan.schedule.objective == "flash"
        self.arrays: dict[str, CArray] = {}
        self.structs: list[CStruct] = []
        self.functions: dict[tuple[object, ...], CFunction] = {}
        self.users: dict[str, list[int]] = {}
        self.segments: list[CSegment] = []
        self.headers: dict[str, None] = {}

    def _static(self, name: str) -> str:
        """`name`, or another one where the model itself is called that."""
        return f"{name}_" if name == self.plan.name else name

    def add_segment(self, step: int, segment: PlannedSegment) -> None:
        operator = segment.segment.operators[0]
        several = len(segment.calls) > 1
        calls = tuple(
            self._call(segment, operator, call, f"op{operator.index:02d}" + (f"_{number}" if several else ""))
            for number, call in enumerate(segment.calls)
        )
        note = describe(self.graph, operator) + ("" if calls else ": same bytes, nothing to do")
        label = string(f"{operator.kind} {short_name(self.graph.tensor(operator.outputs[0]).name)}")
        tensors = [self.graph.tensor(index) for index in segment.segment.outputs]
        results = tuple((self.plan.placed(tensor.index).offset, tensor.bytes) for tensor in tensors)
        self.segments.append(CSegment(step, note, label, calls, results))

    def _call(self, segment: PlannedSegment, operator: Operator, call: KernelCall, prefix: str) -> CCall:
        self.headers[call.header] = None
        function = self._function(call, operator)
        layer = self._layer(call, operator, prefix)
        arguments = [f"&{layer}", *(self._input(i, prefix) for i in call.inputs), self._output(call.output)]
        if function.shape is None:
            arguments.insert(0, f"&{self._shape(call, prefix)}")
        arguments.append(self._scratch(segment, call))
        return CCall(function=function.name, arguments=", ".join(arguments))

    def _function(self, call: KernelCall, operator: Operator) -> CFunction:
        shape = None if self.shared_functions else tuple((k, int_literal(v)) for k, v in call.shape.items())
        types = tuple(c_type(self.graph.tensor(i).type) for i in call.inputs)
        output_type = c_type(self.graph.tensor(call.output).type)
        key = (call.function, shape, types, output_type)
        if key not in self.functions:
            number = sum(1 for f in self.functions.values() if f.kernel == call.kernel) + 1
            self.functions[key] = CFunction(
                name=self._static(f"{call.kernel}_{number}"),
                kernel=call.kernel,
                layer_struct=call.layer_struct,
                function=call.function,
                input_types=types,
                output_type=output_type,
                shape=shape,
                note="",
            )
        function = self.functions[key]
        self.users.setdefault(function.name, []).append(operator.index)
        return function

    def _layer(self, call: KernelCall, operator: Operator, prefix: str) -> str:
        fields = [(c.name, self._array(c.data, f"{prefix}_{c.name}", operator)) for c in call.constants]
        fields += [(k, int_literal(v)) for k, v in call.layer.items()]
        name = self._static(f"{prefix}_layer")
        self.structs.append(CStruct(call.layer_struct, name, tuple(fields), describe(self.graph, operator)))
        return name

    def _shape(self, call: KernelCall, prefix: str) -> str:
        fields = tuple((k, int_literal(v)) for k, v in call.shape.items())
        name = self._static(f"{prefix}_shape")
        self.structs.append(CStruct(f"runnel_{call.kernel}_shape", name, fields, ""))
        return name

    def _array(self, array: npt.NDArray[Any], name: str, operator: Operator) -> str:
        key = constant_key(array)
        if key not in self.arrays:
            note = describe(self.graph, operator)
            self.arrays[key] = CArray(self._static(name), c_type(str(array.dtype)), array.size, array_body(array), note)
        return self.arrays[key].name

    def _input(self, index: int, prefix: str) -> str:
        tensor = self.graph.tensor(index)
        if tensor.data is not None:
            operator = next(o for o in self.graph.operators if index in o.inputs)
            return self._array(tensor.data, f"{prefix}_tensor_{index}", operator)
        return f"TENSOR({c_type(tensor.type)}, {self.plan.placed(index).offset})"

    def _output(self, index: int) -> str:
        tensor = self.graph.tensor(index)
        return f"TENSOR({c_type(tensor.type)}, {self.plan.placed(index).offset})"

    def _scratch(self, segment: PlannedSegment, call: KernelCall) -> str:
        if not call.scratch_bytes:
            return "NULL"
        placed = next(p for p in self.plan.layout.buffers if p.buffer.name == segment.scratch)
        return f"SCRATCH({placed.offset})"

    def program(self) -> Program:
        functions = tuple(replace(f, note=_users_note(self.users[f.name])) for f in self.functions.values())
        return Program(
            arrays=tuple(self.arrays.values()),
            structs=tuple(self.structs),
            functions=functions,
            segments=tuple(self.segments),
            headers=tuple(sorted(self.headers)),
        )


def _users_note(users: list[int]) -> str:
    unique = list(dict.fromkeys(users))
    return f"operator{'s' if len(unique) > 1 else ''} {', '.join(map(str, unique))}"


def describe(graph: Graph, operator: Operator) -> str:
    """One line for comments: number, kind, window, shapes and the model's own name of the result."""
    output = graph.tensor(operator.outputs[0])
    shapes = ", ".join(dimensions(t.shape) for t in graph.activations(operator))
    window = operator_type(operator.kind).window(graph, operator)
    return (
        f"operator {operator.index} {operator.kind}{_window_text(window)}: "
        f"{shapes} -> {dimensions(output.shape)}  {short_name(output.name)}"
    )


def _window_text(window: Window | None) -> str:
    if window is None:
        return ""
    stride = f"{window.stride_h}" if window.stride_h == window.stride_w else f"{window.stride_h}x{window.stride_w}"
    return f" {window.kernel_h}x{window.kernel_w} stride {stride}"


def build_program(plan: Plan) -> Program:
    """Walks the plan's segments in order."""
    builder = _Builder(plan)
    for step, segment in enumerate(plan.segments):
        builder.add_segment(step, segment)
    return builder.program()
