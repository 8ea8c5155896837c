/* SPDX-License-Identifier: Apache-2.0 */
/* Shell commands, where Zephyr has a shell: kws statistics, kws scores on|off, kws threshold PERCENT. */
#include "control.h"

#if defined(CONFIG_SHELL)

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <zephyr/shell/shell.h>

static int statistics_command(const struct shell *shell, size_t count, char **words)
{
	ARG_UNUSED(shell);
	ARG_UNUSED(count);
	ARG_UNUSED(words);
	atomic_store(&control.statistics, true);
	return 0;
}

static int scores_command(const struct shell *shell, size_t count, char **words)
{
	ARG_UNUSED(count);
	const bool on = strcmp(words[1], "on") == 0;
	if (!on && strcmp(words[1], "off") != 0) {
		shell_error(shell, "%s: neither on nor off", words[1]);
		return -EINVAL;
	}
	atomic_store(&control.scores, on);
	return 0;
}

static int threshold_command(const struct shell *shell, size_t count, char **words)
{
	ARG_UNUSED(count);
	char *end;
	const unsigned long percent = strtoul(words[1], &end, 10);
	if (*end != '\0' || percent < 1 || percent > 99) {
		shell_error(shell, "%s: a threshold is 1 to 99 (percent)", words[1]);
		return -EINVAL;
	}
	atomic_store(&control.threshold_percent, (unsigned int)percent);
	return 0;
}

SHELL_STATIC_SUBCMD_SET_CREATE(kws_commands,
	SHELL_CMD_ARG(statistics, NULL, "cycles, load and memory, now", statistics_command, 1, 0),
	SHELL_CMD_ARG(scores, NULL, "on|off: the scores of every run of the model", scores_command, 2, 0),
	SHELL_CMD_ARG(threshold, NULL, "PERCENT: a word's score must reach this", threshold_command, 2, 0),
	SHELL_SUBCMD_SET_END);

SHELL_CMD_REGISTER(kws, &kws_commands, "keyword spotting", NULL);

#endif
