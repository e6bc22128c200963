/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * AF_XDP in the engine: bind the socket of each queue, start its worker, and only then divert
 * queries to it.
 *
 * An engine that follows a dead one may find a queue still taken: the kernel gives the memory of
 * the dead one's socket back a little later. So binding is tried for a while; meanwhile, as before
 * and in the end if it fails, ordinary sockets serve.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/engine_state.h"
#include "app/xdp_ports.h"
#include "base/clock.h"
#include "base/mem.h"

#define TRY_MS  20
#define BUSY_MS 5000 /* so long a queue may be taken */

/* A queue: the server knows it by its place. */
struct port {
	struct xdp_interface *interface;
	unsigned queue;
	bool serving, waits;
};

struct engine_xdp {
	struct engine *engine;
	unsigned n;
	struct port *ports;
	struct server_xdp *sockets;
	bool *told; /* [interface]: it serves, or never will */
	struct wheel_timer again;
	uint64_t started_ms;
};

static void
give_up(struct port *p, const char *what, int err)
{
	xdp_ports_fail(p->interface, "%s: queue %u: %s: %s", p->interface->name, p->queue, what,
	    strerror(-err));
}

static void
serve(struct engine_xdp *x, unsigned i)
{
	struct port *p = &x->ports[i];
	const struct xdp_interface *at = p->interface;
	struct xsk *socket = server_xdp_socket(x->engine->server, i);
	int err = xsk_bind(socket, at->ifindex, p->queue);

	p->waits = err == -EBUSY && clock_mono_ms() - x->started_ms < BUSY_MS;
	if (p->waits)
		return;
	if (err != 0) {
		give_up(p, "cannot be bound", err);
		return;
	}
	server_xdp_start(x->engine->server, i);
	err = xdp_filter_divert(at->filter, p->queue, xsk_fd(socket));
	if (err != 0)
		give_up(p, "cannot be diverted", err);
	else
		p->serving = true;
}

/* What came of an interface. */
static void
tell(struct engine_xdp *x, const struct xdp_interface *i)
{
	const bool failed = i->problem != NULL;
	const char *mode = !failed && xdp_filter_is_generic(i->filter) ? "generic" : "driver";
	char *text = failed
			 ? xasprintf("no AF_XDP: %s; ordinary sockets serve", i->problem)
			 : xasprintf("AF_XDP at %s: queues: %u, %s mode", i->name, i->queues, mode);

	if (!failed)
		log_info("engine", "%s", text);
	engine_feed_notice(x->engine, failed ? "xdp.unavailable" : "xdp.serving",
	    failed ? "warning" : "info", text);
	free(text);
}

/* Those of its queues that wait. False: some still do. */
static bool
serve_interface(struct engine_xdp *x, const struct xdp_interface *at)
{
	bool all = true;

	for (unsigned i = 0; i < x->n; i++) {
		struct port *p = &x->ports[i];

		if (p->interface != at || !p->waits)
			continue;
		if (at->problem == NULL)
			serve(x, i);
		else
			p->waits = false;
		all &= !p->waits;
	}
	return all;
}

static void
serve_all(struct wheel_timer *t)
{
	struct engine_xdp *x = container_of(t, struct engine_xdp, again);
	const struct xdp_ports *all = x->engine->sockets->xdp;
	bool later = false;

	for (unsigned k = 0; k < all->n; k++) {
		if (x->told[k])
			continue;
		x->told[k] = serve_interface(x, &all->interfaces[k]);
		if (x->told[k])
			tell(x, &all->interfaces[k]);
		else
			later = true;
	}
	if (later)
		loop_timer_in(x->engine->loop, &x->again, TRY_MS);
}

unsigned
engine_xdp_open(struct engine *e)
{
	struct xdp_ports *all = e->sockets->xdp;
	struct engine_xdp *x = xcalloc(1, sizeof(*x));

	x->engine = e;
	e->xdp = x;
	wheel_timer_init(&x->again, serve_all);
	for (unsigned k = 0; k < all->n; k++)
		x->n += all->interfaces[k].sockets != NULL ? all->interfaces[k].queues : 0;
	x->told = xcalloc(all->n, sizeof(*x->told));
	x->ports = xcalloc(x->n, sizeof(*x->ports));
	x->sockets = xcalloc(x->n, sizeof(*x->sockets));
	for (unsigned k = 0, n = 0; k < all->n; k++) {
		struct xdp_interface *i = &all->interfaces[k];

		for (unsigned q = 0; i->sockets != NULL && q < i->queues; q++, n++) {
			x->ports[n] = (struct port){ i, q, .waits = true };
			x->sockets[n] = (struct server_xdp){ i->sockets[q], i->ifindex, i->mtu };
			i->sockets[q] = NULL;
		}
	}
	return x->n;
}

void
engine_xdp_equip(const struct engine *e, struct server_config *c)
{
	c->n_xdp = e->xdp->n;
	c->xdp = e->xdp->sockets;
}

void
engine_xdp_start(struct engine *e)
{
	e->xdp->started_ms = clock_mono_ms();
	serve_all(&e->xdp->again);
}

/* The workers go on until the server stops, and answer what has been diverted. */
void
engine_xdp_stop(struct engine *e)
{
	struct engine_xdp *x = e->xdp;

	loop_timer_cancel(e->loop, &x->again);
	for (unsigned i = 0; i < x->n; i++)
		if (x->ports[i].serving)
			xdp_filter_restore(x->ports[i].interface->filter, x->ports[i].queue);
	free(x->told);
	free(x->ports);
	free(x->sockets);
	free(x);
	e->xdp = NULL;
}

static void
add_gauge(json_t *j, const char *name, unsigned value)
{
	json_object_set_new(j, name, json_pack("{s:i}", "gauge", (int)value));
}

void
engine_xdp_counters(const struct engine *e, json_t *j)
{
	const struct xdp_ports *all = e->sockets->xdp;
	unsigned failed = 0, serving = 0;

	if (all->n == 0)
		return;
	for (unsigned k = 0; k < all->n; k++)
		failed += all->interfaces[k].problem != NULL;
	for (unsigned i = 0; i < e->xdp->n; i++)
		serving += e->xdp->ports[i].serving;
	add_gauge(j, "xdp_interfaces", all->n);
	add_gauge(j, "xdp_interfaces_failed", failed);
	add_gauge(j, "xdp_sockets", serving);
}
