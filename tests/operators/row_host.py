# SPDX-License-Identifier: Apache-2.0
"""Runs row kernels: one program for many calls, on the host with the address and undefined behaviour sanitizers, or
emulated, where DSP kernels are instructions and not C twins.

Every buffer is allocated with exactly the bytes that the kernel may touch, so that one byte too far ends the program.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from operators.kernel_host import INCLUDE, WARNINGS, c_type
from runnel.operators.base import KernelCall

Array = npt.NDArray[Any]

SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
HOST = ("gcc", "-std=c11", "-O1", "-g", *WARNINGS, *SANITIZERS)

# Newlib's own start-up with semihosting for files; everything lies in the 4 MB at address 0.
EMULATED = (
    *("arm-none-eabi-gcc", "-std=c11", "-mcpu=cortex-m7", "-mthumb", *WARNINGS, "-DVECTORS"),
    *("--specs=rdimon.specs", "-Wl,--section-start=.vectors=0"),
)
EMULATOR = (
    *("qemu-system-arm", "-machine", "mps2-an500", "-display", "none", "-monitor", "none", "-serial", "none"),
    *("-semihosting-config", "enable=on,target=native", "-kernel", "rows"),
)

_PROGRAM = """
#include <stdio.h>
#include <stdlib.h>
{headers}
/* exactly `bytes` bytes behind `lead` more, so that the address may be odd */
static char *read_block(FILE *file, int32_t *bytes)
{{
    int32_t sizes[2];
    char *block;

    if (fread(sizes, sizeof(sizes), 1, file) != 1) {{
        return NULL;
    }}
    block = malloc((size_t)(sizes[0] + sizes[1]));
    if (sizes[0] > 0 && fread(block + sizes[1], (size_t)sizes[0], 1, file) != 1) {{
        abort();
    }}
    if (bytes != NULL) {{
        *bytes = sizes[0];
    }}
    return block;
}}
#ifdef VECTORS
void _start(void);
__attribute__((section(".vectors"), used)) static const struct {{
    uint32_t stack;
    void (*reset)(void);
}} vectors = {{ 0x00400000u, _start }};
#endif
{functions}
int main(void)
{{
    FILE *file = fopen("cases", "rb");
    FILE *results = fopen("results", "wb");
    int32_t head[3];

    if (file == NULL || results == NULL) {{
        return 1;
    }}
    while (fread(head, sizeof(head), 1, file) == 1) {{
        void *blocks[16];
        char *used[16];
        int32_t bytes = 0;

        for (int i = 0; i < head[1]; i++) {{
            const long at = ftell(file);
            int32_t sizes[2] = {{0, 0}};

            if (fread(sizes, sizeof(sizes), 1, file) != 1 || fseek(file, at, SEEK_SET) != 0) {{
                abort();
            }}
            used[i] = read_block(file, &bytes);
            blocks[i] = used[i] + sizes[1];
        }}
        void *scratch = head[2] ? malloc((size_t)head[2]) : NULL;
        switch (head[0]) {{
{dispatch}
        }}
        fwrite(blocks[head[1] - 1], 1, (size_t)bytes, results);
        fflush(results);
        for (int i = 0; i < head[1]; i++) {{
            free(used[i]);
        }}
        free(scratch);
    }}
    fclose(results);
    return 0;
}}
"""

_FUNCTION = """
static void call_{number}(void **blocks, void *scratch)
{{
    const int32_t *shape_values = blocks[0];
    const int32_t *layer_values = blocks[1];
    const int32_t *n = blocks[2];
    const struct runnel_{kernel}_shape shape = {{ {shape} }};
    const struct {layer_struct} layer = {{ {layer} }};
    (void)layer_values; (void)scratch; (void)n;
    {statement}
}}
"""

_STATEMENTS = {
    "pixels": "{f}(&shape, &layer, {inputs}, n[0], (int8_t *){output} + n[1], scratch);",
    "window": "const struct runnel_rows rows = {{ {inputs}, n[3], n[4], n[5] }};"
    " {f}(&shape, &layer, &rows, n[2], n[6], n[0], (int8_t *){output} + n[1], scratch);",
    "planes": "{f}(&shape, &layer, {inputs} + n[2], n[3], n[0], (char *){output} + n[1]);",
    "add": "{f}(&shape, &layer, {inputs}, n[0], (int32_t *){output});",
    "finish": "{f}(&shape, &layer, {inputs}, (int8_t *){output});",
}
"""How a kernel of each form is called. n[0] is the number of pixels, n[1] where the output starts, in bytes; the rest
depends on the form: row, rows of the ring, row_bytes, first_column, column; or where the planes start, rotation."""


@dataclass(frozen=True, eq=False)
class Case:
    """A call, what it reads, and the bytes of the buffer it writes into, before and (expected) after.

    lead: bytes by which the inputs' addresses are moved from a multiple of 8.
    """

    call: KernelCall
    inputs: tuple[Array, ...]
    numbers: tuple[int, ...]
    before: Array
    after: Array
    note: str
    lead: int = 0


def _form(call: KernelCall) -> str:
    return call.form if call.form != "sums" else "add" if call.kernel == "sums_add" else "finish"


def _function(number: int, case: Case) -> str:
    call = case.call
    first = 3 + len(call.constants)
    shape = [f".{name} = shape_values[{i}]" for i, name in enumerate(sorted(call.shape))]
    layer = [f".{name} = layer_values[{i}]" for i, name in enumerate(sorted(call.layer))]
    layer += [f".{constant.name} = blocks[{3 + i}]" for i, constant in enumerate(call.constants)]
    inputs = [f"(const {c_type(array)} *)blocks[{first + i}]" for i, array in enumerate(case.inputs)]
    output = f"blocks[{first + len(case.inputs)}]"
    return _FUNCTION.format(
        number=number,
        kernel=call.kernel,
        shape=", ".join(shape),
        layer_struct=call.layer_struct,
        layer=", ".join(layer),
        statement=_STATEMENTS[_form(call)].format(f=call.function, inputs=", ".join(inputs), output=output),
    )


def _block(data: bytes, lead: int = 0) -> bytes:
    return np.array([len(data), lead], np.int32).tobytes() + data


def _case_bytes(number: int, case: Case) -> bytes:
    call = case.call
    tables = [call.shape, call.layer]
    blocks = [_block(np.array([table[k] for k in sorted(table)], np.int32).tobytes()) for table in tables]
    blocks.append(_block(np.array(case.numbers, np.int32).tobytes()))
    blocks += [_block(np.ascontiguousarray(constant.data).tobytes()) for constant in call.constants]
    blocks += [_block(array.tobytes(), case.lead if array.dtype == np.int8 else 0) for array in case.inputs]
    blocks.append(_block(case.before.tobytes()))
    head = np.array([number, len(blocks), call.scratch_bytes], np.int32).tobytes()
    return head + b"".join(blocks)


def run_cases(cases: Sequence[Case], folder: Path, optimize: str = "") -> list[Array]:
    """The output buffer of every case, after the call. optimize: a compiler flag, for emulation instead of the host."""
    command = (*EMULATED, optimize) if optimize else HOST
    for tool in (command[0], *(EMULATOR[:1] if optimize else ())):
        if shutil.which(tool) is None:
            pytest.skip(
                f"{tool} is not installed: the kernels cannot be run {'emulated' if optimize else 'on the host'}"
            )
    keys = {(case.call.function, len(case.inputs)): case for case in cases}
    numbers = {key: number for number, key in enumerate(keys)}
    source = _PROGRAM.format(
        headers="\n".join(f'#include "{header}"' for header in sorted({case.call.header for case in cases})),
        functions="".join(_function(numbers[key], case) for key, case in keys.items()),
        dispatch="\n".join(f"        case {n}: call_{n}(blocks, scratch); break;" for n in numbers.values()),
    )
    (folder / "rows.c").write_text(source, encoding="ascii")
    subprocess.run([*command, f"-I{INCLUDE}", "rows.c", "-o", "rows"], cwd=folder, check=True, timeout=300)
    data = b"".join(_case_bytes(numbers[case.call.function, len(case.inputs)], case) for case in cases)
    (folder / "cases").write_bytes(data)
    start = EMULATOR if optimize else ("./rows",)
    ran = subprocess.run(start, cwd=folder, capture_output=True, timeout=600, check=False)
    written = (folder / "results").read_bytes()
    results, at = [], 0
    for case in cases:
        if at + case.before.nbytes > len(written):
            break
        results.append(np.frombuffer(written, case.before.dtype, case.before.size, at))
        at += case.before.nbytes
    if ran.returncode != 0 or len(results) < len(cases):
        note = cases[min(len(results), len(cases) - 1)].note
        pytest.fail(f"case {len(results)}, {note}: exit code {ran.returncode}\n{ran.stderr.decode()[:4000]}")
    return results


def check_cases(cases: Sequence[Case], folder: Path, optimize: str = "") -> None:
    """Asserts that every call leaves exactly the bytes that are expected."""
    for case, result in zip(cases, run_cases(cases, folder, optimize), strict=True):
        np.testing.assert_array_equal(result, case.after, err_msg=case.note)
