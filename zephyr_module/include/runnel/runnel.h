/* SPDX-License-Identifier: Apache-2.0
 *
 * Public C API that all generated models share. The functions of one model are in its own header.
 * No malloc, no recursion, no state outside the arena; one model runs on one thread at a time.
 */
#ifndef RUNNEL_RUNNEL_H_
#define RUNNEL_RUNNEL_H_

#include <stddef.h>
#include <stdint.h>

#include "runnel/arena.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Version of this header and of struct runnel_model; a generated model checks it when it is compiled. */
#define RUNNEL_API_VERSION 2

/* Return values of <model>_run(), <model>_run_rows() and <model>_selftest(). Runnel's own errors are -1 to -4. */
#define RUNNEL_OK 0
#define RUNNEL_ESELFTEST (-1)   /* the output of the known input has the wrong CRC */
#define RUNNEL_ENOSELFTEST (-2) /* built by `runnel run`, which compares with the oracle itself */
#define RUNNEL_EINVAL (-3)      /* <model>_run_rows() was given no function */

/* Gives <model>_run_rows() a part of the input: of row `y`, `columns` pixels from column `x` on, NHWC as in
 * <model>_input(), into `destination`, which is inside the arena and need not be word-aligned. It returns 0 or more, or
 * a negative number that ends the run and that <model>_run_rows() then returns as it is; the next run starts afresh.
 * Numbers below -4, such as -EIO, are never mistaken for a RUNNEL_E... of the model. `context` is what
 * <model>_run_rows() was given. In each pass rows come from top to bottom, whole or in parts; those below the last one
 * that the model needs are not asked for. */
typedef int (*runnel_read_row)(void *context, int32_t y, int32_t x, int32_t columns, void *destination);

/* Type of the elements of a model's input or output. */
enum runnel_type {
	RUNNEL_INT8 = 1,
	RUNNEL_UINT8 = 2,
	RUNNEL_INT32 = 3,
	RUNNEL_FLOAT32 = 4,
};

/* One input or output: real = scale * (value - zero_point). Dimensions are NHWC, rank of them used. */
struct runnel_edge {
	const char *name;
	enum runnel_type type;
	int32_t rank;
	int32_t dimensions[8];
	float scale;
	int32_t zero_point;
	size_t bytes;
};

/* How an image becomes the input: value = (pixel - mean) / std, pixels 0..255. */
struct runnel_preprocessing {
	float mean[4];
	float std[4];
	const char *colour_order; /* "rgb", "bgr", "grey", or "" where the model does not say */
};

/* What a generated model says of itself. All of it lies in flash. */
struct runnel_model {
	int32_t api_version;
	const char *name;
	const char *board;
	const struct runnel_edge *inputs;
	int32_t input_count;
	const struct runnel_edge *outputs;
	int32_t output_count;
	struct runnel_preprocessing preprocessing;
	const char *const *labels; /* NULL where the model has none */
	int32_t label_count;
	size_t arena_bytes;
	uint64_t macs;
	uint16_t input_passes; /* how often a run asks for all rows of the input; 0 where it is stored before the run */
	/* One word for each segment, separated by spaces: its operator in lower case, as conv_2d, or first and last of
	 * several, as conv_2d..add. Behind those that stream ":rows"; ":rows2" where they do it in 2 vertical strips,
	 * one after the other, and ":rows3x2" where in patches, 3 bands of rows by 2 strips. */
	const char *schedule;
};

#ifdef __cplusplus
}
#endif

#endif /* RUNNEL_RUNNEL_H_ */
