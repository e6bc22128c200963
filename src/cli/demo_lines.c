/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The step about lines: an own one always, a country if the server has a data set. */
#include <stdlib.h>
#include <string.h>

#include "cli/demo.h"
#include "cli/demo_dns.h"
#include "cli/kinds.h"
#include "dns/rrtype.h"

#define DOMAIN_PATH "/api/v1/domains/" DEMO_NAME "/A"
#define OFFICE      "198.51.100.0" /* networks for documentation: no data set has them */
#define ELSEWHERE   "203.0.113.0"
#define CHINESE     "1.0.1.0"
#define NEAR        0 /* dc-a */
#define FAR         1

/* Does the server know whose addresses are in China? */
static bool
has_data(struct demo *d)
{
	json_t *reply = NULL;
	const json_t *line;
	bool has = false;
	size_t i;

	if (!demo_watch_api(d, "GET", "/api/v1/line-tree?parent=asia", NULL, &reply))
		return false;
	json_array_foreach(json_object_get(reply, "items"), i, line)
	{
		const char *code = json_string_value(json_object_get(line, "code"));

		if (code != NULL && strcmp(code, "cn") == 0)
			has = json_is_true(json_object_get(line, "data"));
	}
	json_decref(reply);
	return has;
}

static bool
make_line(struct demo *d)
{
	demo_show_command(
	    d, "curl -X PUT .../lines/office -d '{\"spec\":{\"cidrs\":[\"" OFFICE "/24\"]}}'");
	return demo_watch_api(d, "PUT", "/api/v1/lines/office",
	    json_pack("{s:{s:[s]}}", "spec", "cidrs", OFFICE "/24"), NULL);
}

/* Its pools as they are, now for the clients of lines. */
static bool
link_lines(struct demo *d, bool data)
{
	json_t *domain = NULL, *pools, *near = json_pack("[s]", "office");

	if (data)
		json_array_append_new(near, json_string("cn"));
	if (!demo_watch_api(d, "GET", DOMAIN_PATH, NULL, &domain)) {
		json_decref(near);
		return false;
	}
	pools = json_deep_copy(kinds_at(domain, "spec.pools"));
	json_decref(domain);
	json_object_set_new(json_array_get(pools, NEAR), "lines", near);
	json_object_set_new(json_array_get(pools, FAR), "lines", json_pack("[s]", "default"));
	demo_show_command(d,
	    "curl -X PATCH ... -d '{\"spec\":{\"strategy\":\"source_nearest\",\"pools\":"
	    "[{\"pool\":\"dc-a\",\"lines\":[\"office\"%s]},...]}}'",
	    data ? ",\"cn\"" : "");
	return demo_watch_api(d, "PATCH", DOMAIN_PATH,
	    json_pack("{s:{s:s, s:o}}", "spec", "strategy", "source_nearest", "pools", pools),
	    NULL);
}

static void
check_from(struct demo *d, const char *network, int site, const char *who)
{
	struct demo_dns_answer a;
	const int rc = demo_dns_ask_from(d->dns_fd, DEMO_NAME, RRTYPE_A, network, 2000, &a);

	demo_show_command(d, "dig @127.0.0.1 -p %u %s A +short +subnet=%s/24", d->server.dns_port,
	    DEMO_NAME, network);
	if (rc != 0 || a.n == 0) {
		demo_show_check(
		    d, false, "expected an answer, saw: %s", rc != 0 ? strerror(-rc) : "none");
		return;
	}
	demo_show_check(d, demo_sites_of(a.rdata[0]) == site && a.scope > 0,
	    "%s is sent to %s (%s); the answer holds for its whole /%d", who,
	    demo_sites_names[site], a.rdata[0], a.scope);
}

void
demo_lines_play(struct demo *d)
{
	const bool data = has_data(d);

	if (d->failed || !make_line(d) || !link_lines(d, data))
		return;
	check_from(d, OFFICE, NEAR, "the office");
	check_from(d, ELSEWHERE, FAR, "a client elsewhere");
	if (data)
		check_from(d, CHINESE, NEAR, "a client in China");
	else
		demo_show_line(
		    d, "Countries and carriers need a data set: ./dev geodata fetches one.");
}
