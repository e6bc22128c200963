/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * station -- the server's end of all its probe nodes: who comes with a token is enrolled, who comes
 * with a certificate gets the checks and has its votes passed on.
 *
 *	node ==TLS== [ session ] --VOTES, BEAT, NODE--> hooks.engine
 *	             [ session ] <-----changes--------- station_deliver
 *	             [ session ] <-----questions------- station_ask
 *
 * One thread with a loop; the registrar beside it does what takes a commit. A node is told
 * templates, addresses and the names of nodes, nothing else. Strangers cost little: at most
 * STATION_STRANGERS at a time and STATION_PER_HOST of one address, a few seconds each, a few
 * KiB each.
 */
#pragma once

#include "api/control.h"
#include "feed/message.h"
#include "node/authority.h"

#define STATION_STRANGERS   256
#define STATION_PER_HOST    16
#define STATION_STRANGER_MS 5000
#define STATION_SILENT_MS   10000
#define STATION_NODES       4096

struct station;

/* How a change, or what an engine misses, goes out; implemented by who has the store. */
struct station_out {
	void *arg;
	void (*send)(void *arg, enum message_type type, const void *body, size_t len);
	/* Is it for nodes? Then `out` is what they get of it; else false. */
	bool (*pass)(const struct change_op *op, struct change_op *out);
};

struct station_hooks {
	void *arg;
	/* Hand on to the server's engine, if it is there. */
	void (*engine)(void *arg, enum message_type type, const char *text, size_t len);
	/* Bring an engine that has `revision` of `lineage` up to date; ends with CURRENT. */
	void (*sync)(
	    void *arg, const struct station_out *out, const char *lineage, uint64_t revision);
};

struct station_config {
	int fd;                /* listening */
	const char *dir;       /* of the authority */
	const char *advertise; /* host:port that nodes connect to; NULL: has to be said */
};

/* NULL with a problem. */
MUST_USE struct station *station_new(const struct station_config *c, struct control *control,
    const struct station_hooks *hooks, struct diag *d);
void station_start(struct station *s);
void station_free(struct station **s);

/* Any thread. A committed set: nodes are told, and whoever is not known any more is cut off. */
void station_deliver(struct station *s, const struct change_set *set);
/* Any thread. The server's engine has come: it is told who is there, and they tell all votes. */
void station_engine_came(struct station *s);
/* As control_nodes.invite has it. */
json_t *station_invite(void *station, const struct control_invitation *i, struct diag *d);
/*
 * Any thread but its own: complete what the engine says of an address's health by what the nodes
 * have seen last; who does not answer in time is left out.
 */
void station_complete(struct station *s, json_t *health, unsigned timeout_ms);
