/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dns/rrtype.h"
#include "steer/explain_account.h"
#include "steer/lined.h"

struct trial {
	struct account *a;
	struct live_lined *l;
	struct lined lined;
	struct plan *plan;
	struct position at;
	const struct lined_class *class;
	double *probability; /* by record */
};

static struct live_lined *
find(const struct account *a, const uint8_t *owner, uint16_t rrtype)
{
	char host[NAME_TEXT_SIZE], type[RRTYPE_TEXT_SIZE], key[NAME_TEXT_SIZE + RRTYPE_TEXT_SIZE];
	const struct model_object *o;

	snprintf(key, sizeof(key), "%s/%s", name_text(owner, host), rrtype_text(rrtype, type));
	o = model_find(&a->tree->model, KIND_RRSET, key);
	return o == NULL ? NULL : o->runtime;
}

static void
add_share(void *arg, uint32_t tag, double probability)
{
	struct trial *t = arg;

	t->probability[tag] += probability;
}

/* RFC 7871 7.1.2: a subnet of 0 bits asks not to be looked at. */
static bool
subnet_counts(const struct account *a)
{
	return a->subnet.bits > 0 || a->wrapped;
}

/* Where the client belongs, as the server would find it. */
static void
place_client(struct trial *t)
{
	struct account *a = t->a;
	const struct chart *fine = t->l->audience.chart;
	unsigned ignored;

	t->at = subnet_counts(a) ? a->subnet : a->client;
	t->class = &t->lined.classes[fine == NULL ? 0 : chart_find(fine, &t->at, &ignored)];
	if (t->lined.input.chart != NULL)
		(void)chart_find(t->lined.input.chart, &t->at, &a->scope);
	if (a->subnet.family != 0 && !subnet_counts(a))
		a->scope = 0; /* it holds for whoever asks that resolver */
	else if (a->scope > 0 && a->wrapped)
		a->scope += 96; /* as it stands on the wire */
}

static void
tell_client(const struct trial *t)
{
	const bool told = subnet_counts(t->a);
	char text[POSITION_TEXT_SIZE];

	if (t->l->audience.chart == NULL)
		return;
	if (t->at.family == 0)
		explain_step(t->a, "client",
		    "no client was told: this is the answer for clients of no line");
	else
		explain_step(t->a, "client", "%s, from the %s%s", position_text(&t->at, text),
		    told ? "query's EDNS Client Subnet" : "resolver's address",
		    told || t->a->subnet.family == 0
			? ""
			: " (a subnet of 0 bits asks not to be looked at)");
}

static void
tell_line(const struct trial *t)
{
	const char *line = t->class->line;

	if (line == NULL)
		explain_step(t->a, "line",
		    "no record is for a line of this client, and none for the default line: an "
		    "empty answer");
	else if (strcmp(line, LIVE_DEFAULT_LINE) == 0)
		explain_step(
		    t->a, "line", "default: no record is for a closer line of this client");
	else
		explain_why(t->a, &t->at, line, "a record is for");
}

static void
tell_records(const struct trial *t)
{
	const struct compile_variant *v = &t->lined.variants[t->class->variant];

	if (v->count > 0 && v->pools[0].strategy == STRATEGY_WEIGHT)
		explain_step(t->a, "records",
		    "a record of the line has a weight: one record per answer, exactly in "
		    "proportion");
	else if (v->count > 0 && t->l->rrtype == RRTYPE_CNAME && v->pools[0].count > 1)
		explain_step(t->a, "records", "a CNAME stands alone: one per answer, by turns");
	else if (v->count > 0)
		explain_step(
		    t->a, "records", "all enabled records of the line, rotated by one each query");
}

/* Lines with the same records share a variant, whose tags are those of one of them. */
static double
share_of(const struct trial *t, const struct record_spec *of)
{
	const struct field_list *list = &live_lined_spec(t->l)->records;
	const struct record_spec *r = list->items;
	double sum = 0;

	if (t->class->line == NULL || !of->enabled ||
	    strcmp(rrset_record_line(of), t->class->line) != 0)
		return 0;
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(r[i].data, of->data) == 0)
			sum += t->probability[i];
	}
	return sum;
}

static void
tell_candidates(const struct trial *t)
{
	const struct field_list *list = &live_lined_spec(t->l)->records;
	const struct record_spec *r = list->items;

	for (size_t i = 0; i < list->count; i++) {
		json_t *j = json_pack("{s:s, s:s, s:s, s:f}", "value", r[i].data, "line",
		    rrset_record_line(&r[i]), "state", r[i].enabled ? "enabled" : "disabled",
		    "probability", share_of(t, &r[i]));

		if (r[i].weight != RECORD_NO_WEIGHT)
			json_object_set_new(j, "weight", json_integer(r[i].weight));
		json_array_append_new(t->a->candidates, j);
	}
}

static void
tell_answer(const struct trial *t)
{
	const struct plan_rr *out[PLAN_MAX_ANSWER];
	const size_t n = plan_answer_of(t->plan, t->class->variant, 0, &t->at, out);

	t->a->ttl_s = n == 0 ? 0 : plan_ttl(t->plan);
	for (size_t i = 0; i < n; i++)
		explain_rdata(t->a, plan_rr_type(out[i]), out[i]->tail + PLAN_RR_RDATA,
		    (uint16_t)(out[i]->len - PLAN_RR_RDATA));
}

static const char *
value_of(const struct trial *t, const struct plan_rr *rr)
{
	const struct field_list *list = &live_lined_spec(t->l)->records;
	const struct record_spec *r = list->items;
	size_t i = 0;

	while (
	    i < list->count && (r[i].rdlen != rr->len - PLAN_RR_RDATA ||
				   memcmp(r[i].rdata, rr->tail + PLAN_RR_RDATA, r[i].rdlen) != 0))
		i++;
	return i < list->count ? r[i].data : "";
}

static void
tell_draws(const struct trial *t)
{
	const struct plan_rr *out[PLAN_MAX_ANSWER];

	for (uint32_t i = 0; t->a->drawn != NULL && i < t->a->draws; i++) {
		if (plan_answer_of(t->plan, t->class->variant, 0, &t->at, out) == 0)
			return;
		explain_draw(t->a, value_of(t, out[0]));
	}
}

static void
tell(struct trial *t)
{
	t->a->lined = true;
	t->a->line = t->class->line != NULL ? t->class->line : LIVE_DEFAULT_LINE;
	explain_step(
	    t->a, "zone", "the zone's record set '%s' answers, by line", t->l->live.o->name);
	tell_client(t);
	tell_line(t);
	tell_records(t);
	tell_candidates(t);
	tell_answer(t);
	tell_draws(t);
}

bool
explain_lined(struct account *a, const struct zone_node *n)
{
	struct trial t = { .a = a, .l = find(a, n->name, a->qtype) };

	if (t.l == NULL && zone_node_find(n, a->qtype) == NULL)
		t.l = find(a, n->name, RRTYPE_CNAME);
	if (t.l == NULL || t.l->audience.chart_due)
		return false;
	lined_init(&t.lined, a->tree->charts, t.l);

	const bool answers = t.lined.input.n_variants > 0;

	if (answers) {
		explain_borrow(t.lined.variants, t.lined.input.n_variants);
		t.plan = compile_plan(&t.lined.input);
		t.probability =
		    xcalloc(live_lined_spec(t.l)->records.count + 1, sizeof(*t.probability));
		place_client(&t);
		plan_shares(
		    t.plan, t.class->variant, t.at.family == 0 ? NULL : &t.at, add_share, &t);
		tell(&t);
		free(t.probability);
		plan_free(&t.plan);
		explain_return(t.lined.variants, t.lined.input.n_variants);
	}
	lined_fini(&t.lined);
	return answers;
}
