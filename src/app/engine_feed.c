/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/engine_state.h"
#include "base/buf.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "feed/codec.h"
#include "feed/told.h"
#include "net/sock.h"
#include "steer/explain.h"

/* Events kept while control is away; older ones are dropped first. */
#define PENDING_MAX 1000

/* ---- up ---- */

void
engine_feed_status(struct engine *e, enum kind kind, const char *name, const char *status)
{
	if (e->link == NULL || e->config->node_name != NULL)
		return; /* told whole when control comes; a node's server knows better */
	buf_clear(&e->saying);
	told_put_status(&e->saying, &(struct told_status){ kind, name, status });
	link_send_news(e->link, MESSAGE_STATUS, e->saying.data, e->saying.len);
}

/* For a node's server, which may be of another version: JSON. */
static void
send_as_json(struct engine *e, const struct told_event *ev)
{
	char at[CLOCK_TEXT_SIZE];
	json_t *body = json_pack("{s:s, s:s, s:s, s:s}", "kind", ev->kind, "severity", ev->severity,
	    "text", ev->text, "at", clock_text(ev->at_ms, at));
	link_send_json(e->link, MESSAGE_EVENT, body);
	json_decref(body);
}

static void
send_event(struct engine *e, const struct told_event *ev)
{
	if (e->config->node_name != NULL) {
		send_as_json(e, ev);
		return;
	}
	buf_clear(&e->saying);
	told_put_event(&e->saying, ev);
	link_send_news(e->link, MESSAGE_NEWS, e->saying.data, e->saying.len);
}

/* ---- events that wait for control ---- */

struct pending_event {
	struct list item;
	struct buf body; /* told */
};

static void
drop_first(struct engine *e)
{
	struct pending_event *p = LIST_ENTRY(e->pending_events.next, struct pending_event, item);
	list_remove(&p->item);
	e->n_pending_events--;
	buf_fini(&p->body);
	free(p);
}

static void
keep_event(struct engine *e, const struct told_event *ev)
{
	struct pending_event *p = xcalloc(1, sizeof(*p));
	buf_init(&p->body, MESSAGE_MAX);
	told_put_event(&p->body, ev);
	list_append(&e->pending_events, &p->item);
	if (++e->n_pending_events > PENDING_MAX)
		drop_first(e);
}

static void
send_pending(struct engine *e)
{
	struct told_event ev;
	for (; e->n_pending_events > 0; drop_first(e)) {
		const struct pending_event *p =
		    LIST_ENTRY(e->pending_events.next, struct pending_event, item);
		if (told_take_event(p->body.data, p->body.len, &ev) == 0)
			send_event(e, &ev);
	}
}

/* Now, or when control comes. */
static void
tell_event(struct engine *e, const struct told_event *ev)
{
	if (e->link != NULL)
		send_event(e, ev);
	else
		keep_event(e, ev);
}

void
engine_feed_notice(struct engine *e, const char *kind, const char *severity, const char *text)
{
	tell_event(
	    e, &(struct told_event){
		   .at_ms = clock_real_ms(), .kind = kind, .severity = severity, .text = text });
}

void
engine_feed_event(struct engine *e, const struct tree_event *ev)
{
	if (e->config->node_name != NULL)
		return; /* what addresses come to is its server's to say */
	tell_event(
	    e, &(struct told_event){ .at_ms = ev->at_ms,
		   .kind = ev->kind,
		   .object_kind = ev->object == NULL ? NULL : kind_table[ev->object_kind].name,
		   .object = ev->object,
		   .severity = ev->severity,
		   .text = ev->text,
		   .data = ev->data });
}

void
engine_feed_serving(struct engine *e)
{
	if (e->link != NULL)
		link_send(e->link, MESSAGE_SERVING, "{}", 2);
}

void
engine_feed_applied(struct engine *e)
{
	if (e->link == NULL)
		return;
	json_t *body = json_pack("{s:I}", "revision", (json_int_t)e->revision);
	link_send_json(e->link, MESSAGE_APPLIED, body);
	json_decref(body);
}

/* ---- questions ---- */

static json_t *
observe(struct engine *e, const json_t *request, struct diag *d)
{
	const char *name = json_string_value(json_object_get(request, "name"));
	json_t *status = name == NULL ? NULL : tree_status(e->tree, KIND_ADDRESS, name);
	if (status == NULL) {
		diag_add(d, DIAG_NOT_FOUND, "name", "there is no such address");
		return NULL;
	}
	size_t i;
	json_t *check;
	json_array_foreach(json_object_get(status, "checks"), i, check)
	{
		const char *key = json_string_value(json_object_get(check, "key"));
		json_t *seen = key == NULL ? NULL : prober_observe(e->prober, key);
		if (seen != NULL)
			json_object_update_missing(check, seen);
		if (key != NULL)
			engine_votes_describe(e, key, seen, check);
		json_decref(seen);
	}
	return status;
}

static void
add_gauge(json_t *j, const char *name, uint64_t value)
{
	json_object_set_new(j, name, json_pack("{s:I}", "gauge", (json_int_t)value));
}

static void
add_certificates(json_t *j, struct engine *e)
{
	const struct prober_certificates all = prober_certificates(e->prober);
	add_gauge(j, "certificates_seen", all.seen);
	add_gauge(j, "certificates_expiring", all.expiring);
	if (all.seen > 0)
		json_object_set_new(j, "certificate_days_min",
		    json_pack("{s:I}", "gauge", (json_int_t)all.days_min));
}

static json_t *
counters(struct engine *e)
{
	json_t *j = server_counters(e->server);
	add_gauge(j, "zones", zones_count(e->zones));
	add_gauge(j, "checks", e->checks.count);
	add_gauge(j, "engine_revision", e->revision);
	add_certificates(j, e);
	engine_geo_counters(e, j);
	engine_xdp_counters(e, j);
	engine_nodes_counters(e, j);
	json_t *probes = prober_metrics(e->prober);
	json_object_update(j, probes);
	json_decref(probes);
	return j;
}

static json_t *
answer(struct engine *e, const char *verb, const json_t *request, struct diag *d)
{
	if (verb != NULL && strcmp(verb, "explain") == 0)
		return explain(e->tree, e->zones, request, d);
	if (verb != NULL && strcmp(verb, "observe") == 0)
		return observe(e, request, d);
	if (verb != NULL && strcmp(verb, "counters") == 0)
		return counters(e);
	if (verb != NULL && strcmp(verb, "geo") == 0)
		return engine_geo_status(e);
	if (verb != NULL && strcmp(verb, "locate") == 0)
		return engine_geo_locate(e, request, d);
	if (verb != NULL && strcmp(verb, "beat") == 0)
		return engine_probe_beat(e, request, d);
	if (verb != NULL && strcmp(verb, "seen") == 0)
		return engine_report_seen(e, request);
	if (verb != NULL && strcmp(verb, "refreshed") == 0)
		return engine_secondary_refreshed(e, request);
	diag_add(d, DIAG_INVALID, "verb", "the engine does not know this question");
	return NULL;
}

static void
add_problem(json_t *list, const struct diag_problem *p)
{
	json_t *j = json_pack("{s:s, s:s}", "where", p->where, "detail", p->detail);
	if (p->got != NULL)
		json_object_set_new(j, "got", json_string(p->got));
	if (p->allowed != NULL)
		json_object_set_new(j, "allowed", json_string(p->allowed));
	json_array_append_new(list, j);
}

void
engine_feed_reply(struct engine *e, uint32_t id, json_t *result, const struct diag *d)
{
	json_t *body = json_object();
	if (result != NULL) {
		json_object_set_new(body, "reply", result);
	} else {
		json_t *list = json_array();
		for (const struct diag_problem *p = d->first; p != NULL; p = p->next)
			add_problem(list, p);
		json_object_set_new(body, "code", json_integer(d->code));
		json_object_set_new(body, "problems", list);
	}
	link_send_id(e->link, MESSAGE_REPLY, id, body);
	json_decref(body);
}

static void
reply(struct engine *e, uint32_t id, const json_t *ask)
{
	const char *verb = json_string_value(json_object_get(ask, "verb"));
	const json_t *request = json_object_get(ask, "request");
	struct diag d;
	diag_init(&d);
	/* Some are answered when they are over. */
	if (verb != NULL && strcmp(verb, "try") == 0) {
		if (engine_probe_try(e, id, request, &d) < 0)
			engine_feed_reply(e, id, NULL, &d);
	} else if (verb == NULL || strcmp(verb, "simulate") != 0)
		engine_feed_reply(e, id, answer(e, verb, request, &d), &d);
	else if (!engine_simulate_start(e, id, request, &d))
		engine_feed_reply(e, id, NULL, &d);
	diag_fini(&d);
}

static void
on_ask(struct engine *e, const uint8_t *body, size_t len)
{
	struct diag d;
	diag_init(&d);
	struct buf_reader r = { .data = body, .len = len };
	const uint32_t id = buf_read_u32(&r);
	json_t *ask = r.bad ? NULL : json_parse((const char *)body + 4, len - 4, &d);
	if (ask != NULL)
		reply(e, id, ask);
	json_decref(ask);
	diag_fini(&d);
}

/* ---- down ---- */

static void
on_change(struct engine *e, const uint8_t *body, size_t len)
{
	struct change_set c;
	if (codec_take(body, len, &c) != 0) {
		log_error("engine", "control sent a change that cannot be read; it is refused");
		return;
	}
	if (e->reset != NULL) {
		for (size_t i = 0; i < c.count; i++)
			change_add_copy(e->reset, &c.ops[i]);
	} else {
		const size_t before = engine_memory_objects(e);
		engine_apply(e, &c, NULL);
		e->revision = c.revision;
		engine_memory_grown(e, &c, len, before);
		engine_memory_change(e, body, len);
		engine_feed_applied(e);
	}
	change_fini(&c);
}

static void
on_reset(struct engine *e)
{
	if (e->reset == NULL)
		e->reset = xcalloc(1, sizeof(*e->reset));
	else
		change_fini(e->reset);
	change_init(e->reset);
}

/* What the engine has and the whole model has not goes away; referrers before what they refer to.
 */
static void
delete_missing(struct engine *e, struct change_set *whole)
{
	struct strmap present[KIND_COUNT];
	for (enum kind k = 0; k < KIND_COUNT; k++)
		strmap_init(&present[k]);
	for (size_t i = 0; i < whole->count; i++)
		if (whole->ops[i].op == CHANGE_PUT)
			strmap_put(&present[whole->ops[i].kind], whole->ops[i].name, e);
	const struct model *m = tree_model(e->tree);
	for (int k = KIND_COUNT - 1; k >= 0; k--)
		STRMAP_EACH (&m->objects[k], entry)
			if (strmap_find(&present[k], entry->key) == NULL)
				change_add(whole, &(struct change_op){ .op = CHANGE_DELETE,
						      .kind = (enum kind)k,
						      .name = entry->key });
	for (enum kind k = 0; k < KIND_COUNT; k++)
		strmap_fini(&present[k]);
}

static void
on_current(struct engine *e, const json_t *body)
{
	const char *lineage = json_string_value(json_object_get(body, "lineage"));
	const bool replaced = e->reset != NULL;
	e->revision = (uint64_t)json_integer_value(json_object_get(body, "revision"));
	snprintf(e->lineage, sizeof(e->lineage), "%s", lineage == NULL ? "" : lineage);
	if (replaced) {
		delete_missing(e, e->reset);
		engine_apply(e, e->reset, NULL);
		change_fini(e->reset);
		free(e->reset);
		e->reset = NULL;
		engine_memory_replaced(e);
	}
	e->synced = true;
	engine_feed_applied(e);
	engine_maybe_serve(e);
}

static void
on_json(struct engine *e, enum message_type type, const json_t *body)
{
	switch (type) {
	case MESSAGE_CURRENT:
		on_current(e, body);
		break;
	case MESSAGE_VOTES:
		engine_votes_take(e, body);
		break;
	case MESSAGE_BEAT:
		engine_votes_beat(e, body);
		break;
	case MESSAGE_NODE:
		engine_nodes_link(e, body);
		break;
	case MESSAGE_ECHO:
		engine_report_echo(e, body);
		break;
	case MESSAGE_ROLL:
		engine_report_all(e);
		break;
	default:
		log_warn("engine", "control sent a message of unknown type %d", type);
	}
}

void
engine_feed_take(struct engine *e, enum message_type type, const uint8_t *body, size_t len)
{
	struct diag d;
	json_t *json;
	switch (type) {
	case MESSAGE_CHANGE:
		on_change(e, body, len);
		break;
	case MESSAGE_RESET:
		on_reset(e);
		break;
	case MESSAGE_FORWARDED:
		engine_forward_answer(e, body, len);
		break;
	case MESSAGE_ASK:
		on_ask(e, body, len);
		break;
	default:
		diag_init(&d);
		json = json_parse((const char *)body, len, &d);
		on_json(e, type, json);
		json_decref(json);
		diag_fini(&d);
	}
}

static bool
is_change(enum message_type type)
{
	return type == MESSAGE_CHANGE || type == MESSAGE_RESET || type == MESSAGE_CURRENT;
}

static void
on_message(void *arg, enum message_type type, const uint8_t *body, size_t len)
{
	struct engine *e = arg;
	OBJ_CHECK(e, ENGINE_MAGIC);
	struct buf frame;
	if (e->build != NULL && is_change(type)) {
		engine_build_wait(e, type, body, len);
	} else if (type == MESSAGE_CHANGE && engine_build_wants(e, len)) {
		link_take(e->link, &frame);
		engine_build_start(e, &frame);
	} else {
		engine_feed_take(e, type, body, len);
	}
}

/* ---- the connection ---- */

static void
let_go(struct engine *e)
{
	link_free(&e->link);
	tree_hush(e->tree);
	engine_nodes_cut(e);
	engine_build_forget(e);
	engine_forward_lost(e);
	engine_simulate_lost(e);
	if (e->reset != NULL)
		change_fini(e->reset);
	free(e->reset);
	e->reset = NULL;
}

static void
on_closed(void *arg, const char *why)
{
	struct engine *e = arg;
	OBJ_CHECK(e, ENGINE_MAGIC);
	log_warn("engine", "control is gone (%s); answers and probes go on", why);
	let_go(e);
}

static void
greet(struct engine *e)
{
	json_t *hello = json_pack("{s:i, s:I, s:s, s:b}", "protocol", MESSAGE_PROTOCOL, "revision",
	    (json_int_t)e->revision, "lineage", e->synced ? e->lineage : "", "serving",
	    (int)e->serving);
	link_send_json(e->link, MESSAGE_HELLO, hello);
	json_decref(hello);
	tree_tell_all(e->tree);
	engine_nodes_tell_all(e);
	engine_report_all(e);
	send_pending(e);
}

static void
on_accept(struct loop_fd *f, uint32_t events UNUSED)
{
	struct engine *e = container_of(f, struct engine, feed_accept);
	OBJ_CHECK(e, ENGINE_MAGIC);
	const int fd = sock_accept(f->fd, NULL);
	if (fd < 0)
		return;
	/* There is one control; a new connection means that the old one is dead. */
	if (e->link != NULL)
		let_go(e);
	const struct link_hooks hooks = { e, on_message, on_closed };
	e->link = link_new(e->loop, fd, &hooks);
	e->greetings++;
	greet(e);
}

void
engine_feed_open(struct engine *e)
{
	CHECK(loop_fd_add(e->loop, &e->feed_accept, e->sockets->feed, EPOLLIN, on_accept) == 0);
}

void
engine_feed_close(struct engine *e)
{
	loop_fd_del(e->loop, &e->feed_accept);
	let_go(e);
	while (e->n_pending_events > 0)
		drop_first(e);
	buf_fini(&e->saying);
}
