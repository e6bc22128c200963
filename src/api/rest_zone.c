/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What can be asked of a secondary zone. */
#include "api/edit.h"
#include "api/rest.h"

/* 202: asked; how it went is in the zone's status. */
static void
refresh(struct request *r, bool whole)
{
	char zone[KIND_NAME_SIZE];

	if (edit_target(r, zone) == 0 &&
	    control_refresh(r->control, zone, whole, NULL, &r->diag) == 0)
		request_reply(r, 202, json_pack("{s:s}", "zone", zone));
}

void
rest_zone_refresh(struct request *r)
{
	refresh(r, false);
}

void
rest_zone_retransfer(struct request *r)
{
	refresh(r, true);
}
