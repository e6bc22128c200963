/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * engine_votes -- the nodes that probe beside us, and how their votes become the words that steer
 * goes by.
 *
 *	prober --edge-----------------.
 *	feed ----VOTES, BEAT, NODE ----+--> panel --> word, journal, tree
 *	change set (nodes, templates) -'        `--> probe.stale
 *
 * The engine thread's. Between its own files.
 */
#pragma once

#include "app/engine_state.h"
#include "verdict/panel.h"

/* The latest edges of one voter's verdict of a check. */
struct engine_track {
	const struct voter *who;
	struct track track;
};

/* Of a check on which others vote, too, or might. */
struct engine_seat {
	struct panel_check *panel;
	struct engine_track *tracks; /* of those who ever changed their mind */
	size_t n_tracks;
};

/* A node that votes; or ourselves. */
struct voter {
	struct engine *engine;
	char *name;
	struct panel_node *seat;
	bool ours;
	bool connected, lost, skewed;
	bool enrolled;          /* once it has been: its absence is news */
	uint64_t awaited_ms;    /* since then; monotonic */
	uint64_t heard_ms;      /* monotonic; 0: not since we started */
	uint64_t told_ms;       /* its status: when, and what of it */
	const char *told_state; /* static */
	struct votes told_votes;
	int64_t seen_ms;    /* real; 0 likewise */
	json_t *said;       /* of itself, by its latest beat and connection; an object */
	struct strmap late; /* keys that it was behind with */
};

struct engine_votes {
	struct panel *panel;
	struct voter *ours;
	struct strmap voters; /* name -> struct voter *, without ourselves */
	struct strmap causes; /* text -> itself, as often as tracks refer to it: never freed */
	struct strmap early;  /* VOTE_KEY -> vote on a check that is not there yet */
	uint64_t early_ms;    /* since when some are kept */
	bool wanting;         /* a check is, by the tree, which cannot be told of an edge now */
	struct engine_check **unsaid; /* edges for the tree when it is done */
	size_t n_unsaid, cap_unsaid;
	const char *why; /* cause of what the panel is being told */
	struct wheel_timer end, second;
	size_t newly_stale, newly_fresh; /* since the last report */
	char *stale_key;                 /* one of them */
};

/* "key\nnode" */
char *engine_votes_key(const char *key, const char *node); /* the caller frees */

/* engine_votes.c: what a voter makes of a check; UNKNOWN: nothing any more. */
void engine_votes_cast(struct engine *e, struct engine_check *c, struct voter *who,
    enum flap_verdict verdict, const char *cause);
void engine_votes_await(struct engine *e); /* the next vote whose time will be over */

/* engine_votes_hear.c: of `voter`, these keys are late now; those that were and are not any more
 * are in time again. Takes the map's content. */
void engine_votes_late(struct engine *e, struct voter *voter, struct strmap *now);

/* engine_nodes.c: what is known of the nodes themselves. */
struct voter *engine_nodes_new(struct engine *e, const char *name, bool ours);
void engine_nodes_free(struct voter **v); /* its seat is the panel's to take */
/* From a heartbeat or of a connection, into `said`. */
void engine_nodes_note(struct voter *v, const json_t *body);
void engine_nodes_heard(struct engine *e, struct voter *v);
void engine_nodes_watch(struct engine *e); /* once a second */
void engine_nodes_status(struct engine *e, struct voter *v);
