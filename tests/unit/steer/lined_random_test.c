/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A record set with random lines, weights and records that are disabled, asked by random clients,
 * while a domain of the same name comes and goes. The oracle decides for one client at a time: its
 * lines by looking at every range, then the first of them with an enabled record. The scope is
 * checked against its definition: all addresses in it get the same, and the next larger prefix
 * holds one that does not.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/rand.h"
#include "dns/rrtype.h"
#include "steer/explain.h"
#include "steer/plan_types.h"
#include "world.h"

#ifdef __SANITIZE_ADDRESS__
#define STEPS 2000
#else
#define STEPS 16000
#endif
#define CLIENTS 20 /* a step */

#define RECORDS 12
#define LINES   6 /* and default, which is number LINES */
#define HOST    "www.example.com"
#define NAME    HOST "/A"
#define NOBODY  (-1)
#define STEERED 200 /* what the domain answers */

/* Ranges that lines are made of: they nest, but are never equal. */
static const char *const ranges[] = { "10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "10.1.2.128/25",
	"10.1.2.200/32", "10.1.3.0/24", "10.200.0.0/13", "0.0.0.0/4", "255.255.255.255/32",
	"172.16.0.0/12", "2001:db8::/32", "2001:db8:1::/48", "2001:db8:1:2::/64",
	"2001:db8:1:2::7/128", "ff00::/8" };
#define RANGES ARRAY_LEN(ranges)

struct record {
	int value, line;
	int weight; /* NOBODY: not given */
	bool enabled;
};

static struct record records[RECORDS];
static int n_records;
static bool set_there, domain_there, domain_enabled;
static int owner_of[RANGES], parent_of[LINES];
static struct cidr cidrs[RANGES];
static struct rand_state dice;
static struct world w;
static uint64_t compared;

static int
roll(int sides)
{
	return (int)rand_below(&dice, (uint64_t)sides);
}

/* -- the world -- */

static const char *
line_name(int line)
{
	static const char *const names[LINES + 1] = { "l0", "l1", "l2", "l3", "l4", "l5",
		"default" };

	return names[line];
}

static void
put_line(int i)
{
	const char *sep = "";
	struct buf b;

	buf_init(&b, 4096);
	for (size_t r = 0; r < RANGES; r++)
		if (owner_of[r] == i) {
			buf_printf(&b, "%s'%s'", sep, ranges[r]);
			sep = ",";
		}
	world_put(&w, KIND_LINE, line_name(i), "{'parent':'%s','cidrs':[%s]}",
	    line_name(parent_of[i]), buf_str(&b));
	buf_fini(&b);
}

static void
put_set(void)
{
	struct buf b;

	buf_init(&b, 65536);
	for (int i = 0; i < n_records; i++) {
		const struct record *r = &records[i];

		buf_printf(&b, "%s{'data':'192.0.2.%d','line':'%s','enabled':%s", i > 0 ? "," : "",
		    r->value, line_name(r->line), r->enabled ? "true" : "false");
		if (r->weight != NOBODY)
			buf_printf(&b, ",'weight':%d", r->weight);
		buf_puts(&b, "}");
	}
	world_put(
	    &w, KIND_RRSET, NAME, "{'zone':'example.com','ttl':77,'records':[%s]}", buf_str(&b));
	buf_fini(&b);
	set_there = true;
}

static void
put_domain(void)
{
	world_put(&w, KIND_DOMAIN, NAME, "{'enabled':%s,'pools':[{'pool':'p'}]}",
	    domain_enabled ? "true" : "false");
	domain_there = true;
}

/* -- random edits -- */

static bool
is_twin(int n)
{
	for (int i = 0; i < n; i++)
		if (records[i].value == records[n].value && records[i].line == records[n].line)
			return true;
	return false;
}

static void
edit_set(void)
{
	const bool weights = roll(2);

	n_records = 0;
	for (int left = 1 + roll(RECORDS - 1); left > 0; left--) {
		records[n_records] = (struct record){ .value = roll(4),
			.line = roll(LINES + 1),
			.weight = weights && roll(3) == 0 ? (int[]){ 0, 1, 2, 5 }[roll(4)] : NOBODY,
			.enabled = roll(4) > 0 };
		if (!is_twin(n_records))
			n_records++;
	}
	put_set();
}

static void
edit_lines(void)
{
	const int i = roll(LINES);

	/* No line holds a range within another of its own. */
	for (size_t r = 0; r < RANGES; r++) {
		bool apart = true;

		if (owner_of[r] == i && roll(2) == 0)
			owner_of[r] = NOBODY;
		for (size_t q = 0; q < RANGES; q++)
			apart &= owner_of[q] != i || (!cidr_within(&cidrs[q], &cidrs[r]) &&
							 !cidr_within(&cidrs[r], &cidrs[q]));
		if (owner_of[r] == NOBODY && apart && roll(4) == 0)
			owner_of[r] = i;
	}
	parent_of[i] = i + 1 + roll(LINES - i); /* upwards in number, so never in a circle */
	put_line(i);
}

static void
edit(void)
{
	switch (roll(10)) {
	case 0:
		domain_enabled = roll(2);
		put_domain();
		break;
	case 1:
		if (domain_there)
			world_delete(&w, KIND_DOMAIN, NAME);
		domain_there = false;
		break;
	case 2:
		if (set_there)
			world_delete(&w, KIND_RRSET, NAME);
		set_there = false;
		break;
	case 3:
	case 4:
		edit_lines();
		break;
	default:
		edit_set();
	}
}

/* -- the oracle -- */

/* Who answers a client: records of one line. */
struct decision {
	bool zone;                 /* no record is enabled: it is as if the set were not there */
	int line;                  /* NOBODY: nothing is for this client */
	int n, value[RECORDS];     /* in their order */
	double part[RECORDS], sum; /* by weight */
	bool weighted;
};

/* Lines of a client, best first; returns how many. */
static int
lines_of(const struct addr *client, int out[LINES])
{
	int n = 0;

	for (int bits = 128; bits >= 0; bits--)
		for (size_t r = 0; r < RANGES; r++) {
			if (owner_of[r] == NOBODY || cidrs[r].bits != bits ||
			    !cidr_holds(&cidrs[r], client))
				continue;
			for (int l = owner_of[r]; l != LINES; l = parent_of[l]) {
				bool known = false;

				for (int k = 0; k < n; k++)
					known |= out[k] == l;
				if (!known)
					out[n++] = l;
			}
		}
	return n;
}

static bool
has_enabled(int line)
{
	for (int i = 0; i < n_records; i++)
		if (records[i].enabled && (line == NOBODY || records[i].line == line))
			return true;
	return false;
}

static void
gather(struct decision *d)
{
	double sum = 0;

	for (int i = 0; i < n_records; i++)
		d->weighted |= records[i].line == d->line && records[i].weight != NOBODY;
	for (int i = 0; i < n_records; i++) {
		const struct record *r = &records[i];

		if (r->line != d->line || !r->enabled)
			continue;
		d->part[d->n] = !d->weighted || r->weight == NOBODY ? 1 : r->weight;
		sum += d->part[d->n];
		d->value[d->n++] = r->value;
	}
	for (int i = 0; i < d->n; i++)
		d->part[i] = sum > 0 ? d->part[i] / sum : 1.0 / d->n;
}

static struct decision
decide(const struct addr *client)
{
	struct decision d = { .line = NOBODY };
	int lines[LINES + 1];
	int n = lines_of(client, lines);

	d.zone = !set_there || !has_enabled(NOBODY);
	if (d.zone)
		return d;
	lines[n++] = LINES;
	for (int i = n - 1; i >= 0; i--)
		if (has_enabled(lines[i]))
			d.line = lines[i];
	if (d.line != NOBODY)
		gather(&d);
	return d;
}

static int
choices(const struct decision *d)
{
	int n = 0;

	for (int i = 0; i < d->n; i++)
		n += d->part[i] > 0;
	return n;
}

/* Whose answers are the same: who answers, and how. */
static bool
same(const struct decision *a, const struct decision *b)
{
	int i = 0, k = 0;

	if (a->zone != b->zone || (choices(a) > 1 && a->weighted != b->weighted))
		return false;
	for (;; i++, k++) {
		while (i < a->n && a->part[i] <= 0)
			i++;
		while (k < b->n && b->part[k] <= 0)
			k++;
		if (i == a->n || k == b->n)
			return i == a->n && k == b->n;
		if (a->value[i] != b->value[k] || fabs(a->part[i] - b->part[k]) > 1e-12)
			return false;
	}
}

/* -- scopes -- */

/* Decisions change at the ends of ranges only: these addresses stand for all. */
struct edge {
	int family;
	uint8_t ip[16];
	struct decision d;
};
static struct edge edges[4 * RANGES + 4];
static int n_edges;

static void
add_edge(int family, const uint8_t *ip)
{
	struct edge *e = &edges[n_edges++];

	*e = (struct edge){ .family = family };
	memcpy(e->ip, ip, family == AF_INET ? 4 : 16);
}

static void
step_ip(uint8_t *ip, int len, int by)
{
	for (int i = len - 1; i >= 0; i--) {
		const int v = ip[i] + by;

		ip[i] = (uint8_t)v;
		if (v >= 0 && v <= 255)
			return;
	}
}

static void
list_edges(void)
{
	static const uint8_t zero[16];
	uint8_t ones[16];

	memset(ones, 0xff, sizeof(ones));
	n_edges = 0;
	add_edge(AF_INET, zero);
	add_edge(AF_INET, ones);
	add_edge(AF_INET6, zero);
	add_edge(AF_INET6, ones);
	for (size_t r = 0; r < RANGES; r++) {
		const struct cidr c = cidrs[r];
		const int len = c.family == AF_INET ? 4 : 16;
		uint8_t ip[16];

		add_edge(c.family, c.ip);
		memcpy(ip, c.ip, 16);
		step_ip(ip, len, -1);
		add_edge(c.family, ip);
		memcpy(ip, c.ip, 16);
		for (int bit = c.bits; bit < 8 * len; bit++)
			ip[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
		add_edge(c.family, ip);
		step_ip(ip, len, 1);
		add_edge(c.family, ip);
	}
}

static unsigned
common_bits(const uint8_t *a, const uint8_t *b, unsigned max)
{
	unsigned bits = 0;

	while (bits < max && ((a[bits / 8] ^ b[bits / 8]) & (0x80 >> bits % 8)) == 0)
		bits++;
	return bits;
}

/* The length of the largest prefix around ip of one decision, by the definition; 0 if all addresses
 * of both families get the same. */
static unsigned
scope_of(const struct decision *d, int family, const uint8_t *ip)
{
	unsigned scope = 0;

	for (int i = 0; i < n_edges; i++) {
		const struct edge *e = &edges[i];
		const unsigned max = family == AF_INET ? 32 : 128;
		unsigned needed = 1;

		if (same(&e->d, d))
			continue;
		if (e->family == family)
			needed = common_bits(e->ip, ip, max) + 1;
		scope = needed > scope ? needed : scope;
	}
	return scope;
}

/* -- one client -- */

static struct addr
random_client(uint8_t ip[16])
{
	const struct edge *e = &edges[roll(n_edges)];
	struct addr a;

	memcpy(ip, e->ip, 16);
	/* at an edge, near it, or anywhere below it */
	for (int i = roll(3) == 0 ? roll(16) : 16; i < 16; i++)
		ip[i] = (uint8_t)roll(256);
	addr_ip_set(&a, e->family, ip, 0);
	return a;
}

static int
place_of(const struct decision *d, int value)
{
	for (int i = 0; i < d->n; i++)
		if (d->value[i] == value)
			return i;
	return NOBODY;
}

static bool
fits(const struct decision *d, const struct plan_rr *const *out, size_t n)
{
	int before = NOBODY;

	if (n != (size_t)(d->weighted ? d->n > 0 : d->n))
		return false;
	for (size_t i = 0; i < n; i++) {
		const int at = place_of(d, out[i]->tail[out[i]->len - 1]);

		if (at == NOBODY || d->part[at] <= 0)
			return false;
		if (before != NOBODY && at != (before + 1) % d->n)
			return false;
		before = at;
	}
	return true;
}

struct told {
	const struct plan *plan;
	double leads[256];
};

static void
add_lead(void *arg, uint32_t tag, double probability)
{
	struct told *t = arg;
	const struct plan_item *item = t->plan->items;

	while (item->tag != tag)
		item++;

	const struct plan_rr *rr = (const void *)(t->plan->records + item->rr);

	t->leads[rr->tail[rr->len - 1]] += probability;
}

static void
compare_shares(const struct plan *p, const struct decision *d, const struct position *at)
{
	struct told t = { .plan = p };
	unsigned ignored;

	plan_shares(p, p->chart == NULL ? 0 : chart_find(p->chart, at, &ignored), at, add_lead, &t);
	for (int i = 0; i < d->n; i++)
		if (fabs(t.leads[d->value[i]] - d->part[i]) > 1e-9)
			fail_msg("case %lu: %d leads %f, not %f", compared, d->value[i],
			    t.leads[d->value[i]], d->part[i]);
}

static void
compare_client(const struct plan *p)
{
	const struct plan_rr *out[PLAN_MAX_ANSWER];
	uint8_t ip[16];
	const struct addr a = random_client(ip);
	const struct position at = position_of_addr(&a);
	const struct decision d = decide(&a);
	unsigned scope;

	compared++;
	for (int q = 0; q < 3; q++)
		if (!fits(&d, out, plan_answer(p, 0, &at, out, &scope)))
			fail_msg("case %lu: an answer nobody meant (line %d)", compared, d.line);

	const unsigned largest = scope_of(&d, at.family == 4 ? AF_INET : AF_INET6, ip);

	if (scope != largest)
		fail_msg("case %lu: scope %u, not %u", compared, scope, largest);
	compare_shares(p, &d, &at);
}

/* What explain says of a client is what the plan does for it. */
static void
compare_explanation(const struct plan *p)
{
	uint8_t ip[16];
	char text[ADDR_TEXT_SIZE];
	const struct addr a = random_client(ip);
	const struct position at = position_of_addr(&a);
	const struct decision d = decide(&a);
	json_t *request = json_pack(
	    "{s:s, s:s, s:s}", "name", HOST, "type", "A", "client", addr_ip_text(&a, text));
	const struct plan_rr *out[PLAN_MAX_ANSWER];
	struct diag problems;
	unsigned scope;

	diag_init(&problems);

	json_t *reply = explain(w.tree, w.zones, request, &problems);
	const size_t n = plan_answer(p, 0, &at, out, &scope);

	assert_true(json_is_true(json_object_get(reply, "lined")));
	assert_true(json_is_false(json_object_get(reply, "steered")));
	assert_int_equal(json_integer_value(json_object_get(reply, "scope")), scope);
	assert_string_equal(json_string_value(json_object_get(reply, "line")),
	    line_name(d.line == NOBODY ? LINES : d.line));

	const json_t *list = json_object_get(reply, "candidates");

	assert_int_equal(
	    json_array_size(json_object_get(json_object_get(reply, "answer"), "rdata")), n);
	assert_int_equal(json_array_size(list), n_records);
	for (int i = 0; i < n_records; i++) {
		const struct record *r = &records[i];
		const bool among = r->line == d.line && r->enabled;
		const double share = among ? d.part[place_of(&d, r->value)] : 0;

		assert_true(fabs(json_number_value(json_object_get(
				     json_array_get(list, (size_t)i), "probability")) -
				 share) < 1e-9);
	}
	json_decref(reply);
	json_decref(request);
	diag_fini(&problems);
}

static void
compare(void)
{
	const struct plan *p = world_plan(&w, HOST, RRTYPE_A);
	const bool steers = domain_there && domain_enabled;
	bool one = true;

	for (int i = 0; i < n_edges; i++) {
		struct addr a;

		addr_ip_set(&a, edges[i].family, edges[i].ip, 0);
		edges[i].d = decide(&a);
		one &= same(&edges[i].d, &edges[0].d);
	}
	if (steers) {
		assert_string_equal(world_answer(&w, HOST, RRTYPE_A), "200");
		assert_false(plan_is_zone_data(p));
		return;
	}
	assert_int_equal(p == NULL, edges[0].d.zone);
	if (p == NULL)
		return;
	assert_true(plan_is_zone_data(p));
	assert_int_equal(plan_ttl(p), 77);
	assert_int_equal(plan_client(p), one ? PLAN_ANYBODY : PLAN_SUBNET);
	for (int i = 0; i < CLIENTS; i++)
		compare_client(p);
	compare_explanation(p);
}

static void
begin(uint64_t seed)
{
	rand_seed(&dice, seed);
	set_there = domain_there = false;
	for (size_t r = 0; r < RANGES; r++) {
		assert_int_equal(cidr_parse(&cidrs[r], ranges[r]), 0);
		owner_of[r] = NOBODY;
	}
	world_init(&w, 1);
	world_put(&w, KIND_ZONE, "example.com", "{}");
	for (int i = LINES - 1; i >= 0; i--) {
		parent_of[i] = LINES;
		put_line(i);
	}
	world_put(&w, KIND_ADDRESS, "a", "{'type':'ipv4','value':'192.0.2.%d'}", STEERED);
	world_put(&w, KIND_POOL, "p", "{'type':'ipv4','addresses':[{'address':'a'}]}");
	edit_set();
	world_apply(&w);
	list_edges();
}

static void
walk(uint64_t seed)
{
	begin(seed);
	compare();
	for (int step = 0; step < STEPS / 4; step++) {
		for (int n = 1 + roll(3); n > 0; n--)
			edit();
		world_apply(&w);
		compare();
	}
	world_fini(&w);
}

static void
test_random_sets(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 4; seed++)
		walk(seed);
	print_message("%lu clients asked\n", compared);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_sets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
