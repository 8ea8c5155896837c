/* SPDX-License-Identifier: Apache-2.0 */
/* What can be set when the app is built: by Kconfig in Zephyr, by -D elsewhere. Explained in ../Kconfig. */
#ifndef SETTINGS_H_
#define SETTINGS_H_

#if defined(__ZEPHYR__)
#define VWW_LABEL CONFIG_VWW_LABEL
#define VWW_ON_PERCENT CONFIG_VWW_ON_PERCENT
#define VWW_OFF_PERCENT CONFIG_VWW_OFF_PERCENT
#define VWW_ON_FRAMES CONFIG_VWW_ON_FRAMES
#define VWW_OFF_FRAMES CONFIG_VWW_OFF_FRAMES
#define VWW_LAST_FRAME CONFIG_VWW_LAST_FRAME
#if defined(CONFIG_VWW_JPEG)
#define VWW_JPEG 1
#define VWW_JPEG_BYTES CONFIG_VWW_JPEG_BYTES
#endif
#endif

#ifndef VWW_LABEL
#define VWW_LABEL "person"
#endif
#ifndef VWW_ON_PERCENT
#define VWW_ON_PERCENT 70
#endif
#ifndef VWW_OFF_PERCENT
#define VWW_OFF_PERCENT 50
#endif
#ifndef VWW_ON_FRAMES
#define VWW_ON_FRAMES 2
#endif
#ifndef VWW_OFF_FRAMES
#define VWW_OFF_FRAMES 3
#endif
#ifndef VWW_LAST_FRAME
#define VWW_LAST_FRAME 0
#endif
#ifndef VWW_JPEG
#define VWW_JPEG 0
#endif
#ifndef VWW_JPEG_BYTES
#define VWW_JPEG_BYTES 6144
#endif

/* The ranges of ../Kconfig, which -D gets round. */
_Static_assert(VWW_ON_PERCENT >= 1 && VWW_ON_PERCENT <= 99, "VWW_ON_PERCENT must be 1 to 99");
_Static_assert(VWW_OFF_PERCENT >= 0 && VWW_OFF_PERCENT <= 99, "VWW_OFF_PERCENT must be 0 to 99");
_Static_assert(VWW_ON_FRAMES >= 1 && VWW_ON_FRAMES <= 1000, "VWW_ON_FRAMES must be 1 to 1000");
_Static_assert(VWW_OFF_FRAMES >= 1 && VWW_OFF_FRAMES <= 1000, "VWW_OFF_FRAMES must be 1 to 1000");
_Static_assert(VWW_OFF_PERCENT <= VWW_ON_PERCENT, "the threshold for no must not be above the one for yes");

#endif /* SETTINGS_H_ */
