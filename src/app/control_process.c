/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/control_process.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/expiry.h"
#include "api/http.h"
#include "api/windows.h"
#include "app/control_feed.h"
#include "app/control_sync.h"
#include "app/supervisor.h"
#include "base/log.h"
#include "base/mem.h"
#include "intake/intake.h"
#include "intake/secondary.h"
#include "node/station.h"

#define CONTROL_NICE 10 /* below the engine */

#define CONTROL_NICE 10 /* below the engine */

struct process {
	int ready_fd;
	struct store *store;
	struct control_feed *feed;
	struct control_engine engine; /* the feed's */
	struct control *control;
	struct intake *intake;
	struct secondary *secondary;
	struct expiry *expiry;
	struct windows *windows;
	struct station *station; /* NULL: no nodes */
	struct http *http;
};

#define SEEN_MS 1000 /* what nodes have seen is waited for */

/* ---- nodes that probe ---- */

static void
to_engine(void *arg, enum message_type type, const char *text, size_t len)
{
	const struct process *p = arg;
	control_feed_tell(p->feed, type, text, len);
}

static void
sync_node(void *arg, const struct station_out *out, const char *lineage, uint64_t revision)
{
	const struct process *p = arg;
	control_sync(p->store, out, lineage, revision);
}

static void
engine_came(void *arg)
{
	const struct process *p = arg;
	station_engine_came(p->station);
}

static int
build_station(struct process *p, const struct config *c, int fd, struct diag *d)
{
	if (fd < 0)
		return 0;
	const struct station_config sc = { fd, c->data_dir, c->nodes_advertise };
	const struct station_hooks hooks = { p, to_engine, sync_node };
	p->station = station_new(&sc, p->control, &hooks, d);
	if (p->station == NULL)
		return -1;
	control_set_nodes(p->control, &(struct control_nodes){ p->station, station_invite });
	control_feed_on_engine(p->feed, engine_came, p);
	return 0;
}

/* ---- the engine, and what nodes have to do with it ---- */

static bool
deliver(void *arg, const struct change_set *set, unsigned timeout_ms)
{
	const struct process *p = arg;
	if (p->station != NULL)
		station_deliver(p->station, set);
	return p->engine.deliver(p->engine.arg, set, timeout_ms);
}

static json_t *
ask(void *arg, const char *verb, const json_t *request, unsigned timeout_ms, struct diag *d)
{
	const struct process *p = arg;
	json_t *reply = p->engine.ask(p->engine.arg, verb, request, timeout_ms, d);
	if (reply != NULL && p->station != NULL && strcmp(verb, "observe") == 0)
		station_complete(p->station, reply, SEEN_MS);
	return reply;
}

static bool
is_ready(void *arg)
{
	const struct process *p = arg;
	return p->engine.ready(p->engine.arg);
}

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

	p->engine = control_feed_engine(p->feed);
	const struct control_engine engine = { p, deliver, ask, is_ready };
	p->control = control_new(p->store, &engine, d);
	if (p->control == NULL)
		return -1;
	p->windows = windows_start(p->control);
	p->secondary = secondary_start(p->control, (size_t)c->transfer_max_mib << 20);
	p->expiry = expiry_start(p->control);
	start_intake(p);
	if (build_station(p, c, s->nodes, d) != 0)
		return -1;
	control_feed_start(p->feed, p->control, tell_ready, p);
	if (p->station != NULL)
		station_start(p->station);

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
	windows_stop(&p->windows);
	/* The feed may tell it of an engine until it has stopped; changes, until the others have.
	 */
	if (p->feed != NULL)
		control_feed_stop(p->feed);
	intake_free(&p->intake);
	secondary_stop(&p->secondary);
	station_free(&p->station);
	control_feed_free(&p->feed);
	if (p->control != NULL)
		control_free(&p->control);
	store_close(&p->store);
}

int
control_process_main(const struct config *c, const struct sockets *s, int ready_fd)
{
	struct process p = { .ready_fd = ready_fd };
	struct diag d;
	int code = 0;

	diag_init(&d);
	/* Answers go before changes where there are not cores enough for both; threads inherit it.
	 */
	(void)!nice(CONTROL_NICE);
	if (build(&p, c, s, &d) == 0) {
		supervisor_wait();
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
