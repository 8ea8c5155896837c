/* SPDX-License-Identifier: Apache-2.0
 *
 * Cycles of each segment of a generated model. With RUNNEL_PROFILE defined when <model>.c is compiled, the product
 * supplies the functions below; without it the macros are empty and nothing is left of them in the code.
 */
#ifndef RUNNEL_PROFILE_H_
#define RUNNEL_PROFILE_H_

#include <stdint.h>

#ifdef RUNNEL_PROFILE

#ifdef __cplusplus
extern "C" {
#endif

/* A counter that runs freely and wraps around at 2^32: DWT->CYCCNT, k_cycle_get_32(), a timer. */
uint32_t runnel_profile_cycles(void);

/* Called after each segment. model: the generated name; segment: its number in the schedule, from 0; name: its
 * operator and result, as in the schedule at the top of <model>.c (of a segment that runs several operators by rows
 * "first..last" and the result); cycles: the counter's difference, with what read_row took where rows are asked for. */
void runnel_profile_segment(const char *model, int32_t segment, const char *name, uint32_t cycles);

/* Called at the end of <model>_run() or <model>_run_rows(), after the last segment; not when read_row failed. */
void runnel_profile_end(const char *model);

#ifdef __cplusplus
}
#endif

/* One block from BEGIN to END: each segment has a start of its own. */
#define RUNNEL_SEGMENT_BEGIN(model)                                                                \
	{                                                                                          \
		const uint32_t runnel_segment_start = runnel_profile_cycles()
#define RUNNEL_SEGMENT_END(model, segment, name)                                                   \
		runnel_profile_segment(#model, segment, name,                                      \
				       (uint32_t)(runnel_profile_cycles() - runnel_segment_start)); \
	}                                                                                          \
	(void)0
#define RUNNEL_PROFILE_END(model) runnel_profile_end(#model)

#else

#define RUNNEL_SEGMENT_BEGIN(model) (void)0
#define RUNNEL_SEGMENT_END(model, segment, name) (void)0
#define RUNNEL_PROFILE_END(model) (void)0

#endif

#endif /* RUNNEL_PROFILE_H_ */
