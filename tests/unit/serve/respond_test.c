/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "serve/respond.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <urcu/urcu-qsbr.h>

#include <cmocka.h>

#include "dns/rrtype.h"
#include "hosted.h"
#include "wire.h"

#define NO_EDNS                                                                                    \
	{                                                                                          \
		0, false, 0                                                                        \
	}
#define EDNS                                                                                       \
	{                                                                                          \
		1232, false, 0                                                                     \
	}
#define DO                                                                                         \
	{                                                                                          \
		1232, true, 0                                                                      \
	}

#define SOA_EXAMPLE "example.com 60 SOA ns1.example.com. host.example.com. 1 3600 600 86400 60"
#define SOA_OTHER   "other.test 60 SOA ns1.other.test. host.other.test. 1 3600 600 86400 60"
#define WWW         "www.example.com 300 A 192.0.2.10, www.example.com 300 A 192.0.2.11"
#define DS_RDATA    "13 2 0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF"

struct example {
	const char *name;
	uint16_t type;
	struct wire_edns edns;
	const char *want;
};

static const struct example examples[] = {
	/* plain answers */
	{ "www.example.com", RRTYPE_A, NO_EDNS, "NOERROR aa | " WWW " | | |" },
	{ "wWw.eXample.com", RRTYPE_A, EDNS,
	    "NOERROR aa | wWw.eXample.com 300 A 192.0.2.10, wWw.eXample.com 300 A 192.0.2.11 | | | "
	    "1232" },
	{ "www.example.com", RRTYPE_TXT, DO,
	    "NOERROR aa | www.example.com 300 TXT \"hello\" | | | 1232 do" },
	{ "example.com", RRTYPE_SOA, NO_EDNS,
	    "NOERROR aa | example.com 300 SOA ns1.example.com. host.example.com. 1 3600 600 86400 "
	    "60 "
	    "| | |" },

	/* negative (RFC 2308), empty non-terminals */
	{ "www.example.com", RRTYPE_AAAA, NO_EDNS, "NOERROR aa | | " SOA_EXAMPLE " | |" },
	{ "nx.www.example.com", RRTYPE_A, NO_EDNS, "NXDOMAIN aa | | " SOA_EXAMPLE " | |" },
	{ "b.ent.example.com", RRTYPE_A, NO_EDNS, "NOERROR aa | | " SOA_EXAMPLE " | |" },
	{ "ent.example.com", RRTYPE_A, NO_EDNS, "NOERROR aa | | " SOA_EXAMPLE " | |" },
	{ "x.b.ent.example.com", RRTYPE_A, NO_EDNS, "NXDOMAIN aa | | " SOA_EXAMPLE " | |" },

	/* CNAME */
	{ "alias.example.com", RRTYPE_A, NO_EDNS,
	    "NOERROR aa | alias.example.com 300 CNAME www.example.com., " WWW " | | |" },
	{ "alias.example.com", RRTYPE_CNAME, NO_EDNS,
	    "NOERROR aa | alias.example.com 300 CNAME www.example.com. | | |" },
	{ "chain1.example.com", RRTYPE_A, NO_EDNS,
	    "NOERROR aa | chain1.example.com 300 CNAME chain2.example.com., "
	    "chain2.example.com 300 CNAME alias.example.com., "
	    "alias.example.com 300 CNAME www.example.com., " WWW " | | |" },
	{ "alias.example.com", RRTYPE_MX, NO_EDNS,
	    "NOERROR aa | alias.example.com 300 CNAME www.example.com. | " SOA_EXAMPLE " | |" },
	{ "lost.example.com", RRTYPE_A, NO_EDNS,
	    "NXDOMAIN aa | lost.example.com 300 CNAME nowhere.example.com. | " SOA_EXAMPLE " | |" },
	{ "empty.example.com", RRTYPE_A, NO_EDNS,
	    "NOERROR aa | empty.example.com 300 CNAME b.ent.example.com. | " SOA_EXAMPLE " | |" },
	{ "out.example.com", RRTYPE_A, NO_EDNS,
	    "NOERROR aa | out.example.com 300 CNAME www.elsewhere.net. | | |" },
	{ "over.example.com", RRTYPE_A, NO_EDNS,
	    "NOERROR aa | over.example.com 300 CNAME host.other.test., "
	    "host.other.test 600 A 198.51.100.10 | | |" },
	{ "over.example.com", RRTYPE_AAAA, NO_EDNS,
	    "NOERROR aa | over.example.com 300 CNAME host.other.test. | " SOA_OTHER " | |" },
	{ "loop1.example.com", RRTYPE_A, NO_EDNS,
	    "NOERROR aa | loop1.example.com 300 CNAME loop2.example.com., "
	    "loop2.example.com 300 CNAME loop1.example.com. | | |" },
	{ "self.example.com", RRTYPE_A, NO_EDNS,
	    "NOERROR aa | self.example.com 300 CNAME self.example.com. | | |" },
	{ "l3.example.com", RRTYPE_A, NO_EDNS,
	    "NOERROR aa | l3.example.com 300 CNAME l4.example.com., "
	    "l4.example.com 300 CNAME l5.example.com., l5.example.com 300 CNAME l6.example.com., "
	    "l6.example.com 300 CNAME l7.example.com., l7.example.com 300 CNAME l8.example.com., "
	    "l8.example.com 300 CNAME l9.example.com., l9.example.com 300 CNAME l10.example.com., "
	    "l10.example.com 300 CNAME www.example.com., " WWW " | | |" },
	{ "l2.example.com", RRTYPE_A, NO_EDNS, /* one link too many */
	    "NOERROR aa | l2.example.com 300 CNAME l3.example.com., "
	    "l3.example.com 300 CNAME l4.example.com., l4.example.com 300 CNAME l5.example.com., "
	    "l5.example.com 300 CNAME l6.example.com., l6.example.com 300 CNAME l7.example.com., "
	    "l7.example.com 300 CNAME l8.example.com., l8.example.com 300 CNAME l9.example.com., "
	    "l9.example.com 300 CNAME l10.example.com., l10.example.com 300 CNAME www.example.com. "
	    "| "
	    "| |" },

	{ "alias.example.com", RRTYPE_NSEC, NO_EDNS, "NOERROR aa | | " SOA_EXAMPLE " | |" },
	{ "alias.example.com", RRTYPE_RRSIG, NO_EDNS, "NOERROR aa | | " SOA_EXAMPLE " | |" },

	/* wildcards (RFC 4592) */
	{ "any.wild.example.com", RRTYPE_A, NO_EDNS,
	    "NOERROR aa | any.wild.example.com 300 A 192.0.2.40 | | |" },
	{ "a.b.wild.example.com", RRTYPE_A, NO_EDNS,
	    "NOERROR aa | a.b.wild.example.com 300 A 192.0.2.40 | | |" },
	{ "any.wild.example.com", RRTYPE_AAAA, NO_EDNS, "NOERROR aa | | " SOA_EXAMPLE " | |" },
	{ "wild.example.com", RRTYPE_A, NO_EDNS, "NOERROR aa | | " SOA_EXAMPLE " | |" },
	{ "any.wildc.example.com", RRTYPE_A, NO_EDNS,
	    "NOERROR aa | any.wildc.example.com 300 CNAME www.example.com., " WWW " | | |" },

	/* delegation */
	{ "www.sub.example.com", RRTYPE_A, NO_EDNS,
	    "NOERROR | | sub.example.com 300 NS ns.sub.example.com., "
	    "sub.example.com 300 NS ns.elsewhere.net., sub.example.com 300 NS ns1.example.com. "
	    "| "
	    "ns.sub.example.com 300 A 192.0.2.50, ns1.example.com 300 A 192.0.2.1, "
	    "ns1.example.com 300 AAAA 2001:db8::1 |" },
	{ "sub.example.com", RRTYPE_NS, DO,
	    "NOERROR | | sub.example.com 300 NS ns.sub.example.com., "
	    "sub.example.com 300 NS ns.elsewhere.net., sub.example.com 300 NS ns1.example.com., "
	    "sub.example.com 300 DS 12345 " DS_RDATA " | "
	    "ns.sub.example.com 300 A 192.0.2.50, ns1.example.com 300 A 192.0.2.1, "
	    "ns1.example.com 300 AAAA 2001:db8::1 | 1232 do" },
	{ "sub.example.com", RRTYPE_DS, NO_EDNS,
	    "NOERROR aa | sub.example.com 300 DS 12345 " DS_RDATA " | | |" },
	{ "tosub.example.com", RRTYPE_A, NO_EDNS,
	    "NOERROR aa | tosub.example.com 300 CNAME www.sub.example.com. | "
	    "sub.example.com 300 NS ns.sub.example.com., sub.example.com 300 NS ns.elsewhere.net., "
	    "sub.example.com 300 NS ns1.example.com. | "
	    "ns.sub.example.com 300 A 192.0.2.50, ns1.example.com 300 A 192.0.2.1, "
	    "ns1.example.com 300 AAAA 2001:db8::1 |" },

	/* a cut whose child is here too: the child answers, but for DS */
	{ "ns.child.example.com", RRTYPE_A, NO_EDNS,
	    "NOERROR aa | ns.child.example.com 300 A 192.0.2.60 | | |" },
	{ "child.example.com", RRTYPE_DS, NO_EDNS,
	    "NOERROR aa | child.example.com 300 DS 1 " DS_RDATA " | | |" },
	{ "example.com", RRTYPE_DS, NO_EDNS, "NOERROR aa | | " SOA_EXAMPLE " | |" },

	/* DNAME (RFC 6672) */
	{ "HOST.dn.example.com", RRTYPE_A, NO_EDNS,
	    "NOERROR aa | dn.example.com 300 DNAME other.test., "
	    "HOST.dn.example.com 300 CNAME HOST.other.test., HOST.other.test 600 A 198.51.100.10 | "
	    "| |" },
	{ "host.dn.example.com", RRTYPE_CNAME, NO_EDNS,
	    "NOERROR aa | dn.example.com 300 DNAME other.test., "
	    "host.dn.example.com 300 CNAME host.other.test. | | |" },
	{ "todn.example.com", RRTYPE_A, NO_EDNS,
	    "NOERROR aa | todn.example.com 300 CNAME host.dn.example.com., "
	    "dn.example.com 300 DNAME other.test., host.dn.example.com 300 CNAME host.other.test., "
	    "host.other.test 600 A 198.51.100.10 | | |" },
	{ "back.dn.example.com", RRTYPE_A, NO_EDNS,
	    "NOERROR aa | dn.example.com 300 DNAME other.test., "
	    "back.dn.example.com 300 CNAME back.other.test., "
	    "back.other.test 600 CNAME www.example.com., " WWW " | | |" },
	{ "dn.example.com", RRTYPE_A, NO_EDNS, "NOERROR aa | | " SOA_EXAMPLE " | |" },

	/* additional */
	{ "example.com", RRTYPE_MX, NO_EDNS,
	    "NOERROR aa | example.com 300 MX 10 mail.example.com., example.com 300 MX 20 "
	    "mail.example.com., example.com 300 MX 30 mail.elsewhere.net. | | "
	    "mail.example.com 300 A 192.0.2.25 |" },
	{ "example.com", RRTYPE_NS, NO_EDNS,
	    "NOERROR aa | example.com 300 NS ns1.example.com., example.com 300 NS ns2.other.test. "
	    "| | "
	    "ns1.example.com 300 A 192.0.2.1, ns1.example.com 300 AAAA 2001:db8::1 |" },
	{ "hub.test", RRTYPE_NS, NO_EDNS,
	    "NOERROR aa | hub.test 600 NS ns.cut.hub.test. | | ns.cut.hub.test 600 A 198.51.100.2 "
	    "|" },
	{ "hub.test", RRTYPE_MX, NO_EDNS,
	    "NOERROR aa | hub.test 600 MX 10 ns.cut.hub.test. | | |" },
	{ "_srv._tcp.example.com", RRTYPE_SRV, NO_EDNS,
	    "NOERROR aa | _srv._tcp.example.com 300 SRV 0 0 80 www.example.com., "
	    "_srv._tcp.example.com 300 SRV 0 1 80 gtm.example.com. | | " WWW ", "
	    "gtm.example.com 60 A 203.0.113.1, gtm.example.com 60 A 203.0.113.2 |" },
	{ "svc.example.com", RRTYPE_HTTPS, NO_EDNS,
	    "NOERROR aa | svc.example.com 300 HTTPS 1 . alpn=h2 | | svc.example.com 300 A "
	    "192.0.2.70 |" },
	{ "nullmx.example.com", RRTYPE_MX, NO_EDNS,
	    "NOERROR aa | nullmx.example.com 300 MX 0 . | | |" },

	/* steered names */
	{ "GTM.example.com", RRTYPE_A, EDNS,
	    "NOERROR aa | GTM.example.com 60 A 203.0.113.1, GTM.example.com 60 A 203.0.113.2 | | | "
	    "1232" },
	{ "gtm.example.com", RRTYPE_TXT, NO_EDNS,
	    "NOERROR aa | gtm.example.com 300 TXT \"beside\" | | |" },
	{ "gtm.example.com", RRTYPE_AAAA, NO_EDNS, "NOERROR aa | | " SOA_EXAMPLE " | |" },
	{ "down.example.com", RRTYPE_A, NO_EDNS,
	    "NOERROR aa | down.example.com 60 A 203.0.113.3 | | |" },
	{ "hidden.example.com", RRTYPE_A, NO_EDNS,
	    "NOERROR aa | hidden.example.com 60 A 203.0.113.4 | | |" },
	{ "cdn.example.com", RRTYPE_A, NO_EDNS,
	    "NOERROR aa | cdn.example.com 60 CNAME www.example.com., " WWW " | | |" },
	{ "cdn.example.com", RRTYPE_CNAME, NO_EDNS,
	    "NOERROR aa | cdn.example.com 60 CNAME www.example.com. | | |" },
	{ "away.example.com", RRTYPE_AAAA, NO_EDNS,
	    "NOERROR aa | away.example.com 60 CNAME www.elsewhere.net. | | |" },
	{ "tosteered.example.com", RRTYPE_A, NO_EDNS,
	    "NOERROR aa | tosteered.example.com 300 CNAME gtm.example.com., "
	    "gtm.example.com 60 A 203.0.113.1, gtm.example.com 60 A 203.0.113.2 | | |" },
	{ "x.y.gtm.example.com", RRTYPE_A, NO_EDNS,
	    "NOERROR aa | x.y.gtm.example.com 60 A 203.0.113.5 | | |" },

	/* ANY: one RRset (RFC 8482) */
	{ "www.example.com", RRTYPE_ANY, NO_EDNS, "NOERROR aa | " WWW " | | |" },
	{ "hidden.example.com", RRTYPE_ANY, NO_EDNS,
	    "NOERROR aa | hidden.example.com 60 A 203.0.113.4 | | |" },
	{ "alias.example.com", RRTYPE_ANY, NO_EDNS,
	    "NOERROR aa | alias.example.com 300 CNAME www.example.com. | | |" },
	{ "ent.example.com", RRTYPE_ANY, NO_EDNS, "NOERROR aa | | " SOA_EXAMPLE " | |" },

	/* refusals */
	{ "www.elsewhere.net", RRTYPE_A, NO_EDNS, "REFUSED | | | |" },
	{ "www.elsewhere.net", RRTYPE_A, EDNS, "REFUSED | | | | 1232 ede=20" },
	{ "example.com", RRTYPE_AXFR, NO_EDNS, "REFUSED | | | |" },
	{ "example.com", RRTYPE_IXFR, NO_EDNS, "REFUSED | | | |" },
	{ "www.example.com", RRTYPE_A, { 1232, false, 1 }, "RCODE16 | | | | 1232" },

	/* size */
	{ "big.example.com", RRTYPE_TXT, NO_EDNS, "NOERROR aa tc | | | |" },
	{ "big.example.com", RRTYPE_TXT, { 600, false, 0 }, "NOERROR aa tc | | | | 1232" },
	{ "big.example.com", RRTYPE_TXT, { 600, true, 0 }, "NOERROR aa tc | | | | 1232 do" },
};

struct fixture {
	struct zones *zones;
	struct respond_counters counters;
	struct respond respond;
	struct serve_options *options;
};

static int
set_up(void **state)
{
	static struct fixture f;

	urcu_qsbr_register_thread();
	f.zones = hosted_new();
	f.counters = (struct respond_counters){ 0 };
	f.options = serve_options_new();
	f.respond = (struct respond){
		.zones = f.zones,
		.edns_udp_size = 1232,
		.options = (const struct serve_options *const *)&f.options,
		.counters = &f.counters,
	};
	*state = &f;
	return 0;
}

static int
tear_down(void **state)
{
	hosted_free(&((struct fixture *)*state)->zones);
	serve_options_free(&((struct fixture *)*state)->options);
	urcu_qsbr_unregister_thread();
	return 0;
}

static char *
ask(struct fixture *f, enum respond_transport transport, const uint8_t *in, size_t len)
{
	static uint8_t out[RESPOND_MAX];
	const size_t cap = transport == RESPOND_UDP ? 1232 : RESPOND_MAX;
	const struct addr nobody = { 0 };
	const struct respond_client from = { .transport = transport, .peer = &nobody };
	const size_t n = respond(&f->respond, &from, in, len, out, cap);

	assert_true(n <= cap);
	if (n == 0)
		return NULL;
	assert_memory_equal(in, out, 2);
	return wire_text(out, n);
}

static void
test_examples(void **state)
{
	unsigned failed = 0;

	for (size_t i = 0; i < ARRAY_LEN(examples); i++) {
		const struct example *e = &examples[i];
		uint8_t in[512];
		const size_t len =
		    wire_query(in, (uint16_t)(0xbee0 + i), e->name, e->type, e->edns);
		char *got = ask(*state, RESPOND_UDP, in, len);

		if (got == NULL || strcmp(got, e->want) != 0) {
			print_error(
			    "%s %u:\n  want %s\n  got  %s\n", e->name, e->type, e->want, got);
			failed++;
		}
		free(got);
	}
	assert_int_equal(failed, 0);
}

static char *
ask_name(struct fixture *f, enum respond_transport transport, const char *name, uint16_t type,
    struct wire_edns edns)
{
	uint8_t in[512];
	const size_t len = wire_query(in, 1, name, type, edns);

	return ask(f, transport, in, len);
}

static unsigned
count(const char *text, const char *word)
{
	unsigned n = 0;

	while ((text = strstr(text, word)) != NULL) {
		n++;
		text += strlen(word);
	}
	return n;
}

/* 16 addresses below the cut: without one of them TC is set, with EDNS or TCP all fit. */
static void
test_glue_that_does_not_fit(void **state)
{
	const struct wire_edns none = NO_EDNS, edns = EDNS;
	char *t = ask_name(*state, RESPOND_UDP, "www.fat.example.com", RRTYPE_A, none);

	assert_memory_equal(t, "NOERROR tc |", 12);
	assert_int_equal(count(t, " NS "), 8);
	assert_in_range(count(t, " AAAA "), 4, 8);
	free(t);
	t = ask_name(*state, RESPOND_UDP, "www.fat.example.com", RRTYPE_A, edns);
	assert_memory_equal(t, "NOERROR |", 9);
	assert_int_equal(count(t, " AAAA ") + count(t, " A "), 16);
	free(t);
	t = ask_name(*state, RESPOND_TCP, "www.fat.example.com", RRTYPE_A, none);
	assert_memory_equal(t, "NOERROR |", 9);
	assert_int_equal(count(t, " AAAA ") + count(t, " A "), 16);
	free(t);
}

static void
test_sizes(void **state)
{
	struct fixture *f = *state;
	const struct wire_edns none = NO_EDNS, edns = EDNS;
	char *t = ask_name(f, RESPOND_UDP, "big.example.com", RRTYPE_TXT, edns);

	assert_memory_equal(t, "NOERROR aa | big.example.com 300 TXT ", 37);
	free(t);
	t = ask_name(f, RESPOND_TCP, "big.example.com", RRTYPE_TXT, none);
	assert_memory_equal(t, "NOERROR aa | big.example.com 300 TXT ", 37);
	free(t);
	f->respond.edns_udp_size = 512; /* what is ours to choose bounds what they advertise */
	t = ask_name(f, RESPOND_UDP, "big.example.com", RRTYPE_TXT, edns);
	assert_string_equal(t, "NOERROR aa tc | | | | 512");
	free(t);
}

/* DNAME makes a name of more than 255 bytes of one that is long already. */
static void
test_dname_too_long(void **state)
{
	const struct wire_edns edns = EDNS;
	char name[256], *t;

	snprintf(name, sizeof(name), "%.60s.%.60s.long.example.com",
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	    "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb");
	t = ask_name(*state, RESPOND_UDP, name, RRTYPE_A, edns);
	assert_memory_equal(t, "YXDOMAIN aa | long.example.com 300 DNAME ", 41);
	assert_int_equal(count(t, "CNAME"), 0);
	free(t);
}

/* What is wrong with the message itself; `at` and `value` change one byte of a good query. */
static void
test_bad_messages(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
		const char *want; /* NULL: no answer */
	} cases[] = {
		{ 2, 0x80, NULL },                       /* QR */
		{ 2, 4 << 3, "NOTIMP | | | |" },         /* NOTIFY */
		{ 2, 5 << 3, "NOTIMP | | | |" },         /* UPDATE */
		{ 2, 9 << 3, "NOTIMP | | | |" },         /* nobody knows */
		{ 5, 0, "FORMERR | | | |" },             /* QDCOUNT */
		{ 5, 2, "FORMERR | | | |" },             /* likewise */
		{ 11, 1, "FORMERR | | | |" },            /* ARCOUNT, but nothing there */
		{ 12, 0xc0, "FORMERR | | | |" },         /* a pointer in the question */
		{ 12 + 17 + 3, 3, "REFUSED | | | |" },   /* CH */
		{ 12 + 17 + 3, 255, "REFUSED | | | |" }, /* class ANY */
		/* meta types, which no zone has */
		{ 12 + 17 + 1, 128, "NOERROR aa | | " SOA_EXAMPLE " | |" },
		{ 12 + 17 + 1, 41, "NOERROR aa | | " SOA_EXAMPLE " | |" },
	};
	struct fixture *f = *state;
	uint8_t in[512];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct wire_edns none = NO_EDNS;
		const size_t len = wire_query(in, 7, "www.example.com", RRTYPE_A, none);

		in[cases[i].at] = cases[i].value;

		char *t = ask(f, RESPOND_UDP, in, len);

		if (cases[i].want == NULL)
			assert_null(t);
		else
			assert_string_equal(t, cases[i].want);
		free(t);
	}
	assert_null(ask(f, RESPOND_UDP, in, 11));
	assert_int_equal(f->counters.dropped, 2);
}

static void
test_counters(void **state)
{
	struct fixture *f = *state;
	const struct wire_edns none = NO_EDNS;

	free(ask_name(f, RESPOND_UDP, "www.example.com", RRTYPE_A, none));
	free(ask_name(f, RESPOND_TCP, "gtm.example.com", RRTYPE_A, none));
	free(ask_name(f, RESPOND_UDP, "down.example.com", RRTYPE_A, none));
	free(ask_name(f, RESPOND_UDP, "nx.example.com", RRTYPE_A, none));
	free(ask_name(f, RESPOND_UDP, "elsewhere.net", RRTYPE_A, none));
	free(ask_name(f, RESPOND_UDP, "big.example.com", RRTYPE_TXT, none));
	free(ask_name(f, RESPOND_UDP, "x.", RRTYPE_A, (struct wire_edns){ 512, false, 9 }));
	assert_int_equal(f->counters.queries, 7);
	assert_int_equal(f->counters.tcp_queries, 1);
	assert_int_equal(f->counters.dropped, 0);
	assert_int_equal(f->counters.steered, 2);
	assert_int_equal(f->counters.fallback, 1);
	assert_int_equal(f->counters.truncated, 1);
	assert_int_equal(f->counters.rcodes[0], 4);
	assert_int_equal(f->counters.rcodes[3], 1);
	assert_int_equal(f->counters.rcodes[5], 1);
	assert_int_equal(f->counters.rcodes[16], 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_glue_that_does_not_fit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_sizes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_dname_too_long, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bad_messages, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_counters, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_examples, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
