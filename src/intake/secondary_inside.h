/* SPDX-License-Identifier: GPL-3.0-or-later */
/* secondary_inside -- what the files of the secondary share; its thread's own unless said
 * otherwise. */
#pragma once

#include "base/list.h"
#include "base/strmap.h"
#include "intake/fetch.h"
#include "intake/secondary.h"
#include "zone/xfr_in.h"

struct secondary {
	uint32_t magic;
#define SECONDARY_MAGIC 0x5ec02da1u
	struct control *control;
	struct loop *loop;
	pthread_t thread;
	size_t max_bytes;
	struct strmap zones; /* name -> struct secondary_zone * */
	struct list waiting; /* for one of the places */
	unsigned busy;
	bool stopping;
	json_t *untold; /* zone -> real ms: refreshes the engine has not been told */
	struct wheel_timer tell;
};

struct secondary_peer {
	struct addr addr;
	char text[ADDR_TEXT_SIZE];
	char key[KIND_NAME_SIZE]; /* "": none */
};

/* What a zone is doing. */
enum secondary_step { STEP_IDLE, STEP_WAITING, STEP_SOA, STEP_TRANSFER };

struct secondary_zone {
	struct secondary *all;
	struct list item; /* in all->waiting */
	char name[KIND_NAME_SIZE];
	char id[17]; /* of the object: a zone made anew under the name is another */
	uint8_t apex[NAME_MAX_LEN];
	struct secondary_peer *peers;
	size_t n_peers;

	enum secondary_step step;
	size_t peer;        /* asked now, or the one that answered last */
	size_t tried;       /* of this round */
	bool again;         /* asked for while busy */
	bool whole;         /* the next transfer is to be AXFR, whatever the serial */
	bool consumer;      /* its members become zones */
	bool have;          /* there are records: */
	struct xfr_soa soa; /* their SOA */
	struct xfr_question question;
	struct fetch fetch;
	struct xfr_in *in;
	struct wheel_timer timer;

	unsigned failures; /* in a row */
	int64_t checked_ms, next_ms;
	char from[ADDR_TEXT_SIZE]; /* the primary of the latest success */
	char error[1400];          /* of the latest round; "": it went well */
};

/* secondary.c */
void secondary_hand_out(struct secondary *s); /* places to those who wait */
void secondary_release(struct secondary *s);  /* a place is free */
void secondary_tell(struct secondary *s, const struct secondary_zone *z);

/* secondary_zone.c */
struct secondary_zone *secondary_zone_new(struct secondary *s, const struct model_object *o);
void secondary_zone_free(struct secondary_zone **z);
/* The spec may be new. */
void secondary_zone_update(struct secondary_zone *z, const struct model_object *o);
/* Ask the primaries as soon as there is a place; `from` (may be NULL): the peer to ask first. */
void secondary_zone_check(struct secondary_zone *z, bool whole, const struct addr *from);
void secondary_zone_run(struct secondary_zone *z); /* it has got a place */

/* secondary_commit.c: what `in` has goes through control. 0, or -EINVAL with problems. */
MUST_USE int secondary_commit(struct secondary_zone *z, enum xfr_in_state state, struct diag *d);
/* The SOA that is stored; false if there is none. */
bool secondary_commit_soa(struct secondary_zone *z, struct xfr_soa *out);
struct draft_source secondary_commit_source(struct secondary_zone *z);

/* secondary_catalog.c: zones come and go as the catalog lists them. */
void secondary_catalog_sync(struct secondary_zone *z);

/* secondary_report.c: status and events. */
void secondary_report_status(const struct secondary_zone *z);
void secondary_report_transfer(const struct secondary_zone *z, enum xfr_in_state state);
void secondary_report_catalog(const struct secondary_zone *z, const char *why);
void secondary_report_failure(const struct secondary_zone *z);
