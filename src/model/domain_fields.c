/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dns/rrtype.h"
#include "model/noun_rules.h"
#include "model/shared_fields.h"

const char *const strategy_words[] = { "round_robin", "weight", "sequence", "source_nearest",
	"hash", NULL };
const char *const sequence_mode_words[] = { "preemptive", "non_preemptive", NULL };
static const char *const fallback_words[] = { "fail_open", "fallback_pool", "last_good",
	"public_zone", "nodata", NULL };
static const char *const balance_words[] = { "answers", "traffic", NULL };
static const char *const line_failover_words[] = { "default", "next", NULL };
static const char *const type_words[] = { "A", "AAAA", "CNAME", NULL };

#define AT(member) offsetof(struct domain_spec, member)

const struct field domain_fields[] = {
	{ .name = "type",
	    .offset = AT(type),
	    .type = FIELD_STR,
	    .words = type_words,
	    .flags = FIELD_OPTIONAL,
	    .prose = "what is steered; always that of the object's name" },
	{ .name = "ttl",
	    .offset = AT(ttl_s),
	    .type = FIELD_U32,
	    .min = 1,
	    .max = 86400,
	    .def = 60,
	    .prose = "seconds an answer may be cached" },
	{ .name = "enabled",
	    .offset = AT(enabled),
	    .type = FIELD_BOOL,
	    .def = false,
	    .prose = "a disabled domain is answered by its zone" },
	{ .name = "strategy",
	    .offset = AT(strategy),
	    .type = FIELD_ENUM,
	    .words = strategy_words,
	    .prose = "which of its available pools answer" },
	{ .name = "sequence_mode",
	    .offset = AT(sequence_mode),
	    .type = FIELD_ENUM,
	    .words = sequence_mode_words,
	    .prose = "under sequence: return to a better one at once?" },
	FAILBACK_FIELD(struct domain_spec),
	{ .name = "max_answers",
	    .offset = AT(max_answers),
	    .type = FIELD_U32,
	    .max = 256,
	    .prose = "records in an answer at most; 0: as many as the strategies give" },
	{ .name = "line_failover",
	    .offset = AT(line_failover),
	    .type = FIELD_ENUM,
	    .words = line_failover_words,
	    .prose =
		"where to go when no pool of the client's line is available: the default line, or "
		"the next best line that matches" },
	{ .name = "ecs",
	    .offset = AT(ecs),
	    .type = FIELD_BOOL,
	    .def = true,
	    .prose =
		"the client is where its EDNS Client Subnet says; else where its resolver is" },
	{ .name = "degraded_ttl",
	    .offset = AT(degraded_ttl_s),
	    .type = FIELD_U32,
	    .max = 86400,
	    .prose = "ttl while one of its members is unavailable; 0: the same" },
	{ .name = "balance",
	    .offset = AT(balance),
	    .type = FIELD_ENUM,
	    .words = balance_words,
	    .prose =
		"what follows the weights: the number of answers, or the traffic that is learned "
		"to be behind each resolver" },
	{ .name = "ttl_min",
	    .offset = AT(ttl_min_s),
	    .type = FIELD_U32,
	    .max = 86400,
	    .prose =
		"under balance traffic: how far the ttl may be lowered for resolvers with much "
		"traffic; 0: not at all" },
	{ .name = "fallback",
	    .offset = AT(fallback),
	    .type = FIELD_ENUM,
	    .words = fallback_words,
	    .prose = "what is answered when no pool is available" },
	{ .name = "fallback_pool",
	    .offset = AT(fallback_pool),
	    .type = FIELD_STR,
	    .max = 64,
	    .flags = FIELD_OPTIONAL,
	    .prose = "the pool of fallback fallback_pool" },
	{ .name = "pools",
	    .offset = AT(pools),
	    .type = FIELD_LIST,
	    .max = LINKS_MAX,
	    .sub = link_pool_fields,
	    .sub_size = sizeof(struct link_spec),
	    .prose = "its pools, in order; none: the zone answers" },
	REMARK_FIELD(struct domain_spec),
	LABELS_FIELD(struct domain_spec),
	FIELD_END,
};

int
domain_name_split(const char *name, char *host, uint16_t *rrtype)
{
	const char *slash = strrchr(name, '/');

	if (slash == NULL || slash - name >= KIND_NAME_SIZE)
		return -EINVAL;
	memmove(host, name, (size_t)(slash - name));
	host[slash - name] = '\0';
	return rrtype_parse(slash + 1, rrtype);
}

void
domain_settle(const char *name, void *spec, struct arena *a)
{
	struct domain_spec *s = spec;
	const char *slash = strrchr(name, '/');

	if (s->type == NULL && slash != NULL)
		s->type = arena_strdup(a, slash + 1);
	link_settle(&s->pools);
}

int
domain_check(const char *name, const void *spec, struct diag *d)
{
	const struct domain_spec *s = spec;
	const char *slash = strrchr(name, '/');
	const size_t before = d->count;

	if (slash != NULL && strcmp(s->type, slash + 1) != 0) {
		diag_add(d, DIAG_INVALID, "type", "differs from the type in the name '%s'", name);
		diag_detail(d, s->type, slash + 1);
	}
	if (s->ttl_min_s > s->ttl_s) {
		char allowed[32];

		snprintf(allowed, sizeof(allowed), "0..%u", s->ttl_s);
		diag_add(d, DIAG_INVALID, "ttl_min", "is higher than the ttl");
		diag_detail(d, NULL, allowed);
	}
	if ((s->fallback == FALLBACK_POOL) != (s->fallback_pool != NULL)) {
		diag_add(d, DIAG_INVALID, "fallback_pool",
		    s->fallback_pool == NULL ? "must be given for fallback fallback_pool"
					     : "is of fallback fallback_pool only");
		diag_detail(d, s->fallback_pool, NULL);
	}
	(void)!link_check(&s->pools, "pools", "pool", d);
	return d->count == before ? 0 : -EINVAL;
}

void
domain_refs(const void *spec, kind_ref_f *visit, void *arg)
{
	const struct domain_spec *s = spec;

	link_refs(&s->pools, KIND_POOL, "pools", "pool", visit, arg);
	if (s->fallback_pool != NULL)
		visit(KIND_POOL, s->fallback_pool, &(struct diag_path){ .name = "fallback_pool" },
		    arg);
}
