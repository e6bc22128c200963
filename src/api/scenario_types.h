/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The inside of a scenario in the making.
 *
 *	scenario_fields.c   the request: its members, read and described by one table
 *	scenario.c          head, domain, reply
 *	scenario_sites.c    the sites' addresses, one list of them all
 *	scenario_parts.c    template, addresses, pools
 *	scenario_place.c    under which name, and whether it is there already
 */
#pragma once

#include "api/edit.h"
#include "base/strmap.h"
#include "model/nouns.h"

/* -- the request -- */

enum scenario_kind {
	SCENARIO_HEALTH_CHECK_ONLY,
	SCENARIO_ACTIVE_STANDBY,
	SCENARIO_MULTI_ACTIVE,
	SCENARIO_SINGLE_DC_MULTI_ISP,
	SCENARIO_ACTIVE_STANDBY_MULTI_ISP,
	SCENARIO_MULTI_ACTIVE_MULTI_ISP,
	SCENARIO_CUSTOM,
	SCENARIO_KINDS,
};

#define SCENARIO_TYPES 3 /* A, AAAA, CNAME */

struct scenario_address {
	const char *value;
	const char *target; /* probed instead; NULL: the value is */
};

struct scenario_line {
	const char *name;
	struct field_list addresses; /* struct scenario_address */
};

struct scenario_site {
	const char *name;
	uint32_t weight;
	struct field_list addresses; /* struct scenario_address; of scenarios without lines */
	struct field_list lines;     /* struct scenario_line; of the others */
};

struct scenario_spec {
	int kind;
	const char *name;
	const char *types[SCENARIO_TYPES];
	size_t n_types;
	struct field_list sites; /* struct scenario_site */
	struct field_list names; /* struct field_label: "pool/dc-a" -> "east" */
};

/* Members taken over into the domain as they are; the domain's own table checks them. */
extern const char *const scenario_fields_domain[];
/* Likewise those about sequences. */
extern const char *const scenario_fields_sequence[];

/* Decode the body without the members above, "check", "strategy" and "pools". 0 or -EINVAL. */
MUST_USE int scenario_fields_read(struct scenario_spec *out, const json_t *body, struct request *r);

/* -- what differs between scenarios -- */

struct scenario_row {
	int strategy;        /* of the domain */
	int member_strategy; /* of each pool */
	bool by_line;        /* a pool per line; else a pool per site */
	size_t min, max;     /* sites */
	enum { SCENARIO_NO_SEQUENCE, SCENARIO_OF_DOMAIN, SCENARIO_OF_POOLS } sequence;
	bool manual; /* addresses stay available whatever their health */
};

/* -- in the making -- */

/* One address of one site under one line. */
struct scenario_value {
	const char *text; /* canonical */
	const char *target;
	const char *where; /* in the request: "sites[0].lines.telecom[1]" */
	size_t site;
	const char *line; /* its code; NULL in a scenario without lines */
	size_t type;      /* index into spec.types */
	size_t number;    /* from 1, among those of this site, line and type */
	const char *name; /* of its address object, once there is one */
};

struct scenario {
	struct edit *e;
	struct request *r;
	const json_t *body;
	struct scenario_spec spec;
	const struct scenario_row *row;
	const char *host;
	const char *template; /* NULL: no check */
	int port;
	struct scenario_value *values; /* by site, then line, then as given */
	size_t n_values, cap;
	const char **lines; /* in the order in which they came, without default */
	size_t n_lines;
	json_t *made, *reused;
	/* of the type in hand */
	size_t type;
	const char *tag;      /* what its pools and addresses are told apart by: "", "-v6" */
	json_t *links;        /* of its domain to its pools */
	const char **origins; /* where in the request each link comes from */
	struct strmap twins;  /* value -> name of an address that will do */
	struct strmap asked;  /* names that may be chosen: "pool/dc-a" */
};

const char *scenario_print(struct scenario *s, const char *fmt, ...) PRINTF(2, 3);
int scenario_refuse(struct scenario *s, const char *where, const char *detail, const char *got,
    const char *allowed);
const char *scenario_address_type(const char *type); /* "A": "ipv4" */
const struct scenario_site *scenario_site_at(const struct scenario *s, size_t i);

/* -- scenario_sites.c -- */

/* Fill in values and lines; all that is wrong with them is told. */
void scenario_sites_read(struct scenario *s);
/* How many sites have an address of the type. */
size_t scenario_sites_count(const struct scenario *s, size_t type);

/* -- scenario_parts.c -- */

void scenario_parts_template(struct scenario *s);
/* Addresses and pools of the type in hand; s->links leads to the pools. */
void scenario_parts_make(struct scenario *s);

/* -- scenario_place.c -- */

struct scenario_place {
	enum kind kind;
	const char *base; /* the name it gets unless the request or what exists says otherwise */
	json_t *spec;     /* taken */
	const char *twin; /* an equal object under any name; may be NULL */
	bool ours;        /* the name gives way to another object; a person's does not */
	const char *where;
	bool whole; /* see problem_adopt */
};

/* Is there an equal object, remark and labels aside, under that name? */
bool scenario_place_alike(
    struct scenario *s, enum kind kind, const struct model_object *o, const json_t *full);
/* The spec as it would be stored; NULL with problems. New reference. */
json_t *scenario_place_full(
    struct scenario *s, enum kind kind, const char *name, const json_t *spec, struct diag *d);
/* Put it, or use what is there. Its name, or NULL with problems. */
const char *scenario_place(struct scenario *s, const struct scenario_place *p);
/* The domain itself: nothing but an equal one may be there. */
void scenario_place_domain(struct scenario *s, const char *name, json_t *spec, struct diag *d);
/* Refuse choices of names for what was not made. */
void scenario_place_names(struct scenario *s);
