/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One connection of the station:
 *
 *	handshake --no certificate--> stranger --ENROL--> registrar --> ENROLLED, end
 *	          `--certificate----> known? --> node: HELLO, VOTES, BEAT ... until it goes
 */
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "node/roster.h"
#include "node/station_types.h"

#define STRANGER_FRAME 16384
#define NODE_FRAME     (1u << 20)
#define EVENT_EVERY_MS 10000

static bool
is_node(const struct session *se)
{
	return se->node[0] != '\0';
}

/* ---- the end ---- */

void
session_end(struct session *se, const char *problem, const char *why)
{
	if (se->ending)
		return;
	se->ending = true;
	if (problem != NULL) {
		json_t *body = json_pack("{s:s}", "problem", problem);

		wire_send_json(se->wire, MESSAGE_ENROLLED, body);
		json_decref(body);
	}
	if (is_node(se))
		session_tell(se, false);
	wire_finish(se->wire, why);
	/* One that does not even take the reason is not waited for. */
	loop_timer_in(se->station->loop, &se->limit, STATION_STRANGER_MS);
}

void
session_free(struct session *se)
{
	OBJ_CHECK(se, SESSION_MAGIC);
	if (is_node(se))
		se->station->n_nodes--;
	else
		se->station->n_strangers--;
	list_remove(&se->in);
	loop_timer_cancel(se->station->loop, &se->limit);
	wire_free(&se->wire);
	se->magic = 0;
	free(se);
}

static void
on_closed(void *arg, const char *why)
{
	struct session *se = arg;
	char peer[ADDR_TEXT_SIZE];

	OBJ_CHECK(se, SESSION_MAGIC);
	if (is_node(se)) {
		log_info("nodes", "node '%s' at %s has gone: %s", se->node,
		    addr_text(&se->peer, peer), why);
		if (!se->ending)
			session_tell(se, false);
	} else {
		log_debug("nodes", "%s has gone: %s", addr_text(&se->peer, peer), why);
	}
	session_free(se);
}

/* Strangers have so long in all; nodes may not be silent for longer. */
static void
limit_due(struct wheel_timer *t)
{
	struct session *se = container_of(t, struct session, limit);
	const uint64_t silent_ms = clock_mono_ms() - se->heard_ms;

	OBJ_CHECK(se, SESSION_MAGIC);
	if (se->ending)
		on_closed(se, "it does not read");
	else if (!is_node(se))
		session_end(se, NULL, "took too long");
	else if (silent_ms >= STATION_SILENT_MS)
		on_closed(se, "not heard any more");
	else
		loop_timer_in(se->station->loop, &se->limit, STATION_SILENT_MS - silent_ms);
}

/* ---- up to the engine ---- */

static void
to_engine(struct session *se, enum message_type type, json_t *body)
{
	char *text;

	json_object_set_new(body, "node", json_string(se->node));
	text = json_text(body);
	se->station->hooks.engine(se->station->hooks.arg, type, text, strlen(text));
	free(text);
}

void
session_tell(struct session *se, bool connected)
{
	char peer[ADDR_TEXT_SIZE];
	json_t *body = json_pack(
	    "{s:b, s:s}", "connected", (int)connected, "address", addr_text(&se->peer, peer));

	to_engine(se, MESSAGE_NODE, body);
	json_decref(body);
}

/* ---- down to the node ---- */

static void
send_out(void *arg, enum message_type type, const void *body, size_t len)
{
	struct session *se = arg;

	wire_send(se->wire, type, body, len);
}

/* What probes need: of other nodes no more than that templates may name them. */
bool
session_pass(const struct change_op *op, struct change_op *out)
{
	if (op->op != CHANGE_PUT && op->op != CHANGE_DELETE)
		return false;
	*out = *op;
	if (op->kind == KIND_NODE && op->op == CHANGE_PUT)
		out->spec = "{}";
	return op->kind == KIND_NODE || op->kind == KIND_TEMPLATE || op->kind == KIND_ADDRESS;
}

static void
on_hello(struct session *se, const json_t *body)
{
	const struct station_out out = { se, send_out, session_pass };
	const char *lineage = json_string_value(json_object_get(body, "lineage"));
	const json_int_t revision = json_integer_value(json_object_get(body, "revision"));
	const json_int_t protocol = json_integer_value(json_object_get(body, "protocol"));

	if (se->current) {
		session_end(se, NULL, "greets twice");
		return;
	}
	if (protocol != MESSAGE_PROTOCOL) {
		log_warn("nodes", "node '%s' speaks version %lld of the feed, not %d", se->node,
		    (long long)protocol, MESSAGE_PROTOCOL);
		session_end(se, "this gtmd is not of the server's version", "another version");
		return;
	}
	se->station->hooks.sync(se->station->hooks.arg, &out, lineage != NULL ? lineage : "",
	    revision > 0 ? (uint64_t)revision : 0);
	se->current = true;
}

static void
on_beat(struct session *se, json_t *body)
{
	json_t *echo = json_pack("{s:I}", "clock", (json_int_t)clock_real_ms());

	json_object_set(echo, "seq", json_object_get(body, "seq"));
	wire_send_json(se->wire, MESSAGE_ECHO, echo);
	json_decref(echo);
	to_engine(se, MESSAGE_BEAT, body);
}

/* What is short at the node is worth knowing here; all else it might say is the engine's. */
static void
on_event(struct session *se, const json_t *body)
{
	const char *kind = json_string_value(json_object_get(body, "kind"));
	const char *text = json_string_value(json_object_get(body, "text"));
	const uint64_t now_ms = clock_mono_ms();
	char at[CLOCK_TEXT_SIZE];

	if (kind == NULL || text == NULL ||
	    (strcmp(kind, "probe.resources") != 0 && strcmp(kind, "probe.late") != 0) ||
	    (se->event_ms != 0 && now_ms - se->event_ms < EVENT_EVERY_MS))
		return;
	se->event_ms = now_ms;

	char *told = xasprintf("node '%s': %.500s", se->node, text);
	json_t *event = json_pack("{s:s, s:{s:s, s:s}, s:s, s:s, s:s}", "kind", kind, "object",
	    "kind", "node", "name", se->node, "severity", "warning", "text", told, "at",
	    clock_text(clock_real_ms(), at));

	if (event != NULL)
		control_event(se->station->control, event);
	json_decref(event);
	free(told);
}

/* ---- enrolment ---- */

static void
ask_registrar(struct session *se, enum registrar_what what, const char *node, const uint8_t *secret,
    const char *request)
{
	struct registrar_job *job = xcalloc(1, sizeof(*job));

	job->what = what;
	job->session = se->id;
	snprintf(job->node, sizeof(job->node), "%s", node);
	snprintf(job->digest, sizeof(job->digest), "%s", se->digest);
	if (secret != NULL)
		memcpy(job->secret, secret, sizeof(job->secret));
	job->request = xstrdup(request);
	if (!registrar_ask(se->station->registrar, job))
		session_end(se, "the server is busy; try again", "the registrar is busy");
	else
		se->asked = what != REGISTRAR_SETTLE;
}

/* From a stranger {node, secret, csr}, from a node {csr}. */
static void
on_enrol(struct session *se, const json_t *body)
{
	const char *name = json_string_value(json_object_get(body, "node"));
	const char *hex = json_string_value(json_object_get(body, "secret"));
	const char *request = json_string_value(json_object_get(body, "csr"));
	char canon[KIND_NAME_SIZE];
	uint8_t secret[TOKEN_SECRET];
	struct diag d;

	diag_init(&d);
	if (se->asked || request == NULL)
		session_end(se, NULL, "asks wrongly to be enrolled");
	else if (is_node(se))
		ask_registrar(se, REGISTRAR_RENEW, se->node, NULL, request);
	else if (name == NULL || hex == NULL || kind_name(KIND_NODE, name, canon, &d) < 0 ||
		 token_unhex(hex, secret, sizeof(secret)) < 0)
		session_end(se, NULL, "asks wrongly to be enrolled");
	else
		ask_registrar(se, REGISTRAR_ENROL, canon, secret, request);
	diag_fini(&d);
}

void
session_registered(struct session *se, const struct registrar_job *job)
{
	json_t *body;

	OBJ_CHECK(se, SESSION_MAGIC);
	se->asked = false;
	if (job->what == REGISTRAR_SETTLE)
		return;
	if (job->certificate == NULL) {
		session_end(se, job->problem, "not enrolled");
		return;
	}
	body = json_pack("{s:s, s:s}", "certificate", job->certificate, "authority",
	    authority_text(se->station->authority));
	wire_send_json(se->wire, MESSAGE_ENROLLED, body);
	json_decref(body);
	if (!is_node(se))
		session_end(se, NULL, "enrolled");
}

/* ---- what comes ---- */

static void
on_reply(struct session *se, const uint8_t *data, size_t len)
{
	struct buf_reader r = { .data = data, .len = len };
	const uint32_t id = buf_read_u32(&r);
	struct diag d;

	diag_init(&d);
	json_t *body = r.bad ? NULL : json_parse((const char *)data + 4, len - 4, &d);

	diag_fini(&d);
	if (body != NULL)
		station_answer(se->station, id, se->node, body);
}

static void
on_json(struct session *se, enum message_type type, json_t *body)
{
	if (type == MESSAGE_ENROL)
		on_enrol(se, body);
	else if (!is_node(se))
		session_end(se, NULL, "is nobody, and asks for something");
	else if (type == MESSAGE_HELLO)
		on_hello(se, body);
	else if (type == MESSAGE_VOTES)
		to_engine(se, MESSAGE_VOTES, body);
	else if (type == MESSAGE_BEAT)
		on_beat(se, body);
	else if (type == MESSAGE_EVENT)
		on_event(se, body);
	/* APPLIED and whatever else an engine says is of no use here. */
}

static void
on_message(void *arg, enum message_type type, const uint8_t *data, size_t len)
{
	struct session *se = arg;
	struct diag d;

	OBJ_CHECK(se, SESSION_MAGIC);
	if (se->ending)
		return;
	se->heard_ms = clock_mono_ms();
	if (type == MESSAGE_REPLY && is_node(se)) {
		on_reply(se, data, len);
		return;
	}
	diag_init(&d);
	json_t *body = json_parse((const char *)data, len, &d);

	if (json_is_object(body))
		on_json(se, type, body);
	else
		session_end(se, NULL, "does not speak JSON");
	json_decref(body);
	diag_fini(&d);
}

/* ---- the beginning ---- */

/* There is one node of a name; a new connection means that the old one is dead. */
static void
replace_older(struct session *se)
{
	LIST_EACH (it, tmp, &se->station->sessions) {
		struct session *other = LIST_ENTRY(it, struct session, in);

		if (other == se || other->ending || strcmp(other->node, se->node) != 0)
			continue;
		/* Its going is no news: the node is there. */
		other->ending = true;
		wire_finish(other->wire, "another connection took its place");
	}
}

static void
admit(struct session *se, const char *name, bool is_new)
{
	struct station *s = se->station;
	char peer[ADDR_TEXT_SIZE];

	if (s->n_nodes >= STATION_NODES) {
		session_end(se, "the server has too many nodes", "too many nodes");
		return;
	}
	s->n_strangers--;
	s->n_nodes++;
	snprintf(se->node, sizeof(se->node), "%s", name);
	log_info("nodes", "node '%s' is here, from %s", name, addr_text(&se->peer, peer));
	replace_older(se);
	wire_expect(se->wire, NODE_FRAME);
	session_tell(se, true);
	if (is_new)
		ask_registrar(se, REGISTRAR_SETTLE, name, NULL, NULL);
}

static void
on_open(void *arg)
{
	struct session *se = arg;
	X509 *cert;
	char name[CERT_NAME_SIZE], peer[ADDR_TEXT_SIZE];
	enum roster_word word = ROSTER_UNKNOWN;

	OBJ_CHECK(se, SESSION_MAGIC);
	cert = wire_peer(se->wire);
	if (cert == NULL)
		return; /* it may enrol, while its time lasts */
	cert_digest_text(cert, se->digest);
	if (cert_name(cert, name) == 0)
		word = roster_admits(se->station->control, name, se->digest);
	else
		name[0] = '\0';
	X509_free(cert);
	if (word != ROSTER_UNKNOWN) {
		admit(se, name, word == ROSTER_NEW);
		return;
	}
	log_warn("nodes", "who calls itself node '%.64s' is refused, from %s", name,
	    addr_text(&se->peer, peer));
	session_end(se,
	    "the server does not know this node by this certificate: it was deleted, disabled or "
	    "enrolled elsewhere",
	    "not known");
}

void
session_start(struct station *s, int fd, const struct addr *peer)
{
	struct session *se = xcalloc(1, sizeof(*se));
	const struct wire_hooks hooks = { se, on_open, on_message, on_closed };

	se->magic = SESSION_MAGIC;
	se->station = s;
	se->id = ++s->serial;
	se->peer = *peer;
	se->heard_ms = clock_mono_ms();
	s->n_strangers++;
	list_append(&s->sessions, &se->in);
	wheel_timer_init(&se->limit, limit_due);
	loop_timer_in(s->loop, &se->limit, STATION_STRANGER_MS);
	se->wire =
	    wire_new(s->loop, fd, authority_context(s->authority), true, STRANGER_FRAME, &hooks);
}
