/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * view -- the objects as they will be once a pending change set is applied to a model.
 *
 *	pending PUT or DELETE of the object, newest first   else   the model
 *
 * Inside the room. Specs it returns live as long as the view (or the model).
 */
#pragma once

#include "model/model.h"

struct view {
	const struct model *model;
	const struct change_set *pending; /* may be NULL */
	struct arena arena;
};

void view_init(struct view *v, const struct model *m, const struct change_set *pending);
void view_fini(struct view *v);

/* NULL if there is none. */
const void *view_spec(struct view *v, enum kind kind, const char *name);
bool view_exists(const struct view *v, enum kind kind, const char *name);
/* Name of the deepest zone at or above `host`, written to out; false if none. */
bool view_zone_of(const struct view *v, const char *host, char out[KIND_NAME_SIZE]);

/* Call `visit` once for each object that refers to this one. */
typedef void view_referrer_f(enum kind kind, const char *name, const void *spec, void *arg);
void
view_referrers(struct view *v, enum kind kind, const char *name, view_referrer_f *visit, void *arg);
/* Likewise for all objects of a kind. */
void view_each(struct view *v, enum kind kind, view_referrer_f *visit, void *arg);
