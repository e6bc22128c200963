/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Is it alive, is it ready, what is it. */
#include "api/metrics.h"
#include "api/openapi.h"
#include "api/rest.h"

void
rest_healthz(struct request *r)
{
	request_reply(r, 200, json_pack("{s:s}", "status", "ok"));
}

void
rest_readyz(struct request *r)
{
	if (control_ready(r->control))
		request_reply(r, 200, json_pack("{s:s}", "status", "ready"));
	else
		diag_add(&r->diag, DIAG_UNAVAILABLE, "engine",
		    "is not connected, or does not serve DNS yet");
}

void
rest_version(struct request *r)
{
	request_reply(r, 200, json_pack("{s:s, s:s}", "name", "opengtm", "version", GTM_VERSION));
}

void
rest_metrics(struct request *r)
{
	metrics_write(r->control, &r->text);
	r->text_type = METRICS_TYPE;
}

void
rest_openapi(struct request *r)
{
	request_reply(r, 200, openapi_document());
}
