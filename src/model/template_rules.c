/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rules across the members of a template, and what follows from them. */
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

#define SECOND          1000
#define PUSH_SECRET_MIN 16

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

static void
check_script(const struct script_spec *script, struct diag *d)
{
	if (script->command[0] == '\0') {
		diag_add(d, DIAG_INVALID, "script.command", "is required: what shall be run?");
	} else if (strchr(script->command, '/') != NULL || script->command[0] == '.') {
		diag_add(d, DIAG_INVALID, "script.command",
		    "must be the plain name of a file in the server's probe.scripts");
		diag_detail(d, script->command, "\"check_shop\"");
	}
}

static void
check_push(const struct push_spec *push, struct diag *d)
{
	if (strlen(push->secret) >= PUSH_SECRET_MIN)
		return;
	diag_add(d, DIAG_INVALID, "push.secret",
	    push->secret[0] == '\0' ? "is required" : "is too short to be a secret");
	diag_detail(d, NULL, "16..255 characters");
}

static void
check_source(const struct field_list *source, struct diag *d)
{
	const char *const *texts = source->items;
	int families[2] = { AF_UNSPEC, AF_UNSPEC };
	char where[16];

	for (size_t i = 0; i < source->count && i < ARRAY_LEN(families); i++) {
		struct addr a;
		const bool ip = addr_ip_parse(&a, texts[i], AF_UNSPEC) == 0;

		families[i] = ip ? addr_family(&a) : AF_UNSPEC;
		snprintf(where, sizeof(where), "source[%zu]", i);
		if (ip && (i == 0 || families[0] != families[1]))
			continue;
		diag_add(d, DIAG_INVALID, where,
		    ip ? "is a second address of its family" : "must be an IP address");
		diag_detail(d, texts[i], "one IPv4 and one IPv6 address");
	}
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

/* Time from a failure's first probe to the verdict's: `spent_ms` for each. */
static uint32_t
falling_ms(const struct template_spec *t, uint32_t spent_ms)
{
	const uint32_t recheck_ms = t->recheck_ms < t->interval_ms ? t->recheck_ms : t->interval_ms;
	const uint32_t step_ms = recheck_ms > spent_ms ? recheck_ms : spent_ms;

	return (t->fall - 1) * step_ms + spent_ms;
}

bool
template_detection(const struct template_spec *t, uint32_t *worst_ms, uint32_t *typical_ms)
{
	if (t->protocol == PROTOCOL_PUSH)
		return false;
	*worst_ms = t->interval_ms + falling_ms(t, t->timeout_ms);
	*typical_ms = t->interval_ms / 2 + falling_ms(t, 0);
	return true;
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
	if (t->protocol == PROTOCOL_SCRIPT)
		check_script(&t->script, d);
	if (t->protocol == PROTOCOL_PUSH)
		check_push(&t->push, d);
	check_source(&t->source, d);
	return d->count == before ? 0 : -EINVAL;
}

void
template_refs(const void *spec, kind_ref_f *visit, void *arg)
{
	const struct template_spec *t = spec;
	const char *const *names = t->nodes.items;
	const struct diag_path all = { .name = "nodes" };

	for (size_t i = 0; i < t->nodes.count; i++) {
		const struct diag_path here = { .parent = &all, .index = i };

		if (strcmp(names[i], NODE_LOCAL) != 0)
			visit(KIND_NODE, names[i], &here, arg);
	}
}

bool
template_runs_on(const struct template_spec *t, const char *node)
{
	const char *const *names = t->nodes.items;

	/* Heartbeats come to the server, and to it alone. */
	if (t->protocol == PROTOCOL_PUSH && strcmp(node, NODE_LOCAL) != 0)
		return false;
	for (size_t i = 0; i < t->nodes.count; i++)
		if (strcmp(names[i], node) == 0)
			return true;
	return t->nodes.count == 0;
}
