# SPDX-License-Identifier: Apache-2.0
"""A bare firmware.elf with flags as ststm32 documents them: -Os, no FPU."""

from SCons.Script import AlwaysBuild, Default, DefaultEnvironment

env = DefaultEnvironment()
cpu = env.BoardConfig().get("build.cpu")
env.Replace(
    AR="arm-none-eabi-ar", AS="arm-none-eabi-gcc", CC="arm-none-eabi-gcc", CXX="arm-none-eabi-g++",
    RANLIB="arm-none-eabi-ranlib", LINK="arm-none-eabi-gcc", PROGNAME="firmware", PROGSUFFIX=".elf", ARFLAGS=["rcs"],
)  # fmt: skip
env.Append(
    ASFLAGS=["-mthumb", f"-mcpu={cpu}"],
    CCFLAGS=["-Os", "-ffunction-sections", "-fdata-sections", "-Wall", "-mthumb", f"-mcpu={cpu}"],
    LINKFLAGS=["-Wl,--gc-sections", "-mthumb", f"-mcpu={cpu}", "--specs=nano.specs", "--specs=nosys.specs"],
    LIBS=["c", "gcc", "m"],
)
AlwaysBuild(env.Alias("nobuild"))
Default(env.Alias("buildprog", env.BuildProgram()))
