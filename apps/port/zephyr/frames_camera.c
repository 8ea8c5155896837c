/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames from a camera, through Zephyr's video API: the chosen zephyr,camera, else a driver that is known to be one.
 * Of the formats that the camera has, the smallest that is not smaller than the model's input and fits the video pool.
 */
#include <zephyr/cache.h>
#include <zephyr/device.h>
#include <zephyr/devicetree.h>

#include "frame_source.h"
#include "port.h"
#include "video_compat.h"

#define FRAME_TIMEOUT K_SECONDS(5)
#define BUFFERS CONFIG_VIDEO_BUFFER_POOL_NUM_MAX

#if DT_HAS_CHOSEN(zephyr_camera)
#define CAMERA DEVICE_DT_GET(DT_CHOSEN(zephyr_camera))
#elif DT_HAS_COMPAT_STATUS_OKAY(st_stm32_dcmi)
#define CAMERA DEVICE_DT_GET_ONE(st_stm32_dcmi)
#elif DT_HAS_COMPAT_STATUS_OKAY(nxp_imx_csi)
#define CAMERA DEVICE_DT_GET_ONE(nxp_imx_csi)
#elif DT_HAS_COMPAT_STATUS_OKAY(espressif_esp32_lcd_cam)
#define CAMERA DEVICE_DT_GET_ONE(espressif_esp32_lcd_cam)
#elif DT_HAS_COMPAT_STATUS_OKAY(zephyr_video_sw_generator)
#define CAMERA DEVICE_DT_GET_ONE(zephyr_video_sw_generator)
#elif defined(CONFIG_VIDEO_SW_GENERATOR)
#define CAMERA device_get_binding("VIDEO_SW_GENERATOR") /* up to Zephyr 4.1 it is not in the devicetree */
#else
#error "There is no camera in the devicetree: choose zephyr,camera in an overlay, or set CONFIG_VWW_FRAMES_FLASH=y \
or CONFIG_VWW_FRAMES_GENERATOR=y to go without one. apps/vww/README.md shows how."
#endif

static const struct device *camera;
static struct video_buffer *buffers[BUFFERS];
static struct video_format format;
static enum frame_format pixel_format;

struct choice {
	struct video_format format;
	enum frame_format pixels;
	uint32_t cost; /* the less the better */
};

/* The number of bytes of a pixel; 0 for formats that the app does not read. */
static uint32_t known_format(uint32_t pixelformat, enum frame_format *found)
{
	if (pixelformat == VIDEO_PIX_FMT_RGB565) {
		*found = IS_ENABLED(CONFIG_VWW_CAMERA_BIG_ENDIAN) ? FRAME_RGB565_BIG_ENDIAN
								  : FRAME_RGB565_LITTLE_ENDIAN;
		return 2;
	}
#if defined(VIDEO_PIX_FMT_RGB565X)
	if (pixelformat == VIDEO_PIX_FMT_RGB565X) {
		*found = FRAME_RGB565_BIG_ENDIAN;
		return 2;
	}
#endif
#if defined(VIDEO_PIX_FMT_GREY)
	if (pixelformat == VIDEO_PIX_FMT_GREY) {
		*found = FRAME_GREY;
		return 1;
	}
#endif
	return 0;
}

/* The size of this capability that is nearest to what is wanted. */
static uint32_t nearest_size(uint32_t wanted, uint32_t least, uint32_t most, uint32_t step)
{
	if (wanted <= least || step == 0) {
		return least;
	}
	const uint32_t size = least + DIV_ROUND_UP(wanted - least, step) * step;

	return size <= most ? size : most;
}

static void consider(struct choice *best, const struct video_format_cap *cap)
{
	enum frame_format pixels;
	const uint32_t pixel_bytes = known_format(cap->pixelformat, &pixels);
	const uint32_t width =
		nearest_size(CONFIG_VWW_CAMERA_WIDTH, cap->width_min, cap->width_max, cap->width_step);
	const uint32_t height =
		nearest_size(CONFIG_VWW_CAMERA_HEIGHT, cap->height_min, cap->height_max, cap->height_step);
	const uint32_t bytes = width * height * pixel_bytes;

	if (pixel_bytes == 0 || bytes > CONFIG_VIDEO_BUFFER_POOL_SZ_MAX) {
		return;
	}
	/* Larger is read and thrown away; smaller is blurred, which is worse. Colour rather than grey, all else equal. */
	const bool small = width < CONFIG_VWW_CAMERA_WIDTH || height < CONFIG_VWW_CAMERA_HEIGHT;
	const uint32_t cost = small ? UINT32_MAX / 2 - bytes : 2 * width * height + (pixels == FRAME_GREY ? 1 : 0);

	if (cost < best->cost) {
		best->cost = cost;
		best->pixels = pixels;
		best->format = (struct video_format){
			.pixelformat = cap->pixelformat,
			.width = width,
			.height = height,
			.pitch = width * pixel_bytes,
		};
	}
}

static int choose_format(void)
{
	struct video_caps caps;
	struct choice best = {.cost = UINT32_MAX};

	if (video_compat_caps(camera, &caps) != 0) {
		port_print("camera: %s does not say which formats it has\n", camera->name);
		return -1;
	}
	for (const struct video_format_cap *cap = caps.format_caps; cap->pixelformat != 0; ++cap) {
		consider(&best, cap);
	}
	if (best.cost == UINT32_MAX) {
		port_print("camera: %s has no RGB565 or grey format of at most %u bytes; make "
			   "CONFIG_VIDEO_BUFFER_POOL_SZ_MAX larger\n",
			   camera->name, (unsigned int)CONFIG_VIDEO_BUFFER_POOL_SZ_MAX);
		return -1;
	}
	format = best.format;
	pixel_format = best.pixels;
	if (video_compat_set_format(camera, &format) != 0) {
		port_print("camera: %s refuses %ux%u; is the sensor plugged in?\n", camera->name,
			   (unsigned int)format.width, (unsigned int)format.height);
		return -1;
	}
	return 0;
}

static int give_buffers(void)
{
	for (uint32_t i = 0; i < BUFFERS; ++i) {
		buffers[i] = video_compat_alloc(format.pitch * format.height);
		if (buffers[i] == NULL) {
			port_print("camera: no memory for %u buffers of %u bytes; make "
				   "CONFIG_VIDEO_BUFFER_POOL_SZ_MAX a little larger\n",
				   (unsigned int)BUFFERS, (unsigned int)(format.pitch * format.height));
			return -1;
		}
		if (video_compat_enqueue(camera, buffers[i]) != 0) {
			port_print("camera: %s takes no buffers\n", camera->name);
			return -1;
		}
	}
	return 0;
}

/* A camera that cannot is used as it is: the model has seen mirrored people, and README.md says how to mount it. */
static void flip(void)
{
	if (IS_ENABLED(CONFIG_VIDEO_HFLIP) && video_compat_switch_on(camera, VIDEO_CID_HFLIP) != 0) {
		port_print("camera: %s cannot mirror left and right\n", camera->name);
	}
	if (IS_ENABLED(CONFIG_VIDEO_VFLIP) && video_compat_switch_on(camera, VIDEO_CID_VFLIP) != 0) {
		port_print("camera: %s cannot turn upside down\n", camera->name);
	}
}

int frame_source_start(void)
{
	camera = CAMERA;
	if (camera == NULL || !device_is_ready(camera)) {
		port_print("camera: %s does not answer: is it plugged in, and is it the one in the devicetree? "
			   "CONFIG_VWW_FRAMES_FLASH=y shows pictures in flash instead\n",
			   camera == NULL ? "the software generator" : camera->name);
		return -1;
	}
	if (choose_format() != 0 || give_buffers() != 0) {
		return -1;
	}
	flip();
	if (video_compat_start(camera) < 0) {
		port_print("camera: %s does not start\n", camera->name);
		return -1;
	}
	port_print("camera: %s, %ux%u %s\n", camera->name, (unsigned int)format.width, (unsigned int)format.height,
		   pixel_format == FRAME_GREY                   ? "grey"
		   : pixel_format == FRAME_RGB565_BIG_ENDIAN ? "RGB565, high byte first"
							     : "RGB565");
	return 0;
}

/*
 * The camera's DMA writes behind the data cache. All buffers, not only the one at hand: the STM32 driver copies from
 * one that it never gives away. Written back before they are forgotten, because a software camera writes through it.
 */
static void refresh_cache(void)
{
#if defined(CONFIG_CACHE_MANAGEMENT) && defined(CONFIG_DCACHE)
	for (uint32_t i = 0; i < BUFFERS; ++i) {
		(void)sys_cache_data_flush_and_invd_range(buffers[i]->buffer, buffers[i]->size);
	}
#endif
}

int frame_source_next(struct frame *frame)
{
	struct video_buffer *buffer = NULL;

	if (video_compat_dequeue(camera, &buffer, FRAME_TIMEOUT) != 0 || buffer == NULL) {
		port_print("camera: %s sends no frames; check its wiring and clock\n", camera->name);
		return -1;
	}
	refresh_cache();
	frame->pixels = buffer->buffer;
	frame->width = format.width;
	frame->height = format.height;
	frame->row_bytes = format.pitch;
	frame->format = pixel_format;
	frame->name = NULL;
	frame->private_data = buffer;
	return 1;
}

void frame_source_release(struct frame *frame)
{
	(void)video_compat_enqueue(camera, frame->private_data);
}
