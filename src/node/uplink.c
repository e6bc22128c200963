/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "node/uplink.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "feed/link.h"
#include "net/loop.h"
#include "net/sock.h"
#include "node/cert.h"
#include "node/identity.h"
#include "node/reach.h"
#include "node/wire.h"

#define FRAME_MAX (256u << 20)
#define AGE_MS    (3600 * 1000)

struct uplink {
	uint32_t magic;
#define UPLINK_MAGIC 0x09115eedu
	char *dir, *feed;
	struct identity identity;
	char *next_key; /* of a certificate that has been asked for */
	struct loop *loop;
	struct wire *wire; /* to the server */
	struct link *link; /* to the engine */
	struct wheel_timer retry, silent, age;
	unsigned attempts;
	uint64_t retry_ms, heard_ms;
	bool open, arrived;
	char *told; /* the last thing that was wrong, said once */
};

/* ---- up and down ---- */

/* The same trouble, again and again, is one line. */
static void
complain(struct uplink *u, const char *why)
{
	if (u->told != NULL && strcmp(u->told, why) == 0)
		return;
	log_warn(
	    "uplink", "server %s: %s; checks go on, their votes wait", u->identity.server, why);
	free(u->told);
	u->told = xstrdup(why);
}

static void
let_go(struct uplink *u)
{
	loop_timer_cancel(u->loop, &u->silent);
	wire_free(&u->wire);
	link_free(&u->link);
	u->open = false;
	free(u->next_key);
	u->next_key = NULL;
}

/* Nodes that lost their server together do not come back together. */
static void
try_again(struct uplink *u)
{
	let_go(u);
	loop_timer_in(u->loop, &u->retry, u->retry_ms / 2 + rand_u64() % u->retry_ms);
	u->retry_ms = u->retry_ms * 2 < UPLINK_RETRY_MAX ? u->retry_ms * 2 : UPLINK_RETRY_MAX;
}

/* Hooks may be under way in what is to be freed: from the loop, then. */
static void
hang_up(struct uplink *u, const char *why)
{
	complain(u, why);
	u->open = false;
	loop_timer_cancel(u->loop, &u->silent);
	loop_timer_in(u->loop, &u->retry, 0);
}

static void
silent_due(struct wheel_timer *t)
{
	struct uplink *u = container_of(t, struct uplink, silent);
	const uint64_t silent_ms = clock_mono_ms() - u->heard_ms;

	if (silent_ms < UPLINK_SILENT_MS) {
		loop_timer_in(u->loop, &u->silent, UPLINK_SILENT_MS - silent_ms);
		return;
	}
	complain(u, "does not answer");
	try_again(u);
}

/* ---- the certificate ---- */

static void
ask_for_another(struct uplink *u)
{
	EVP_PKEY *key = cert_key_new();
	char *request = key != NULL ? cert_request(key) : NULL;

	free(u->next_key);
	u->next_key = request != NULL ? cert_key_text(key) : NULL;
	if (u->next_key != NULL) {
		json_t *body = json_pack("{s:s}", "csr", request);

		wire_send_json(u->wire, MESSAGE_ENROL, body);
		json_decref(body);
	}
	free(request);
	EVP_PKEY_free(key);
}

static void
age_due(struct wheel_timer *t)
{
	struct uplink *u = container_of(t, struct uplink, age);

	if (u->open && identity_is_old(&u->identity))
		ask_for_another(u);
	loop_timer_in(u->loop, &u->age, AGE_MS);
}

static void
take_certificate(struct uplink *u, const char *certificate, const char *authority)
{
	const struct identity next = { u->identity.node, u->identity.server,
		(char *)(uintptr_t)authority, (char *)(uintptr_t)certificate, u->next_key };
	struct diag d;

	diag_init(&d);
	if (identity_save(u->dir, &next, NULL, &d) == 0) {
		identity_fini(&u->identity);
		if (identity_load(u->dir, &u->identity, &d) == 0)
			log_info("uplink", "the certificate is renewed");
		hang_up(u, "comes next by the new certificate");
	}
	if (diag_failed(&d))
		log_error("uplink", "the certificate is not renewed: %s", diag_text(&d));
	diag_fini(&d);
}

static void
on_enrolled(struct uplink *u, const uint8_t *data, size_t len)
{
	struct diag d;

	diag_init(&d);
	json_t *body = json_parse((const char *)data, len, &d);
	const char *certificate = json_string_value(json_object_get(body, "certificate"));
	const char *authority = json_string_value(json_object_get(body, "authority"));
	const char *problem = json_string_value(json_object_get(body, "problem"));

	if (problem != NULL) {
		complain(u, problem);
		u->retry_ms = UPLINK_RETRY_MAX;
	} else if (certificate != NULL && authority != NULL && u->next_key != NULL) {
		take_certificate(u, certificate, authority);
	}
	json_decref(body);
	diag_fini(&d);
}

/* ---- messages ---- */

static void
from_engine(void *arg, enum message_type type, const uint8_t *body, size_t len)
{
	struct uplink *u = arg;

	if (u->open && (type == MESSAGE_HELLO || type == MESSAGE_VOTES || type == MESSAGE_BEAT ||
			   type == MESSAGE_EVENT || type == MESSAGE_REPLY))
		wire_send(u->wire, type, body, len);
}

static void
engine_closed(void *arg, const char *why)
{
	struct uplink *u = arg;

	log_info("uplink", "the engine is gone (%s)", why);
	try_again(u);
}

static void
meet_engine(struct uplink *u)
{
	const struct link_hooks hooks = { u, from_engine, engine_closed };
	struct diag d;

	diag_init(&d);
	const int fd = sock_unix_connect(u->feed, &d);

	if (fd >= 0)
		u->link = link_new(u->loop, fd, &hooks);
	else
		hang_up(u, "waits for our engine");
	diag_fini(&d);
}

static void
server_open(void *arg)
{
	struct uplink *u = arg;

	u->open = true;
	u->heard_ms = clock_mono_ms();
	loop_timer_in(u->loop, &u->silent, UPLINK_SILENT_MS);
	meet_engine(u);
	if (u->link != NULL)
		loop_timer_in(u->loop, &u->age, 0);
}

/* It has let us in: TLS alone does not say so, a certificate that is refused is told later. */
static void
arrived(struct uplink *u)
{
	u->retry_ms = UPLINK_RETRY_MS;
	if (u->arrived && u->told == NULL)
		return;
	u->arrived = true;
	log_info("uplink", "connected to %s as node '%s'", u->identity.server, u->identity.node);
	free(u->told);
	u->told = NULL;
}

static void
from_server(void *arg, enum message_type type, const uint8_t *body, size_t len)
{
	struct uplink *u = arg;

	u->heard_ms = clock_mono_ms();
	if (type == MESSAGE_ENROLLED)
		on_enrolled(u, body, len);
	else if (u->link != NULL)
		link_send(u->link, type, body, len);
	if (type == MESSAGE_CURRENT)
		arrived(u);
}

static void
server_closed(void *arg, const char *why)
{
	struct uplink *u = arg;

	complain(u, why);
	try_again(u);
}

static void
connect_server(struct wheel_timer *t)
{
	struct uplink *u = container_of(t, struct uplink, retry);
	const struct wire_hooks hooks = { u, server_open, from_server, server_closed };
	SSL_CTX *ctx = identity_context(&u->identity);
	struct diag d;

	let_go(u);
	diag_init(&d);
	const int fd = ctx != NULL ? reach_connect(u->identity.server, u->attempts++, &d) : -EINVAL;

	if (fd >= 0) {
		u->wire = wire_new(u->loop, fd, ctx, false, FRAME_MAX, &hooks);
		/* A handshake, too, has to come to an end. */
		u->heard_ms = clock_mono_ms();
		loop_timer_in(u->loop, &u->silent, UPLINK_SILENT_MS);
	} else {
		complain(u, diag_failed(&d) ? diag_text(&d) : "our identity is damaged");
		try_again(u);
	}
	SSL_CTX_free(ctx);
	diag_fini(&d);
}

/* ---- life ---- */

struct uplink *
uplink_new(const char *dir, struct diag *d)
{
	struct uplink *u = xcalloc(1, sizeof(*u));
	int rc;

	u->magic = UPLINK_MAGIC;
	u->dir = xstrdup(dir);
	u->feed = xasprintf("%s/feed.sock", dir);
	u->retry_ms = UPLINK_RETRY_MS;
	u->loop = loop_new();
	wheel_timer_init(&u->retry, connect_server);
	wheel_timer_init(&u->silent, silent_due);
	wheel_timer_init(&u->age, age_due);
	rc = identity_load(dir, &u->identity, d);
	if (rc == -ENOENT)
		diag_add(d, DIAG_INVALID, dir, "holds no identity of a node");
	if (rc < 0)
		uplink_free(&u);
	return u;
}

void
uplink_run(struct uplink *u)
{
	OBJ_CHECK(u, UPLINK_MAGIC);
	loop_timer_in(u->loop, &u->retry, 0);
	loop_run(u->loop);
}

void
uplink_stop(struct uplink *u)
{
	OBJ_CHECK(u, UPLINK_MAGIC);
	loop_stop(u->loop);
}

void
uplink_free(struct uplink **up)
{
	struct uplink *u = *up;

	if (u == NULL)
		return;
	OBJ_CHECK(u, UPLINK_MAGIC);
	let_go(u);
	loop_timer_cancel(u->loop, &u->retry);
	loop_timer_cancel(u->loop, &u->age);
	loop_free(&u->loop);
	identity_fini(&u->identity);
	free(u->told);
	free(u->feed);
	free(u->dir);
	u->magic = 0;
	free(u);
	*up = NULL;
}
