/* SPDX-License-Identifier: GPL-3.0-or-later */
/* look -- what layers and atlases say of an address, as text. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "geo/atlas.h"
#include "geo/layer.h"
#include "model/line_tree.h"
#include "net/addr.h"

static inline struct atlas_point
look_point(const char *ip, enum atlas_family *f)
{
	struct atlas_point p = { 0, 0 };
	struct addr a;
	size_t len;

	assert_int_equal(addr_ip_parse(&a, ip, AF_UNSPEC), 0);

	const uint8_t *bytes = addr_ip(&a, &len);

	for (size_t i = 0; i < len; i++)
		*(i < 8 ? &p.hi : &p.lo) |= (uint64_t)bytes[i] << (56 - 8 * (i % 8));
	*f = len == 4 ? ATLAS_V4 : ATLAS_V6;
	return p;
}

static inline const char *
look_code(uint16_t line)
{
	return line == LAYER_NONE ? "-" : line_tree_at(line)->code;
}

/* "cn_zj telecom", "- -"; "" if the layer says nothing there. */
static inline const char *
look_layer(const struct layer *l, const char *ip)
{
	static char text[128];
	enum atlas_family f;
	const struct atlas_point p = look_point(ip, &f);

	text[0] = '\0';
	for (size_t i = 0; i < l->count[f]; i++) {
		const struct layer_range *r = &l->items[f][i];

		if (atlas_point_compare(r->first, p) <= 0 && atlas_point_compare(p, r->last) <= 0)
			snprintf(text, sizeof(text), "%s %s", look_code(r->value.place),
			    look_code(r->value.network));
	}
	return text;
}

/* "telecom_zj telecom cn_zj ..." */
static inline const char *
look_atlas(const struct atlas *a, const char *ip)
{
	static char text[512];
	enum atlas_family f;
	const struct atlas_point p = look_point(ip, &f);
	const struct atlas_set set = atlas_set(a, atlas_set_at(a, f, atlas_find(a, f, p)));

	text[0] = '\0';
	for (size_t i = 0; i < set.count; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i > 0 ? " " : "",
		    line_tree_at(set.lines[i])->code);
	return text;
}

/* A name for a file of this test; what is there goes at exit of the caller's liking. */
static inline const char *
look_path(const char *suffix)
{
	static char path[64];

	snprintf(path, sizeof(path), "/tmp/geo-test-%d%s", (int)getpid(), suffix);
	return path;
}
