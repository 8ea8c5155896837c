/* SPDX-License-Identifier: Apache-2.0 */
#include "exact.h"

#include "person.h"

const struct exact_model exact_models[] = {
	{
		.model = &person,
		.input = person_input,
		.run = person_run,
		.run_rows = person_run_rows,
		.output = person_output,
		.selftest = person_selftest,
	},
};
const int exact_model_count = 1;
