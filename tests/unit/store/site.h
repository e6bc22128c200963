/* SPDX-License-Identifier: GPL-3.0-or-later */
/* site -- a scratch directory with a store in it, and what tests put there. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "dns/name.h"
#include "dns/rrpage.h"
#include "store/store.h"

struct site {
	char dir[64];
	struct store *store;
	struct change_set set;
	struct diag diag;
};

static inline void
site_open(struct site *s)
{
	if (store_open(s->dir, &s->store, &s->diag) < 0)
		fail_msg("%s", diag_text(&s->diag));
}

static inline void
site_reopen(struct site *s)
{
	store_close(&s->store);
	site_open(s);
}

static inline int
site_start(void **state)
{
	struct site *s = xcalloc(1, sizeof(*s));

	strcpy(s->dir, "/tmp/gtm-store-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	change_init(&s->set);
	diag_init(&s->diag);
	site_open(s);
	*state = s;
	return 0;
}

static inline int
site_stop(void **state)
{
	struct site *s = *state;
	char command[128];

	store_close(&s->store);
	change_fini(&s->set);
	diag_fini(&s->diag);
	snprintf(command, sizeof(command), "rm -rf '%s'", s->dir);
	assert_int_equal(system(command), 0);
	free(s);
	return 0;
}

static inline void
site_put(struct site *s, enum kind kind, const char *name, const char *spec)
{
	char id[64];

	snprintf(id, sizeof(id), "%d-%.50s", kind, name);
	change_add(&s->set, &(struct change_op){ .op = CHANGE_PUT,
				.kind = kind,
				.name = name,
				.id = id,
				.spec = spec,
				.created_ms = 1000,
				.updated_ms = 2000 });
}

static inline void
site_delete(struct site *s, enum kind kind, const char *name)
{
	change_add(&s->set, &(struct change_op){ .op = CHANGE_DELETE, .kind = kind, .name = name });
}

static inline void
site_rrset(struct site *s, const char *zone, const char *owner, uint8_t last)
{
	const uint8_t rdata[] = { 0, 4, 192, 0, 2, last };
	uint8_t wire[NAME_MAX_LEN];

	assert_true(name_parse_lower(owner, wire) > 0);
	change_add(&s->set, &(struct change_op){ .op = CHANGE_RRSET_PUT,
				.name = zone,
				.owner = wire,
				.type = 1,
				.ttl_s = 300,
				.rdata = rdata,
				.rdata_len = sizeof(rdata) });
}

static inline void
site_rrset_delete(struct site *s, const char *zone, const char *owner)
{
	uint8_t wire[NAME_MAX_LEN];

	assert_true(name_parse_lower(owner, wire) > 0);
	change_add(
	    &s->set, &(struct change_op){
			 .op = CHANGE_RRSET_DELETE, .name = zone, .owner = wire, .type = 1 });
}

static inline void
site_clear(struct site *s, const char *zone)
{
	change_add(&s->set, &(struct change_op){ .op = CHANGE_ZONE_CLEAR, .name = zone });
}

/* The set replaces all of `zone` by what is in the book. */
static inline void
site_replace(struct site *s, const char *zone, const struct rrpage_book *book)
{
	site_clear(s, zone);
	for (size_t i = 0; i < book->count; i++) {
		const struct rrpage page = rrpage_at(book, i);

		change_add_copy(&s->set, &(struct change_op){ .op = CHANGE_ZONE_PAGE,
					     .name = zone,
					     .rdata = page.data,
					     .rdata_len = (uint32_t)page.len });
	}
}

/* "n000007.ZONE" A 192.0.2.LAST, in order when the numbers are. */
static inline void
site_book_add(struct rrpage_book *book, const char *zone, unsigned n, uint8_t last)
{
	const uint8_t rdata[] = { 0, 4, 192, 0, 2, last };
	uint8_t owner[NAME_MAX_LEN], apex[NAME_MAX_LEN];
	char text[128];

	snprintf(text, sizeof(text), "n%06u.%s", n, zone);
	assert_true(name_parse_lower(text, owner) > 0 && name_parse_lower(zone, apex) > 0);
	rrpage_add(book, name_len(apex),
	    &(struct rrpage_set){ owner, 1, 300, rdata, sizeof(rdata), NULL });
}

static inline void
site_forget(struct site *s)
{
	change_fini(&s->set);
	change_init(&s->set);
}

static inline uint64_t
site_commit(struct site *s)
{
	if (store_commit(s->store, &s->set, &s->diag) < 0)
		fail_msg("%s", diag_text(&s->diag));
	const uint64_t revision = s->set.revision;

	site_forget(s);
	return revision;
}

/* An op as a word: "put pool p", "delete pool p", "rrset www.x.org 7", "gone www.x.org", "clear
 * x.org". */
static inline int site_tell(const struct change_op *op, void *arg);

static inline void
site_tell_page(const struct change_op *page, void *arg)
{
	struct rrpage_reader r;
	struct rrpage_set set;
	uint8_t apex[NAME_MAX_LEN];

	assert_true(name_parse_lower(page->name, apex) > 0);
	rrpage_open(&r, apex, page->rdata, page->rdata_len);
	while (rrpage_next(&r, &set))
		(void)site_tell(&(struct change_op){ .op = CHANGE_RRSET_PUT,
				    .owner = set.owner,
				    .rdata = set.rdata,
				    .rdata_len = set.rdata_len },
		    arg);
	assert_false(r.bad);
}

static inline int
site_tell(const struct change_op *op, void *arg)
{
	char *out = arg, owner[NAME_TEXT_SIZE];
	const size_t used = strlen(out), left = 4096 - used;

	if (op->op == CHANGE_PUT)
		snprintf(out + used, left, "put %s %s;", kind_table[op->kind].name, op->name);
	else if (op->op == CHANGE_DELETE)
		snprintf(out + used, left, "delete %s %s;", kind_table[op->kind].name, op->name);
	else if (op->op == CHANGE_RRSET_PUT)
		snprintf(out + used, left, "rrset %s %u;", name_text(op->owner, owner),
		    op->rdata[op->rdata_len - 1]);
	else if (op->op == CHANGE_RRSET_DELETE)
		snprintf(out + used, left, "gone %s;", name_text(op->owner, owner));
	else if (op->op == CHANGE_ZONE_PAGE)
		site_tell_page(op, arg);
	else
		snprintf(out + used, left, "clear %s;", op->name);
	return 0;
}

static inline void
site_holds(struct site *s, const char *want)
{
	char told[4096] = "";
	uint64_t revision;

	assert_int_equal(store_load(s->store, site_tell, told, &revision), 0);
	assert_string_equal(told, want);
	assert_int_equal(revision, store_revision(s->store));
}

static inline void
site_changed(struct site *s, uint64_t since, const char *want)
{
	char told[4096] = "";
	uint64_t revision;

	assert_int_equal(store_changes_since(s->store, since, site_tell, told, &revision), 0);
	assert_string_equal(told, want);
	assert_int_equal(revision, store_revision(s->store));
}
