/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/uplink_process.h"

#include <unistd.h>

#include "app/supervisor.h"
#include "base/attr.h"
#include "base/log.h"
#include "base/thread.h"
#include "node/uplink.h"

static void *
run(void *arg)
{
	uplink_run(arg);
	return NULL;
}

int
uplink_process_main(const struct config *c, const struct sockets *s UNUSED, int ready_fd)
{
	struct uplink *u;
	struct diag d;
	pthread_t thread;
	int code = EXIT_CONFIG;

	diag_init(&d);
	u = uplink_new(c->data_dir, &d);
	if (u != NULL) {
		thread_start(&thread, "uplink", run, u);
		/* Whether the server is there or not, this node does what it can. */
		if (write(ready_fd, "R", 1) != 1)
			log_debug("uplink", "nobody waits for readiness");
		supervisor_wait();
		uplink_stop(u);
		thread_join(thread);
		uplink_free(&u);
		code = 0;
	} else {
		log_error("uplink", "%s", diag_text(&d));
	}
	diag_fini(&d);
	return code;
}
