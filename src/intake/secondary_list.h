/* SPDX-License-Identifier: GPL-3.0-or-later */
/* secondary_list -- what a catalog zone (RFC 9432) lists, read from its stored records. */
#pragma once

#include "base/diag.h"
#include "base/strmap.h"
#include "store/store.h"

struct secondary_member {
	char *node;  /* the label that stands for it: another one means a new zone */
	char *group; /* "": none; several: with commas */
	char *coo;   /* the catalog that may take it over; "": none */
};

struct secondary_list {
	struct strmap members; /* name -> struct secondary_member * */
	const char *broken;    /* why it must not be followed, or NULL */
};

/* 0, or negative if the records cannot be read. To secondary_list_fini in any case. */
MUST_USE int
secondary_list_read(struct secondary_list *l, struct store *s, const char *catalog, struct diag *d);
void secondary_list_fini(struct secondary_list *l);
