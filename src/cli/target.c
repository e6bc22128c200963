/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/target.h"

#include <stdlib.h>
#include <unistd.h>

#define SYSTEM_SOCKET "/var/lib/opengtm/control.sock"
#define LOCAL_SOCKET  "gtm-data/control.sock"

static const char *
environment(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && *value != '\0' ? value : NULL;
}

int
target_choose(struct client_target *t, const struct args *args, struct arena *a, struct diag *d)
{
	const char *dir = args_value(args, "--data-dir");

	*t = (struct client_target){
		.server = args_value(args, "--server"),
		.socket = args_value(args, "--socket"),
		.token_file = args_value(args, "--token-file"),
	};
	if ((t->server != NULL) + (t->socket != NULL) + (dir != NULL) > 1)
		return diag_add(d, DIAG_INVALID, "--server, --socket, --data-dir",
		    "only one of them can be given");
	if (dir != NULL)
		t->socket = arena_printf(a, "%s/control.sock", dir);
	if (t->server == NULL && t->socket == NULL)
		t->server = environment("GTM_SERVER");
	if (t->server == NULL && t->socket == NULL)
		t->socket = environment("GTM_SOCKET");
	if (t->server == NULL && t->socket == NULL)
		t->socket = access(SYSTEM_SOCKET, F_OK) != 0 && access(LOCAL_SOCKET, F_OK) == 0
				? LOCAL_SOCKET
				: SYSTEM_SOCKET;
	if (t->token_file == NULL && t->server != NULL)
		t->token_file = environment("GTM_TOKEN_FILE");
	return 0;
}
