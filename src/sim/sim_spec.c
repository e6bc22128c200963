/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/sim_spec.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "net/cidr.h"

#define MINUTE_MS 60000
#define HOUR_MS   (60 * MINUTE_MS)
#define WEEK_MS   (7 * 24 * HOUR_MS)
#define SKEW_MAX  4.0

/* -- a number with a fraction: the skew -- */

static int
decode_skew(const struct field *f, const json_t *j, void *at, struct arena *a,
    const struct diag_path *path, struct diag *d)
{
	char where[256];
	const double v = json_number_value(j);

	(void)f;
	(void)a;
	if (json_is_number(j) && v >= 0 && v <= SKEW_MAX) {
		*(double *)at = v;
		return 0;
	}
	diag_add(
	    d, DIAG_INVALID, diag_path_text(path, where, sizeof(where)), "must be 0..%g", SKEW_MAX);
	diag_detail(d, json_is_string(j) ? json_string_value(j) : NULL, "0..4");
	return -EINVAL;
}

static json_t *
encode_skew(const struct field *f, const void *at)
{
	(void)f;
	return json_real(*(const double *)at);
}

static void
default_skew(const struct field *f, void *at, struct arena *a)
{
	(void)a;
	*(double *)at = (double)f->def;
}

static json_t *
schema_skew(const struct field *f)
{
	return json_pack("{s:s, s:f, s:f, s:f}", "type", "number", "minimum", 0.0, "maximum",
	    SKEW_MAX, "default", (double)f->def);
}

static const struct field_codec skew = { decode_skew, encode_skew, default_skew, schema_skew,
	NULL };

/* -- tables -- */

static const char *const mode_words[] = { "honour", "stretch", "cap", NULL };
static const char *const take_words[] = { "first", "any", NULL };
static const char *const balance_words[] = { "configured", "answers", "traffic", NULL };
static const char *const type_words[] = { "A", "AAAA", "CNAME", NULL };

#define AT(member) offsetof(struct sim_ttl, member)
static const struct field ttl_fields[] = {
	{ .name = "mode",
	    .offset = AT(mode),
	    .type = FIELD_ENUM,
	    .words = mode_words,
	    .prose = "honour: keep answers for their TTL; stretch: no shorter than `time`; cap: no "
		     "longer" },
	{ .name = "time",
	    .offset = AT(time_ms),
	    .type = FIELD_DURATION,
	    .min = 0,
	    .max = WEEK_MS,
	    .prose = "what the TTL is stretched or capped to" },
	{ .name = "share",
	    .offset = AT(share),
	    .type = FIELD_U32,
	    .min = 0,
	    .max = 1000000,
	    .def = 1,
	    .prose = "of the resolvers, relative to the other rows" },
	FIELD_END,
};
#undef AT

#define AT(member) offsetof(struct sim_from, member)
static const struct field from_fields[] = {
	{ .name = "cidr",
	    .offset = AT(cidr),
	    .type = FIELD_STR,
	    .flags = FIELD_REQUIRED,
	    .min = 1,
	    .max = 64,
	    .prose = "where resolvers are" },
	{ .name = "share",
	    .offset = AT(share),
	    .type = FIELD_U32,
	    .min = 0,
	    .max = 1000000,
	    .def = 1,
	    .prose = "of the resolvers, relative to the other rows" },
	FIELD_END,
};
#undef AT

#define AT(member) offsetof(struct sim_failure, member)
static const struct field failure_fields[] = {
	{ .name = "address",
	    .offset = AT(address),
	    .type = FIELD_NAME,
	    .flags = FIELD_REQUIRED,
	    .prose = "the address that dies" },
	{ .name = "down",
	    .offset = AT(down_ms),
	    .type = FIELD_DURATION,
	    .flags = FIELD_REQUIRED,
	    .min = 0,
	    .max = WEEK_MS,
	    .prose = "when, from the start" },
	{ .name = "up",
	    .offset = AT(up_ms),
	    .type = FIELD_DURATION,
	    .min = 0,
	    .max = WEEK_MS,
	    .prose = "when it is back; 0s: never" },
	FIELD_END,
};
#undef AT

#define AT(member) offsetof(struct sim_resolvers, member)
static const struct field resolvers_fields[] = {
	{ .name = "count",
	    .offset = AT(count),
	    .type = FIELD_U32,
	    .min = 1,
	    .max = 1000000,
	    .def = 1000,
	    .prose = "how many" },
	{ .name = "skew",
	    .offset = AT(skew),
	    .type = FIELD_CUSTOM,
	    .codec = &skew,
	    .def = 1,
	    .prose =
		"exponent of Zipf's law: the n-th resolver has clients in proportion to n^-skew" },
	{ .name = "rate",
	    .offset = AT(rate),
	    .type = FIELD_U32,
	    .min = 1,
	    .max = 10000000,
	    .def = 1000,
	    .prose = "clients a second, behind all of them together" },
	{ .name = "ttl",
	    .offset = AT(ttl),
	    .type = FIELD_LIST,
	    .max = 16,
	    .sub = ttl_fields,
	    .sub_size = sizeof(struct sim_ttl),
	    .prose = "how they treat TTLs; none: all honour them" },
	{ .name = "from",
	    .offset = AT(from),
	    .type = FIELD_LIST,
	    .max = 1000,
	    .sub = from_fields,
	    .sub_size = sizeof(struct sim_from),
	    .prose = "where they are; none: anywhere" },
	{ .name = "ecs",
	    .offset = AT(ecs),
	    .type = FIELD_U32,
	    .min = 0,
	    .max = 100,
	    .prose = "per cent of them that send EDNS Client Subnet" },
	{ .name = "subnets",
	    .offset = AT(subnets),
	    .type = FIELD_U32,
	    .min = 1,
	    .max = 256,
	    .def = 16,
	    .prose = "client subnets behind each of those" },
	{ .name = "caches",
	    .offset = AT(caches),
	    .type = FIELD_U32,
	    .min = 1,
	    .max = 64,
	    .def = 1,
	    .prose = "independent caches behind each resolver's address" },
	{ .name = "whole_seconds",
	    .offset = AT(whole_seconds),
	    .type = FIELD_BOOL,
	    .def = true,
	    .prose = "they count TTLs in whole seconds of their clock, as most do" },
	{ .name = "take",
	    .offset = AT(take),
	    .type = FIELD_ENUM,
	    .words = take_words,
	    .prose = "which record of an answer with several the clients use" },
	FIELD_END,
};
#undef AT

#define AT(member) offsetof(struct sim_spec, member)
const struct field sim_spec_fields[] = {
	{ .name = "name",
	    .offset = AT(name),
	    .type = FIELD_STR,
	    .flags = FIELD_REQUIRED,
	    .min = 1,
	    .max = 255,
	    .prose = "the access domain" },
	{ .name = "type",
	    .offset = AT(type),
	    .type = FIELD_STR,
	    .min = 1,
	    .max = 8,
	    .def_str = "A",
	    .words = type_words,
	    .prose = "its type" },
	{ .name = "ttl",
	    .offset = AT(ttl_s),
	    .type = FIELD_U32,
	    .min = 0,
	    .max = 86400,
	    .prose = "seconds, instead of the domain's; 0: the domain's" },
	{ .name = "ttl_min",
	    .offset = AT(ttl_min_s),
	    .type = FIELD_U32,
	    .min = 0,
	    .max = 86400,
	    .prose = "instead of the domain's `ttl_min`; 0: the domain's" },
	{ .name = "balance",
	    .offset = AT(balance),
	    .type = FIELD_ENUM,
	    .words = balance_words,
	    .prose = "instead of the domain's `balance`" },
	{ .name = "resolvers",
	    .offset = AT(resolvers),
	    .type = FIELD_STRUCT,
	    .sub = resolvers_fields,
	    .sub_size = sizeof(struct sim_resolvers),
	    .prose = "who asks" },
	{ .name = "failures",
	    .offset = AT(failures),
	    .type = FIELD_LIST,
	    .max = 100,
	    .sub = failure_fields,
	    .sub_size = sizeof(struct sim_failure),
	    .prose = "what dies" },
	{ .name = "probe_loss",
	    .offset = AT(probe_loss),
	    .type = FIELD_U32,
	    .min = 0,
	    .max = 90,
	    .prose = "per cent of all packets of probes that get lost, each way" },
	{ .name = "probe_repeat",
	    .offset = AT(probe_repeat),
	    .type = FIELD_BOOL,
	    .def = 1,
	    .prose = "probes repeat what is lost; false: as with `probe.repeat: false`" },
	{ .name = "duration",
	    .offset = AT(duration_ms),
	    .type = FIELD_DURATION,
	    .min = 1000,
	    .max = WEEK_MS,
	    .def = HOUR_MS,
	    .prose = "simulated time" },
	{ .name = "warm_up",
	    .offset = AT(warm_up_ms),
	    .type = FIELD_DURATION,
	    .min = 0,
	    .max = WEEK_MS,
	    .def = 10 * MINUTE_MS,
	    .prose = "not counted, from the start" },
	{ .name = "window",
	    .offset = AT(window_ms),
	    .type = FIELD_DURATION,
	    .min = 1000,
	    .max = WEEK_MS,
	    .def = MINUTE_MS,
	    .prose = "what a member's load is measured over" },
	{ .name = "seed",
	    .offset = AT(seed),
	    .type = FIELD_U32,
	    .min = 0,
	    .max = UINT32_MAX,
	    .def = 1,
	    .prose = "the same seed, the same result" },
	{ .name = "starts",
	    .offset = AT(starts_ms),
	    .type = FIELD_CUSTOM,
	    .codec = &time_codec,
	    .flags = FIELD_OPTIONAL,
	    .prose = "when it begins, for overrides and maintenance windows; absent: now" },
	FIELD_END,
};
#undef AT

/* -- rules across members -- */

static void
check_from(const struct sim_spec *s, struct diag *d)
{
	const struct sim_from *from = s->resolvers.from.items;
	uint64_t sum = 0;

	for (size_t i = 0; i < s->resolvers.from.count; i++) {
		struct cidr c;

		sum += from[i].share;
		if (cidr_parse(&c, from[i].cidr) == 0 && c.family != AF_UNSPEC)
			continue;
		diag_add(d, DIAG_INVALID, arena_printf(&d->arena, "resolvers.from[%zu].cidr", i),
		    "is not a range of addresses");
		diag_detail(d, from[i].cidr, "192.0.2.0/24, 2001:db8::/32");
	}
	if (s->resolvers.from.count > 0 && sum == 0)
		diag_add(d, DIAG_INVALID, "resolvers.from", "all shares are 0");
}

static void
check_ttl(const struct sim_spec *s, struct diag *d)
{
	const struct sim_ttl *ttl = s->resolvers.ttl.items;
	uint64_t sum = 0;

	for (size_t i = 0; i < s->resolvers.ttl.count; i++) {
		sum += ttl[i].share;
		if (ttl[i].mode != SIM_TTL_HONOUR && ttl[i].time_ms == 0)
			diag_add(d, DIAG_INVALID,
			    arena_printf(&d->arena, "resolvers.ttl[%zu].time", i),
			    "%s needs a time", mode_words[ttl[i].mode]);
	}
	if (s->resolvers.ttl.count > 0 && sum == 0)
		diag_add(d, DIAG_INVALID, "resolvers.ttl", "all shares are 0");
}

static void
check_times(const struct sim_spec *s, struct diag *d)
{
	const struct sim_failure *f = s->failures.items;

	if (s->warm_up_ms >= s->duration_ms)
		diag_add(d, DIAG_INVALID, "warm_up", "must be shorter than the duration");
	if (s->window_ms > s->duration_ms - (s->warm_up_ms < s->duration_ms ? s->warm_up_ms : 0))
		diag_add(d, DIAG_INVALID, "window", "must fit between the warm-up and the end");
	for (size_t i = 0; i < s->failures.count; i++) {
		if (f[i].up_ms != 0 && f[i].up_ms <= f[i].down_ms)
			diag_add(d, DIAG_INVALID, arena_printf(&d->arena, "failures[%zu].up", i),
			    "must be after it went down");
		if (f[i].down_ms >= s->duration_ms)
			diag_add(d, DIAG_INVALID, arena_printf(&d->arena, "failures[%zu].down", i),
			    "must be before the end");
	}
}

int
sim_spec_read(struct sim_spec *s, const json_t *request, struct arena *a, struct diag *d)
{
	const size_t before = d->count;

	if (field_decode(sim_spec_fields, request, s, a, NULL, d) < 0)
		return -EINVAL;
	check_from(s, d);
	check_ttl(s, d);
	check_times(s, d);
	return d->count == before ? 0 : -EINVAL;
}
