/* SPDX-License-Identifier: Apache-2.0 */
#include "decision.h"

void decision_start(struct decision *decision, const struct decision_settings *settings)
{
	decision->settings = *settings;
	decision->yes = false;
	decision->frames = 0;
}

bool decision_update(struct decision *decision, int32_t score)
{
	const struct decision_settings *settings = &decision->settings;
	const bool against = decision->yes ? score < settings->off : score >= settings->on;
	if (!against) {
		decision->frames = 0;
		return false;
	}
	++decision->frames;
	if (decision->frames < (decision->yes ? settings->off_frames : settings->on_frames)) {
		return false;
	}
	decision->yes = !decision->yes;
	decision->frames = 0;
	return true;
}
