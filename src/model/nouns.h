/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * nouns -- the specs of the model's objects as plain C values (2-model of the design). Field
 * tables: one file per noun.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "model/field.h"
#include "net/cidr.h"
#include "verdict/damp.h"
#include "verdict/force.h"
#include "verdict/health.h"

enum strategy {
	STRATEGY_ROUND_ROBIN,
	STRATEGY_WEIGHT,
	STRATEGY_SEQUENCE,
	STRATEGY_SOURCE_NEAREST,
	STRATEGY_HASH
};
enum sequence_mode { SEQUENCE_PREEMPTIVE, SEQUENCE_NON_PREEMPTIVE };
enum address_type { ADDRESS_IPV4, ADDRESS_IPV6, ADDRESS_DOMAIN };
enum address_mode { MODE_AUTO, MODE_MANUAL };
enum manual_state { MANUAL_AVAILABLE, MANUAL_UNAVAILABLE };
enum fallback {
	FALLBACK_FAIL_OPEN,
	FALLBACK_POOL,
	FALLBACK_LAST_GOOD,
	FALLBACK_PUBLIC_ZONE,
	FALLBACK_NODATA
};
enum balance_of { BALANCE_ANSWERS, BALANCE_TRAFFIC };
enum line_failover { LINE_FAILOVER_DEFAULT, LINE_FAILOVER_NEXT };
enum protocol {
	PROTOCOL_TCP,
	PROTOCOL_HTTP,
	PROTOCOL_HTTPS,
	PROTOCOL_TLS,
	PROTOCOL_PING,
	PROTOCOL_UDP,
	PROTOCOL_DNS,
	PROTOCOL_GRPC,
	PROTOCOL_SCRIPT,
	PROTOCOL_PUSH
};

extern const char *const strategy_words[], *const sequence_mode_words[],
					       *const address_type_words[];

enum tsig_algorithm { TSIG_HMAC_SHA256, TSIG_HMAC_SHA384, TSIG_HMAC_SHA512 };
enum zone_role { ZONE_PRIMARY, ZONE_SECONDARY };
enum zone_serial { SERIAL_INCREMENT, SERIAL_UNIXTIME, SERIAL_DATESERIAL };
enum axfr_view { AXFR_VIEW_FALLBACK, AXFR_VIEW_ZONE };

extern const char *const tsig_algorithm_words[];

/* The object's name is the key's name on the wire. */
struct tsig_key_spec {
	int algorithm;
	const char *secret; /* base64 of at most TSIG_SECRET_MAX bytes */
	const char *remark;
	struct field_list labels;
};
#define TSIG_SECRET_MAX 191

struct peer_spec {           /* a server transfers are made with */
	const char *address; /* with port */
	const char *key;     /* a tsig-key, or NULL */
};

struct transfer_spec {    /* who may have the zone */
	const char *from; /* as cidr_parse reads it */
	const char *key;  /* the request must be signed with it; NULL: need not be signed */
};

struct update_spec { /* who may change what (RFC 2136) */
	const char *key;
	struct field_list names; /* const char *: absolute; "*.x" all names below x; "@" the apex */
	struct field_list types; /* const char *: mnemonics, "any" */
};

struct zone_spec {
	int role;
	struct field_list primaries; /* struct peer_spec; of a secondary only */
	struct field_list notify;    /* struct peer_spec */
	struct field_list transfer;  /* struct transfer_spec */
	struct field_list update;    /* struct update_spec; of a primary only */
	int serial;
	int axfr_view;
	const char *catalog;   /* the catalog zone this zone is a member of, or NULL */
	bool catalog_consumer; /* of a secondary: its members become zones here */
	struct field_list
	    nameservers;     /* const char *; used for SOA and NS when the zone is made empty */
	const char *contact; /* RNAME as a mail address or a name */
	const char *remark;
	struct field_list labels;
};

struct http_spec {
	const char *method, *host, *path;
	struct field_list headers; /* labels */
	const char *body;
	bool follow_redirect;
	bool reuse;                      /* the connection, from probe to probe */
	struct field_list expect_status; /* "200-399" */
	const char *expect_body;         /* as pattern_check accepts it; "" = not looked at */
};

struct talk_spec {
	const char *send;   /* as escape_decode accepts it */
	const char *expect; /* as pattern_check accepts it */
};

struct ping_spec {
	uint32_t packets, loss_rate;
};

struct dns_spec {
	const char *name, *type;
	int expect_rcode;          /* as in the message */
	const char *expect_answer; /* rdata as text; "" = any */
};

struct grpc_spec {
	const char *service; /* "" = the server as a whole */
	bool tls;
};

struct tls_spec {
	const char *sni; /* asked for and verified; "" = as the protocol says */
	bool verify;
	const char *ca;                /* PEM; "" = the system's */
	const char *certificate, *key; /* PEM; both or none */
	uint32_t expiry_warn_days;
	uint32_t full_handshake_every; /* probes */
};

struct script_spec {
	const char *command;    /* a file of the server's directory of scripts */
	struct field_list args; /* const char * */
};

struct push_spec {
	const char *secret;
};

struct template_spec {
	int protocol;
	uint32_t interval_ms, timeout_ms, recheck_ms;
	uint32_t fall, rise;
	uint32_t failure_rate;
	struct field_list nodes; /* const char *: who probes, NODE_LOCAL or nodes; none = all */
	struct talk_spec talk;
	struct http_spec http;
	struct tls_spec tls;
	struct ping_spec ping;
	struct dns_spec dns;
	struct grpc_spec grpc;
	struct script_spec script;
	struct push_spec push;
	struct field_list source; /* const char *: IPs to probe from, one a family */
	const char *remark;
	struct field_list labels;
};

struct node_spec {
	const char *city, *isp, *country;
	bool enabled;
	/* The server's own notes, secret: an open invitation as "DIGEST END_MS", and the digests of
	 * one or two certificates (the second is new and has not been used yet). */
	const char *token, *certificate;
	const char *remark;
	struct field_list labels;
};
#define NODE_LOCAL      "local" /* the server itself, in templates' nodes */
#define NODE_DIGEST_LEN 64      /* SHA-256 in hex */

/* Is this certificate, by its digest, the node's? */
bool node_knows(const struct node_spec *s, const char digest[NODE_DIGEST_LEN + 1]);
/* Does this node (or NODE_LOCAL) run the template's checks? */
bool template_runs_on(const struct template_spec *t, const char *node);

struct check_spec {
	const char *template;
	uint32_t port;      /* 1..65535 */
	const char *target; /* numeric IP to probe instead of the value; NULL = the value */
};

struct line_spec {
	const char *parent;      /* a built-in line, by code or alias, or a custom one */
	struct field_list cidrs; /* const char *: as line_cidr reads them */
	const char *remark;
	struct field_list labels;
};

struct address_spec {
	int type;
	const char *value;
	bool enabled;
	int mode;
	int manual_state;
	struct field_list checks; /* struct check_spec */
	struct healthy_when healthy_when;
	struct damp_rule damping;
	const char *remark;
	struct field_list labels;
};

struct link_spec {          /* domain -> pool, pool -> address */
	const char *target; /* JSON "pool" or "address" */
	uint32_t weight;    /* 0..65535, default 1; 0 = standby */
	uint32_t
	    order; /* 1..; 0 in the struct = not given: position in the list + 1 is filled in */
	struct field_list lines;
};

struct pool_spec {
	int type;
	int strategy;
	int sequence_mode;
	uint32_t failback_delay_ms;
	uint32_t max_answers; /* 0: as the strategy says */
	struct healthy_when healthy_when;
	bool enabled;
	struct field_list addresses; /* struct link_spec */
	const char *remark;
	struct field_list labels;
};

struct domain_spec {
	const char *type; /* "A": what the object's name says; filled in when not given */
	uint32_t ttl_s;
	bool enabled;
	int strategy;
	int sequence_mode;
	uint32_t failback_delay_ms;
	uint32_t max_answers; /* 0: as the strategies say */
	int line_failover;
	bool ecs;
	uint32_t degraded_ttl_s; /* 0: ttl_s */
	int balance;             /* enum balance_of: what follows the weights */
	uint32_t ttl_min_s;      /* 0: all get ttl_s */
	int fallback;
	const char *fallback_pool; /* of FALLBACK_POOL, else NULL */
	struct field_list pools;   /* struct link_spec */
	const char *remark;
	struct field_list labels;
};

struct record_spec {
	const char *data; /* canonical text, if it parses */
	const char *line;
	uint32_t weight; /* RECORD_NO_WEIGHT: not given */
	bool enabled;
	const char *remark;
	/* No members of the object: `data` on the wire; NULL if it does not parse. */
	const uint8_t *rdata;
	uint16_t rdlen;
};
#define RECORD_NO_WEIGHT UINT32_MAX
#define RRSET_LINE_MAX   256 /* records of one line: they go into one answer */

/*
 * A record set of a zone that says more than data: lines, weights, records that are disabled. The
 * object is named "owner/TYPE". Beside it the zone has a plain RRset, which is what those see who
 * do not ask for answers: transfers, exports, other servers.
 */
struct rrset_spec {
	const char *zone;
	uint32_t ttl_s;
	struct field_list records; /* struct record_spec */
};

enum override_state { OVERRIDE_UP, OVERRIDE_DOWN, OVERRIDE_DRAIN };

/* What an operator has imposed on the object that it is named after: see target.h. */
struct override_spec {
	int state;
	const char *reason;
	int64_t until_ms; /* TIME_NEVER: until it is lifted */
	const char *by;
};

enum maintenance_state { MAINTENANCE_DRAIN, MAINTENANCE_DOWN, MAINTENANCE_UP, MAINTENANCE_HOLD };

struct maintenance_spec {
	struct field_list objects; /* const char *: as target_parse reads them */
	int state;
	int64_t starts_ms, ends_ms;
	uint32_t every_ms; /* 0: once */
	const char *reason;
	struct field_list labels;
};

/* What they impose, and when, in the words of rule 5. */
enum force override_force(const struct override_spec *s);
struct force_window maintenance_window(const struct maintenance_spec *s);

/* Nothing is said but its data. */
bool rrset_record_is_plain(const struct record_spec *r);
/* Its line as a canonical code. */
const char *rrset_record_line(const struct record_spec *r);
/* May sets of this type have lines? Not those that say how a zone is to be walked or signed. */
bool rrset_type_fits(uint16_t type);

/* Split the name "host/TYPE" of a domain or a record set. host points into a copy in `host` (size
 * KIND_NAME_SIZE). */
int domain_name_split(const char *name, char *host, uint16_t *rrtype);

/* One entry of a line's cidrs. NULL, or what is wrong with it; then *c has the bits after the
 * prefix cleared if that is all, else family AF_UNSPEC. */
const char *line_cidr(struct cidr *c, const char *text);

/*
 * How long it takes from a target's death to the verdict: at worst (it died right after a probe
 * that passed, and falls silent) and typically (half an interval later, and refuses). False where
 * the template does not say: with protocol push the target does.
 */
bool template_detection(const struct template_spec *t, uint32_t *worst_ms, uint32_t *typical_ms);

/* Field tables, one file each: tsig_key_fields.c, zone_fields.c, node_fields.c, template_fields.c,
 * line_fields.c, address_fields.c, pool_fields.c, domain_fields.c, rrset_fields.c,
 * override_fields.c, maintenance_fields.c */
extern const struct field tsig_key_fields[], zone_fields[], node_fields[], template_fields[],
    line_fields[], address_fields[], pool_fields[], domain_fields[], rrset_fields[],
    override_fields[], maintenance_fields[];
