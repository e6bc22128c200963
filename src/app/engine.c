/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/engine.h"

#define URCU_API_MAP
#include <urcu/urcu-qsbr.h>

#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "app/engine_state.h"
#include "app/supervisor.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/rand.h"

#define FIRST_ROUND_MS 2000
#define TRANSFERS      8 /* sent at a time */
#define TRIM_FROM      1000

/* ---- what the tree wants of the world ---- */

static void
overlay(void *arg, const uint8_t *host, const void *o, bool shown)
{
	engine_zones_overlay(arg, host, o, shown);
}

static void
status(void *arg, enum kind kind, const char *name, const char *s)
{
	engine_feed_status(arg, kind, name, s);
}

static void
event(void *arg, const struct tree_event *ev)
{
	struct engine *e = arg;
	if (e->replaying)
		return;
	log_info("engine", "%s: %s", ev->kind, ev->text);
	engine_feed_event(e, ev);
}

static void
remember(void *arg, const char *key, const char *value)
{
	engine_memory_remember(arg, key, value);
}

#define DUE_MAX_MS 60000

/* What the tree does by itself. Real time may be set: it is looked at once a minute at least. */
void
engine_await_due(struct engine *e)
{
	const int64_t due_ms = tree_due(e->tree), left_ms = due_ms - clock_real_ms();

	loop_timer_cancel(e->loop, &e->due);
	if (due_ms == INT64_MAX)
		return;
	loop_timer_in(e->loop, &e->due,
	    left_ms <= 0           ? 0
	    : left_ms > DUE_MAX_MS ? DUE_MAX_MS
				   : (uint64_t)left_ms);
}

static void
due(struct wheel_timer *t)
{
	struct engine *e = container_of(t, struct engine, due);

	tree_tick(e->tree, clock_real_ms());
	engine_await_due(e);
}

/* While some domain balances traffic: what the workers have seen is worked up. */
static void
learn(struct wheel_timer *t)
{
	struct engine *e = container_of(t, struct engine, learning);

	tree_learn(e->tree, (uint32_t)clock_mono_ms());
	if (tree_learns(e->tree))
		loop_timer_in(e->loop, &e->learning, TREE_LEARN_MS);
}

static void
maybe_learn(struct engine *e)
{
	if (tree_learns(e->tree) && !wheel_pending(&e->learning))
		learn(&e->learning);
}

/* ---- serving ---- */

void
engine_serve(struct engine *e)
{
	if (e->serving)
		return;
	e->serving = true;
	loop_timer_cancel(e->loop, &e->round_limit);
	server_start(e->server);
	engine_xdp_start(e);
	log_info("engine", "serving: revision %llu, %zu zones, %zu checks",
	    (unsigned long long)e->revision, zones_count(e->zones), e->checks.count);
	if (write(e->ready_fd, "R", 1) != 1)
		log_debug("engine", "nobody waits for readiness");
	engine_feed_serving(e);
	engine_transfer_announce(e);
}

static void
round_over(struct wheel_timer *t)
{
	struct engine *e = container_of(t, struct engine, round_limit);
	log_warn(
	    "engine", "some checks have no verdict after %d ms; they count as up", FIRST_ROUND_MS);
	engine_serve(e);
}

void
engine_maybe_serve(struct engine *e)
{
	if (e->serving || e->round_asked || !e->synced || !engine_geo_ready(e))
		return;
	e->round_asked = true;
	loop_timer_in(e->loop, &e->round_limit, FIRST_ROUND_MS);
	prober_first_round(e->prober);
}

void
engine_apply(struct engine *e, const struct change_set *c, struct engine_fresh *fresh)
{
	engine_zones_before(e, c, fresh);
	engine_votes_change(e, c);
	prober_hold(e->prober);
	tree_apply(e->tree, c, clock_real_ms());
	prober_release(e->prober);
	engine_votes_settle(e);
	engine_await_due(e);
	maybe_learn(e);
	engine_zones_after(e, c);
	engine_secondary_change(e, c);
	/* What a large set took while it was read would stay with us for good. */
	if (c->count >= TRIM_FROM)
		malloc_trim(0);
}

/* ---- life ---- */

static void
before_sleep(void *arg UNUSED)
{
	rcu_thread_offline();
}

static void
after_sleep(void *arg UNUSED)
{
	rcu_thread_online();
}

struct stopper {
	struct loop_fd watch;
	struct engine *engine;
};

static void
on_signal(struct loop_fd *f, uint32_t events UNUSED)
{
	struct engine *e = container_of(f, struct stopper, watch)->engine;
	struct signalfd_siginfo si;
	while (read(f->fd, &si, sizeof(si)) == sizeof(si)) {
		if (si.ssi_signo == SIGHUP) {
			log_level_set((enum log_level)si.ssi_int);
			engine_geo_ask(e);
		} else {
			loop_stop(e->loop);
		}
	}
}

static int
watch_signals(struct stopper *s, struct engine *e)
{
	sigset_t set;
	supervisor_signals(&set);
	const int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	s->engine = e;
	return fd < 0 ? -1 : loop_fd_add(e->loop, &s->watch, fd, EPOLLIN, on_signal);
}

static void
build(struct engine *e)
{
	e->loop = loop_new();
	strmap_init(&e->checks);
	strmap_init(&e->recalled);
	strmap_init(&e->recalled_votes);
	strmap_init(&e->remembered);
	list_init(&e->pending_events);
	buf_init(&e->saying, MESSAGE_MAX);
	loop_hooks(e->loop, before_sleep, after_sleep, NULL);
	e->zones = zones_new();
	e->words = word_table_new();
	engine_probe_open(e);
	engine_votes_open(e);
	const struct tree_hooks hooks = { e, engine_probe_want, engine_probe_drop, overlay, status,
		event, remember };
	/* The TCP thread counts as one more worker, and so do we (signed queries). */
	e->tree = tree_new(e->words, e->sockets->workers + 2 + engine_xdp_open(e), &hooks);
	tree_seed(e->tree, rand_u64());
	tree_hush(e->tree);
	engine_transfer_open(e);
	struct server_config sc = {
		.workers = e->sockets->workers,
		.n_addrs = e->sockets->n_addrs,
		.udp_fds = e->sockets->udp,
		.tcp_fds = e->sockets->tcp,
		.tcp_max_clients = e->config->dns.tcp_max_clients,
		.tcp_idle_ms = e->config->dns.tcp_idle_ms,
		.options = config_serve_options(&e->config->dns),
		.handover = engine_forward_open(e),
		.keys = engine_transfer_keys(e),
		.transfers = TRANSFERS,
		.dir = e->config->data_dir,
	};
	engine_xdp_equip(e, &sc);
	e->server = server_new(&sc, e->zones);
	wheel_timer_init(&e->round_limit, round_over);
	wheel_timer_init(&e->due, due);
	wheel_timer_init(&e->learning, learn);
	engine_report_open(e);
	strmap_init(&e->secondaries);
}

static void
tear_down(struct engine *e)
{
	engine_geo_close(e);
	engine_feed_close(e);
	engine_build_stop(e);
	engine_rewrite_stop(e);
	rcu_thread_offline();
	engine_simulate_close(e);
	engine_xdp_stop(e);
	server_free(&e->server);
	engine_forward_close(e);
	prober_free(&e->prober);
	rcu_thread_online();
	engine_secondary_close(e);
	engine_transfer_close(e);
	engine_report_close(e);
	tree_free(&e->tree);
	zones_free(&e->zones);
	word_table_free(&e->words);
	engine_memory_close(e);
	STRMAP_EACH (&e->checks, c)
		engine_probe_free_check(e, c->value);
	engine_votes_close(e);
	STRMAP_EACH (&e->remembered, r)
		free(r->value);
	strmap_fini(&e->checks);
	strmap_fini(&e->recalled);
	strmap_fini(&e->recalled_votes);
	strmap_fini(&e->remembered);
	rcu_thread_offline();
	rcu_barrier();
	rcu_thread_online();
	loop_free(&e->loop);
}

int
engine_main(const struct config *c, const struct sockets *s, int ready_fd)
{
	struct engine e = {
		.magic = ENGINE_MAGIC, .config = c, .sockets = s, .ready_fd = ready_fd
	};
	struct stopper stopper = { 0 };
	struct diag d;
	int code = 0;

	diag_init(&d);
	rcu_register_thread();
	build(&e);
	engine_geo_open(&e);
	if (watch_signals(&stopper, &e) != 0 || engine_memory_open(&e, &d) != 0) {
		log_error("engine", "%s", diag_failed(&d) ? diag_text(&d) : "cannot watch signals");
		code = EXIT_RUNTIME;
	} else {
		engine_secondary_open(&e);
		engine_await_due(&e);
		prober_start(e.prober);
		engine_feed_open(&e);
		engine_maybe_serve(&e);
		loop_run(e.loop);
	}
	tear_down(&e);
	rcu_unregister_thread();
	diag_fini(&d);
	return code;
}
