/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/simulate.h"
#include "cli/site.h"

const struct option simulate_options[] = {
	{ "--resolvers", 0, "N", "how many ask (1000)" },
	{ "--skew", 0, "S", "Zipf exponent of the clients behind them (1); repeat to compare" },
	{ "--rate", 0, "N", "clients a second behind all of them (1000)" },
	{ "--ttl", 0, "SECONDS", "instead of the domain's; repeat to compare" },
	{ "--ttl-min", 0, "SECONDS", "instead of the domain's ttl_min" },
	{ "--balance", 0, "WORD",
	    "answers or traffic, instead of the domain's; repeat to compare" },
	{ "--ttl-stretch", 0, "TIME=PERCENT",
	    "so many keep answers that long at least; may be repeated" },
	{ "--ttl-cap", 0, "TIME=PERCENT", "so many keep them that long at most; may be repeated" },
	{ "--from", 0, "CIDR=SHARE", "where resolvers are; may be repeated" },
	{ "--caches", 0, "N", "independent caches behind each resolver's address (1)" },
	{ "--ecs", 0, "PERCENT", "so many send EDNS Client Subnet (0)" },
	{ "--fail", 0, "ADDRESS@DOWN:UP", "an address dies and comes back; may be repeated" },
	{ "--probe-loss", 0, "PERCENT", "so many packets of probes are lost, each way (0)" },
	{ "--for", 0, "TIME", "how long (1h)" },
	{ "--warm-up", 0, "TIME", "not counted (10m)" },
	{ "--window", 0, "TIME", "what load is measured over (1m)" },
	{ "--starts", 0, "TIME", "when, for overrides and maintenance windows (now)" },
	{ "--seed", 0, "N", "the same seed, the same result (1)" },
	OPTION_END,
};

static int
set_number(json_t *to, const char *key, const struct args *a, const char *option, long long max,
    struct diag *d)
{
	const char *text = args_value(a, option);

	if (text == NULL)
		return 0;

	const long long n = site_number(option, text, max, d);

	if (n < 0)
		return -EINVAL;
	return json_object_set_new(to, key, json_integer(n));
}

static void
set_text(json_t *to, const char *key, const struct args *a, const char *option)
{
	const char *text = args_value(a, option);

	if (text != NULL)
		json_object_set_new(to, key, json_string(text));
}

/* "TIME=PERCENT", "CIDR=SHARE": what is before the last '=' and the number after it, 100 without
 * one. -1: bad. */
static long long
cut_share(char *text, const char *option, struct diag *d)
{
	char *equals = strrchr(text, '=');

	if (equals == NULL)
		return 100;
	*equals = '\0';
	return site_number(option, equals + 1, 1000000, d);
}

/* Rows of the option; what is left of 100 per cent is subtracted from *left. */
static int
add_ttl(json_t *list, const char *mode, const struct args *a, const char *option, long long *left,
    struct diag *d)
{
	const char *text;
	int rc = 0;

	for (size_t pos = 0; rc == 0 && (text = args_next(a, option, &pos)) != NULL;) {
		char *copy = xstrdup(text);
		const long long share = cut_share(copy, option, d);

		if (share >= 0)
			json_array_append_new(list, json_pack("{s:s, s:s, s:I}", "mode", mode,
							"time", copy, "share", (json_int_t)share));
		*left -= share;
		rc = share < 0 ? -EINVAL : 0;
		free(copy);
	}
	return rc;
}

static int
set_ttl(json_t *resolvers, const struct args *a, struct diag *d)
{
	json_t *list = json_array();
	long long left = 100;
	int rc = add_ttl(list, "stretch", a, "--ttl-stretch", &left, d);

	if (rc == 0)
		rc = add_ttl(list, "cap", a, "--ttl-cap", &left, d);
	if (rc == 0 && left < 0)
		rc = diag_add(
		    d, DIAG_INVALID, "--ttl-stretch", "with --ttl-cap is more than 100 per cent");
	if (rc == 0 && json_array_size(list) > 0) {
		json_array_append_new(
		    list, json_pack("{s:s, s:I}", "mode", "honour", "share", (json_int_t)left));
		json_object_set(resolvers, "ttl", list);
	}
	json_decref(list);
	return rc;
}

static int
set_from(json_t *resolvers, const struct args *a, struct diag *d)
{
	json_t *list = json_array();
	const char *text;
	int rc = 0;

	for (size_t pos = 0; rc == 0 && (text = args_next(a, "--from", &pos)) != NULL;) {
		char *copy = xstrdup(text);
		const bool plain = strchr(text, '=') == NULL;
		const long long share = cut_share(copy, "--from", d);

		if (share >= 0)
			json_array_append_new(list, json_pack("{s:s, s:I}", "cidr", copy, "share",
							(json_int_t)(plain ? 1 : share)));
		rc = share < 0 ? -EINVAL : 0;
		free(copy);
	}
	if (json_array_size(list) > 0)
		json_object_set(resolvers, "from", list);
	json_decref(list);
	return rc;
}

/* ADDRESS@DOWN[:UP] */
static int
set_failures(json_t *request, const struct args *a, struct diag *d)
{
	json_t *list = json_array();
	const char *text;
	int rc = 0;

	for (size_t pos = 0; rc == 0 && (text = args_next(a, "--fail", &pos)) != NULL;) {
		char *copy = xstrdup(text), *at = strrchr(copy, '@'), *colon;

		if (at == NULL || at == copy || at[1] == '\0') {
			rc = diag_add(d, DIAG_INVALID, "--fail", "must look like dc-a-1@20m:30m");
			diag_detail(d, text, NULL);
		} else {
			*at = '\0';
			colon = strchr(at + 1, ':');
			if (colon != NULL)
				*colon = '\0';

			json_t *f = json_pack("{s:s, s:s}", "address", copy, "down", at + 1);

			if (colon != NULL)
				json_object_set_new(f, "up", json_string(colon + 1));
			json_array_append_new(list, f);
		}
		free(copy);
	}
	if (json_array_size(list) > 0)
		json_object_set(request, "failures", list);
	json_decref(list);
	return rc;
}

/* What all requests have in common. */
static int
set_common(json_t *request, const struct args *a, struct diag *d)
{
	json_t *resolvers = json_object_get(request, "resolvers");

	set_text(request, "duration", a, "--for");
	set_text(request, "warm_up", a, "--warm-up");
	set_text(request, "window", a, "--window");
	set_text(request, "starts", a, "--starts");
	if (set_number(resolvers, "count", a, "--resolvers", 1000000, d) < 0 ||
	    set_number(resolvers, "rate", a, "--rate", 10000000, d) < 0 ||
	    set_number(resolvers, "caches", a, "--caches", 64, d) < 0 ||
	    set_number(resolvers, "ecs", a, "--ecs", 100, d) < 0 ||
	    set_number(request, "probe_loss", a, "--probe-loss", 90, d) < 0 ||
	    set_number(request, "ttl_min", a, "--ttl-min", 86400, d) < 0 ||
	    set_number(request, "seed", a, "--seed", UINT32_MAX, d) < 0 ||
	    set_ttl(resolvers, a, d) < 0 || set_from(resolvers, a, d) < 0 ||
	    set_failures(request, a, d) < 0)
		return -EINVAL;
	return 0;
}

static int
set_skew(json_t *request, const char *text, struct diag *d)
{
	char *end;
	const double skew = strtod(text, &end);

	if (*text == '\0' || *end != '\0') {
		diag_add(d, DIAG_INVALID, "--skew", "must be a number");
		diag_detail(d, text, "0..4");
		return -EINVAL;
	}
	return json_object_set_new(json_object_get(request, "resolvers"), "skew", json_real(skew));
}

/* Each request once for every value of the option. */
static json_t *
multiply(json_t *requests, const struct args *a, const char *option, struct diag *d)
{
	json_t *out = json_array(), *request;
	const char *text;
	size_t i;

	if (args_value(a, option) == NULL) {
		json_decref(out);
		return requests;
	}
	json_array_foreach(requests, i, request)
	{
		for (size_t pos = 0; (text = args_next(a, option, &pos)) != NULL;) {
			json_t *one = json_deep_copy(request);

			if (strcmp(option, "--skew") == 0)
				(void)!set_skew(one, text, d);
			else if (strcmp(option, "--balance") == 0)
				json_object_set_new(one, "balance", json_string(text));
			else
				json_object_set_new(
				    one, "ttl", json_integer(site_number("--ttl", text, 86400, d)));
			json_array_append_new(out, one);
		}
	}
	json_decref(requests);
	return out;
}

json_t *
simulate_requests(const struct args *a, const char *name, const char *type, struct diag *d)
{
	json_t *requests = json_array();
	json_t *request = json_pack("{s:s, s:s, s:{}}", "name", name, "type", type, "resolvers");
	int rc = set_common(request, a, d);

	json_array_append_new(requests, request);
	requests = multiply(requests, a, "--skew", d);
	requests = multiply(requests, a, "--ttl", d);
	requests = multiply(requests, a, "--balance", d);
	if (rc == 0 && !diag_failed(d))
		return requests;
	json_decref(requests);
	return NULL;
}
