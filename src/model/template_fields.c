/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/duration.h"
#include "base/escape.h"
#include "base/pattern.h"
#include "dns/name.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "model/noun_rules.h"
#include "model/shared_fields.h"
#include "net/addr.h"
#include "net/pem.h"

#define SECOND 1000
#define HOUR   (3600 * SECOND)

#define PEM_BYTES 65536

static const char *const protocol_words[] = { "tcp", "http", "https", "tls", "ping", "udp", "dns",
	"grpc", NULL };
/* In the order of their numbers. */
static const char *const rcode_words[] = { "noerror", "formerr", "servfail", "nxdomain", "notimp",
	"refused", NULL };
static const char *const method_words[] = { "GET", "HEAD", "OPTIONS", "POST", "PUT", NULL };

#define AT(member) offsetof(struct http_spec, member)
static const struct field http_fields[] = {
	{ .name = "method",
	    .offset = AT(method),
	    .type = FIELD_STR,
	    .words = method_words,
	    .def_str = "GET",
	    .prose = "request method" },
	{ .name = "host",
	    .offset = AT(host),
	    .type = FIELD_STR,
	    .max = 255,
	    .prose = "Host header; empty: the address's value" },
	{ .name = "path",
	    .offset = AT(path),
	    .type = FIELD_STR,
	    .min = 1,
	    .max = 2048,
	    .def_str = "/",
	    .prose = "request target, from its '/'" },
	{ .name = "headers",
	    .offset = AT(headers),
	    .type = FIELD_LABELS,
	    .max = 1024,
	    .prose = "further request headers" },
	{ .name = "body",
	    .offset = AT(body),
	    .type = FIELD_STR,
	    .flags = FIELD_LINES,
	    .max = 4096,
	    .prose = "request body, with POST and PUT" },
	{ .name = "follow_redirect",
	    .offset = AT(follow_redirect),
	    .type = FIELD_BOOL,
	    .prose = "follow up to 5 redirects that stay on this host, and judge the last reply" },
	{ .name = "expect_status",
	    .offset = AT(expect_status),
	    .type = FIELD_STRS,
	    .min = 1,
	    .max = 16,
	    .def_str = "200-399",
	    .prose = "statuses that pass: \"200\", \"200-399\"" },
	{ .name = "expect_body",
	    .offset = AT(expect_body),
	    .type = FIELD_STR,
	    .max = PATTERN_MAX,
	    .prose = "POSIX extended regular expression that the first 64 KiB of the reply's body "
		     "must match; empty: the body is not read" },
	FIELD_END,
};
#undef AT

#define AT(member) offsetof(struct talk_spec, member)
static const struct field talk_fields[] = {
	{ .name = "send",
	    .offset = AT(send),
	    .type = FIELD_STR,
	    .max = 1024,
	    .prose = "what to say once connected; with escapes \\r \\n \\t \\0 \\xHH \\\\" },
	{ .name = "expect",
	    .offset = AT(expect),
	    .type = FIELD_STR,
	    .max = PATTERN_MAX,
	    .prose = "POSIX extended regular expression that the first 4 KiB of what comes must "
		     "match; with escapes \\r \\n \\t \\xHH" },
	FIELD_END,
};
#undef AT

#define AT(member) offsetof(struct tls_spec, member)
static const struct field tls_fields[] = {
	{ .name = "sni",
	    .offset = AT(sni),
	    .type = FIELD_STR,
	    .max = 255,
	    .prose = "name to ask for, which the certificate must hold; empty: http.host, else the "
		     "address's value" },
	{ .name = "verify",
	    .offset = AT(verify),
	    .type = FIELD_BOOL,
	    .def = 1,
	    .prose = "a certificate that is not valid for that name fails the probe" },
	{ .name = "ca",
	    .offset = AT(ca),
	    .type = FIELD_STR,
	    .flags = FIELD_LINES,
	    .max = PEM_BYTES,
	    .prose = "certificates that are trusted, PEM; empty: the system's" },
	{ .name = "certificate",
	    .offset = AT(certificate),
	    .type = FIELD_STR,
	    .flags = FIELD_LINES,
	    .max = PEM_BYTES,
	    .prose = "client certificate, then its chain, PEM" },
	{ .name = "key",
	    .offset = AT(key),
	    .type = FIELD_STR,
	    .flags = FIELD_LINES | FIELD_SECRET,
	    .max = PEM_BYTES,
	    .prose = "private key of the client certificate, PEM without a password; left out of a "
		     "PUT it stays as it is" },
	{ .name = "expiry_warn_days",
	    .offset = AT(expiry_warn_days),
	    .type = FIELD_U32,
	    .max = 3650,
	    .def = 14,
	    .prose = "event cert.expiring when the certificate ends in fewer days" },
	{ .name = "full_handshake_every",
	    .offset = AT(full_handshake_every),
	    .type = FIELD_U32,
	    .min = 1,
	    .max = 1000,
	    .def = 10,
	    .prose = "probes from one full handshake, which shows the certificate, to the next; "
		     "those between resume the session; protocol tls: always 1" },
	FIELD_END,
};
#undef AT

#define AT(member) offsetof(struct ping_spec, member)
static const struct field ping_fields[] = {
	{ .name = "packets",
	    .offset = AT(packets),
	    .type = FIELD_U32,
	    .min = 1,
	    .max = 100,
	    .def = 3,
	    .prose = "echo requests of a probe, sent together" },
	{ .name = "loss_rate",
	    .offset = AT(loss_rate),
	    .type = FIELD_U32,
	    .min = 1,
	    .max = 100,
	    .def = 50,
	    .prose = "percent of them lost that fails the probe" },
	FIELD_END,
};
#undef AT

#define AT(member) offsetof(struct dns_spec, member)
static const struct field dns_fields[] = {
	{ .name = "name",
	    .offset = AT(name),
	    .type = FIELD_STR,
	    .max = 255,
	    .prose = "name to ask for; must be given for protocol dns" },
	{ .name = "type",
	    .offset = AT(type),
	    .type = FIELD_STR,
	    .min = 1,
	    .max = 15,
	    .def_str = "A",
	    .prose = "type to ask for" },
	{ .name = "expect_rcode",
	    .offset = AT(expect_rcode),
	    .type = FIELD_ENUM,
	    .words = rcode_words,
	    .prose = "rcode of the reply" },
	{ .name = "expect_answer",
	    .offset = AT(expect_answer),
	    .type = FIELD_STR,
	    .max = 255,
	    .prose = "rdata that must be among the answers, as in a zone file; empty: any" },
	FIELD_END,
};
#undef AT

#define AT(member) offsetof(struct grpc_spec, member)
static const struct field grpc_fields[] = {
	{ .name = "service",
	    .offset = AT(service),
	    .type = FIELD_STR,
	    .max = 255,
	    .prose = "service whose health is asked for; empty: the server as a whole" },
	{ .name = "tls",
	    .offset = AT(tls),
	    .type = FIELD_BOOL,
	    .prose = "over TLS, with the options of tls; else in the clear" },
	FIELD_END,
};
#undef AT

#define AT(member) offsetof(struct template_spec, member)
const struct field template_fields[] = {
	{ .name = "protocol",
	    .offset = AT(protocol),
	    .type = FIELD_ENUM,
	    .words = protocol_words,
	    .flags = FIELD_REQUIRED,
	    .prose = "how to probe" },
	{ .name = "interval",
	    .offset = AT(interval_ms),
	    .type = FIELD_DURATION,
	    .min = 100,
	    .max = HOUR,
	    .def = 5 * SECOND,
	    .prose = "time between probes" },
	{ .name = "timeout",
	    .offset = AT(timeout_ms),
	    .type = FIELD_DURATION,
	    .min = 50,
	    .max = 60 * SECOND,
	    .def = 0, /* template_settle */
	    .prose = "a probe that takes longer fails; shorter than interval; "
		     "default 2s, or half the interval where that is less" },
	{ .name = "recheck",
	    .offset = AT(recheck_ms),
	    .type = FIELD_DURATION,
	    .min = 50,
	    .max = HOUR,
	    .def = 200,
	    .prose = "time to the next probe after an outcome that contradicts the verdict" },
	{ .name = "fall",
	    .offset = AT(fall),
	    .type = FIELD_U32,
	    .min = 1,
	    .max = 10,
	    .def = 3,
	    .prose = "failures in a row that make a check down" },
	{ .name = "rise",
	    .offset = AT(rise),
	    .type = FIELD_U32,
	    .min = 1,
	    .max = 10,
	    .def = 2,
	    .prose = "passes in a row that make a check up" },
	{ .name = "failure_rate",
	    .offset = AT(failure_rate),
	    .type = FIELD_U32,
	    .max = 100,
	    .def = 50,
	    .prose = "percent of probing nodes that must fail; 0 = any node" },
	{ .name = "talk",
	    .offset = AT(talk),
	    .type = FIELD_STRUCT,
	    .sub = talk_fields,
	    .sub_size = sizeof(struct talk_spec),
	    .prose = "what to say and to hear with protocols tcp, tls and udp; empty: to "
		     "connect is enough" },
	{ .name = "http",
	    .offset = AT(http),
	    .type = FIELD_STRUCT,
	    .sub = http_fields,
	    .sub_size = sizeof(struct http_spec),
	    .prose = "the request of protocols http and https" },
	{ .name = "tls",
	    .offset = AT(tls),
	    .type = FIELD_STRUCT,
	    .sub = tls_fields,
	    .sub_size = sizeof(struct tls_spec),
	    .prose = "whom protocols https, tls and grpc trust" },
	{ .name = "ping",
	    .offset = AT(ping),
	    .type = FIELD_STRUCT,
	    .sub = ping_fields,
	    .sub_size = sizeof(struct ping_spec),
	    .prose = "the packets of protocol ping" },
	{ .name = "dns",
	    .offset = AT(dns),
	    .type = FIELD_STRUCT,
	    .sub = dns_fields,
	    .sub_size = sizeof(struct dns_spec),
	    .prose = "the question of protocol dns" },
	{ .name = "grpc",
	    .offset = AT(grpc),
	    .type = FIELD_STRUCT,
	    .sub = grpc_fields,
	    .sub_size = sizeof(struct grpc_spec),
	    .prose = "the question of protocol grpc (grpc.health.v1)" },
	REMARK_FIELD(struct template_spec),
	LABELS_FIELD(struct template_spec),
	FIELD_END,
};
#undef AT

static void
check_times(const struct template_spec *t, struct diag *d)
{
	char interval[DURATION_TEXT_SIZE], timeout[DURATION_TEXT_SIZE];

	if (t->timeout_ms < t->interval_ms)
		return;
	duration_text(t->interval_ms, interval);
	diag_add(d, DIAG_INVALID, "timeout", "must be shorter than interval (%s)", interval);
	diag_detail(d, duration_text(t->timeout_ms, timeout),
	    arena_printf(&d->arena, "less than %s", interval));
}

static bool
is_token(const char *text)
{
	return text[0] != '\0' &&
	       text[strspn(text, "!#$%&'*+-.^_`|~0123456789"
				 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")] == '\0';
}

static void
check_headers(const struct field_list *headers, struct diag *d)
{
	/* The prober writes these itself: a second one would make the request ambiguous. */
	static const char *const ours[] = { "Host", "Connection", "Content-Length",
		"Transfer-Encoding" };
	const struct field_label *h = headers->items;

	for (size_t i = 0; i < headers->count; i++) {
		const char *where = arena_printf(&d->arena, "http.headers.%s", h[i].key);

		if (!is_token(h[i].key)) {
			diag_add(d, DIAG_INVALID, where, "is not a valid header name");
			diag_detail(d, h[i].key, "a token of RFC 9110: letters, digits, '-', ...");
		}
		for (size_t k = 0; k < ARRAY_LEN(ours); k++) {
			if (strcasecmp(h[i].key, ours[k]) == 0)
				diag_add(d, DIAG_INVALID, where, "is set by the prober%s",
				    k == 0 ? "; use http.host" : "");
		}
	}
}

/* Three digits 100..599 at *p. */
static int
read_status(const char **p)
{
	int status = 0;

	for (int i = 0; i < 3; i++, (*p)++) {
		if (**p < '0' || **p > '9')
			return -EINVAL;
		status = status * 10 + (**p - '0');
	}
	return status >= 100 && status <= 599 ? status : -EINVAL;
}

static bool
is_status_range(const char *text)
{
	const int low = read_status(&text);
	int high = low;

	if (low < 0)
		return false;
	if (*text == '-') {
		text++;
		high = read_status(&text);
	}
	return high >= low && *text == '\0';
}

static void
check_pattern(const char *text, const char *where, struct diag *d)
{
	char why[PATTERN_WHY_SIZE];

	if (pattern_check(text, why) == 0)
		return;
	diag_add(d, DIAG_INVALID, where, "is not a usable regular expression: %s", why);
	diag_detail(
	    d, text, "POSIX extended, without back-references: \"^220 \", \"all (good|well)\"");
}

static void
check_talk(const struct talk_spec *talk, struct diag *d)
{
	char octets[1024];

	if (escape_decode(talk->send, octets) < 0) {
		diag_add(d, DIAG_INVALID, "talk.send", "has an unknown escape");
		diag_detail(d, talk->send, "\\r \\n \\t \\0 \\xHH \\\\");
	}
	check_pattern(talk->expect, "talk.expect", d);
}

static void
check_certificates(const char *text, const char *where, struct diag *d)
{
	if (text[0] == '\0' || pem_check(text) > 0)
		return;
	diag_add(d, DIAG_INVALID, where, "is not made of PEM certificates");
	diag_detail(d, NULL, "-----BEGIN CERTIFICATE----- ... -----END CERTIFICATE-----");
}

static void
check_tls(const struct tls_spec *tls, struct diag *d)
{
	const size_t before = d->count;
	struct addr ip;

	if (strpbrk(tls->sni, " /:@?#\\") != NULL && addr_ip_parse(&ip, tls->sni, AF_UNSPEC) < 0) {
		diag_add(d, DIAG_INVALID, "tls.sni", "must be a host name or an IP address");
		diag_detail(d, tls->sni, "\"www.example.com\"");
	}
	check_certificates(tls->ca, "tls.ca", d);
	check_certificates(tls->certificate, "tls.certificate", d);
	if (tls->certificate[0] == '\0' || d->count != before)
		return;

	EVP_PKEY *key = pem_key(tls->key);

	if (key == NULL) {
		diag_add(d, DIAG_INVALID, "tls.key", "is not a PEM private key without a password");
		diag_detail(d, NULL, "-----BEGIN PRIVATE KEY----- ...");
	} else if (!pem_key_fits(tls->certificate, tls->key)) {
		diag_add(d, DIAG_INVALID, "tls.key", "does not belong to tls.certificate");
	}
	EVP_PKEY_free(key);
}

static void
check_dns(const struct dns_spec *dns, struct diag *d)
{
	uint8_t name[NAME_MAX_LEN];
	const char *why = NULL;
	uint16_t type;
	struct buf rdata;

	if (dns->name[0] == '\0') {
		diag_add(d, DIAG_INVALID, "dns.name", "is required: what shall be asked for?");
	} else if (name_parse(dns->name, name) < 0) {
		diag_add(d, DIAG_INVALID, "dns.name", "is not a domain name");
		diag_detail(d, dns->name, HOSTNAME_ALLOWED);
	}
	if (rrtype_parse(dns->type, &type) < 0) {
		diag_add(d, DIAG_INVALID, "dns.type", "is not a record type");
		diag_detail(d, dns->type, "\"A\", \"SOA\", \"TYPE65280\"");
		return;
	}
	buf_init(&rdata, RDATA_MAX_LEN);
	if (dns->expect_answer[0] != '\0' &&
	    rdata_parse(type, dns->expect_answer, ".", &rdata, &why) < 0) {
		diag_add(
		    d, DIAG_INVALID, "dns.expect_answer", "is not %s data: %s", dns->type, why);
		diag_detail(d, dns->expect_answer, "rdata as in a zone file, names absolute");
	}
	buf_fini(&rdata);
}

/* What each method can have. */
static void
check_method(const struct http_spec *http, struct diag *d)
{
	const bool reads = strcmp(http->method, "GET") == 0 || strcmp(http->method, "HEAD") == 0;
	const bool writes = strcmp(http->method, "POST") == 0 || strcmp(http->method, "PUT") == 0;

	if (http->body[0] != '\0' && !writes) {
		diag_add(d, DIAG_INVALID, "http.body", "needs another method");
		diag_detail(d, http->method, "method POST, PUT");
	}
	if (http->follow_redirect && !reads) {
		diag_add(d, DIAG_INVALID, "http.follow_redirect", "needs another method");
		diag_detail(d, http->method, "method GET, HEAD");
	}
	if (http->expect_body[0] != '\0' && strcmp(http->method, "HEAD") == 0) {
		diag_add(d, DIAG_INVALID, "http.expect_body", "a reply to HEAD has no body");
		diag_detail(d, http->method, "method GET, OPTIONS, POST, PUT");
	}
}

static void
check_http(const struct http_spec *http, struct diag *d)
{
	const char *const *status = http->expect_status.items;
	char where[48];

	if (http->path[0] != '/' || strpbrk(http->path, " #") != NULL) {
		diag_add(d, DIAG_INVALID, "http.path", "must start with '/', without space or '#'");
		diag_detail(d, http->path, "\"/healthz\", \"/status?full=1\"");
	}
	if (strpbrk(http->host, " /@?#\\") != NULL) {
		diag_add(d, DIAG_INVALID, "http.host", "must be a host with an optional port");
		diag_detail(d, http->host, "\"www.example.com\", \"www.example.com:8080\"");
	}
	for (size_t i = 0; i < http->expect_status.count; i++) {
		if (is_status_range(status[i]))
			continue;
		snprintf(where, sizeof(where), "http.expect_status[%zu]", i);
		diag_add(d, DIAG_INVALID, where, "is not a status or a range of statuses");
		diag_detail(d, status[i], "\"200\", \"200-399\" (100..599)");
	}
	check_headers(&http->headers, d);
	check_pattern(http->expect_body, "http.expect_body", d);
	check_method(http, d);
}

void
template_settle(const char *name, void *spec, struct arena *a)
{
	struct template_spec *t = spec;

	(void)name;
	/* A key that was kept without its certificate says nothing. */
	if (t->tls.certificate[0] == '\0')
		t->tls.key = arena_strdup(a, "");
	if (t->timeout_ms == 0)
		t->timeout_ms = t->interval_ms / 2 < 2 * SECOND ? t->interval_ms / 2 : 2 * SECOND;
}

int
template_check(const char *name, const void *spec, struct diag *d)
{
	const struct template_spec *t = spec;
	const size_t before = d->count;

	(void)name;
	check_times(t, d);
	check_talk(&t->talk, d);
	check_http(&t->http, d);
	check_tls(&t->tls, d);
	if (t->protocol == PROTOCOL_UDP && t->talk.send[0] == '\0')
		diag_add(d, DIAG_INVALID, "talk.send", "is required: somebody must speak first");
	if (t->protocol == PROTOCOL_DNS)
		check_dns(&t->dns, d);
	return d->count == before ? 0 : -EINVAL;
}
