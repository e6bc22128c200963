/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * charts -- from a client's position to the lines it belongs to, for the lines somebody uses.
 *
 *	atlas (data sets) --+
 *	                    +--> chart of {cn_telecom, cn, office}: sorted ranges --> class
 *	custom CIDR lines --+        class = the used lines that match, best first
 *
 * A chart is made for one set of lines and shared by all who use that set; ranges with the same
 * class are merged, so neighbours always differ. Immutable. Made by the writer's thread; read by
 * workers inside RCU.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "model/nouns.h"
#include "steer/position.h"

struct atlas;
struct chart;
struct charts; /* the maker: the atlas, the custom lines, and the charts in use */

/* -- writer's thread -- */

struct charts *charts_new(void);
void charts_free(struct charts **cs); /* no chart may be in use */
/* Charts got from now on follow the new data; those in use stay as they are. Takes `a`; NULL: no
 * data. */
void charts_set_atlas(struct charts *cs, struct atlas *a);
const struct atlas *charts_atlas(const struct charts *cs); /* NULL: no data */
/* A custom line appears or changes / goes. Cost O(its CIDRs log all CIDRs). */
void charts_put_line(struct charts *cs, const char *name, const struct line_spec *spec);
void charts_drop_line(struct charts *cs, const char *name);

/*
 * The chart of these lines: canonical codes, distinct, in strcmp order, without "default"; n >= 1.
 * An unknown custom line matches nobody. One reference. A second call with the same lines (and no
 * change of the data or of a custom line concerned in between) yields the same chart at O(n).
 * A new one costs O(ranges of those lines, log), whatever else is in the atlas.
 */
struct chart *charts_get(struct charts *cs, const char *const *lines, size_t n);
/*
 * `fine` with its classes joined: class i becomes part[i] < n_parts, n_parts >= 2, each part used.
 * Interned likewise. One reference (it does not need `fine` to live).
 */
struct chart *
charts_join(struct charts *cs, const struct chart *fine, const uint16_t *part, unsigned n_parts);
void chart_ref(struct chart *c);
void chart_unref(struct chart **c); /* the last one frees it after a grace period */

/*
 * The lines of class i as indexes into `lines`, best first: custom CIDR (longest prefix first, each
 * followed by its ancestors) > search engine > cloud > ISP+province > ISP > province/city > country
 * > continent; deeper before shallower. Class 0 always exists: no line matches. Not for a joined
 * chart.
 */
struct chart_class {
	const uint16_t *lines;
	unsigned count;
};
unsigned chart_classes(const struct chart *c);
struct chart_class chart_class(const struct chart *c, unsigned i);

/* -- workers -- */

/*
 * The class (or part) of a position, and in *scope the length of the largest prefix around it whose
 * every address has the same one: 1..32 or 1..128 (never 0: a chart of one class is not used).
 * Position of family 0: class 0 (part[0]) and scope 0. O(log ranges), no allocation, lock or call.
 */
unsigned chart_find(const struct chart *c, const struct position *at, unsigned *scope);
