/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "node/station.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/thread.h"
#include "feed/codec.h"
#include "model/nouns.h"
#include "net/sock.h"
#include "node/invitation.h"
#include "node/roster.h"
#include "node/station_types.h"

#define PAUSE_MS  100  /* without descriptors */
#define SILENT_MS 2500 /* two heartbeats missed */

/* ---- who comes ---- */

static size_t
strangers_from(const struct station *s, const struct addr *peer)
{
	size_t n = 0;

	LIST_EACH (it, tmp, &s->sessions) {
		const struct session *se = LIST_ENTRY(it, struct session, in);

		n += se->node[0] == '\0' && addr_ip_equal(&se->peer, peer);
	}
	return n;
}

/* Room for one more: the stranger that has been here longest goes. */
static void
make_room(struct station *s)
{
	LIST_EACH (it, tmp, &s->sessions) {
		struct session *se = LIST_ENTRY(it, struct session, in);

		if (se->node[0] == '\0') {
			session_free(se);
			return;
		}
	}
}

static void
pause_over(struct wheel_timer *t)
{
	struct station *s = container_of(t, struct station, pause);

	loop_fd_mod(s->loop, &s->accept, EPOLLIN);
}

static void
on_accept(struct loop_fd *f, uint32_t events UNUSED)
{
	struct station *s = container_of(f, struct station, accept);
	struct addr peer;
	const int fd = sock_accept(f->fd, &peer);

	OBJ_CHECK(s, STATION_MAGIC);
	if (fd == -EMFILE || fd == -ENFILE) {
		/* Whoever waits makes the listener ready, again and again. */
		make_room(s);
		loop_fd_mod(s->loop, &s->accept, 0);
		loop_timer_in(s->loop, &s->pause, PAUSE_MS);
	}
	if (fd < 0)
		return;
	if (strangers_from(s, &peer) >= STATION_PER_HOST) {
		close(fd);
		return;
	}
	if (s->n_strangers >= STATION_STRANGERS)
		make_room(s);
	session_start(s, fd, &peer);
}

/* ---- the registrar's answers ---- */

struct registered {
	struct station *station;
	struct registrar_job *job;
};

static void
take_registered(void *arg)
{
	struct registered *r = arg;

	LIST_EACH (it, tmp, &r->station->sessions) {
		struct session *se = LIST_ENTRY(it, struct session, in);

		if (se->id == r->job->session && !se->ending)
			session_registered(se, r->job);
	}
	registrar_job_free(&r->job);
	free(r);
}

static void
registered(void *arg, struct registrar_job *job)
{
	struct station *s = arg;
	struct registered *r = xcalloc(1, sizeof(*r));

	*r = (struct registered){ s, job };
	loop_post(s->loop, take_registered, r);
}

/* ---- changes ---- */

struct shipment {
	struct station *station;
	struct buf change; /* empty: nothing for nodes */
	bool of_nodes;     /* somebody may not be known any more */
};

static void
cut_off_unknown(struct station *s)
{
	LIST_EACH (it, tmp, &s->sessions) {
		struct session *se = LIST_ENTRY(it, struct session, in);

		if (se->node[0] != '\0' && !se->ending &&
		    roster_admits(s->control, se->node, se->digest) == ROSTER_UNKNOWN)
			session_end(se, "the server has cut this node off", "cut off");
	}
}

static void
ship(void *arg)
{
	struct shipment *sh = arg;
	struct station *s = sh->station;

	if (sh->of_nodes)
		cut_off_unknown(s);
	LIST_EACH (it, tmp, &s->sessions) {
		struct session *se = LIST_ENTRY(it, struct session, in);

		if (se->current && !se->ending && sh->change.len > 0)
			wire_send(se->wire, MESSAGE_CHANGE, sh->change.data, sh->change.len);
	}
	buf_fini(&sh->change);
	free(sh);
}

void
station_deliver(struct station *s, const struct change_set *set)
{
	struct shipment *sh = xcalloc(1, sizeof(*sh));
	struct change_set part;
	struct change_op op;

	OBJ_CHECK(s, STATION_MAGIC);
	sh->station = s;
	buf_init(&sh->change, MESSAGE_MAX);
	change_init(&part);
	part.revision = set->revision;
	for (size_t i = 0; i < set->count; i++)
		if (session_pass(&set->ops[i], &op)) {
			change_add(&part, &op);
			sh->of_nodes |= op.kind == KIND_NODE;
		}
	if (part.count > 0) {
		codec_put(&sh->change, &part);
		loop_post(s->loop, ship, sh);
	} else {
		buf_fini(&sh->change);
		free(sh);
	}
	change_fini(&part);
}

/* ---- the server's engine ---- */

static void
call_the_roll(void *arg)
{
	struct station *s = arg;

	LIST_EACH (it, tmp, &s->sessions) {
		struct session *se = LIST_ENTRY(it, struct session, in);

		if (se->node[0] == '\0' || se->ending)
			continue;
		session_tell(se, true);
		wire_send(se->wire, MESSAGE_ROLL, "{}", 2);
	}
}

void
station_engine_came(struct station *s)
{
	OBJ_CHECK(s, STATION_MAGIC);
	loop_post(s->loop, call_the_roll, s);
}

/* ---- questions ---- */

struct letter {
	struct station *station;
	uint32_t id;
	json_t *body;
};

static struct inquiry *
find_inquiry(struct station *s, uint32_t id)
{
	LIST_EACH (it, tmp, &s->inquiries) {
		struct inquiry *q = LIST_ENTRY(it, struct inquiry, item);

		if (q->id == id)
			return q;
	}
	return NULL;
}

static void
post_letters(void *arg)
{
	struct letter *l = arg;
	struct station *s = l->station;
	const uint64_t now_ms = clock_mono_ms();
	size_t n = 0;

	LIST_EACH (it, tmp, &s->sessions) {
		struct session *se = LIST_ENTRY(it, struct session, in);

		/* One that has fallen silent would only be waited for. */
		if (!se->current || se->ending || now_ms - se->heard_ms > SILENT_MS)
			continue;
		wire_send_id(se->wire, MESSAGE_ASK, l->id, l->body);
		n++;
	}
	pthread_mutex_lock(&s->lock);

	struct inquiry *q = find_inquiry(s, l->id);

	if (q != NULL) {
		q->asked = true;
		q->pending = n;
	}
	pthread_cond_broadcast(&s->answered);
	pthread_mutex_unlock(&s->lock);
	json_decref(l->body);
	free(l);
}

void
station_answer(struct station *s, uint32_t id, const char *node, json_t *reply)
{
	pthread_mutex_lock(&s->lock);

	struct inquiry *q = find_inquiry(s, id);

	if (q != NULL && q->pending > 0 && json_object_get(q->replies, node) == NULL) {
		json_object_set_new(q->replies, node, reply);
		reply = NULL;
		q->pending--;
		pthread_cond_broadcast(&s->answered);
	}
	pthread_mutex_unlock(&s->lock);
	json_decref(reply);
}

static void
wait_for(struct station *s, struct inquiry *q, unsigned timeout_ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(timeout_ms / 1000);
	until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	while (!q->asked || q->pending > 0)
		if (pthread_cond_timedwait(&s->answered, &s->lock, &until) == ETIMEDOUT)
			return;
}

/* {node: {seen: {key: ...}}} of those who answered. New reference. */
static json_t *
ask_all(struct station *s, json_t *keys, unsigned timeout_ms)
{
	struct inquiry q = { .replies = json_object() };
	struct letter *l = xcalloc(1, sizeof(*l));

	*l = (struct letter){ .station = s,
		.body = json_pack("{s:s, s:{s:o}}", "verb", "seen", "request", "keys", keys) };
	pthread_mutex_lock(&s->lock);
	l->id = q.id = ++s->next_inquiry;
	list_append(&s->inquiries, &q.item);
	loop_post(s->loop, post_letters, l);
	wait_for(s, &q, timeout_ms);
	list_remove(&q.item);
	pthread_mutex_unlock(&s->lock);
	return q.replies;
}

static bool
has_others(const json_t *check)
{
	const json_t *vote;
	size_t i;

	json_array_foreach(json_object_get(check, "nodes"), i, vote)
	{
		const char *name = json_string_value(json_object_get(vote, "node"));

		if (name != NULL && strcmp(name, NODE_LOCAL) != 0)
			return true;
	}
	return false;
}

static void
complete_vote(json_t *vote, const char *key, const json_t *replies)
{
	const char *name = json_string_value(json_object_get(vote, "node"));
	const json_t *reply = name != NULL ? json_object_get(replies, name) : NULL;
	json_t *seen =
	    json_object_get(json_object_get(json_object_get(reply, "reply"), "seen"), key);

	if (json_is_object(seen))
		json_object_update_missing(vote, seen);
}

void
station_complete(struct station *s, json_t *health, unsigned timeout_ms)
{
	json_t *checks = json_object_get(health, "checks"), *check, *vote, *keys = json_array();
	size_t i, j;

	OBJ_CHECK(s, STATION_MAGIC);
	json_array_foreach(checks, i, check)
	{
		const char *key = json_string_value(json_object_get(check, "key"));

		/* A copy: it goes to another thread. */
		if (key != NULL && has_others(check))
			json_array_append_new(keys, json_string(key));
	}
	if (json_array_size(keys) == 0) {
		json_decref(keys);
		return;
	}

	json_t *replies = ask_all(s, keys, timeout_ms);

	json_array_foreach(checks, i, check)
	{
		const char *key = json_string_value(json_object_get(check, "key"));

		json_array_foreach(json_object_get(check, "nodes"), j, vote)
		    complete_vote(vote, key != NULL ? key : "", replies);
	}
	json_decref(replies);
}

/* ---- invitations ---- */

/* Where the node is to go; NULL with a problem. */
static const char *
find_server(const struct station *s, const char *server, struct diag *d)
{
	server = server != NULL ? server : s->advertise;
	if (server != NULL && strlen(server) < TOKEN_SERVER_SIZE - 1 && strchr(server, ':') != NULL)
		return server;
	diag_add(d, DIAG_INVALID, "server", "is needed: where nodes reach this server, host:port");
	diag_detail(d, server, "say it here, or once for all in nodes.advertise");
	return NULL;
}

/* Frees `text`, the token's. */
static json_t *
reply_invitation(
    const struct control_invitation *i, const char *server, int64_t ends_ms, char *text)
{
	char ends[CLOCK_TEXT_SIZE];
	char *command = invitation_command(i->dir, text);
	json_t *j = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "node", i->name, "server", server,
	    "token", text, "expires", clock_text(ends_ms, ends), "dir",
	    i->dir != NULL ? i->dir : INVITATION_DIR, "command", command);

	CHECK(j != NULL);
	if (invitation_is_loopback(server))
		json_object_set_new(j, "warnings",
		    json_pack(
			"[o]", json_sprintf("%s can only be reached on the server itself: say "
					    "another address of it with the invitation, or "
					    "once for all in nodes.advertise",
				   server)));
	free(command);
	free(text);
	return j;
}

json_t *
station_invite(void *station, const struct control_invitation *i, struct diag *d)
{
	struct station *s = station;
	const int64_t ends_ms = clock_real_ms() + (int64_t)i->for_ms;
	struct token t = { 0 };
	const char *server;

	OBJ_CHECK(s, STATION_MAGIC);
	server = find_server(s, i->server, d);
	if (invitation_check_dir(i->dir, d) < 0 || server == NULL)
		return NULL;
	snprintf(t.server, sizeof(t.server), "%s", server);
	snprintf(t.node, sizeof(t.node), "%s", i->name);
	rand_bytes(t.secret, sizeof(t.secret));
	memcpy(t.authority, authority_digest(s->authority), sizeof(t.authority));
	if (roster_invite(s->control, i->name, t.secret, ends_ms, d) < 0)
		return NULL;
	return reply_invitation(i, server, ends_ms, token_text(&t));
}

/* ---- life ---- */

struct station *
station_new(const struct station_config *c, struct control *control,
    const struct station_hooks *hooks, struct diag *d)
{
	struct station *s = xcalloc(1, sizeof(*s));
	pthread_condattr_t monotonic;

	s->magic = STATION_MAGIC;
	s->control = control;
	s->hooks = *hooks;
	s->fd = c->fd;
	s->advertise = xstrdup(c->advertise);
	s->loop = loop_new();
	list_init(&s->sessions);
	list_init(&s->inquiries);
	wheel_timer_init(&s->pause, pause_over);
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&s->answered, &monotonic);
	pthread_condattr_destroy(&monotonic);
	s->authority = authority_open(c->dir, d);
	if (s->authority == NULL)
		station_free(&s);
	else
		s->registrar = registrar_new(control, s->authority, registered, s);
	return s;
}

static void *
run(void *arg)
{
	struct station *s = arg;

	loop_run(s->loop);
	return NULL;
}

void
station_start(struct station *s)
{
	OBJ_CHECK(s, STATION_MAGIC);
	CHECK(loop_fd_add(s->loop, &s->accept, s->fd, EPOLLIN, on_accept) == 0);
	s->started = true;
	thread_start(&s->thread, "nodes", run, s);
}

static void
end_of_posts(void *arg)
{
	loop_stop(arg);
}

void
station_free(struct station **sp)
{
	struct station *s = *sp;

	if (s == NULL)
		return;
	OBJ_CHECK(s, STATION_MAGIC);
	registrar_free(&s->registrar);
	if (s->started) {
		loop_stop(s->loop);
		thread_join(s->thread);
		loop_fd_del(s->loop, &s->accept);
		loop_timer_cancel(s->loop, &s->pause);
	}
	LIST_EACH (it, tmp, &s->sessions)
		session_free(LIST_ENTRY(it, struct session, in));
	/* What was posted too late has nobody to go to, but has to be freed. */
	loop_post(s->loop, end_of_posts, s->loop);
	loop_run(s->loop);
	loop_free(&s->loop);
	authority_free(&s->authority);
	pthread_cond_destroy(&s->answered);
	pthread_mutex_destroy(&s->lock);
	free(s->advertise);
	s->magic = 0;
	free(s);
	*sp = NULL;
}
