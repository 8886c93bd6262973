// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ntpkctl version: of this program, of the daemon and of the module, each as
 * far as it is there.
 */
#include <stdio.h>
#include <string.h>
#include "ctl/ctl.h"
#include "ctl/fmt.h"

int cmd_version(const struct ctl *ctl, int argc, char **argv)
{
	struct json_object *answer, *daemon = NULL, *module = NULL, *data;
	struct ctl_error no_daemon, no_module;
	char text[FMT_TEXT_MAX];

	(void)argc;
	(void)argv;
	if (ctl_request(ctl, "version", NULL, NULL, &answer, &no_daemon) == CTL_OK)
		json_object_object_get_ex(answer, "data", &daemon);
	ctl_module_state(&module, &no_module);
	if (ctl->json) {
		data = json_object_new_object();
		json_object_object_add(data, "ntpkctl", json_object_new_string(NTPK_VERSION));
		json_object_object_add(data, "ntpkd", json_object_get(daemon));
		json_object_object_add(data, "module", json_object_get(module));
		ctl_print_data(data);
	} else {
		printf("ntpkctl %s\n", NTPK_VERSION);
		if (daemon)
			printf("ntpkd   %s\n", fmt_safe(text, sizeof(text),
							fmt_str(daemon, "version")));
		else
			printf("ntpkd   %s\n", fmt_safe(text, sizeof(text), no_daemon.text));
		printf("module  %s\n", fmt_safe(text, sizeof(text), module ?
						fmt_str(module, "status") : no_module.text));
	}
	json_object_put(module);
	json_object_put(answer);
	return CTL_OK;
}
