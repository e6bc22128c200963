/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pre-signed zones (RFC 4035 3.1, RFC 5155 7.2). zones/nsec.test, nsec3.test and optout.test were
 * made of the same records by dnssec-signzone: with NSEC; with NSEC3; with NSEC3, salt, two
 * iterations and opt-out.
 */
#include "serve/respond.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <urcu/urcu-qsbr.h>

#include <cmocka.h>

#include "dns/name.h"
#include "dns/nsec3.h"
#include "dns/rrtype.h"
#include "hosted.h"
#include "wire.h"

struct fixture {
	struct zones *zones;
	struct respond_counters counters;
	struct respond respond;
	struct serve_options *options;
};

static char *
ask(struct fixture *f, const char *name, uint16_t type, bool dnssec_ok,
    char *(*text)(const uint8_t *msg, size_t len))
{
	static uint8_t out[1232];
	uint8_t in[512];
	const struct wire_edns edns = { 1232, dnssec_ok, 0 };
	const size_t len = wire_query(in, 1, name, type, edns);

	const struct addr nobody = { 0 };
	const struct respond_client from = { .peer = &nobody };

	return text(out, respond(&f->respond, &from, in, len, out, sizeof(out)));
}

#define SIGNED(owner, type) owner " " type ", " owner " RRSIG(" type ")"
#define SOA                 SIGNED("nsec.test", "SOA")
#define NSEC(owner)         SIGNED(owner, "NSEC")

static const struct example {
	const char *name;
	uint16_t type;
	const char *want;
} nsec_examples[] = {
	/* positive */
	{ "mail.nsec.test", RRTYPE_A,
	    "NOERROR aa | " SIGNED("mail.nsec.test", "A") " | | | 1232 do" },
	{ "nsec.test", RRTYPE_MX,
	    "NOERROR aa | " SIGNED("nsec.test", "MX") " | | " SIGNED(
		"mail.nsec.test", "A") " | 1232 do" },
	{ "mail.nsec.test", RRTYPE_NSEC, "NOERROR aa | " NSEC("mail.nsec.test") " | | | 1232 do" },
	{ "mail.nsec.test", RRTYPE_ANY,
	    "NOERROR aa | " SIGNED("mail.nsec.test", "A") " | | | 1232 do" },
	{ "out.nsec.test", RRTYPE_A,
	    "NOERROR aa | " SIGNED("out.nsec.test", "CNAME") " | | | 1232 do" },
	{ "x.dn.nsec.test", RRTYPE_CNAME,
	    "NOERROR aa | " SIGNED(
		"dn.nsec.test", "DNAME") ", x.dn.nsec.test CNAME | | | 1232 do" },
	{ "x.dn.nsec.test", RRTYPE_A,
	    "NXDOMAIN aa | " SIGNED("dn.nsec.test", "DNAME") ", x.dn.nsec.test CNAME | " SOA
							     ", " NSEC(
								 "www.nsec.test") " | | 1232 do" },

	/* no such type, no such name */
	{ "mail.nsec.test", RRTYPE_AAAA,
	    "NOERROR aa | | " SOA ", " NSEC("mail.nsec.test") " | | 1232 do" },
	{ "b.ent.nsec.test", RRTYPE_A,
	    "NOERROR aa | | " SOA ", " NSEC("dn.nsec.test") " | | 1232 do" },
	{ "nope.nsec.test", RRTYPE_A,
	    "NXDOMAIN aa | | " SOA
	    ", " NSEC("mail.nsec.test") ", " NSEC("nsec.test") " | | 1232 do" },
	{ "a.nope.nsec.test", RRTYPE_A,
	    "NXDOMAIN aa | | " SOA
	    ", " NSEC("mail.nsec.test") ", " NSEC("nsec.test") " | | 1232 do" },
	{ "x.www.nsec.test", RRTYPE_A, /* one record covers the name and the wildcard */
	    "NXDOMAIN aa | | " SOA ", " NSEC("www.nsec.test") " | | 1232 do" },
	{ "lost.nsec.test", RRTYPE_A,
	    "NXDOMAIN aa | " SIGNED("lost.nsec.test", "CNAME") " | " SOA ", " NSEC(
		"mail.nsec.test") ", " NSEC("nsec.test") " | | 1232 do" },

	/* wildcards */
	{ "any.wild.nsec.test", RRTYPE_A,
	    "NOERROR aa | " SIGNED("any.wild.nsec.test", "A") " | " NSEC(
		"*.wild.nsec.test") " | | 1232 do" },
	{ "towild.nsec.test", RRTYPE_A,
	    "NOERROR aa | " SIGNED("towild.nsec.test", "CNAME") ", " SIGNED(
		"any.wild.nsec.test", "A") " | " NSEC("*.wild.nsec.test") " | | 1232 do" },
	{ "*.wild.nsec.test", RRTYPE_A,
	    "NOERROR aa | " SIGNED("*.wild.nsec.test", "A") " | | | 1232 do" },
	{ "foo.wildc.nsec.test", RRTYPE_TXT,
	    "NOERROR aa | " SIGNED("foo.wildc.nsec.test", "CNAME") ", " SIGNED(
		"www.nsec.test", "TXT") " | " NSEC("*.wildc.nsec.test") " | | 1232 do" },
	{ "any.wild.nsec.test", RRTYPE_MX,
	    "NOERROR aa | | " SOA ", " NSEC("*.wild.nsec.test") " | | 1232 do" },
	{ "zz.wild.nsec.test", RRTYPE_MX,
	    "NOERROR aa | | " SOA
	    ", " NSEC("x.y.wild.nsec.test") ", " NSEC("*.wild.nsec.test") " | | 1232 do" },

	/* cuts */
	{ "x.sub.nsec.test", RRTYPE_A,
	    "NOERROR | | sub.nsec.test NS, " SIGNED(
		"sub.nsec.test", "DS") " | ns.sub.nsec.test A | 1232 do" },
	{ "x.bare.nsec.test", RRTYPE_A,
	    "NOERROR | | bare.nsec.test NS, " NSEC(
		"bare.nsec.test") " | ns.bare.nsec.test A | 1232 do" },
	{ "sub.nsec.test", RRTYPE_DS,
	    "NOERROR aa | " SIGNED("sub.nsec.test", "DS") " | | | 1232 do" },
	{ "bare.nsec.test", RRTYPE_DS,
	    "NOERROR aa | | " SOA ", " NSEC("bare.nsec.test") " | | 1232 do" },
	{ "nsec.test", RRTYPE_DS, "NOERROR aa | | " SOA ", " NSEC("nsec.test") " | | 1232 do" },
};

static void
test_nsec(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(nsec_examples); i++) {
		const struct example *e = &nsec_examples[i];
		char *t = ask(*state, e->name, e->type, true, wire_outline);

		if (strcmp(t, e->want) != 0)
			printf("%s %u\n", e->name, e->type);
		assert_string_equal(t, e->want);
		free(t);
	}
}

/*
 * For NSEC3: the names whose hash a record must match ("=") or cover ("~"), relative to the apex
 * ("@"). Every record must be there for one of them.
 */
static const struct hashed_example {
	const char *name;
	uint16_t type;
	const char *head;           /* of the outline */
	const char *nsec3, *optout; /* proofs in either zone */
} hashed_examples[] = {
	{ "www", RRTYPE_A, "NOERROR aa | www", "", "" },
	{ "www", RRTYPE_AAAA, "NOERROR aa | |", "=www", "=www" },
	{ "b.ent", RRTYPE_A, "NOERROR aa | |", "=b.ent", "=b.ent" },
	{ "nope", RRTYPE_A, "NXDOMAIN aa | |", "=@ ~nope ~*", "=@ ~nope ~*" },
	{ "a.b.nope", RRTYPE_A, "NXDOMAIN aa | |", "=@ ~nope ~*", "=@ ~nope ~*" },
	{ "x.b.ent", RRTYPE_A, "NXDOMAIN aa | |", "=b.ent ~x.b.ent ~*.b.ent",
	    "=b.ent ~x.b.ent ~*.b.ent" },
	{ "any.wild", RRTYPE_A, "NOERROR aa | any.wild", "~any.wild", "~any.wild" },
	{ "b.any.wild", RRTYPE_A, "NOERROR aa | b.any.wild", "~any.wild", "~any.wild" },
	{ "towild", RRTYPE_A, "NOERROR aa | towild", "~any.wild", "~any.wild" },
	{ "any.wild", RRTYPE_MX, "NOERROR aa | |", "=wild ~any.wild =*.wild",
	    "=wild ~any.wild =*.wild" },
	{ "x.sub", RRTYPE_A, "NOERROR | |", "", "" },
	{ "x.bare", RRTYPE_A, "NOERROR | |", "=bare", "=@ ~bare" },
	{ "bare", RRTYPE_DS, "NOERROR aa | |", "=bare", "=@ ~bare" },
	{ "x.cut.ent2", RRTYPE_A, "NOERROR | |", "=cut.ent2", "=@ ~ent2" },
	/* An empty non-terminal that is there for an unsigned cut only (RFC 5155 erratum 3441). */
	{ "ent2", RRTYPE_A, "NOERROR aa | |", "=ent2", "=@ ~ent2" },
	{ "nx.ent2", RRTYPE_A, "NXDOMAIN aa | |", "=ent2 ~nx.ent2 ~*.ent2", "=@ ~ent2 ~*" },
};

static void
hash(const char *name, const char *zone, const struct nsec3_params *params, char out[33])
{
	uint8_t wire[NAME_MAX_LEN], digest[NSEC3_HASH_LEN], label[NSEC3_LABEL_LEN];
	char text[256];

	snprintf(
	    text, sizeof(text), "%s%s%s", *name == '@' ? "" : name, *name == '@' ? "" : ".", zone);
	assert_true(name_parse_lower(text, wire) > 0);
	nsec3_hash(params, wire, digest);
	nsec3_label(digest, label);
	memcpy(out, label + 1, 32);
	out[32] = '\0';
}

/* Does the interval from `owner` to `next` hold the hash strictly inside? It may go round. */
static bool
covers(const char *owner, const char *next, const char *hashed)
{
	const bool after = strcasecmp(owner, hashed) < 0, before = strcasecmp(hashed, next) < 0;

	return strcasecmp(owner, next) < 0 ? after && before : after || before;
}

/* Which of the proofs, as bits, does this record give? */
static unsigned
proofs_of(const char *record, char *const *proofs, size_t n, const char *zone,
    const struct nsec3_params *params)
{
	char owner[64], next[64], hashed[33];
	unsigned bits = 0;

	assert_int_equal(
	    sscanf(record, "%32[^.].%*s %*u NSEC3 %*u %*u %*u %*s %63s", owner, next), 2);
	for (size_t i = 0; i < n; i++) {
		hash(proofs[i] + 1, zone, params, hashed);
		if (proofs[i][0] == '=' ? strcasecmp(owner, hashed) == 0
					: covers(owner, next, hashed))
			bits |= 1u << i;
	}
	return bits;
}

static void
check_proofs(char *text, const char *want, const char *zone, const struct nsec3_params *params)
{
	char list[256], *proofs[8], *save;
	unsigned found = 0;
	size_t n = 0;

	snprintf(list, sizeof(list), "%s", want);
	for (char *t = strtok(list, " "); t != NULL; t = strtok(NULL, " "))
		proofs[n++] = t;
	for (char *t = strtok_r(text, ",|", &save); t != NULL; t = strtok_r(NULL, ",|", &save)) {
		if (strstr(t, " NSEC3 1 ") == NULL || strstr(t, " RRSIG NSEC3 ") != NULL)
			continue;

		const unsigned bits = proofs_of(t + 1, proofs, n, zone, params);

		assert_int_not_equal(bits, 0); /* none in vain */
		found |= bits;
	}
	if (found != (1u << n) - 1)
		printf("%s\n", want);
	assert_int_equal(found, (1u << n) - 1);
}

static void
test_nsec3(void **state)
{
	static const uint8_t salt[] = { 0xab, 0x12 };
	static const struct nsec3_params plain = { 0 }, salted = { 2, 2, salt };

	for (size_t i = 0; i < 2 * ARRAY_LEN(hashed_examples); i++) {
		const struct hashed_example *e = &hashed_examples[i / 2];
		const bool optout = i % 2 != 0;
		const char *zone = optout ? "optout.test" : "nsec3.test";
		char name[256], *t;

		snprintf(name, sizeof(name), "%s.%s", e->name, zone);
		t = ask(*state, name, e->type, true, wire_outline);
		if (strncmp(t, e->head, strlen(e->head)) != 0)
			printf("%s: %s\n", name, t);
		assert_memory_equal(t, e->head, strlen(e->head));
		free(t);
		t = ask(*state, name, e->type, true, wire_text);
		check_proofs(t, optout ? e->optout : e->nsec3, zone, optout ? &salted : &plain);
		free(t);
	}
}

/* The owner of an NSEC3 is no name of the zone, and covered like any that is not (RFC 5155 7.2.8).
 */
static void
test_hashed_owner(void **state)
{
	static const struct nsec3_params plain = { 0 };
	char hashed[33], name[64], *t;

	hash("www", "nsec3.test", &plain, hashed);
	snprintf(name, sizeof(name), "%s.nsec3.test", hashed);
	t = ask(*state, name, RRTYPE_NSEC3, true, wire_outline);
	assert_memory_equal(t, "NXDOMAIN aa | |", 15);
	free(t);
}

/* Without DO nothing of it is to be seen, unless asked for. */
static void
test_without_do(void **state)
{
	static const struct example examples[] = {
		{ "mail.nsec.test", RRTYPE_A, "NOERROR aa | mail.nsec.test A | | | 1232" },
		{ "nope.nsec.test", RRTYPE_A, "NXDOMAIN aa | | nsec.test SOA | | 1232" },
		{ "any.wild.nsec3.test", RRTYPE_A,
		    "NOERROR aa | any.wild.nsec3.test A | | | 1232" },
		{ "x.bare.nsec3.test", RRTYPE_A,
		    "NOERROR | | bare.nsec3.test NS | ns.bare.nsec3.test A | 1232" },
		{ "x.sub.nsec3.test", RRTYPE_A,
		    "NOERROR | | sub.nsec3.test NS | ns.sub.nsec3.test A | 1232" },
		{ "mail.nsec.test", RRTYPE_NSEC, "NOERROR aa | mail.nsec.test NSEC | | | 1232" },
	};

	for (size_t i = 0; i < ARRAY_LEN(examples); i++) {
		char *t = ask(*state, examples[i].name, examples[i].type, false, wire_outline);

		assert_string_equal(t, examples[i].want);
		free(t);
	}
}

/* RFC 9276: too many iterations are not worth the work; what is signed stays so. */
static void
test_iterations(void **state)
{
	static const uint8_t param[] = { 0, 5, 1, 0, 0, 151, 0 };
	struct fixture *f = *state;
	uint8_t apex[NAME_MAX_LEN];
	char *t;

	assert_true(name_parse_lower("nsec3.test", apex) > 0);
	zone_put(zones_exact(f->zones, apex), apex,
	    rrset_new(RRTYPE_NSEC3PARAM, 0, param, sizeof(param)));
	t = ask(f, "nope.nsec3.test", RRTYPE_A, true, wire_outline);
	assert_string_equal(
	    t, "NXDOMAIN aa | | " SIGNED("nsec3.test", "SOA") " | | 1232 do ede=27");
	free(t);
	t = ask(f, "mail.nsec3.test", RRTYPE_A, true, wire_outline);
	assert_string_equal(t, "NOERROR aa | " SIGNED("mail.nsec3.test", "A") " | | | 1232 do");
	free(t);
}

/* Signatures are counted among what must fit; TTLs are those of what is signed. */
static void
test_ttl(void **state)
{
	char *t = ask(*state, "nope.nsec.test", RRTYPE_A, true, wire_text);

	assert_non_null(strstr(t, "nsec.test 60 RRSIG SOA 13 2 300 "));
	free(t);
}

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	urcu_qsbr_register_thread();
	f->zones = hosted_new();
	f->respond.zones = f->zones;
	f->respond.edns_udp_size = 1232;
	f->respond.counters = &f->counters;
	f->options = serve_options_new();
	f->respond.options = (const struct serve_options *const *)&f->options;
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	hosted_free(&f->zones);
	serve_options_free(&f->options);
	urcu_qsbr_unregister_thread();
	free(f);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nsec),
		cmocka_unit_test(test_nsec3),
		cmocka_unit_test(test_hashed_owner),
		cmocka_unit_test(test_without_do),
		cmocka_unit_test(test_ttl),
		cmocka_unit_test(test_iterations),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
