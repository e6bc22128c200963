/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "base/pattern.h"
#include "model/noun_rules.h"
#include "model/shared_fields.h"

#define SECOND 1000
#define HOUR   (3600 * SECOND)

#define PEM_BYTES 65536

static const char *const protocol_words[] = { "tcp", "http", "https", "tls", "ping", "udp", "dns",
	"grpc", "script", "push", NULL };
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
	{ .name = "reuse",
	    .offset = AT(reuse),
	    .type = FIELD_BOOL,
	    .prose = "keep the connection for the next probe; every "
		     "tls.full_handshake_every-th one, and the one after a failure, makes a new "
		     "one all the same" },
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
	    .def = 1,
	    .prose = "echo requests of a probe, sent together; a single one is repeated until the "
		     "timeout" },
	{ .name = "loss_rate",
	    .offset = AT(loss_rate),
	    .type = FIELD_U32,
	    .min = 1,
	    .max = 100,
	    .def = 50,
	    .prose = "percent of several packets lost that fails the probe" },
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

#define AT(member) offsetof(struct script_spec, member)
static const struct field script_fields[] = {
	{ .name = "command",
	    .offset = AT(command),
	    .type = FIELD_STR,
	    .max = 64,
	    .prose = "file in the directory of scripts that the server's configuration allows "
		     "(probe.scripts); must be given for protocol script" },
	{ .name = "args",
	    .offset = AT(args),
	    .type = FIELD_STRS,
	    .max = 16,
	    .prose = "its arguments, no shell; {address}, {port}, {host} and {timeout_ms} stand "
		     "for the target's" },
	FIELD_END,
};
#undef AT

#define AT(member) offsetof(struct push_spec, member)
static const struct field push_fields[] = {
	{ .name = "secret",
	    .offset = AT(secret),
	    .type = FIELD_STR,
	    .flags = FIELD_SECRET,
	    .max = 255,
	    .prose = "from which the key of each address is made that signs its heartbeats, 16 "
		     "characters at least; must be given for protocol push; left out of a PUT it "
		     "stays as it is" },
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
	{ .name = "nodes",
	    .offset = AT(nodes),
	    .type = FIELD_STRS,
	    .max = 100,
	    .prose = "who probes: names of nodes, \"local\" for the server itself; none: all" },
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
	{ .name = "script",
	    .offset = AT(script),
	    .type = FIELD_STRUCT,
	    .sub = script_fields,
	    .sub_size = sizeof(struct script_spec),
	    .prose = "what protocol script runs" },
	{ .name = "push",
	    .offset = AT(push),
	    .type = FIELD_STRUCT,
	    .sub = push_fields,
	    .sub_size = sizeof(struct push_spec),
	    .prose = "who may say for protocol push that a target lives" },
	{ .name = "source",
	    .offset = AT(source),
	    .type = FIELD_STRS,
	    .max = 2,
	    .prose = "addresses of the server to probe from, at most one IPv4 and one IPv6; none: "
		     "the server's probe.source, else as its routes say" },
	REMARK_FIELD(struct template_spec),
	LABELS_FIELD(struct template_spec),
	FIELD_END,
};
#undef AT
