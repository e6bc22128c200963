/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <string.h>

#include "model/noun_rules.h"
#include "model/shared_fields.h"
#include "model/time_codec.h"

static const char *const state_words[] = { "up", "down", "drain", NULL };

#define AT(member) offsetof(struct override_spec, member)
const struct field override_fields[] = {
	{ .name = "state",
	    .offset = AT(state),
	    .type = FIELD_ENUM,
	    .words = state_words,
	    .flags = FIELD_REQUIRED,
	    .prose = "up: available whatever the probes say; down: unavailable; drain: leaves the "
		     "answers as if it were disabled" },
	REASON_FIELD(struct override_spec),
	{ .name = "until",
	    .offset = AT(until_ms),
	    .type = FIELD_CUSTOM,
	    .codec = &time_codec,
	    .flags = FIELD_OPTIONAL,
	    .prose = "when it is lifted by itself; absent: when somebody lifts it" },
	{ .name = "by",
	    .offset = AT(by),
	    .type = FIELD_STR,
	    .max = 255,
	    .prose = "who set it; filled in by the server" },
	FIELD_END,
};
#undef AT

bool
override_is_blank(const char *reason)
{
	return reason[strspn(reason, " \t")] == '\0';
}

int
override_check(const char *name, const void *spec, struct diag *d)
{
	const struct override_spec *s = spec;

	(void)name;
	if (!override_is_blank(s->reason))
		return 0;
	diag_add(d, DIAG_INVALID, "reason", "must not be blank");
	diag_detail(d, s->reason, OVERRIDE_REASON);
	return -EINVAL;
}

enum force
override_force(const struct override_spec *s)
{
	static const enum force forces[] = {
		[OVERRIDE_UP] = FORCE_UP,
		[OVERRIDE_DOWN] = FORCE_DOWN,
		[OVERRIDE_DRAIN] = FORCE_DRAIN,
	};

	return forces[s->state];
}
