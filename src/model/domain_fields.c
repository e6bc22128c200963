/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dns/rrtype.h"
#include "model/noun_rules.h"
#include "model/shared_fields.h"

const char *const strategy_words[] = { "round_robin", "weight", "sequence", NULL };
const char *const sequence_mode_words[] = { "preemptive", "non_preemptive", NULL };
static const char *const fallback_words[] = { "fail_open", NULL };
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
	{ .name = "fallback",
	    .offset = AT(fallback),
	    .type = FIELD_ENUM,
	    .words = fallback_words,
	    .prose = "what is answered when no pool is available" },
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
	(void)!link_check(&s->pools, "pools", "pool", d);
	return d->count == before ? 0 : -EINVAL;
}

void
domain_refs(const void *spec, kind_ref_f *visit, void *arg)
{
	const struct domain_spec *s = spec;

	link_refs(&s->pools, KIND_POOL, "pools", "pool", visit, arg);
}
