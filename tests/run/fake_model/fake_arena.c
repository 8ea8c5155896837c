/* SPDX-License-Identifier: Apache-2.0 */
#include "fake.h"

RUNNEL_ARENA(fake_arena, FAKE_ARENA_BYTES)
