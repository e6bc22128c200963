/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "intake/secondary.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "intake/secondary_inside.h"
#include "model/nouns.h"

#define BUSY_MAX      16
#define TELL_AGAIN_MS 1000

/* ---- places ---- */

void
secondary_hand_out(struct secondary *s)
{
	while (!s->stopping && s->busy < BUSY_MAX && !list_empty(&s->waiting)) {
		struct secondary_zone *z = LIST_ENTRY(s->waiting.next, struct secondary_zone, item);

		list_remove(&z->item);
		s->busy++;
		secondary_zone_run(z);
	}
}

void
secondary_release(struct secondary *s)
{
	CHECK(s->busy > 0);
	s->busy--;
	secondary_hand_out(s);
}

/* ---- the engine is told ---- */

static void
tell(struct wheel_timer *t)
{
	struct secondary *s = container_of(t, struct secondary, tell);
	struct diag d;

	diag_init(&d);

	json_t *reply = control_ask(s->control, "refreshed", s->untold, &d);

	if (reply != NULL)
		json_object_clear(s->untold);
	else
		loop_timer_in(s->loop, &s->tell, TELL_AGAIN_MS);
	json_decref(reply);
	diag_fini(&d);
}

/* Many checks that end together are told together. */
void
secondary_tell(struct secondary *s, const struct secondary_zone *z)
{
	json_object_set_new(s->untold, z->name, json_integer(z->checked_ms));
	if (!wheel_pending(&s->tell))
		loop_timer_in(s->loop, &s->tell, 0);
}

/* ---- the zones there are ---- */

/* Bring our idea of `name` in line with the model. True: it was ours and is not any more. */
static bool
follow(struct secondary *s, const struct model *m, const char *name)
{
	const struct model_object *o = model_find(m, KIND_ZONE, name);
	const struct zone_spec *spec = o != NULL ? o->spec : NULL;
	struct secondary_zone *z = strmap_find(&s->zones, name);
	bool gone = false;

	if (z != NULL &&
	    (spec == NULL || spec->role != ZONE_SECONDARY || strcmp(z->id, o->id) != 0)) {
		strmap_remove(&s->zones, name);
		secondary_zone_free(&z);
		gone = true;
	}
	if (spec == NULL || spec->role != ZONE_SECONDARY)
		return gone;
	if (z != NULL) {
		secondary_zone_update(z, o);
		return false;
	}
	z = secondary_zone_new(s, o);
	strmap_put(&s->zones, name, z);
	secondary_zone_check(z, false, NULL);
	return false;
}

static void
clear_status(struct secondary *s, const char *name)
{
	control_status(s->control, KIND_ZONE, name, "{}");
}

/* ---- messages from other threads ---- */

struct note {
	struct secondary *all;
	bool refresh, whole;
	bool has_from;
	struct addr from;
	char name[KIND_NAME_SIZE];
};

static void
take_note(void *arg)
{
	struct note *n = arg;
	struct secondary *s = n->all;

	if (n->refresh) {
		struct secondary_zone *z = strmap_find(&s->zones, n->name);

		if (z != NULL)
			secondary_zone_check(z, n->whole, n->has_from ? &n->from : NULL);
	} else {
		const bool gone = follow(s, control_read_begin(s->control), n->name);

		control_read_end(s->control);
		if (gone)
			clear_status(s, n->name);
	}
	secondary_hand_out(s);
	free(n);
}

static struct note *
new_note(struct secondary *s, const char *zone)
{
	struct note *n = xcalloc(1, sizeof(*n));

	n->all = s;
	snprintf(n->name, sizeof(n->name), "%s", zone);
	return n;
}

static void
committed(void *arg, const struct change_set *set)
{
	struct secondary *s = arg;

	for (size_t i = 0; i < set->count; i++) {
		const struct change_op *op = &set->ops[i];

		if (op->kind == KIND_ZONE && (op->op == CHANGE_PUT || op->op == CHANGE_DELETE))
			loop_post(s->loop, take_note, new_note(s, op->name));
	}
}

static int
refresh(void *arg, const char *zone, bool whole, const struct addr *from, struct diag *d)
{
	struct secondary *s = arg;
	const struct model_object *o = model_find(control_read_begin(s->control), KIND_ZONE, zone);
	const struct zone_spec *spec = o != NULL ? o->spec : NULL;
	const bool known = spec != NULL, ours = known && spec->role == ZONE_SECONDARY;

	control_read_end(s->control);
	if (!known)
		return diag_add(d, DIAG_NOT_FOUND, "name", "there is no zone '%s'", zone);
	if (!ours)
		return diag_add(d, DIAG_CONFLICT, "zone",
		    "zone '%s' is a primary: there is nobody to transfer it from", zone);

	struct note *n = new_note(s, zone);

	n->refresh = true;
	n->whole = whole;
	if (from != NULL) {
		n->has_from = true;
		n->from = *from;
	}
	loop_post(s->loop, take_note, n);
	return 0;
}

/* ---- life ---- */

static void *
run(void *arg)
{
	struct secondary *s = arg;
	const struct model *m = control_read_begin(s->control);

	STRMAP_EACH (&m->objects[KIND_ZONE], entry)
		(void)follow(s, m, entry->key);
	control_read_end(s->control);
	secondary_hand_out(s);
	loop_run(s->loop);
	return NULL;
}

struct secondary *
secondary_start(struct control *c, size_t max_bytes)
{
	struct secondary *s = xcalloc(1, sizeof(*s));

	s->magic = SECONDARY_MAGIC;
	s->control = c;
	s->max_bytes = max_bytes;
	s->loop = loop_new();
	s->untold = json_object();
	strmap_init(&s->zones);
	list_init(&s->waiting);
	wheel_timer_init(&s->tell, tell);
	control_set_secondary(c, &(struct control_secondary){ s, committed, refresh });
	thread_start(&s->thread, "secondary", run, s);
	return s;
}

void
secondary_stop(struct secondary **sp)
{
	struct secondary *s = *sp;

	if (s == NULL)
		return;
	OBJ_CHECK(s, SECONDARY_MAGIC);
	loop_stop(s->loop);
	thread_join(s->thread);
	control_set_secondary(s->control, NULL);
	s->stopping = true;
	STRMAP_EACH (&s->zones, entry) {
		struct secondary_zone *z = entry->value;

		secondary_zone_free(&z);
	}
	strmap_fini(&s->zones);
	loop_timer_cancel(s->loop, &s->tell);
	json_decref(s->untold);
	loop_free(&s->loop);
	s->magic = 0;
	free(s);
	*sp = NULL;
}
