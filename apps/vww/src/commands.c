/* SPDX-License-Identifier: Apache-2.0 */
/* Shell commands, where Zephyr has a shell: vww status, vww threshold PERCENT, vww selftest. */
#include "control.h"

#if defined(CONFIG_SHELL)

#include <errno.h>
#include <stdlib.h>

#include <zephyr/shell/shell.h>

static int status_command(const struct shell *shell, size_t count, char **words)
{
	ARG_UNUSED(shell);
	ARG_UNUSED(count);
	ARG_UNUSED(words);
	atomic_store(&control.status, true);
	return 0;
}

static int selftest_command(const struct shell *shell, size_t count, char **words)
{
	ARG_UNUSED(shell);
	ARG_UNUSED(count);
	ARG_UNUSED(words);
	atomic_store(&control.selftest, true);
	return 0;
}

static int threshold_command(const struct shell *shell, size_t count, char **words)
{
	ARG_UNUSED(count);
	char *end;
	const unsigned long percent = strtoul(words[1], &end, 10);

	if (end == words[1] || *end != '\0' || percent < 1 || percent > 99) {
		shell_error(shell, "%s: a threshold is 1 to 99 (percent)", words[1]);
		return -EINVAL;
	}
	atomic_store(&control.threshold_percent, (unsigned int)percent);
	return 0;
}

SHELL_STATIC_SUBCMD_SET_CREATE(vww_commands,
	SHELL_CMD_ARG(status, NULL, "frame rate, memory and the decision, now", status_command, 1, 0),
	SHELL_CMD_ARG(threshold, NULL, "PERCENT: the score must reach this", threshold_command, 2, 0),
	SHELL_CMD_ARG(selftest, NULL, "does the model compute what it should?", selftest_command, 1, 0),
	SHELL_SUBCMD_SET_END);

SHELL_CMD_REGISTER(vww, &vww_commands, "camera: person or not", NULL);

#endif
