/* SPDX-License-Identifier: GPL-3.0-or-later */
/* engine_state -- what the engine's files share; the engine thread's own unless said otherwise. */
#pragma once

#include "app/config.h"
#include "app/sockets.h"
#include "base/strmap.h"
#include "feed/journal.h"
#include "feed/link.h"
#include "net/loop.h"
#include "probe/prober.h"
#include "serve/server.h"
#include "steer/tree.h"
#include "verdict/panel.h"
#include "verdict/track.h"
#include "zone/history.h"
#include "zone/zones.h"

struct engine_votes;
struct engine_seat;

/* A check that runs somewhere, by its key. There are very many: what only checks with several
 * voters need is their seat's. */
struct engine_check {
	const char *key, *template; /* the tree's, until it drops the check */
	struct engine_seat *seat;   /* NULL: our own verdict is all there is */
	struct track track;         /* of `verdict` */
	uint32_t slot, edges;
	uint8_t verdict; /* enum flap_verdict, by all who vote */
	uint8_t own;     /* likewise, our prober's */
	bool here;       /* our prober has it */
	bool own_noted;  /* the journal says what our prober's is, apart */
	bool unsaid;     /* see engine_votes.h */
};

struct engine {
	uint32_t magic;
#define ENGINE_MAGIC 0x656e6769u
	const struct config *config;
	const struct sockets *sockets;
	int ready_fd;
	struct loop *loop;
	struct zones *zones;
	struct word_table *words;
	struct tree *tree;
	struct prober *prober;
	struct server *server;
	struct engine_votes *votes;
	struct engine_report *report; /* NULL: no probe node */
	uint64_t started_ms;          /* monotonic */

	struct strmap checks; /* key -> struct engine_check * */
	struct strmap
	    recalled; /* key -> verdict + 1 as a number: restored, not yet claimed by a check */
	struct strmap recalled_votes; /* "key\nnode" -> the same of one voter, | 4 */
	struct strmap remembered;     /* key -> char *: pointers of sequences */

	struct strmap secondaries; /* zone -> what engine_secondary.c keeps of it */

	struct journal *model_log;
	struct journal *verdict_log;
	struct engine_rewrite *rewrite;    /* of model_log, under way; or NULL */
	struct engine_build *build;        /* of a large change, under way; or NULL */
	size_t model_log_base;             /* how much of it is no history, nearly */
	size_t grown_bytes, grown_objects; /* of that, of objects that came since it was written */
	size_t verdict_log_base;
	bool model_log_behind, verdict_log_behind; /* something could not be written */
	struct wheel_timer touch;

	uint64_t revision;
	char lineage[40]; /* of the store the model came from; "" before the first */
	bool synced;      /* control has said CURRENT at least once, or the journal held a model */
	bool replaying;   /* the journals: nothing happens now, it happened then */
	bool serving;
	bool round_asked;
	struct wheel_timer round_limit;
	struct wheel_timer due;      /* see tree_due */
	struct wheel_timer learning; /* see tree_learn */

	struct loop_fd feed_accept;
	struct link *link;        /* NULL: control is not there */
	uint64_t greetings;       /* connections of control so far */
	struct change_set *reset; /* collecting a whole model, or NULL */
	struct engine_forward *forward;
	struct engine_transfer *transfer;
	struct engine_simulate *simulate; /* under way, or NULL */
	struct engine_history *history;   /* NULL while the journals are replayed */
	struct engine_geo *geo;           /* NULL: no data sets are configured */
	struct engine_xdp *xdp;
	struct list pending_events; /* while control is away */
	size_t n_pending_events;    /* bounded */
	struct buf saying;          /* to control: a message being made */
};

/* Zones that a change set replaces, made ready; in the order of its ZONE_CLEARs. */
struct engine_fresh {
	struct zone **zones;
	size_t count, cap, taken;
};

/* engine_zones.c: the RRset side of a change set. Before and after tree_apply. */
/* `fresh` may be NULL: what the set replaces is built now. */
void engine_zones_before(struct engine *e, const struct change_set *c, struct engine_fresh *fresh);
/* In any thread that RCU knows: fill `fresh`. 0, or -EINVAL (a page is damaged, or `stop` is set).
 */
int engine_zones_build(const struct change_set *c, struct engine_fresh *fresh, const bool *stop);
void engine_zones_forget(struct engine_fresh *fresh); /* what was not taken */
void engine_zones_after(struct engine *e, const struct change_set *c);
void engine_zones_overlay(struct engine *e, const uint8_t *host, const void *overlay, bool shown);

/* engine_memory.c: journals. */
enum engine_record {
	RECORD_CHANGE = 1,
	RECORD_LINEAGE,
	RECORD_VERDICT,
	RECORD_POINTER,
	RECORD_VOTE
};
int engine_memory_append(struct journal *j, const struct change_set *c);
int engine_memory_append_bytes(struct journal *j, const uint8_t *body, size_t len); /* encoded */
int engine_memory_open(
    struct engine *e, struct diag *d); /* replays; the model is in place afterwards */
void engine_memory_close(struct engine *e);
void engine_memory_change(struct engine *e, const uint8_t *body, size_t len);
size_t engine_memory_objects(const struct engine *e); /* of the model, all kinds */
/* A change of `len` bytes has been applied; `before`: objects there were. */
void engine_memory_grown(struct engine *e, const struct change_set *c, size_t len, size_t before);
/* The journal is new, and as large as its model: `base`. */
void engine_memory_written(struct engine *e, size_t base);
/* A change has been appended, with this result, and applied: is it time to rewrite? */
void engine_memory_appended(struct engine *e, int err);
void engine_memory_replaced(struct engine *e); /* the whole model, by another */
void engine_memory_verdict(struct engine *e, const char *key, enum flap_verdict v);
/* Of one voter; UNKNOWN: none any more. */
void engine_memory_vote(struct engine *e, const char *key, const char *node, enum flap_verdict v);
void engine_memory_remember(struct engine *e, const char *key, const char *value);

/* engine_rewrite.c: the model's journal without history. */
int engine_rewrite_whole(struct engine *e);  /* now: the model has been replaced; logs nothing */
void engine_rewrite_start(struct engine *e); /* by and by; sets e->rewrite */
/* What was started is given up, the journal stays as it is. Needed before the zones go. */
void engine_rewrite_stop(struct engine *e);
void engine_rewrite_resume(struct engine *e); /* the journal is the engine's again */

/* engine_build.c: large changes, made ready by a thread. While e->build is set, what changes
 * anything waits. */
bool engine_build_wants(const struct engine *e, size_t len);
void engine_build_start(struct engine *e, struct buf *frame); /* a CHANGE; takes it */
void engine_build_wait(struct engine *e, enum message_type type, const uint8_t *body, size_t len);
void engine_build_forget(struct engine *e); /* what waits: control is gone */
void engine_build_stop(struct engine *e);   /* before the journals go */
/* engine_secondary.c: zones that age. After each change; after the journals have been replayed. */
#define ENGINE_REFRESHED "refreshed " /* what the times are remembered under, with the zone */
void engine_secondary_change(struct engine *e, const struct change_set *c);
void engine_secondary_open(struct engine *e);
void engine_secondary_close(struct engine *e);
/* {zone: real ms of its latest refresh}. New reference. */
json_t *engine_secondary_refreshed(struct engine *e, const json_t *request);

/* engine_probe.c: the prober, and what the tree wants of it. */
void engine_probe_open(struct engine *e);
void engine_probe_want(void *engine, const struct tree_check *c);
void engine_probe_drop(void *engine, const char *key, uint32_t slot);
void engine_probe_free_check(struct engine *e, struct engine_check *c);
json_t *engine_probe_beat(struct engine *e, const json_t *request, struct diag *d);
/* The reply comes by engine_feed_reply; or -EINVAL with a problem, and none comes. */
int engine_probe_try(struct engine *e, uint32_t id, const json_t *request, struct diag *d);

/* engine_votes.c: who votes on our checks; see engine_votes.h. */
void engine_votes_open(struct engine *e); /* before the tree */
void engine_votes_close(struct engine *e);
/* Before the tree applies it: nodes come and go, whose votes go with them at once. */
void engine_votes_change(struct engine *e, const struct change_set *c);
/* A check is wanted, or its template has changed; sets `here`, and `own`: with what our prober is
 * to start. */
void engine_votes_settle(struct engine *e); /* after the tree has applied it */
/* A check is new: what is remembered of it. */
void engine_votes_meet(struct engine *e, struct engine_check *c);
void engine_votes_want(struct engine *e, struct engine_check *c, const struct template_spec *t);
void engine_votes_drop(struct engine *e, struct engine_check *c);
void engine_votes_own(
    struct engine *e, struct engine_check *c, enum flap_verdict verdict, const char *cause);
void engine_votes_take(struct engine *e, const json_t *body); /* VOTES */
void engine_votes_beat(struct engine *e, const json_t *body); /* BEAT */
uint64_t engine_votes_fresh_ms(const struct template_spec *t);
/* Of the verdict that holds; "" where nobody knows, or all is well. */
const char *engine_votes_cause(const struct engine_check *c);
/* Into `out`: votes, nodes, edges of the check. `seen` by our prober, or NULL. */
void engine_votes_describe(const struct engine *e, const char *key, json_t *seen, json_t *out);

/* engine_nodes.c */
void engine_nodes_link(struct engine *e, const json_t *body); /* NODE */
void engine_nodes_cut(struct engine *e);                      /* control is gone */
void engine_nodes_tell(struct engine *e, const char *name);   /* its status */
void engine_nodes_tell_all(struct engine *e);
void engine_nodes_counters(const struct engine *e, json_t *j);

/* engine_report.c: what a probe node tells its server; elsewhere nothing happens. */
void engine_report_open(struct engine *e);
void engine_report_close(struct engine *e);
void engine_report_vote(
    struct engine *e, const struct engine_check *c, enum flap_verdict v, const char *cause);
void engine_report_all(struct engine *e);
void engine_report_echo(struct engine *e, const json_t *body); /* ECHO */
/* {keys:[key]} -> {seen:{key: what prober_observe says}} */
json_t *engine_report_seen(struct engine *e, const json_t *request);

/* engine_feed.c: the engine's end of the feed. */
void engine_feed_open(struct engine *e);
void engine_feed_close(struct engine *e);
void engine_feed_status(struct engine *e, enum kind kind, const char *name, const char *status);
void engine_feed_event(struct engine *e, const struct tree_event *ev);
/* An event about the engine itself; static or short-lived text. */
void engine_feed_notice(struct engine *e, const char *kind, const char *severity, const char *text);
void engine_feed_serving(struct engine *e);
/* A message of control, also one that has waited. */
void engine_feed_take(struct engine *e, enum message_type type, const uint8_t *body, size_t len);
void engine_feed_applied(struct engine *e); /* tell control our revision */
/* Answer question `id`: with `result` (takes the reference), or with the problems if NULL. */
void engine_feed_reply(struct engine *e, uint32_t id, json_t *result, const struct diag *d);

/* engine_simulate.c: a simulation beside the engine. False: refused, with problems in d. */
bool engine_simulate_start(struct engine *e, uint32_t id, const json_t *request, struct diag *d);
void engine_simulate_lost(struct engine *e);  /* control is gone: nobody waits for it */
void engine_simulate_close(struct engine *e); /* after the loop has ended; waits for it */

/* engine_forward.c: messages that control answers. */
struct handover_hook engine_forward_open(struct engine *e); /* for the server; before it */
void engine_forward_answer(struct engine *e, const uint8_t *body, size_t len); /* FORWARDED */
void engine_forward_lost(struct engine *e);  /* control is gone: nothing will be answered */
void engine_forward_close(struct engine *e); /* after the server */

/* engine_transfer.c: keys, policies, histories and notices; see docs/internals/transfer.md. */
void engine_transfer_open(struct engine *e);  /* before the server */
void engine_transfer_close(struct engine *e); /* after the server, before the zones */
const struct keyring *engine_transfer_keys(const struct engine *e);
/* A change set is being applied: begin; hold each zone before it changes, touch; finish. */
void engine_transfer_begin(struct engine *e);
void engine_transfer_hold(struct engine *e, struct zone *z);
void engine_transfer_touch(
    struct engine *e, struct zone *z, const uint8_t *owner, uint16_t type); /* held */
void engine_transfer_equip(struct engine *e, struct zone *z); /* from the model as it is now */
void engine_transfer_finish(struct engine *e, const struct change_set *c);
/* zone_overlay, in a change set or not. `shown`: transfers show something else by it. */
void engine_transfer_overlay(
    struct engine *e, struct zone *z, const uint8_t *host, const void *overlay, bool shown);
void engine_transfer_announce(struct engine *e); /* all zones: we serve now */
void engine_transfer_recall(struct engine *e);   /* the model has come out of the journal */

/* engine_history.c: the histories of zones on disk. Errors are logged; they cost an AXFR. */
void engine_history_open(struct engine *e); /* after engine_transfer_recall: restores them */
void engine_history_close(struct engine *e);
void engine_history_keep(struct engine *e, const struct zone *z, const struct history_step *s);
void engine_history_forget(struct engine *e, const uint8_t *apex);

/* engine_geo.c: where clients are. */
void engine_geo_open(struct engine *e);        /* before the journals: what they hold needs it */
void engine_geo_close(struct engine *e);       /* before the tree */
void engine_geo_ask(struct engine *e);         /* read the data sets again */
bool engine_geo_ready(const struct engine *e); /* false: the first answer has to wait for data */
struct atlas *engine_geo_atlas(const struct engine *e); /* a reference; NULL: there is none */
json_t *engine_geo_status(const struct engine *e);      /* {databases, lines, loaded?, problem?} */
json_t *engine_geo_locate(const struct engine *e, const json_t *request, struct diag *d);
void engine_geo_counters(const struct engine *e, json_t *j);

/* engine_xdp.c: queries past the kernel's stack. */
unsigned engine_xdp_open(struct engine *e); /* how many workers of the server's that takes */
void engine_xdp_equip(const struct engine *e, struct server_config *c);
void engine_xdp_start(struct engine *e); /* when serving begins */
void engine_xdp_stop(struct engine *e);  /* before the server ends */
void engine_xdp_counters(const struct engine *e, json_t *j);

/* engine.c */
/* Zones and tree; not the journal. */
void engine_apply(struct engine *e, const struct change_set *c, struct engine_fresh *fresh);
void engine_maybe_serve(struct engine *e);
void engine_serve(struct engine *e);
void engine_await_due(struct engine *e);
