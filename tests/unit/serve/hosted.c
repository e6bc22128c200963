/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hosted.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/diag.h"
#include "dns/name.h"
#include "dns/rrtype.h"
#include "fake_steer.h"
#include "zone/zone_page.h"
#include "zone/zonefile.h"

#define SOA "@ SOA ns1 host 1 3600 600 86400 60\n"
#define L50 "01234567890123456789012345678901234567890123456789"

static const char example_com[] =
    "$TTL 300\n" SOA "@ NS ns1\n"
    "@ NS ns2.other.test.\n"
    "@ MX 10 mail\n"
    "@ MX 20 MAIL\n"
    "@ MX 30 mail.elsewhere.net.\n"
    "ns1 A 192.0.2.1\n"
    "ns1 AAAA 2001:db8::1\n"
    "Www A 192.0.2.10\n"
    "www A 192.0.2.11\n"
    "www TXT hello\n"
    "mail A 192.0.2.25\n"
    "alias CNAME www\n"
    "chain1 CNAME chain2\n"
    "chain2 CNAME alias\n"
    "out CNAME www.elsewhere.net.\n"
    "over CNAME host.other.test.\n"
    "lost CNAME nowhere\n"
    "empty CNAME b.ent\n"
    "loop1 CNAME loop2\n"
    "loop2 CNAME loop1\n"
    "self CNAME self\n"
    "l1 CNAME l2\nl2 CNAME l3\nl3 CNAME l4\nl4 CNAME l5\nl5 CNAME l6\n"
    "l6 CNAME l7\nl7 CNAME l8\nl8 CNAME l9\nl9 CNAME l10\nl10 CNAME www\n"
    "a.b.ent A 192.0.2.30\n"
    "*.wild A 192.0.2.40\n"
    "*.wildc CNAME www\n"
    "sub NS ns.sub\n"
    "sub NS ns1\n"
    "sub NS ns.elsewhere.net.\n"
    "sub DS 12345 13 2 "
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n"
    "ns.sub A 192.0.2.50\n"
    "tosub CNAME www.sub\n"
    "child NS ns.child\n"
    "ns.child A 192.0.2.60\n"
    "child DS 1 13 2 "
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n"
    "dn DNAME other.test.\n"
    "long DNAME " L50 "." L50 "." L50 ".other.test.\n"
    "todn CNAME host.dn\n"
    "_srv._tcp SRV 0 0 80 www\n"
    "_srv._tcp SRV 0 1 80 gtm\n"
    "svc HTTPS 1 . alpn=h2\n"
    "svc A 192.0.2.70\n"
    "nullmx MX 0 .\n"
    "big TXT " L50 L50 " " L50 L50 " " L50 L50 " " L50 L50 " " L50 L50 " " L50 L50 "\n"
    "fat NS a.ns.fat\nfat NS b.ns.fat\nfat NS c.ns.fat\nfat NS d.ns.fat\n"
    "fat NS e.ns.fat\nfat NS f.ns.fat\nfat NS g.ns.fat\nfat NS h.ns.fat\n"
    "a.ns.fat AAAA 2001:db8::a\nb.ns.fat AAAA 2001:db8::b\nc.ns.fat AAAA 2001:db8::c\n"
    "d.ns.fat AAAA 2001:db8::d\ne.ns.fat AAAA 2001:db8::e\nf.ns.fat AAAA 2001:db8::f\n"
    "g.ns.fat AAAA 2001:db8::1a\nh.ns.fat AAAA 2001:db8::1b\na.ns.fat A 192.0.2.80\n"
    "b.ns.fat A 192.0.2.81\nc.ns.fat A 192.0.2.82\nd.ns.fat A 192.0.2.83\n"
    "e.ns.fat A 192.0.2.84\nf.ns.fat A 192.0.2.85\ng.ns.fat A 192.0.2.86\n"
    "h.ns.fat A 192.0.2.87\n"
    "hidden A 192.0.2.99\nhidden TXT seen\n"
    "gtm TXT beside\n"
    "tosteered CNAME gtm\n";

static const char child_example_com[] = "$TTL 300\n" SOA "@ NS ns\nns A 192.0.2.60\n";

static const char other_test[] = "$TTL 600\n" SOA "@ NS ns1\n"
				 "ns1 A 198.51.100.1\n"
				 "host A 198.51.100.10\n"
				 "back CNAME www.example.com.\n";

/* Served from below a cut of its own, as the root is. */
static const char hub_test[] = "$TTL 600\n" SOA "@ NS ns.cut\n"
			       "@ MX 10 ns.cut\n"
			       "cut NS ns.cut\n"
			       "ns.cut A 198.51.100.2\n";

static const struct {
	const char *host;
	struct fake_domain domain;
} steered[] = {
	{ "gtm.example.com", { .type = RRTYPE_A, .rdata = { "203.0.113.1", "203.0.113.2" } } },
	{ "down.example.com", { .type = RRTYPE_A, .fallback = true, .rdata = { "203.0.113.3" } } },
	{ "hidden.example.com", { .type = RRTYPE_A, .rdata = { "203.0.113.4" } } },
	{ "cdn.example.com", { .type = RRTYPE_CNAME, .rdata = { "www.example.com." } } },
	{ "away.example.com", { .type = RRTYPE_CNAME, .rdata = { "www.elsewhere.net." } } },
	{ "*.gtm.example.com", { .type = RRTYPE_A, .rdata = { "203.0.113.5" } } },
};

static void
host(struct zones *zs, const char *origin, const char *text)
{
	struct zonefile file;
	struct diag d;
	uint8_t apex[NAME_MAX_LEN];

	diag_init(&d);
	if (zonefile_parse(text, strlen(text), origin, origin, &file, &d) != 0)
		fputs(diag_text(&d), stderr);
	CHECK(!diag_failed(&d));
	CHECK(name_parse_lower(origin, apex) > 0);

	struct zone *z = zone_new(apex);

	zone_page_put_book(z, &file.sets);
	zones_add(zs, z);
	zonefile_fini(&file);
	diag_fini(&d);
}

static void
host_file(struct zones *zs, const char *origin)
{
	static char text[1 << 16];
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", HOSTED_ZONES, origin);

	FILE *f = fopen(path, "r");

	CHECK(f != NULL);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	CHECK(fclose(f) == 0);
	host(zs, origin, text);
}

struct zones *
hosted_new(void)
{
	struct zones *zs = zones_new();
	uint8_t name[NAME_MAX_LEN];

	host(zs, "example.com.", example_com);
	host(zs, "child.example.com.", child_example_com);
	host(zs, "other.test.", other_test);
	host(zs, "hub.test.", hub_test);
	host_file(zs, "nsec.test");
	host_file(zs, "nsec3.test");
	host_file(zs, "optout.test");
	for (size_t i = 0; i < ARRAY_LEN(steered); i++) {
		CHECK(name_parse_lower(steered[i].host, name) > 0);
		zone_overlay(zones_find(zs, name), name, fake_steer_new(&steered[i].domain));
	}
	return zs;
}

void
hosted_free(struct zones **zs)
{
	uint8_t name[NAME_MAX_LEN];

	for (size_t i = 0; i < ARRAY_LEN(steered); i++) {
		CHECK(name_parse_lower(steered[i].host, name) > 0);
		fake_steer_free(zone_overlay(zones_find(*zs, name), name, NULL));
	}
	zones_free(zs);
}
