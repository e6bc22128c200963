/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/control_process.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/expiry.h"
#include "api/http.h"
#include "app/control_feed.h"
#include "app/supervisor.h"
#include "base/log.h"
#include "base/mem.h"
#include "intake/intake.h"
#include "intake/secondary.h"

struct process {
	int ready_fd;
	struct store *store;
	struct control_feed *feed;
	struct control *control;
	struct intake *intake;
	struct secondary *secondary;
	struct expiry *expiry;
	struct http *http;
};

static void
tell_ready(void *arg)
{
	const struct process *p = arg;
	if (write(p->ready_fd, "R", 1) != 1)
		log_debug("control", "nobody waits for readiness");
}

static void
take_forward(void *arg, const uint8_t *body, size_t len)
{
	intake_take(arg, body, len);
}

static void
send_response(void *arg, uint32_t id, const uint8_t *response, size_t len)
{
	control_feed_forwarded(arg, id, response, len);
}

/* Before the feed starts: from its first message on there is somebody to take it. */
static void
start_intake(struct process *p)
{
	p->intake = intake_new(p->control, &(struct intake_hooks){ p->feed, send_response });
	control_feed_on_forward(p->feed, take_forward, p->intake);
	intake_start(p->intake);
}

static int
build(struct process *p, const struct config *c, const struct sockets *s, struct diag *d)
{
	if (store_open(c->data_dir, &p->store, d) != 0)
		return -1;
	store_keep(p->store, c->revisions_kept);
	char *path = xasprintf("%s/feed.sock", c->data_dir);
	p->feed = control_feed_new(p->store, path);
	free(path);

	const struct control_engine engine = control_feed_engine(p->feed);
	p->control = control_new(p->store, &engine, d);
	if (p->control == NULL)
		return -1;
	p->secondary = secondary_start(p->control, (size_t)c->transfer_max_mib << 20);
	p->expiry = expiry_start(p->control);
	start_intake(p);
	control_feed_start(p->feed, p->control, tell_ready, p);

	const struct http_config hc = {
		.tcp_fd = s->api, .unix_fd = s->control, .data_dir = c->data_dir
	};
	p->http = http_start(&hc, p->control, d);
	return p->http == NULL ? -1 : 0;
}

/* No request is left before the feed goes, no feed before the state it writes to. */
static void
tear_down(struct process *p)
{
	if (p->http != NULL)
		http_stop(&p->http);
	expiry_stop(&p->expiry);
	if (p->feed != NULL)
		control_feed_stop(p->feed);
	intake_free(&p->intake);
	secondary_stop(&p->secondary);
	control_feed_free(&p->feed);
	if (p->control != NULL)
		control_free(&p->control);
	store_close(&p->store);
}

static void
wait_for_term(void)
{
	sigset_t set;
	siginfo_t si;
	supervisor_signals(&set);
	for (;;) {
		const int sig = sigwaitinfo(&set, &si);
		if (sig == SIGTERM)
			return;
		if (sig == SIGHUP)
			log_level_set((enum log_level)si.si_value.sival_int);
	}
}

int
control_process_main(const struct config *c, const struct sockets *s, int ready_fd)
{
	struct process p = { .ready_fd = ready_fd };
	struct diag d;
	int code = 0;

	diag_init(&d);
	if (build(&p, c, s, &d) == 0) {
		wait_for_term();
		control_feed_leave(p.feed);
	} else {
		log_error("control", "%s", diag_text(&d));
		/* Another start does not make a newer database older; a full disk may get room. */
		code = d.code == DIAG_INVALID ? EXIT_CONFIG : EXIT_RUNTIME;
	}
	tear_down(&p);
	diag_fini(&d);
	return code;
}
