/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/duration.h"
#include "base/strmap.h"
#include "model/noun_rules.h"
#include "model/shared_fields.h"
#include "model/target.h"
#include "model/time_codec.h"

#define OBJECTS_MAX  1000
#define EVERY_MAX_MS 4233600000 /* 49 days */
#define EVERY_MIN_MS 1000

static const char *const state_words[] = { "drain", "down", "up", "hold", NULL };

#define AT(member) offsetof(struct maintenance_spec, member)
const struct field maintenance_fields[] = {
	{ .name = "objects",
	    .offset = AT(objects),
	    .type = FIELD_STRS,
	    .flags = FIELD_REQUIRED,
	    .min = 1,
	    .max = OBJECTS_MAX,
	    .prose = "what is worked on: " TARGET_ALLOWED },
	{ .name = "state",
	    .offset = AT(state),
	    .type = FIELD_ENUM,
	    .words = state_words,
	    .prose = "meanwhile: drain, down and up as an override; hold: addresses stay as they "
		     "were when it began, without events" },
	{ .name = "starts",
	    .offset = AT(starts_ms),
	    .type = FIELD_CUSTOM,
	    .codec = &time_codec,
	    .flags = FIELD_REQUIRED,
	    .prose = "when it begins, the first time" },
	{ .name = "ends",
	    .offset = AT(ends_ms),
	    .type = FIELD_CUSTOM,
	    .codec = &time_codec,
	    .flags = FIELD_REQUIRED,
	    .prose = "when it is over, the first time" },
	{ .name = "every",
	    .offset = AT(every_ms),
	    .type = FIELD_DURATION,
	    .max = EVERY_MAX_MS,
	    .prose = "from one beginning to the next, such as 7d; 0s: it happens once" },
	REASON_FIELD(struct maintenance_spec),
	LABELS_FIELD(struct maintenance_spec),
	FIELD_END,
};
#undef AT

void
maintenance_settle(const char *name, void *spec, struct arena *a)
{
	const struct maintenance_spec *s = spec;
	const char **object = s->objects.items;
	char of[KIND_NAME_SIZE], text[KIND_NAME_SIZE];
	enum kind kind;

	(void)name;
	for (size_t i = 0; i < s->objects.count; i++) {
		if (target_parse(object[i], &kind, of) == NULL)
			object[i] = arena_strdup(a, target_text(kind, of, text));
	}
}

static void
check_objects(const struct maintenance_spec *s, struct diag *d)
{
	const char *const *object = s->objects.items;
	char of[KIND_NAME_SIZE], where[32];
	struct strmap seen;
	enum kind kind;

	strmap_init(&seen);
	for (size_t i = 0; i < s->objects.count; i++) {
		const char *fault = target_parse(object[i], &kind, of);

		if (fault == NULL && strmap_put(&seen, object[i], &seen) != NULL)
			fault = "is in the list twice";
		if (fault == NULL)
			continue;
		snprintf(where, sizeof(where), "objects[%zu]", i);
		diag_add(d, DIAG_INVALID, where, "%s", fault);
		diag_detail(d, object[i], TARGET_ALLOWED);
	}
	strmap_fini(&seen);
}

static void
check_times(const struct maintenance_spec *s, struct diag *d)
{
	char at[CLOCK_TEXT_SIZE], starts[CLOCK_TEXT_SIZE], every[DURATION_TEXT_SIZE],
	    least[DURATION_TEXT_SIZE];
	const int64_t length_ms = s->ends_ms - s->starts_ms;
	const uint64_t least_ms = length_ms > EVERY_MIN_MS ? (uint64_t)length_ms : EVERY_MIN_MS;

	if (length_ms <= 0) {
		diag_add(d, DIAG_INVALID, "ends", "must be after starts");
		diag_detail(d, clock_text(s->ends_ms, at),
		    arena_printf(&d->arena, "later than %s", clock_text(s->starts_ms, starts)));
	} else if (s->every_ms > 0 && s->every_ms < least_ms) {
		diag_add(d, DIAG_INVALID, "every", "must not be shorter than the window itself");
		diag_detail(d, duration_text(s->every_ms, every),
		    arena_printf(
			&d->arena, "at least %s, or 0s for once", duration_text(least_ms, least)));
	}
}

int
maintenance_check(const char *name, const void *spec, struct diag *d)
{
	const struct maintenance_spec *s = spec;
	const size_t before = d->count;

	(void)name;
	check_objects(s, d);
	check_times(s, d);
	if (override_is_blank(s->reason)) {
		diag_add(d, DIAG_INVALID, "reason", "must not be blank");
		diag_detail(d, s->reason, OVERRIDE_REASON);
	}
	return d->count == before ? 0 : -EINVAL;
}

void
maintenance_refs(const void *spec, kind_ref_f *visit, void *arg)
{
	const struct maintenance_spec *s = spec;
	const char *const *object = s->objects.items;
	const struct diag_path all = { .name = "objects" };
	char of[KIND_NAME_SIZE];
	enum kind kind;

	for (size_t i = 0; i < s->objects.count; i++) {
		const struct diag_path here = { .parent = &all, .index = i };

		if (target_parse(object[i], &kind, of) == NULL)
			visit(kind, of, &here, arg);
	}
}

struct force_window
maintenance_window(const struct maintenance_spec *s)
{
	static const enum force forces[] = {
		[MAINTENANCE_DRAIN] = FORCE_DRAIN,
		[MAINTENANCE_DOWN] = FORCE_DOWN,
		[MAINTENANCE_UP] = FORCE_UP,
		[MAINTENANCE_HOLD] = FORCE_HOLD,
	};

	return (struct force_window){
		.starts_ms = s->starts_ms,
		.ends_ms = s->ends_ms,
		.every_ms = s->every_ms,
		.force = forces[s->state],
	};
}
