/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>

#include "model/healthy_codec.h"
#include "model/noun_rules.h"
#include "model/shared_fields.h"

#define AT(member) offsetof(struct pool_spec, member)

const struct field pool_fields[] = {
	{ .name = "type",
	    .offset = AT(type),
	    .type = FIELD_ENUM,
	    .words = address_type_words,
	    .flags = FIELD_REQUIRED | FIELD_IMMUTABLE,
	    .prose = "type of all its addresses" },
	{ .name = "strategy",
	    .offset = AT(strategy),
	    .type = FIELD_ENUM,
	    .words = strategy_words,
	    .prose = "which of its available addresses are answered" },
	{ .name = "sequence_mode",
	    .offset = AT(sequence_mode),
	    .type = FIELD_ENUM,
	    .words = sequence_mode_words,
	    .prose = "under sequence: return to a better one at once?" },
	FAILBACK_FIELD(struct pool_spec),
	{ .name = "max_answers",
	    .offset = AT(max_answers),
	    .type = FIELD_U32,
	    .max = 256,
	    .prose = "addresses in an answer at most; 0: as the strategy says, which is all under "
		     "round_robin, else one" },
	HEALTHY_FIELD(struct pool_spec),
	{ .name = "enabled",
	    .offset = AT(enabled),
	    .type = FIELD_BOOL,
	    .def = true,
	    .prose = "a disabled pool is never used" },
	{ .name = "addresses",
	    .offset = AT(addresses),
	    .type = FIELD_LIST,
	    .max = LINKS_MAX,
	    .sub = link_address_fields,
	    .sub_size = sizeof(struct link_spec),
	    .prose = "its addresses, in order" },
	REMARK_FIELD(struct pool_spec),
	LABELS_FIELD(struct pool_spec),
	FIELD_END,
};

void
pool_settle(const char *name, void *spec, struct arena *a)
{
	struct pool_spec *p = spec;

	(void)name;
	(void)a;
	link_settle(&p->addresses);
}

int
pool_check(const char *name, const void *spec, struct diag *d)
{
	const struct pool_spec *p = spec;

	(void)name;
	return link_check(&p->addresses, "addresses", "address", d);
}

void
pool_refs(const void *spec, kind_ref_f *visit, void *arg)
{
	const struct pool_spec *p = spec;

	link_refs(&p->addresses, KIND_ADDRESS, "addresses", "address", visit, arg);
}
