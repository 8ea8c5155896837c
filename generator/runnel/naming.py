# SPDX-License-Identifier: Apache-2.0
"""Names of generated models: they become C identifiers (`<name>_run`) and file names (`<name>.c`)."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from runnel.errors import RunnelError

LONGEST_NAME = 40
"""Characters. C promises 63 significant ones; the rest is for what is appended (`_output_bytes` and so on)."""

# The header must compile as C11 and as C++17, and a model's name is itself an object with external linkage.
_KEYWORDS = """
alignas alignof and and_eq asm auto bitand bitor bool break case catch char class compl const const_cast constexpr
continue decltype default delete do double dynamic_cast else enum explicit export extern false float for friend goto
if inline int long mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected public
register reinterpret_cast restrict return short signed sizeof static static_assert static_cast struct switch template
this thread_local throw true try typedef typeid typename union unsigned using virtual void volatile wchar_t while xor
xor_eq
"""
_LIBRARY = """
abort abs accept access acos alarm asin assert atan atan2 atexit atof atoi atol bind bsearch calloc cbrt ceil clock
close connect cos cosh div dup erf errno exit exp exp2 expm1 fabs fclose fdim feof ferror fflush fgetc fgets floor fma
fmax fmin fmod fopen fork fputc fputs fprintf fread free frexp fscanf fseek ftell fwrite gamma getc getchar getenv
gets hypot index isatty isalpha isdigit isinf isnan isspace j0 j1 jn kill labs ldexp lgamma link listen llabs log log10
log1p log2 logb longjmp lround lseek main malloc memchr memcmp memcpy memmove memset mktime modf nan nice open pause
perror pipe poll pow printf putc putchar puts qsort raise rand read realloc remainder remove rename rewind rindex
rint round scalb scanf select send setjmp signal signbit sin sinh sleep snprintf socket sprintf sqrt srand sscanf stat
stderr stdin stdout strcat strchr strcmp strcpy strlen strncmp strncpy strstr strtod strtol system tan tanh tgamma
time trunc ungetc unlink vprintf wait write y0 y1 yn arm linux unix
"""
_MACROS = re.compile(r"NULL|EOF|TENSOR|SCRATCH|SIZE_MAX|U?INT(_LEAST|_FAST)?(8|16|32|64|PTR|MAX)_(MIN|MAX|C)")
"""Of the headers that generated code includes, and of generated code itself."""
RESERVED_NAMES = frozenset(_KEYWORDS.split()) | frozenset(_LIBRARY.split())


def model_name(path: Path) -> str:
    """A C identifier made from a model's file name, the same one every time: `mcunet-vww1.tflite`, mcunet_vww1."""
    plain = unicodedata.normalize("NFKD", path.stem).encode("ascii", "ignore").decode()
    name = re.sub(r"[^0-9A-Za-z]+", "_", plain).strip("_")
    if not name:
        return "model"
    if name[0].isdigit() or name.lower().startswith("runnel"):
        name = f"model_{name}"
    name = name[:LONGEST_NAME].rstrip("_")
    return f"{name}_model" if _reserved(name) else name


def check_name(name: str) -> str:
    """The name that a user chose, if it can be used as it is. Raises RunnelError otherwise."""
    problem = None
    if not re.fullmatch(r"[A-Za-z][0-9A-Za-z_]*", name):
        problem = "is not a C identifier"
    elif len(name) > LONGEST_NAME:
        problem = f"has {len(name)} characters"
    elif _reserved(name) or name.lower().startswith("runnel"):
        problem = "is taken by C, C++, the C library or Runnel itself"
    if problem is None:
        return name
    raise RunnelError(
        f"the name {name!r} {problem}; supported: a letter, then letters, digits and underscores, "
        f"at most {LONGEST_NAME} in all. Try --name {model_name(Path(name + '.tflite'))}"
    )


def _reserved(name: str) -> bool:
    return name in RESERVED_NAMES or name.endswith("_t") or "__" in name or _MACROS.fullmatch(name) is not None


def check_section(section: str) -> str:
    """The name of a linker section, if it can stand in C source and linker script. Raises RunnelError otherwise."""
    if re.fullmatch(r"[A-Za-z_.][0-9A-Za-z_.$-]{0,79}", section):
        return section
    raise RunnelError(
        f"{section!r} is no name of a linker section; supported: letters, digits and . _ $ -, not a digit first, at "
        "most 80 in all, for example .dtcm_noinit"
    )
