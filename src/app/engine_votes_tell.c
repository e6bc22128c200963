/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What becomes of a check by its votes, for people. */
#include "app/engine_votes.h"

struct teller {
	const struct engine_check *check;
	json_t *seen; /* by our prober; NULL: it has not the check */
	json_t *list;
};

const char *
engine_votes_cause(const struct engine_check *c)
{
	const struct track_edge *last = track_last(&c->track);

	return last != NULL && last->verdict == c->verdict ? last->cause : "";
}

static const struct track *
find_track(const struct engine_check *c, const struct voter *who)
{
	for (size_t i = 0; c->seat != NULL && i < c->seat->n_tracks; i++)
		if (c->seat->tracks[i].who == who)
			return &c->seat->tracks[i].track;
	/* While we were alone, ours were the check's. */
	return who->ours ? &c->track : NULL;
}

/* What the nodes have seen last, they have to be asked for: control does. */
static void
tell_vote(void *arg, void *owner, enum flap_verdict v, bool fresh)
{
	struct teller *t = arg;
	const struct voter *who = owner;
	const struct track *track = find_track(t->check, who);
	json_t *vote = json_pack("{s:s, s:s, s:b, s:b, s:o}", "node", who->name, "verdict",
	    track_words[v], "fresh", (int)fresh, "connected", (int)(who->ours || who->connected),
	    "edges", track != NULL ? track_json(track) : json_array());

	if (who->ours && t->seen != NULL)
		json_object_update_missing(vote, t->seen);
	json_array_append_new(t->list, vote);
}

void
engine_votes_describe(const struct engine *e, const char *key, json_t *seen, json_t *out)
{
	const struct engine_check *c = strmap_find(&e->checks, key);
	struct teller t = { .check = c, .seen = seen };
	struct votes v = { 0 };

	if (c == NULL)
		return;
	t.list = json_array();
	if (c->seat != NULL) {
		v = panel_votes(c->seat->panel);
		panel_each(c->seat->panel, tell_vote, &t);
	} else if (c->own != FLAP_UNKNOWN) {
		votes_add(&v, (enum flap_verdict)c->own, true);
		tell_vote(&t, e->votes->ours, (enum flap_verdict)c->own, true);
	}
	json_object_set_new(
	    out, "votes", json_pack("{s:i, s:i}", "fresh", (int)v.fresh, "down", (int)v.down));
	json_object_set_new(out, "disagree", json_boolean(votes_differ(&v)));
	json_object_set_new(out, "edges", track_json(&c->track));
	json_object_set_new(out, "nodes", t.list);
}
