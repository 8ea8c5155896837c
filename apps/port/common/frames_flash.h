/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frames that `python -m runnel.frames` writes as C, for boards without a camera. Of a JPEG the bytes of its file
 * are at `pixels`, and row_bytes is their number.
 */
#ifndef FRAMES_FLASH_H_
#define FRAMES_FLASH_H_

#include "frame_source.h"

extern const struct frame frames_flash[];
extern const uint32_t frames_flash_count;

#endif /* FRAMES_FLASH_H_ */
