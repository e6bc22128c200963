/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/control_sync.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "feed/codec.h"

/* A whole model travels in sets of this many operations. */
#define OPS_PER_MESSAGE 10000

struct packer {
	struct link *link;
	struct change_set set;
	size_t max; /* send when it holds so many; 0: only at the end */
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
		link_send(p->link, MESSAGE_CHANGE, b.data, b.len);
	buf_fini(&b);
	change_fini(&p->set);
	change_init(&p->set);
}

static int
pack(const struct change_op *op, void *arg)
{
	struct packer *p = arg;
	change_add(&p->set, op);
	if (p->max > 0 && p->set.count >= p->max)
		send_set(p, 0);
	return 0;
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
	link_send(p->link, MESSAGE_RESET, "{}", 2);
	p->max = OPS_PER_MESSAGE;
	const int err = store_load(store, pack, p, revision);
	if (err == 0 && p->set.count > 0)
		send_set(p, *revision);
	return err;
}

void
control_sync(struct store *store, struct link *link, const char *lineage, uint64_t revision)
{
	struct packer p = { .link = link };
	uint64_t now = 0;
	change_init(&p.set);
	int err = -ESTALE;
	if (strcmp(lineage, store_lineage(store)) == 0)
		err = send_missing(store, &p, revision, &now);
	if (err == -ESTALE)
		err = send_all(store, &p, &now);
	change_fini(&p.set);
	if (err != 0) {
		log_error("control", "the engine cannot be brought up to date: %s", strerror(-err));
		return;
	}
	json_t *body =
	    json_pack("{s:I, s:s}", "revision", (json_int_t)now, "lineage", store_lineage(store));
	link_send_json(link, MESSAGE_CURRENT, body);
	json_decref(body);
}
