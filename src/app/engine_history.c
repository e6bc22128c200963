/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What zones' histories are made of (zone/history.h), on disk, so that IXFR goes on after a
 * restart:
 *
 *	engine.history      the newer records: steps, and zones whose chain broke
 *	engine.history.old  the older ones, as many bytes
 *
 * When the newer file is full it becomes the older one: no rewriting, twice FILE_MAX bytes at most,
 * and a zone that has not changed for long takes an AXFR after a restart. A step is written before
 * the change reaches the model's journal, so a step too many is possible, and cut off: what leads
 * to the serial that the zone has is kept. A gap (a disk that was full) breaks the chain by itself.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/engine_state.h"
#include "base/check.h"
#include "base/mem.h"
#include "dns/name.h"
#include "dns/rrtype.h"
#include "zone/history_codec.h"

#define FILE_MAX (32u << 20)

enum { RECORD_STEP = 1, RECORD_FORGET };

struct engine_history {
	char *path, *older;
	struct journal *log; /* NULL: it could not be opened */
	struct strmap known; /* zones of which there may be steps on disk; values say nothing */
};

/* -- reading -- */

static void
replay(void *arg, uint8_t type, const uint8_t *data, size_t len)
{
	struct engine *e = arg;
	struct buf_reader r = { .data = data, .len = len };
	const int apex_len = name_check(data, len, 0);
	const uint8_t *apex = apex_len > 0 ? buf_read_bytes(&r, (size_t)apex_len) : NULL;
	struct zone *z = apex != NULL ? zones_exact(e->zones, apex) : NULL;
	struct history *h = z != NULL ? zone_history(z) : NULL;
	struct history_step *s;
	char name[NAME_TEXT_SIZE];

	if (apex == NULL)
		return;
	/* Also of zones that are gone: another of that name must not inherit. */
	if (type == RECORD_STEP)
		strmap_put(&e->history->known, name_text(apex, name), e);
	else
		strmap_remove(&e->history->known, name_text(apex, name));
	if (h != NULL && type == RECORD_FORGET)
		history_drop(h);
	else if (h != NULL && (s = history_codec_take(&r)) != NULL)
		history_recall(h, s);
}

static void
settle(struct engine *e)
{
	STRMAP_EACH (&tree_model(e->tree)->objects[KIND_ZONE], entry) {
		uint8_t apex[NAME_MAX_LEN];
		const struct zone *z =
		    name_parse_lower(entry->key, apex) > 0 ? zones_exact(e->zones, apex) : NULL;
		const struct zone_node *n = z != NULL ? zone_apex_node(z) : NULL;
		const struct rrset *soa = n != NULL ? zone_node_find(n, RRTYPE_SOA) : NULL;

		if (z == NULL || zone_history(z) == NULL)
			continue;
		if (soa != NULL)
			history_settle(zone_history(z), history_serial(soa));
		else
			history_drop(zone_history(z));
	}
}

static struct journal *
open_log(struct engine *e, const char *path)
{
	struct diag d;
	diag_init(&d);
	struct journal *j = journal_open(path, replay, e, &d);
	if (j == NULL)
		log_error("engine", "histories of zones are not kept: %s", diag_text(&d));
	diag_fini(&d);
	return j;
}

void
engine_history_open(struct engine *e)
{
	struct engine_history *h = xcalloc(1, sizeof(*h));

	h->path = xasprintf("%s/engine.history", e->config->data_dir);
	h->older = xasprintf("%s.old", h->path);
	strmap_init(&h->known);
	e->history = h;
	if (access(h->older, F_OK) == 0) {
		struct journal *older = open_log(e, h->older);
		journal_close(&older);
	}
	h->log = open_log(e, h->path);
	settle(e);
}

void
engine_history_close(struct engine *e)
{
	struct engine_history *h = e->history;

	if (h == NULL)
		return;
	journal_close(&h->log);
	strmap_fini(&h->known);
	free(h->path);
	free(h->older);
	free(h);
	e->history = NULL;
}

/* -- writing -- */

static void
ignore(void *arg UNUSED, uint8_t type UNUSED, const uint8_t *data UNUSED, size_t len UNUSED)
{
}

/* An empty file in place of the newer one, which has been moved or removed. */
static void
start_anew(struct engine_history *h)
{
	struct diag d;

	diag_init(&d);
	journal_close(&h->log);
	h->log = journal_open(h->path, ignore, NULL, &d);
	if (h->log == NULL)
		log_error("engine", "histories of zones are not kept: %s", diag_text(&d));
	diag_fini(&d);
}

static int
append(struct engine_history *h, uint8_t type, const struct buf *b)
{
	if (h->log != NULL && journal_size(h->log) > FILE_MAX && rename(h->path, h->older) == 0)
		start_anew(h);
	if (h->log == NULL || b->overflow)
		return -1;
	return journal_append(h->log, type, b->data, b->len);
}

void
engine_history_keep(struct engine *e, const struct zone *z, const struct history_step *s)
{
	const uint8_t *apex = zone_apex(z);
	char name[NAME_TEXT_SIZE];
	struct buf b;

	if (e->history == NULL)
		return;
	buf_init(&b, FILE_MAX / 2);
	buf_put(&b, apex, name_len(apex));
	history_codec_put(&b, s);
	strmap_put(&e->history->known, name_text(apex, name), e);
	if (append(e->history, RECORD_STEP, &b) != 0)
		log_debug("engine", "a step of zone '%s' is not on disk", name);
	buf_fini(&b);
}

void
engine_history_forget(struct engine *e, const uint8_t *apex)
{
	struct engine_history *h = e->history;
	char name[NAME_TEXT_SIZE];
	struct buf b;

	if (h == NULL || strmap_find(&h->known, name_text(apex, name)) == NULL)
		return;
	strmap_remove(&h->known, name);
	buf_init(&b, NAME_MAX_LEN);
	buf_put(&b, apex, name_len(apex));
	if (append(h, RECORD_FORGET, &b) != 0) {
		/* Better nothing than what is not true any more. */
		(void)unlink(h->path);
		(void)unlink(h->older);
		start_anew(h);
	}
	buf_fini(&b);
}
