/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/line_tree.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/mem.h"
#include "base/strmap.h"
#include "model/line_networks.h"

const char *const line_tree_kinds[LINE_KINDS + 1] = {
	[LINE_SEARCH] = "search",
	[LINE_CLOUD] = "cloud",
	[LINE_ISP_PROVINCE] = "isp_province",
	[LINE_ISP] = "isp",
	[LINE_PROVINCE] = "province",
	[LINE_REGION] = "region",
	[LINE_COUNTRY] = "country",
	[LINE_CONTINENT] = "continent",
	[LINE_OVERSEA] = "oversea",
	[LINE_DEFAULT] = "default",
};

static const struct place {
	enum line_kind kind;
	const char *code, *parent, *en, *zh, *aliases;
} places[] = {
#define PLACE(kind, code, parent, en, zh, aliases) { LINE_##kind, code, parent, en, zh, aliases },
#include "model/line_places.inc"
#undef PLACE
};

static struct {
	struct line_info *lines; /* in the order of their indexes */
	size_t count, cap;
	const struct line_info **ranked;
	struct strmap words;          /* code or alias -> struct line_info * */
	const struct line_asn **asns; /* by number */
	size_t n_asns;
	struct arena arena;
} tree;

/* -- making it -- */

/* Parents come later, since a place may stand before the place it is in. */
static void
add(enum line_kind kind, const char *code, const char *en, const char *zh, const char *aliases)
{
	MEM_GROW(&tree.lines, &tree.cap, tree.count + 1);
	tree.lines[tree.count] = (struct line_info){ .code = code,
		.en = en,
		.zh = zh,
		.aliases = aliases,
		.kind = kind,
		.index = (uint16_t)tree.count };
	tree.count++;
}

static void
add_places(void)
{
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		add(places[i].kind, places[i].code, places[i].en, places[i].zh, places[i].aliases);
}

static void
add_networks(enum line_kind kind, const struct line_network *n)
{
	for (; n->code != NULL; n++)
		add(kind, n->code, n->en, n->zh, n->aliases);
}

/* Each carrier in each province of China: "telecom_zj", alias "cn_telecom_zhejiang". */
static void
add_meetings(const struct line_network *carrier)
{
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		const struct place *p = &places[i];

		if (p->kind != LINE_PROVINCE || strncmp(p->code, "cn_", 3) != 0)
			continue;
		add(LINE_ISP_PROVINCE,
		    arena_printf(&tree.arena, "%s_%s", carrier->code, p->code + 3),
		    arena_printf(&tree.arena, "%s, %s", carrier->en, p->en),
		    arena_printf(&tree.arena, "%s%s", p->zh, carrier->zh),
		    arena_printf(&tree.arena, "cn_%s_%s", carrier->code, p->aliases + 3));
	}
}

static void
name_words(const struct line_info *l)
{
	char alias[64];

	CHECK(strmap_put(&tree.words, l->code, (void *)(uintptr_t)l) == NULL);
	for (const char *at = l->aliases; *at != '\0';) {
		const size_t len = strcspn(at, " ");

		CHECK(len < sizeof(alias));
		memcpy(alias, at, len);
		alias[len] = '\0';
		CHECK(strmap_put(&tree.words, alias, (void *)(uintptr_t)l) == NULL);
		at += len + (at[len] == ' ');
	}
}

static void
set_parent(const char *code, const char *parent)
{
	struct line_info *l = strmap_find(&tree.words, code);

	l->parent = strmap_find(&tree.words, parent);
	CHECK(l->parent != NULL);
}

static void
set_parents(void)
{
	static const struct line_network *const networks[] = { line_networks_carriers,
		line_networks_clouds, line_networks_search };

	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		set_parent(places[i].code, places[i].parent);
	for (size_t i = 0; i < ARRAY_LEN(networks); i++)
		for (const struct line_network *n = networks[i]; n->code != NULL; n++)
			set_parent(n->code, n->parent);
	set_parent("oversea", "default");
	for (size_t i = 0; i < tree.count; i++) {
		struct line_info *l = &tree.lines[i];

		if (l->kind == LINE_ISP_PROVINCE)
			set_parent(l->code, arena_strndup(&tree.arena, l->code,
						(size_t)(strrchr(l->code, '_') - l->code)));
	}
	for (size_t i = 0; i < tree.count; i++)
		for (const struct line_info *p = tree.lines[i].parent; p != NULL; p = p->parent)
			tree.lines[i].depth++;
}

static int
compare_rank(const void *a, const void *b)
{
	const struct line_info *x = *(const struct line_info *const *)a;
	const struct line_info *y = *(const struct line_info *const *)b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->depth != y->depth)
		return x->depth > y->depth ? -1 : 1;
	return strcmp(x->code, y->code);
}

static void
rank(void)
{
	tree.ranked = xcalloc(tree.count, sizeof(const struct line_info *));
	for (size_t i = 0; i < tree.count; i++)
		tree.ranked[i] = &tree.lines[i];
	qsort(tree.ranked, tree.count, sizeof(const struct line_info *), compare_rank);
	for (size_t i = 0; i < tree.count; i++)
		tree.lines[tree.ranked[i]->index].rank = (uint16_t)i;
}

static int
compare_asn(const void *a, const void *b)
{
	const struct line_asn *x = *(const struct line_asn *const *)a;
	const struct line_asn *y = *(const struct line_asn *const *)b;

	return x->asn < y->asn ? -1 : x->asn > y->asn;
}

static void
sort_asns(void)
{
	while (line_networks_asns[tree.n_asns].asn != 0)
		tree.n_asns++;
	tree.asns = xcalloc(tree.n_asns, sizeof(const struct line_asn *));
	for (size_t i = 0; i < tree.n_asns; i++)
		tree.asns[i] = &line_networks_asns[i];
	qsort(tree.asns, tree.n_asns, sizeof(const struct line_asn *), compare_asn);
}

static void
make(void)
{
	arena_init(&tree.arena);
	strmap_init(&tree.words);
	add(LINE_DEFAULT, "default", "Default", "默认", "");
	add(LINE_OVERSEA, "oversea", "Outside the Chinese mainland", "境外", "");
	add_places();
	add_networks(LINE_ISP, line_networks_carriers);
	for (const struct line_network *n = line_networks_carriers; n->code != NULL; n++)
		add_meetings(n);
	add_networks(LINE_CLOUD, line_networks_clouds);
	add_networks(LINE_SEARCH, line_networks_search);
	CHECK(tree.count <= UINT16_MAX);
	for (size_t i = 0; i < tree.count; i++)
		name_words(&tree.lines[i]);
	set_parents();
	rank();
	sort_asns();
}

static void
need(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, make);
}

/* -- asking it -- */

const struct line_info *
line_tree_find(const char *word)
{
	need();
	return strmap_find(&tree.words, word);
}

size_t
line_tree_count(void)
{
	need();
	return tree.count;
}

const struct line_info *
line_tree_at(size_t index)
{
	need();
	CHECK(index < tree.count);
	return &tree.lines[index];
}

const struct line_info *
line_tree_ranked(size_t r)
{
	need();
	CHECK(r < tree.count);
	return tree.ranked[r];
}

bool
line_tree_within(const struct line_info *l, const struct line_info *above)
{
	while (l != NULL && l != above)
		l = l->parent;
	return l != NULL;
}

const struct line_info *
line_tree_of_asn(uint32_t asn)
{
	const struct line_asn key = { .asn = asn }, *at = &key, **found;
	char code[64];

	need();
	found = bsearch(&at, tree.asns, tree.n_asns, sizeof(const struct line_asn *), compare_asn);
	if (found == NULL)
		return NULL;
	if ((*found)->province == NULL)
		return line_tree_find((*found)->line);
	snprintf(code, sizeof(code), "%s_%s", (*found)->line, (*found)->province);
	return line_tree_find(code);
}

const struct line_info *
line_tree_meet(const struct line_info *isp, const struct line_info *place)
{
	char code[64];

	if (isp->kind != LINE_ISP || place->kind != LINE_PROVINCE ||
	    strncmp(place->code, "cn_", 3) != 0)
		return NULL;
	snprintf(code, sizeof(code), "%s_%s", isp->code, place->code + 3);
	return line_tree_find(code);
}

const struct line_info *
line_tree_named(const struct line_info *country, const char *name)
{
	need();
	for (size_t i = 0; i < tree.count; i++) {
		const struct line_info *l = &tree.lines[i];

		if (l->kind == LINE_PROVINCE && strcasecmp(l->en, name) == 0 &&
		    line_tree_within(l, country))
			return l;
	}
	return NULL;
}
