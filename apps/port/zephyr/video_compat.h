/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calls of Zephyr's video API that frames_camera.c makes, for its three generations:
 *   up to 4.0  endpoints (VIDEO_EP_OUT); buffers are allocated without a timeout, and aligned from 3.7
 *   4.1        endpoints; a timeout
 *   from 4.2   no endpoints; formats, capabilities, buffers and streams have a type
 */
#ifndef VIDEO_COMPAT_H_
#define VIDEO_COMPAT_H_

#include <zephyr/drivers/video-controls.h>
#include <zephyr/drivers/video.h>
#include <zephyr/kernel.h>
#if __has_include(<zephyr/version.h>)
#include <zephyr/version.h>
#else
#include <version.h>
#endif

#define VIDEO_COMPAT_HAS_TYPES (ZEPHYR_VERSION_CODE >= ZEPHYR_VERSION(4, 1, 99))

static inline int video_compat_caps(const struct device *camera, struct video_caps *caps)
{
	*caps = (struct video_caps){0};
#if VIDEO_COMPAT_HAS_TYPES
	caps->type = VIDEO_BUF_TYPE_OUTPUT;
	return video_get_caps(camera, caps);
#else
	return video_get_caps(camera, VIDEO_EP_OUT, caps);
#endif
}

static inline int video_compat_set_format(const struct device *camera, struct video_format *format)
{
#if VIDEO_COMPAT_HAS_TYPES
	format->type = VIDEO_BUF_TYPE_OUTPUT;
	return video_set_format(camera, format);
#else
	return video_set_format(camera, VIDEO_EP_OUT, format);
#endif
}

static inline struct video_buffer *video_compat_alloc(size_t bytes)
{
#if ZEPHYR_VERSION_CODE >= ZEPHYR_VERSION(4, 1, 0)
	return video_buffer_aligned_alloc(bytes, CONFIG_VIDEO_BUFFER_POOL_ALIGN, K_NO_WAIT);
#elif ZEPHYR_VERSION_CODE >= ZEPHYR_VERSION(3, 7, 0)
	return video_buffer_aligned_alloc(bytes, CONFIG_VIDEO_BUFFER_POOL_ALIGN);
#else
	return video_buffer_alloc(bytes);
#endif
}

static inline int video_compat_enqueue(const struct device *camera, struct video_buffer *buffer)
{
#if VIDEO_COMPAT_HAS_TYPES
	buffer->type = VIDEO_BUF_TYPE_OUTPUT;
	return video_enqueue(camera, buffer);
#else
	return video_enqueue(camera, VIDEO_EP_OUT, buffer);
#endif
}

static inline int video_compat_dequeue(const struct device *camera, struct video_buffer **buffer, k_timeout_t timeout)
{
#if VIDEO_COMPAT_HAS_TYPES
	/* Some drivers read the type from the buffer that they are about to replace. */
	static struct video_buffer asked = {.type = VIDEO_BUF_TYPE_OUTPUT};

	*buffer = &asked;
	return video_dequeue(camera, buffer, timeout);
#else
	return video_dequeue(camera, VIDEO_EP_OUT, buffer, timeout);
#endif
}

/* Switches on a control that is on or off. */
static inline int video_compat_switch_on(const struct device *camera, uint32_t control_id)
{
#if VIDEO_COMPAT_HAS_TYPES
	struct video_control control = {.id = control_id, .val = 1};

	return video_set_ctrl(camera, &control);
#else
	return video_set_ctrl(camera, control_id, (void *)1);
#endif
}

static inline int video_compat_start(const struct device *camera)
{
#if VIDEO_COMPAT_HAS_TYPES
	return video_stream_start(camera, VIDEO_BUF_TYPE_OUTPUT);
#else
	return video_stream_start(camera);
#endif
}

#endif /* VIDEO_COMPAT_H_ */
