# SPDX-License-Identifier: Apache-2.0
"""What the C templates print: constants, layer structs, specialised functions and the statements of one run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy.typing as npt

from runnel.emit.describe import describe, describe_segment, profile_name
from runnel.emit.functions import differing_members, parameters, sharing, sweep_arguments, sweep_statement
from runnel.emit.pieces import CArray, CFunction, CSegment, CStruct, Program
from runnel.emit.rows_places import plane_reader
from runnel.emit.rows_segment import segment_function
from runnel.emit.text import array_body, c_type, int_literal, statement, string
from runnel.graph import Graph
from runnel.operators.base import KernelCall
from runnel.plan.constants import constant_key
from runnel.plan.plan import Plan, PlannedSegment
from runnel.schedule.rows import Step


class _Builder:
    """Collects the pieces of a Program while walking the plan once."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.graph: Graph = plan.schedule.graph
        self.shared_functions = plan.schedule.objective == "flash"
        self.differing = differing_members(call for segment in plan.segments for call in segment.calls)
        self.sizes: dict[tuple[str, tuple[tuple[str, str], ...]], str] = {}
        self.arrays: dict[str, CArray] = {}
        self.structs: list[CStruct] = []
        self.functions: dict[tuple[object, ...], CFunction] = {}
        self.users: dict[str, list[int]] = {}
        self.segments: list[CSegment] = []
        self.headers: dict[str, None] = {}

    def _static(self, name: str) -> str:
        """`name`, or another one where the model itself is called that."""
        return f"{name}_" if name == self.plan.name else name

    # --- segments -------------------------------------------------------------------------------------------------

    def add_segment(self, step: int, segment: PlannedSegment) -> None:
        note = describe_segment(self.graph, segment.segment)
        rows = None
        if segment.rows is not None:
            self.headers["runnel/kernels/rows.h"] = None
            function = f"{self._segment_prefix()}_{step}"
            rows = segment_function(self.plan, step, segment, function, lambda place: self._step(segment, place))
        calls = () if rows is not None else self._whole_calls(step, segment)
        if not calls and rows is None:
            note += ": same bytes, nothing to do"
        tensors = [self.graph.tensor(index) for index in segment.segment.outputs]
        self.segments.append(
            CSegment(
                step=step,
                note=note,
                label=string(profile_name(self.graph, segment.segment)),
                moves=tuple(self._moves(step)),
                calls=calls,
                results=tuple((self.plan.placed(tensor.index, step).offset, tensor.bytes) for tensor in tensors),
                rows=rows,
            )
        )

    def _segment_prefix(self) -> str:
        """What functions and tables of segments begin with: nothing that the model's own name can be."""
        return "run_segment" if self.plan.name.startswith("segment_") else "segment"

    def _moves(self, step: int) -> list[str]:
        """Tensors that get another place before this segment."""
        lines = []
        for move in self.plan.layout.moves:
            if move.step == step:
                source, destination = self.plan.store(move.source), self.plan.store(move.destination)
                places = (f"SCRATCH({destination.offset})", f"SCRATCH({source.offset})")
                lines.append(statement("memmove", (*places, str(source.buffer.bytes))))
        return lines

    def _whole_calls(self, step: int, segment: PlannedSegment) -> tuple[str, ...]:
        (operator,) = segment.segment.operators
        several = len(segment.calls) > 1
        calls = []
        for number, call in enumerate(segment.calls):
            prefix = f"op{operator.index:02d}" + (f"_{number}" if several else "")
            user = _User(segment, operator.index, prefix, describe(self.graph, operator))
            inputs = [self._input(step, index, user) for index in call.inputs]
            types = [c_type(self.graph.tensor(index).type) for index in call.inputs]
            output = self._tensor(step, call.output)
            if call.sweep is None:
                calls.append(self.kernel(call, user, types, (*inputs, output)))
            else:
                arguments = sweep_arguments(call.sweep, call.form, inputs[0], output)
                calls.append(sweep_statement(call.sweep, self.kernel(call, user, types, arguments)))
        return tuple(calls)

    def _step(self, segment: PlannedSegment, place: int) -> _StepKernels:
        assert segment.rows is not None
        step = segment.rows.steps[place]
        return _StepKernels(self, segment.step_calls[place], _step_users(self.graph, segment, step))

    # --- kernels --------------------------------------------------------------------------------------------------

    def kernel(self, call: KernelCall, user: _User, types: Sequence[str], arguments: Sequence[str]) -> str:
        """The statement that calls a kernel; types of its inputs, arguments between layer and scratch."""
        self.headers[call.header] = None
        function = self._function(call, user, types)
        words = [f"&{self._layer(call, user)}", *arguments]
        if function.shape is None:
            words.insert(0, f"&{self._shape(call, user)}")
        elif function.sizes:
            words.insert(0, f"&{self._sizes(call, function)}")
        if function.parameters[-1][1] == "scratch":
            words.append(self._scratch(user.segment, call))
        return statement(function.name, words)

    def _function(self, call: KernelCall, user: _User, types: Sequence[str]) -> CFunction:
        sizes = tuple(name for name in call.shape if name in self.differing[sharing(call)])
        shape = None if self.shared_functions else _shape_members(call, sizes)
        output_type = c_type(self.graph.tensor(call.output).type) if call.form == "whole" else "int8_t"
        taken = parameters(call, types, output_type)
        key = (call.function, shape, taken)
        if key not in self.functions:
            number = sum(1 for f in self.functions.values() if f.kernel == call.kernel) + 1
            self.functions[key] = CFunction(
                name=self._static(f"{call.kernel}_{number}"),
                kernel=call.kernel,
                layer_struct=call.layer_struct,
                function=call.function,
                parameters=taken,
                shape=shape,
                sizes=sizes if shape is not None else (),
                note="",
            )
        function = self.functions[key]
        self.users.setdefault(function.name, []).append(user.operator)
        return function

    def _layer(self, call: KernelCall, user: _User) -> str:
        fields = [(c.name, self._array(c.data, f"{user.prefix}_{c.name}", user.note)) for c in call.constants]
        fields += [(k, int_literal(v)) for k, v in call.layer.items()]
        name = self._static(f"{user.prefix}_layer")
        struct = CStruct(call.layer_struct, name, tuple(fields), user.note)
        if struct not in self.structs:
            self.structs.append(struct)
        return name

    def _shape(self, call: KernelCall, user: _User) -> str:
        fields = tuple((k, int_literal(v)) for k, v in call.shape.items())
        name = self._static(f"{user.prefix}_shape")
        struct = CStruct(f"runnel_{call.kernel}_shape", name, fields, "")
        if struct not in self.structs:
            self.structs.append(struct)
        return name

    def _sizes(self, call: KernelCall, function: CFunction) -> str:
        """The struct of what differs between the layers of a function; layers of one size share it."""
        fields = tuple((name, int_literal(call.shape[name])) for name in function.sizes)
        if (function.name, fields) not in self.sizes:
            number = sum(1 for name, _ in self.sizes if name == function.name) + 1
            name = self._static(f"{function.name}_sizes_{number}")
            self.sizes[function.name, fields] = name
            self.structs.append(CStruct(f"{function.name}_sizes", name, fields, ""))
        return self.sizes[function.name, fields]

    def _array(self, array: npt.NDArray[Any], name: str, note: str) -> str:
        key = constant_key(array)
        if key not in self.arrays:
            self.arrays[key] = CArray(self._static(name), c_type(str(array.dtype)), array.size, array_body(array), note)
        return self.arrays[key].name

    # --- tensors --------------------------------------------------------------------------------------------------

    def _input(self, step: int, index: int, user: _User) -> str:
        return self.constant(index, user) if self.graph.tensor(index).is_constant else self._tensor(step, index)

    def constant(self, index: int, user: _User) -> str:
        """The array of a constant tensor, named after the first operator that reads it."""
        data = self.graph.tensor(index).data
        assert data is not None
        operator = next(o for o in self.graph.operators if index in o.inputs)
        return self._array(data, f"{user.prefix}_tensor_{index}", describe(self.graph, operator))

    def _tensor(self, step: int, index: int) -> str:
        return f"TENSOR({c_type(self.graph.tensor(index).type)}, {self.plan.placed(index, step).offset})"

    def _scratch(self, segment: PlannedSegment, call: KernelCall) -> str:
        if not call.scratch_bytes:
            return "NULL"
        assert segment.scratch is not None
        return f"SCRATCH({self.plan.store(segment.scratch).offset})"

    def program(self) -> Program:
        functions = tuple(replace(f, note=_users_note(self.users[f.name])) for f in self.functions.values())
        return Program(
            arrays=tuple(self.arrays.values()),
            structs=tuple(self.structs),
            functions=functions,
            segments=tuple(self.segments),
            headers=tuple(sorted(self.headers)),
        )


@dataclass(frozen=True)
class _User:
    """Who calls a kernel: the operator's number, what the names of its constants begin with, a line for comments."""

    segment: PlannedSegment
    operator: int
    prefix: str
    note: str


@dataclass(frozen=True)
class _StepKernels:
    """The kernels of one step of a segment that runs by rows: see rows_steps.Kernels."""

    builder: _Builder
    calls: Sequence[KernelCall]
    users: Sequence[_User]

    def call(self, number: int, types: Sequence[str], arguments: Sequence[str]) -> str:
        return self.builder.kernel(self.calls[number], self.users[number], types, arguments)

    def constant(self, number: int, tensor: int) -> str:
        return self.builder.constant(tensor, self.users[number])


def _step_users(graph: Graph, segment: PlannedSegment, step: Step) -> list[_User]:
    """One for each kernel call: the operators of the step; a sum and its end; a copy for the depthwise after it."""
    if step.form == "spread":
        assert segment.rows is not None
        reader = plane_reader(segment.rows, step.output).operators[0]
        prefix = f"op{reader.index:02d}_spread"
        return [_User(segment, reader.index, prefix, f"for {describe(graph, reader)}")]
    users = [
        _User(segment, operator.index, f"op{operator.index:02d}", describe(graph, operator))
        for operator in step.operators
    ]
    if step.form == "sums":
        return [replace(users[0], prefix=f"{users[0].prefix}_add"), users[0]]
    return users


def _shape_members(call: KernelCall, sizes: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Members of the shape and their values: constants but for `sizes`."""
    return tuple((name, f"sizes->{name}" if name in sizes else int_literal(v)) for name, v in call.shape.items())


def _users_note(users: list[int]) -> str:
    unique = list(dict.fromkeys(users))
    return f"operator{'s' if len(unique) > 1 else ''} {', '.join(map(str, unique))}"


def build_program(plan: Plan) -> Program:
    """Walks the plan's segments in order."""
    builder = _Builder(plan)
    for step, segment in enumerate(plan.segments):
        builder.add_segment(step, segment)
    return builder.program()
