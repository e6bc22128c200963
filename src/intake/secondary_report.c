/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What people see of a secondary: its status, and events. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "intake/secondary_inside.h"

static json_t *
time_or_null(int64_t real_ms)
{
	char text[CLOCK_TEXT_SIZE];

	return real_ms == 0 ? json_null() : json_string(clock_text(real_ms, text));
}

void
secondary_report_status(const struct secondary_zone *z)
{
	const bool aged = z->have && z->checked_ms != 0;
	const int64_t expires = aged ? z->checked_ms + (int64_t)z->soa.expire_s * 1000 : 0;
	json_t *j = json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "role", "secondary", "serial",
	    z->have ? json_integer(z->soa.serial) : json_null(), "primary",
	    z->from[0] != '\0' ? json_string(z->from) : json_null(), "last_check",
	    time_or_null(z->checked_ms), "next_check", time_or_null(z->next_ms), "expires",
	    time_or_null(expires), "error",
	    z->error[0] != '\0' ? json_string(z->error) : json_null());

	char *text = json_text(j);

	control_status(z->all->control, KIND_ZONE, z->name, text);
	free(text);
	json_decref(j);
}

static void
emit(const struct secondary_zone *z, const char *kind, const char *severity, const char *text,
    json_t *data)
{
	char at[CLOCK_TEXT_SIZE];
	json_t *j = json_pack("{s:s, s:{s:s, s:s}, s:s, s:s, s:s, s:o}", "kind", kind, "object",
	    "kind", "zone", "name", z->name, "severity", severity, "text", text, "at",
	    clock_text(clock_real_ms(), at), "data", data);

	control_event(z->all->control, j);
	json_decref(j);
}

void
secondary_report_transfer(const struct secondary_zone *z, enum xfr_in_state state)
{
	const char *how = state == XFR_IN_WHOLE ? "all of it" : "what changed";
	char *text = xasprintf(
	    "zone %s: serial %u from %s, %s", z->name, z->soa.serial, z->peers[z->peer].text, how);

	log_info("secondary", "%s", text);
	emit(z, "zone.transferred", "info", text,
	    json_pack("{s:I, s:s, s:b, s:I}", "serial", (json_int_t)z->soa.serial, "primary",
		z->peers[z->peer].text, "whole", (int)(state == XFR_IN_WHOLE), "records",
		(json_int_t)xfr_in_records(z->in)));
	free(text);
}

void
secondary_report_catalog(const struct secondary_zone *z, const char *why)
{
	char *text = xasprintf("catalog %s changes nothing: %s", z->name, why);

	log_warn("secondary", "%s", text);
	emit(z, "zone.catalog_broken", "warning", text, json_pack("{s:s}", "error", why));
	free(text);
}

void
secondary_report_failure(const struct secondary_zone *z)
{
	char *text = xasprintf("zone %s cannot be refreshed: %s", z->name, z->error);

	log_warn("secondary", "%s", text);
	emit(z, "zone.refresh_failed", "warning", text, json_pack("{s:s}", "error", z->error));
	free(text);
}
