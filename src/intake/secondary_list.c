/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "intake/secondary_list.h"

#include <stdlib.h>
#include <string.h>

#include "api/records.h"
#include "base/buf.h"
#include "base/check.h"
#include "base/mem.h"
#include "dns/rrtype.h"

struct reading {
	struct secondary_list *list;
	struct strmap nodes; /* NODE.zones.CATALOG -> struct node * */
	uint8_t apex[NAME_MAX_LEN];
	unsigned versions;
};

struct node {
	struct secondary_member member;
	char *zone; /* NULL: properties only, which mean nothing */
};

static void
free_member(struct secondary_member *m)
{
	free(m->node);
	free(m->group);
	free(m->coo);
}

/* Labels before "zones" in NODE.zones.CATALOG; 0: the name is not of that form. */
static unsigned
labels_before_zones(const struct reading *r, const uint8_t *owner)
{
	const unsigned all = name_labels(owner), apex = name_labels(r->apex);

	if (all < apex + 2 || !name_below(owner, r->apex) ||
	    memcmp(name_skip(owner, all - apex - 1), "\5zones", 6) != 0)
		return 0;
	return all - apex - 1;
}

static struct node *
node_of(struct reading *r, const uint8_t *owner)
{
	char text[NAME_TEXT_SIZE];
	struct node *n = strmap_find(&r->nodes, name_text(owner, text));
	uint8_t label[65] = { 0 };

	if (n != NULL)
		return n;
	n = xcalloc(1, sizeof(*n));
	strmap_put(&r->nodes, text, n);
	memcpy(label, owner, 1u + owner[0]);
	n->member.node = xstrdup(name_text(label, text));
	return n;
}

static void
note_version(struct reading *r, const struct rrset *set)
{
	r->versions++;
	if (set->count != 1 || set->size != 4 ||
	    memcmp(set->data,
		"\0\2\1"
		"2",
		4) != 0)
		r->list->broken = "its version is not 2";
}

static char *
first_name(const struct rrset *set)
{
	char text[NAME_TEXT_SIZE];
	uint8_t name[NAME_MAX_LEN];

	name_copy_lower(name, set->data + 2);
	return xstrdup(name_text(name, text));
}

static void
note_member(struct reading *r, const uint8_t *owner, const struct rrset *set)
{
	struct node *n = node_of(r, owner);

	if (set->count != 1)
		r->list->broken = "a member's node has more than one PTR";
	else if (n->zone == NULL)
		n->zone = first_name(set);
}

static void
note_coo(struct reading *r, const uint8_t *owner, const struct rrset *set)
{
	struct node *n = node_of(r, name_skip(owner, 1));

	if (set->count != 1)
		r->list->broken = "a member's coo has more than one PTR";
	else if (n->member.coo == NULL)
		n->member.coo = first_name(set);
}

/* Several groups are allowed; what they mean is the consumer's business. */
static void
note_group(struct reading *r, const uint8_t *owner, const struct rrset *set)
{
	struct node *n = node_of(r, name_skip(owner, 1));
	const uint8_t *rdata;
	uint32_t pos = 0;
	uint16_t len;
	struct buf text;

	buf_init(&text, 255);
	while ((rdata = rrset_next(set, &pos, &len)) != NULL) {
		if (text.len > 0)
			buf_puts(&text, ",");
		buf_put(&text, rdata + 1, rdata[0] < len ? rdata[0] : 0u);
	}
	if (n->member.group == NULL && !text.overflow)
		n->member.group = xstrdup(buf_str(&text));
	buf_fini(&text);
}

static bool
read_set(const uint8_t *owner, const struct rrset *set, void *arg)
{
	struct reading *r = arg;
	const unsigned depth = labels_before_zones(r, owner);
	const unsigned below = name_labels(owner) - name_labels(r->apex);

	if (set->type == RRTYPE_TXT && below == 1 && memcmp(owner, "\7version", 8) == 0)
		note_version(r, set);
	else if (set->type == RRTYPE_PTR && depth == 1)
		note_member(r, owner, set);
	else if (set->type == RRTYPE_TXT && depth == 2 && memcmp(owner, "\5group", 6) == 0)
		note_group(r, owner, set);
	else if (set->type == RRTYPE_PTR && depth == 2 && memcmp(owner, "\3coo", 4) == 0)
		note_coo(r, owner, set);
	return r->list->broken == NULL;
}

/* Nodes in, members out. RFC 9432: a member listed twice is listed by neither. */
static void
settle(struct reading *r)
{
	struct secondary_list *l = r->list;

	STRMAP_EACH (&r->nodes, entry) {
		struct node *n = entry->value;
		struct secondary_member *m;

		if (n->zone != NULL && strmap_find(&l->members, n->zone) != NULL)
			l->broken = "a member is listed twice";
		if (n->zone == NULL || l->broken != NULL) {
			free_member(&n->member);
			free(n->zone);
			free(n);
			continue;
		}
		m = xmemdup(&n->member, sizeof(*m));
		m->group = m->group != NULL ? m->group : xstrdup("");
		m->coo = m->coo != NULL ? m->coo : xstrdup("");
		strmap_put(&l->members, n->zone, m);
		free(n->zone);
		free(n);
	}
	if (r->versions != 1 && l->broken == NULL)
		l->broken = "it has no version";
}

int
secondary_list_read(struct secondary_list *l, struct store *s, const char *catalog, struct diag *d)
{
	struct reading r = { .list = l };
	int rc;

	strmap_init(&l->members);
	strmap_init(&r.nodes);
	l->broken = NULL;
	CHECK(name_parse_lower(catalog, r.apex) > 0);
	rc = records_walk(s, catalog, read_set, &r, d);
	settle(&r);
	strmap_fini(&r.nodes);
	return rc;
}

void
secondary_list_fini(struct secondary_list *l)
{
	STRMAP_EACH (&l->members, entry) {
		free_member(entry->value);
		free(entry->value);
	}
	strmap_fini(&l->members);
}
