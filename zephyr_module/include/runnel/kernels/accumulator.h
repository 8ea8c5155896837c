/* SPDX-License-Identifier: Apache-2.0
 *
 * From a 32-bit accumulator to int8, for convolution, depthwise convolution and fully connected.
 */
#ifndef RUNNEL_KERNELS_ACCUMULATOR_H_
#define RUNNEL_KERNELS_ACCUMULATOR_H_

#include "runnel/kernels/common.h"

/* The layer struct of every kernel that requantizes accumulators. The input's zero point is folded into bias. */
struct runnel_accumulator_layer {
	const int8_t *weights;
	const int32_t *bias;
	const int32_t *multiplier;
	/* short form: shifts to the right, 1..20; else TFLite's shifts, to the left where positive */
	const int8_t *shift;
	int32_t input_zero_point; /* what padding holds */
	int32_t output_zero_point;
	int32_t clamp_min;
	int32_t clamp_max;
};

/* A copy that stays in registers: as far as C knows, storing int8 outputs could change what `layer` points to. */
RUNNEL_INLINE struct runnel_accumulator_layer runnel_own_layer(const struct runnel_accumulator_layer *layer)
{
	const struct runnel_accumulator_layer own = {
		.weights = layer->weights,
		.bias = layer->bias,
		.multiplier = layer->multiplier,
		.shift = layer->shift,
		.input_zero_point = layer->input_zero_point,
		.output_zero_point = layer->output_zero_point,
		.clamp_min = layer->clamp_min,
		.clamp_max = layer->clamp_max,
	};

	return own;
}

/* How a layer's accumulators become int8; constants of the shape, so that the choice costs nothing at run time. */
#define RUNNEL_SHORT_FORM 1 /* see docs/numbers.md */
#define RUNNEL_FULL_RANGE 2 /* the clamp is -128..127 */

RUNNEL_INLINE int32_t runnel_saturate_int8(int32_t value)
{
#if defined(__ARM_FEATURE_SAT)
	int32_t result;

	__asm__("ssat %0, #8, %1" : "=r"(result) : "r"(value));
	return result;
#else
	return runnel_clamp(value, -128, 127);
#endif
}

/* High 32 bits of (addend << 32) + 2 * value * multiplier + 2^31. */
RUNNEL_INLINE int32_t runnel_doubled_multiply_high(int32_t addend, int32_t value, int32_t multiplier)
{
#if defined(__ARM_FEATURE_DSP)
	int32_t result;

	__asm__("smmlar %0, %1, %2, %3" : "=r"(result) : "r"(value * 2), "r"(multiplier), "r"(addend));
	return result;
#else
	return (int32_t)((addend * (INT64_C(1) << 32) + (int64_t)value * 2 * multiplier + (INT64_C(1) << 31)) >> 32);
#endif
}

/* What one output channel needs; loaded once where many outputs of it follow. */
struct runnel_channel {
	int32_t bias;
	int32_t multiplier;
	int32_t shift;
	int32_t addend; /* short form: rounding and output zero point in one */
};

RUNNEL_INLINE struct runnel_channel runnel_load_channel(const struct runnel_accumulator_layer *layer, int32_t rounding,
							int32_t channel)
{
	const int32_t shift = layer->shift[channel];
	const struct runnel_channel constants = {
		.bias = layer->bias[channel],
		.multiplier = layer->multiplier[channel],
		.shift = shift,
		.addend = rounding & RUNNEL_SHORT_FORM
				  ? (2 * layer->output_zero_point + 1) * (int32_t)(1u << (shift - 1))
				  : 0,
	};

	return constants;
}

/* acc -> int8 (as an int32), rounded twice exactly as TensorFlow Lite Micro does.
 *
 * Short form (docs/numbers.md): with e = shift >= 1 and |acc| < 2^30,
 * RoundingDivideByPOT(SaturatingRoundingDoublingHighMul(acc, m), e) + zero_point
 *   == (SMMLAR(2 acc, m, (2 zero_point + 1) << (e - 1)) + (acc >> 31)) >> e.
 */
RUNNEL_INLINE int32_t runnel_requantize_wide(const struct runnel_accumulator_layer *layer, int32_t rounding,
					     const struct runnel_channel *channel, int32_t acc)
{
	int32_t value;

	if (rounding & RUNNEL_SHORT_FORM) {
		value = runnel_doubled_multiply_high(channel->addend, acc, channel->multiplier);
		value = (value + (acc >> 31)) >> channel->shift;
	} else {
		value = runnel_add_wrapping(runnel_requantize(acc, channel->multiplier, channel->shift),
					    layer->output_zero_point);
	}
	if (rounding & RUNNEL_FULL_RANGE) {
		return runnel_saturate_int8(value);
	}
	return runnel_clamp(value, layer->clamp_min, layer->clamp_max);
}

RUNNEL_INLINE int8_t runnel_requantize_accumulator(const struct runnel_accumulator_layer *layer, int32_t rounding,
						   const struct runnel_channel *channel, int32_t acc)
{
	return (int8_t)runnel_requantize_wide(layer, rounding, channel, acc);
}

#endif /* RUNNEL_KERNELS_ACCUMULATOR_H_ */
