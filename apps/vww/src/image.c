/* SPDX-License-Identifier: Apache-2.0 */
#include "image.h"

#define NEUTRAL_GREY 128

/* Largest values of RGB565's colours; 63 / 255 is shortened to 21 / 85 so that products stay within 32 bits. */
#define RED_BLUE_LARGEST 31u
#define RED_BLUE_SCALE 255u
#define GREEN_LARGEST 21u
#define GREEN_SCALE 85u

/* A pixel, or a weighted sum of pixels. Red, green, blue; grey is in the first. */
struct colour {
	uint32_t channel[IMAGE_CHANNELS];
};

static int8_t quantize_pixel(float pixel, float mean, float std, const struct runnel_edge *edge)
{
	const float steps = (pixel - mean) / std / edge->scale + (float)edge->zero_point;
	if (steps >= 127.0f) {
		return 127;
	}
	if (steps <= -128.0f) {
		return -128;
	}
	return (int8_t)(steps < 0.0f ? steps - 0.5f : steps + 0.5f);
}

/* Mean 0 and standard deviation 1 is what a model has that says nothing: it gets the pixel less 128. */
static bool says_nothing(const struct runnel_preprocessing *preprocessing, uint32_t channels)
{
	bool nothing = true;
	for (uint32_t i = 0; i < channels; ++i) {
		nothing = nothing && preprocessing->mean[i] == 0.0f && preprocessing->std[i] == 1.0f;
	}
	return nothing;
}

static void prepare_table(struct image_input *input, uint32_t channel, const struct runnel_model *model)
{
	const struct runnel_preprocessing *preprocessing = &model->preprocessing;
	const bool plain = says_nothing(preprocessing, input->channels);
	for (int32_t pixel = 0; pixel < 256; ++pixel) {
		input->quantized[channel][pixel] =
			plain ? (int8_t)(pixel - NEUTRAL_GREY)
			      : quantize_pixel((float)pixel, preprocessing->mean[channel],
					       preprocessing->std[channel], &model->inputs[0]);
	}
}

bool image_input_prepare(struct image_input *input, const struct runnel_model *model)
{
	const struct runnel_edge *edge = &model->inputs[0];
	if (model->input_count != 1 || edge->type != RUNNEL_INT8 || edge->rank != 4 || edge->dimensions[0] != 1 ||
	    (edge->dimensions[3] != 1 && edge->dimensions[3] != 3)) {
		return false;
	}
	const bool reversed = model->preprocessing.colour_order[0] == 'b';
	input->height = (uint32_t)edge->dimensions[1];
	input->width = (uint32_t)edge->dimensions[2];
	input->channels = (uint32_t)edge->dimensions[3];
	for (uint32_t i = 0; i < input->channels; ++i) {
		input->colour[i] = (uint8_t)(reversed ? input->channels - 1u - i : i);
		prepare_table(input, i, model);
	}
	return true;
}

bool image_cut(struct image_cut *cut, const struct image_input *input, uint32_t width, uint32_t height)
{
	cut->width = width;
	cut->height = height;
	if (width * input->height > height * input->width) {
		cut->width = (height * input->width + input->height / 2u) / input->height;
	} else {
		cut->height = (width * input->height + input->width / 2u) / input->width;
	}
	cut->left = (width - cut->width) / 2u;
	cut->top = (height - cut->height) / 2u;
	return cut->width != 0 && cut->height != 0 && cut->width <= IMAGE_MAXIMUM_REDUCTION * input->width &&
	       cut->height <= IMAGE_MAXIMUM_REDUCTION * input->height;
}

bool image_view_prepare(struct image_view *view, const struct image_input *input, const struct frame *frame)
{
	struct image_cut cut;
	if (!image_cut(&cut, input, frame->width, frame->height)) {
		return false;
	}
	view->input = input;
	view->row_bytes = frame->row_bytes;
	view->format = frame->format;
	view->pixels = frame->pixels;
	view->columns = image_axis_make(cut.left, cut.width, input->width, 1u);
	view->rows = image_axis_make(cut.top, cut.height, input->height, 1u);
	return true;
}

static void sum_grey(const uint8_t *pixel, uint32_t row_bytes, const struct image_taps *rows, struct colour *sum)
{
	uint32_t grey = 0;
	for (uint32_t i = 0; i < rows->count; ++i, pixel += row_bytes) {
		grey += (uint32_t)rows->weight[i] * *pixel;
	}
	*sum = (struct colour){{grey, 0, 0}};
}

/* Inlined twice: with a constant `big_endian` a pixel is one load. */
static inline void sum_rgb565(const uint8_t *pixel, bool big_endian, uint32_t row_bytes,
			      const struct image_taps *rows, struct colour *sum)
{
	uint32_t red = 0;
	uint32_t green = 0;
	uint32_t blue = 0;
	for (uint32_t i = 0; i < rows->count; ++i, pixel += row_bytes) {
		const uint32_t weight = rows->weight[i];
		const uint32_t low = pixel[big_endian ? 1 : 0];
		const uint32_t value = low | ((uint32_t)pixel[big_endian ? 0 : 1] << 8);
		red += weight * (value >> 11);
		green += weight * ((value >> 5) & 63u);
		blue += weight * (value & 31u);
	}
	*sum = (struct colour){{red, green, blue}};
}

static uint32_t bytes_per_pixel(enum frame_format format)
{
	return format == FRAME_GREY ? 1u : 2u;
}

/* The weighted sum of column `column` of the frame over the rows. */
static void sum_column(const struct image_view *view, const struct image_taps *rows, uint32_t column,
		       struct colour *sum)
{
	const uint8_t *pixel =
		view->pixels + rows->first * view->row_bytes + column * bytes_per_pixel(view->format);
	if (view->format == FRAME_GREY) {
		sum_grey(pixel, view->row_bytes, rows, sum);
	} else if (view->format == FRAME_RGB565_BIG_ENDIAN) {
		sum_rgb565(pixel, true, view->row_bytes, rows, sum);
	} else {
		sum_rgb565(pixel, false, view->row_bytes, rows, sum);
	}
}

/* sum / weights, to the nearest, as a colour of 0..255. */
static uint32_t colour_value(uint32_t sum, uint32_t weights, uint32_t scale, uint32_t largest)
{
	const uint32_t divisor = weights * largest;
	return (sum * scale + divisor / 2u) / divisor;
}

/* As ITU-R BT.601 weighs colours, to the nearest. */
static uint32_t luma(uint32_t red, uint32_t green, uint32_t blue)
{
	return (19595u * red + 38470u * green + 7471u * blue + 32768u) >> 16;
}

static void write_grey(const struct image_input *input, uint32_t grey, int8_t *destination)
{
	for (uint32_t i = 0; i < input->channels; ++i) {
		destination[i] = input->quantized[i][grey];
	}
}

void image_write_pixel(const struct image_input *input, const uint32_t *colours, int8_t *destination)
{
	if (input->channels == 1u) {
		write_grey(input, luma(colours[0], colours[1], colours[2]), destination);
		return;
	}
	for (uint32_t i = 0; i < IMAGE_CHANNELS; ++i) {
		destination[i] = input->quantized[i][colours[input->colour[i]]];
	}
}

static void write_sum(const struct image_view *view, const struct colour *sum, uint32_t weights, int8_t *destination)
{
	if (view->format == FRAME_GREY) {
		write_grey(view->input, colour_value(sum->channel[0], weights, 1u, 1u), destination);
		return;
	}
	const uint32_t colours[IMAGE_CHANNELS] = {
		colour_value(sum->channel[0], weights, RED_BLUE_SCALE, RED_BLUE_LARGEST),
		colour_value(sum->channel[1], weights, GREEN_SCALE, GREEN_LARGEST),
		colour_value(sum->channel[2], weights, RED_BLUE_SCALE, RED_BLUE_LARGEST),
	};
	image_write_pixel(view->input, colours, destination);
}

void image_row(const struct image_view *view, uint32_t row, uint32_t x, uint32_t columns, int8_t *destination)
{
	/* Column i is summed over the rows once and kept until no pixel needs it, at ring[i % IMAGE_MAXIMUM_TAPS]. */
	struct colour ring[IMAGE_MAXIMUM_TAPS];
	struct image_taps rows;
	struct image_taps taps;
	uint32_t summed = 0;

	image_axis_taps(&view->rows, row, &rows);
	for (uint32_t i = 0; i < columns; ++i) {
		struct colour sum = {{0, 0, 0}};
		image_axis_taps(&view->columns, x + i, &taps);
		for (summed = i == 0 ? taps.first : summed; summed < taps.first + taps.count; ++summed) {
			sum_column(view, &rows, summed, &ring[summed % IMAGE_MAXIMUM_TAPS]);
		}
		for (uint32_t tap = 0; tap < taps.count; ++tap) {
			const struct colour *column = &ring[(taps.first + tap) % IMAGE_MAXIMUM_TAPS];
			for (uint32_t channel = 0; channel < IMAGE_CHANNELS; ++channel) {
				sum.channel[channel] += taps.weight[tap] * column->channel[channel];
			}
		}
		write_sum(view, &sum, rows.sum * taps.sum, destination + i * view->input->channels);
	}
}
