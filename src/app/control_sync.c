/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/control_sync.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/strmap.h"
#include "feed/codec.h"

/* A whole model travels in sets of this many operations. */
#define OPS_PER_MESSAGE 10000
#define ENOUGH          1

struct packer {
	const struct station_out *out;
	struct change_set set;
	size_t max;          /* send when it holds so many; 0: only at the end */
	struct strmap zones; /* of a whole model, those whose records have not begun yet */
};

static void
send_set(struct packer *p, uint64_t revision)
{
	struct buf b;
	p->set.revision = revision;
	buf_init(&b, MESSAGE_MAX);
	codec_put(&b, &p->set);
	if (b.overflow)
		log_error("control", "a change of %zu operations is too large for the feed",
		    p->set.count);
	else
		p->out->send(p->out->arg, MESSAGE_CHANGE, b.data, b.len);
	buf_fini(&b);
	change_fini(&p->set);
	change_init(&p->set);
}

static int
pack(const struct change_op *op, void *arg)
{
	struct packer *p = arg;
	struct change_op part;
	if (p->out->pass != NULL && !p->out->pass(op, &part))
		return 0;
	change_add_copy(&p->set, p->out->pass != NULL ? &part : op);
	if (p->max > 0 && p->set.count >= p->max)
		send_set(p, 0);
	return 0;
}

static void
clear(struct packer *p, const char *zone)
{
	(void)pack(
	    &(struct change_op){ .op = CHANGE_ZONE_CLEAR, .kind = KIND_ZONE, .name = zone }, p);
}

/* The engine may have records of another history: each zone is replaced. */
static int
pack_whole(const struct change_op *op, void *arg)
{
	struct packer *p = arg;
	const bool object = op->op == CHANGE_PUT;
	/* Objects come before records, which may be very many. */
	if (!object && p->out->pass != NULL)
		return ENOUGH;
	if (object && op->kind == KIND_ZONE)
		strmap_put(&p->zones, op->name, p);
	if (!object && strmap_remove(&p->zones, op->name) != NULL)
		clear(p, op->name);
	return pack(op, arg);
}

static int
send_missing(struct store *store, struct packer *p, uint64_t since, uint64_t *revision)
{
	const int err = store_changes_since(store, since, pack, p, revision);
	if (err == 0 && p->set.count > 0)
		send_set(p, *revision);
	return err;
}

/* An error leaves the engine without CURRENT: it keeps what it has and the next connection tries
 * again. */
static int
send_all(struct store *store, struct packer *p, uint64_t *revision)
{
	p->out->send(p->out->arg, MESSAGE_RESET, "{}", 2);
	p->max = OPS_PER_MESSAGE;
	int err = store_load(store, pack_whole, p, revision);
	if (err == ENOUGH)
		err = 0;
	STRMAP_EACH (&p->zones, left)
		clear(p, left->key);
	if (err == 0 && p->set.count > 0)
		send_set(p, *revision);
	return err;
}

void
control_sync(
    struct store *store, const struct station_out *out, const char *lineage, uint64_t revision)
{
	struct packer p = { .out = out };
	uint64_t now = 0;
	change_init(&p.set);
	strmap_init(&p.zones);
	int err = -ESTALE;
	if (strcmp(lineage, store_lineage(store)) == 0)
		err = send_missing(store, &p, revision, &now);
	if (err == -ESTALE)
		err = send_all(store, &p, &now);
	change_fini(&p.set);
	strmap_fini(&p.zones);
	if (err != 0) {
		log_error("control", "the engine cannot be brought up to date: %s", strerror(-err));
		return;
	}
	json_t *body =
	    json_pack("{s:I, s:s}", "revision", (json_int_t)now, "lineage", store_lineage(store));
	char *text = json_text(body);
	out->send(out->arg, MESSAGE_CURRENT, text, strlen(text));
	free(text);
	json_decref(body);
}
