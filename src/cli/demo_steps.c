/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cli/demo.h"
#include "cli/demo_dns.h"
#include "cli/explain.h"
#include "cli/kinds.h"
#include "dns/rrtype.h"

#define ZONE        "cloud-example.com"
#define DOMAIN_PATH "/api/v1/domains/" DEMO_NAME "/A"
#define PUBLIC_IP   "192.0.2.80"

#define ASK_EVERY_US 2000
#define FAILOVER_MS  1400 /* interval 1 s, recheck 200 ms, fall 2, and a little for the machine */
#define RETURN_MS    2500
#define LISTEN_MS    3000 /* to answers after a change, to be sure that no old one follows */

static const char zone_text[] = "$ORIGIN " ZONE ".\n"
				"$TTL 300\n"
				"@    SOA  ns1 hostmaster 1 7200 900 1209600 300\n"
				"@    NS   ns1\n"
				"ns1  A    127.0.0.1\n"
				"www  A    " PUBLIC_IP "\n"
				"www  TXT  \"from the public zone\"\n";

/* Ask once and show it as dig would; false and a failed step when no answer came. */
static bool
dig(struct demo *d, const char *type_text, uint16_t type, struct demo_dns_answer *a)
{
	const int rc = demo_dns_ask(d->dns_fd, DEMO_NAME, type, 2000, a);

	demo_show_command(
	    d, "dig @127.0.0.1 -p %u %s %s +short", d->server.dns_port, DEMO_NAME, type_text);
	for (unsigned i = 0; rc == 0 && i < a->n; i++)
		demo_show_line(d, "%s", a->rdata[i]);
	if (rc != 0)
		demo_show_check(d, false, "expected an answer, saw: %s", strerror(-rc));
	return rc == 0;
}

static void
check_public(struct demo *d, const char *what)
{
	struct demo_dns_answer a;

	if (!dig(d, "A", RRTYPE_A, &a))
		return;
	if (a.aa && a.n == 1 && strcmp(a.rdata[0], PUBLIC_IP) == 0)
		demo_show_check(d, true, "%s", what);
	else
		demo_show_check(d, false, "%s: expected %s, saw %s", what, PUBLIC_IP,
		    a.n > 0 ? a.rdata[0] : "nothing");
}

static void
check_steered(struct demo *d)
{
	struct demo_dns_answer a;

	if (dig(d, "A", RRTYPE_A, &a))
		demo_show_check(d, a.aa && a.n > 0 && demo_sites_of(a.rdata[0]) >= 0,
		    "the answer is a site's address (%s)", a.n > 0 ? a.rdata[0] : "nothing");
}

static void
play_zone(struct demo *d)
{
	const struct client_request q = {
		.method = "PUT",
		.path = "/api/v1/zones/" ZONE "/file",
		.type = "text/dns",
		.body = zone_text,
		.body_len = sizeof(zone_text) - 1,
	};
	struct client_reply r;

	demo_show_command(d, "gtmctl zone import %s %s.zone", ZONE, ZONE);
	if (cli_call(d->cli, &q, NULL, &r) != EXIT_OK) {
		demo_show_check(d, false, "the zone was refused");
		return;
	}
	client_reply_fini(&r);
	check_public(d, "the public record answers");
}

static void
play_create(struct demo *d)
{
	json_t *body = json_pack("{s:s,s:s,s:s,s:i,s:b,s:{s:s,s:i,s:s,s:s,s:i,s:i},s:[]}",
	    "scenario", "multi_active", "name", DEMO_NAME, "type", "A", "ttl", 60, "enabled", 0,
	    "check", "protocol", "tcp", "port", (int)d->sites.port, "interval", "1s", "timeout",
	    "500ms", "fall", 2, "rise", 1, "sites");

	for (int s = 0; s < DEMO_SITES; s++)
		json_array_append_new(json_object_get(body, "sites"),
		    json_pack("{s:s,s:i,s:[s,s]}", "name", demo_sites_names[s], "weight", 1,
			"addresses", demo_sites_ips[s][0], demo_sites_ips[s][1]));
	demo_show_command(d,
	    "gtmctl domain create %s A --scenario multi_active \\\n"
	    "         --site dc-a=127.0.10.1,127.0.10.2 --site dc-b=127.0.20.1,127.0.20.2 \\\n"
	    "         --check tcp:%u --interval 1s --timeout 500ms --fall 2 --rise 1",
	    DEMO_NAME, d->sites.port);
	if (!demo_watch_api(d, "POST", "/api/v1/domains:from-scenario", body, NULL))
		return;
	if (demo_watch_health(d, "ok", 8000))
		check_public(d, "not enabled yet: the public record still answers");
}

static void
play_enable(struct demo *d)
{
	struct demo_dns_answer a;

	demo_show_command(d, "gtmctl domain enable %s A", DEMO_NAME);
	if (!demo_watch_api(d, "POST", DOMAIN_PATH ":enable", NULL, NULL))
		return;
	check_steered(d);
	if (dig(d, "TXT", RRTYPE_TXT, &a))
		demo_show_check(d, a.n == 1 && strcmp(a.rdata[0], "from the public zone") == 0,
		    "records of other types at that name still come from the zone");
}

static void
play_equal(struct demo *d)
{
	demo_watch_ratio(d, (const unsigned[DEMO_SITES]){ 1, 1 });
}

/* The pools as they are, with new weights; lists are replaced as a whole by a merge patch. */
static void
play_ratio(struct demo *d)
{
	static const unsigned weights[DEMO_SITES] = { 3, 1 };
	json_t *domain = NULL;

	if (!demo_watch_api(d, "GET", DOMAIN_PATH, NULL, &domain))
		return;
	json_t *pools = json_deep_copy(kinds_at(domain, "spec.pools")), *pool;
	size_t i;

	json_decref(domain);
	json_array_foreach(pools, i, pool)
	    json_object_set_new(pool, "weight", json_integer(i < DEMO_SITES ? weights[i] : 1));
	demo_show_command(d,
	    "curl -X PATCH ... -d '{\"spec\":{\"pools\":[{\"pool\":\"dc-a\",\"weight\":3},...]}}'");
	if (demo_watch_api(
		d, "PATCH", DOMAIN_PATH, json_pack("{s:{s:o}}", "spec", "pools", pools), NULL))
		demo_watch_ratio(d, weights);
}

struct tally {
	unsigned asked, lost;
	unsigned of_site[DEMO_SITES];
	int64_t first_us[DEMO_SITES], last_us[DEMO_SITES]; /* since the start; -1 = never */
};

/* Ask every 2 ms for `ms`, or until every site has been seen with `until_all`. */
static struct tally
keep_asking(struct demo *d, unsigned ms, bool until_all, const char *what)
{
	const uint64_t start = clock_mono_us();
	struct tally t = { .first_us = { -1, -1 }, .last_us = { -1, -1 } };

	while (!demo_interrupted() && clock_mono_us() - start < ms * 1000ull) {
		struct demo_dns_answer a;

		t.asked++;
		if (demo_dns_ask(d->dns_fd, DEMO_NAME, RRTYPE_A, 500, &a) != 0 || a.n == 0) {
			t.lost++;
			usleep(ASK_EVERY_US);
			continue;
		}
		const int s = demo_sites_of(a.rdata[0]);
		const int64_t now = (int64_t)(clock_mono_us() - start);

		if (s >= 0) {
			t.of_site[s]++;
			t.last_us[s] = now;
			if (t.first_us[s] < 0)
				t.first_us[s] = now;
		}
		if (until_all && t.first_us[0] >= 0 && t.first_us[1] >= 0)
			break;
		if (t.asked % 32 == 0)
			demo_show_progress(d, "%s: %u answers, %s %u, %s %u", what, t.asked,
			    demo_sites_names[0], t.of_site[0], demo_sites_names[1], t.of_site[1]);
		usleep(ASK_EVERY_US);
	}
	return t;
}

static void
play_fail(struct demo *d)
{
	if (!demo_show_check(
		d, demo_sites_set(&d->sites, 0, false), "dc-a is down: its ports are closed"))
		return;
	const struct tally t = keep_asking(d, LISTEN_MS, false, "asking every 2 ms");
	const double last_s = t.last_us[0] < 0 ? 0 : (double)t.last_us[0] / 1e6;

	demo_show_check(d, last_s <= FAILOVER_MS / 1000.0 && t.last_us[1] > t.last_us[0],
	    "the last answer with dc-a came %.2f s after the failure (allowed: %.1f s)", last_s,
	    FAILOVER_MS / 1000.0);
	demo_show_check(d, t.lost == 0 && t.asked > 0,
	    "%u questions asked meanwhile, %u left unanswered", t.asked, t.lost);
}

static void
write_events(struct demo *d, const json_t *items, unsigned *downs)
{
	const json_t *e;
	size_t i;

	json_array_foreach(items, i, e)
	{
		struct arena a;

		arena_init(&a);
		const char *kind = kinds_text(json_object_get(e, "kind"), &a);
		const char *at = kinds_text(json_object_get(e, "at"), &a);

		*downs += strcmp(kind, "address.down") == 0;
		if (strcmp(kind, "config.applied") != 0) /* our own edits are no news */
			demo_show_line(d, "%.12s  %-18s  %s", strlen(at) > 11 ? at + 11 : at, kind,
			    kinds_text(json_object_get(e, "text"), &a));
		arena_fini(&a);
	}
}

static void
play_events(struct demo *d)
{
	json_t *reply = NULL;
	unsigned downs = 0;

	demo_show_command(d, "gtmctl events");
	if (!demo_watch_api(d, "GET", "/api/v1/events?since=0", NULL, &reply))
		return;
	write_events(d, json_object_get(reply, "items"), &downs);
	demo_show_check(
	    d, downs >= DEMO_SERVERS, "both addresses of dc-a were reported down (saw %u)", downs);
	json_decref(reply);
}

static void
play_repair(struct demo *d)
{
	if (!demo_show_check(d, demo_sites_set(&d->sites, 0, true),
		"dc-a is repaired: its ports are open again"))
		return;
	const struct tally t = keep_asking(d, LISTEN_MS, true, "asking every 2 ms");

	demo_show_check(d, t.first_us[0] >= 0 && t.first_us[0] <= RETURN_MS * 1000,
	    "the first answer with dc-a came %.2f s after the repair (allowed: %.1f s)",
	    (double)t.first_us[0] / 1e6, RETURN_MS / 1000.0);
	demo_watch_health(d, "ok", 4000);
}

static void
play_explain(struct demo *d)
{
	json_t *reply = NULL;
	struct buf b;

	demo_show_command(d, "gtmctl explain %s A --client 198.51.100.7", DEMO_NAME);
	if (!demo_watch_api(d, "POST", "/api/v1/explain",
		json_pack(
		    "{s:s,s:s,s:s}", "name", DEMO_NAME, "type", "A", "client", "198.51.100.7"),
		&reply))
		return;
	buf_init(&b, 1 << 16);
	explain_write(&b, reply, d->cli->colour);
	demo_show_block(d, &b);
	buf_fini(&b);
	const size_t n = json_array_size(json_object_get(reply, "candidates"));

	demo_show_check(d, n == DEMO_SITES * DEMO_SERVERS,
	    "all %d addresses are candidates (saw %zu)", DEMO_SITES * DEMO_SERVERS, n);
	json_decref(reply);
}

static void
play_disable(struct demo *d)
{
	demo_show_command(d, "gtmctl domain disable %s A", DEMO_NAME);
	if (demo_watch_api(d, "POST", DOMAIN_PATH ":disable", NULL, NULL))
		check_public(d, "the public record answers again");
}

const struct demo_step demo_steps[] = {
	{ "Host the public zone",
	    "   The zone " ZONE " gets an ordinary record: www is at " PUBLIC_IP ".\n", play_zone },
	{ "Create the access domain",
	    "   Two sites share the traffic 1:1. Each address is probed every second from now "
	    "on.\n",
	    play_create },
	{ "Enable it",
	    "   From now on it stands before the zone's record of the same name and type.\n",
	    play_enable },
	{ "Share the traffic 1:1",
	    "   One thousand questions over UDP; who is in front of the answers?\n", play_equal },
	{ "Share it 3:1", "   The weight above a pool is all that changes.\n", play_ratio },
	{ "Let a data centre fail",
	    "   Both servers of dc-a stop. Two failed probes in a row take an address out of the "
	    "answers.\n",
	    play_fail },
	{ "Read what happened",
	    "   Everything that changes is an event; alerts are sent from these.\n", play_events },
	{ "Repair it", "   Nobody needs to switch back: a passed probe is enough.\n", play_repair },
	{ "Ask why", "   The server tells what it would answer, how likely, and by which rules.\n",
	    play_explain },
	{ "Answer by where the client is",
	    "   An office and, if there is data of it, a country are sent to dc-a; all others to "
	    "dc-b.\n",
	    demo_lines_play },
	{ "Disable it", "   The name resolves from the public zone again; nothing was deleted.\n",
	    play_disable },
	{ .title = NULL },
};
