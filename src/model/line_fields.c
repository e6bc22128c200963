/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/line_tree.h"
#include "model/noun_rules.h"
#include "model/shared_fields.h"

#define AT(member)     offsetof(struct line_spec, member)
#define CIDR_ALLOWED   "a range such as 192.0.2.0/24 or 2001:db8::/32, or one address"
#define LINE_CIDRS_MAX 100000

const struct field line_fields[] = {
	{ .name = "parent",
	    .offset = AT(parent),
	    .type = FIELD_NAME,
	    .def_str = "default",
	    .prose = "the line these clients belong to as well: a built-in or another custom one" },
	{ .name = "cidrs",
	    .offset = AT(cidrs),
	    .type = FIELD_STRS,
	    .max = LINE_CIDRS_MAX,
	    .prose =
		"networks of the clients, none inside another; over all lines the longest wins" },
	REMARK_FIELD(struct line_spec),
	LABELS_FIELD(struct line_spec),
	FIELD_END,
};

const char *
line_cidr(struct cidr *c, const char *text)
{
	struct cidr clean;

	if (cidr_parse_trim(c, text) < 0 || c->family == AF_UNSPEC) {
		*c = (struct cidr){ .family = AF_UNSPEC };
		return "is not a range of addresses";
	}
	return cidr_parse(&clean, text) == 0 ? NULL : "has bits set after its prefix";
}

static void
check_name(const char *name, struct diag *d)
{
	const struct line_info *l = line_tree_find(name);

	if (l == NULL)
		return;
	diag_add(d, DIAG_INVALID, "name", "is the %s of the built-in line '%s' (%s)",
	    strcmp(name, l->code) == 0 ? "code" : "alias", l->code, l->en);
	diag_detail(d, name, "any other name");
}

struct entry {
	struct cidr cidr;
	size_t place; /* in the list */
};

/* Read them all; what is wrong with one by itself is told. Returns how many are fine. */
static size_t
read_cidrs(const struct line_spec *s, struct entry *out, struct diag *d)
{
	const char *const *text = s->cidrs.items;
	char where[32], canon[CIDR_TEXT_SIZE];
	size_t n = 0;

	for (size_t i = 0; i < s->cidrs.count; i++) {
		const char *fault = line_cidr(&out[n].cidr, text[i]);

		out[n].place = i;
		if (fault == NULL) {
			n++;
			continue;
		}
		snprintf(where, sizeof(where), "cidrs[%zu]", i);
		diag_add(d, DIAG_INVALID, where, "%s", fault);
		diag_detail(d, text[i],
		    out[n].cidr.family == AF_UNSPEC ? CIDR_ALLOWED
						    : cidr_text(&out[n].cidr, canon));
	}
	return n;
}

static int
compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	const int c = cidr_compare(&x->cidr, &y->cidr);

	return c != 0 ? c : (x->place > y->place) - (x->place < y->place);
}

/* Sorted, whatever holds a range comes before it; so the last one that is in no other will do. */
static void
check_apart(const struct line_spec *s, const struct entry *sorted, size_t n, struct diag *d)
{
	const char *const *text = s->cidrs.items;
	const struct entry *outer = sorted;
	char where[32];

	for (size_t i = 1; i < n; i++) {
		const struct entry *e = &sorted[i];

		if (!cidr_within(&e->cidr, &outer->cidr)) {
			outer = e;
			continue;
		}
		snprintf(where, sizeof(where), "cidrs[%zu]", e->place);
		diag_add(d, DIAG_INVALID, where, "%s cidrs[%zu], '%s'",
		    e->cidr.bits == outer->cidr.bits ? "is the same range as" : "lies inside",
		    outer->place, text[outer->place]);
		diag_detail(d, text[e->place], NULL);
	}
}

int
line_check(const char *name, const void *spec, struct diag *d)
{
	const struct line_spec *s = spec;
	struct entry *entries = xcalloc(s->cidrs.count + 1, sizeof(*entries));
	const size_t before = d->count;
	const size_t n = read_cidrs(s, entries, d);

	check_name(name, d);
	qsort(entries, n, sizeof(*entries), compare_entries);
	check_apart(s, entries, n, d);
	free(entries);
	return d->count == before ? 0 : -EINVAL;
}
