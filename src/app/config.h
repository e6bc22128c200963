/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * config -- how this gtmd runs: command line over configuration file over built-in defaults.
 *
 * The file is YAML; its members are a field table (config.c), so unknown members, wrong types and
 * ranges are told with file, line and path. What the service *does* (zones, domains ...) is not
 * here: that is the model.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/log.h"
#include "model/field.h"
#include "net/addr.h"
#include "probe/prober.h"
#include "serve/serve_options.h"

enum config_deny { CONFIG_DENY_REFUSE, CONFIG_DENY_DROP };

struct config_rate {
	uint32_t answers, slip;
	uint32_t ipv4_prefix, ipv6_prefix;
	struct field_list exempt; /* const char *, CIDR */
};

struct config_dns {
	struct field_list listen; /* const char * */
	uint32_t workers;
	struct field_list xdp; /* const char *, names of interfaces */
	uint32_t tcp_max_clients;
	uint32_t tcp_idle_ms;
	const char *nsid, *id, *version;
	bool cookies;
	const char *cookie_secret,
	    *cookie_secret_previous; /* 32 hex digits; NULL: made at each start */
	struct field_list allow;     /* const char *, CIDR */
	int deny;                    /* enum config_deny */
	struct config_rate rate;
};

struct config_probe {
	uint32_t rate, host_rate; /* probes a second; 0: no cap */
	uint32_t connections;     /* at once; 0: as many as descriptors allow */
	bool repeat;              /* within a probe, what may be lost */
	uint32_t threads;
	struct field_list source; /* const char *, IPs */
	const char *scripts;      /* directory; NULL: none allowed */
};

struct config_api {
	const char *listen;
};

struct config_nodes {
	const char *listen, *advertise;
};

struct config_database { /* as struct survey_source has it */
	const char *file, *country, *subdivision, *asn;
};

struct config_geo {
	struct field_list databases; /* struct config_database */
	uint32_t max_age_days;       /* 0: never too old */
};

struct config {
	struct arena arena;
	const char *file; /* NULL: none */
	const char *data_dir;
	const char *node_name; /* this is a probe node by that name; NULL: a server */
	const char *user;      /* drop to this user once the sockets are open; NULL: stay */
	int log_level;
	struct config_dns dns;
	struct config_api api;
	struct config_geo geo;
	struct config_probe probe;
	struct config_nodes nodes;
	uint32_t transfer_max_mib;
	uint32_t revisions_kept;

	/* Read off the texts above. */
	struct addr *dns_addrs;
	size_t n_dns_addrs;
	struct addr api_addr;
	const char *nodes_listen, *nodes_advertise; /* NULL: none */
	struct addr nodes_addr;
};

/* config_serve.c: the members of `dns` that go to the query path. */
extern const struct field config_dns_fields[];
/* What of them a table cannot say: CIDRs and secrets parse. 0 or -EINVAL under "dns...". */
MUST_USE int config_serve_check(const struct config_dns *c, struct diag *d);
/* Checked before. The caller gives it to the server or frees it. */
struct serve_options *config_serve_options(const struct config_dns *c);

/* config_probe.c: the members of `probe`. */
extern const struct field config_probe_fields[];
/* 0 or -EINVAL under "probe...". */
MUST_USE int config_probe_check(const struct config_probe *c, struct diag *d);
/* Checked before. Points into `c`. */
void config_probe_settings(const struct config_probe *c, struct prober_settings *out);

/* The configuration file's members. */
extern const struct field config_fields[];

/* What a command line can say; NULL and 0 leave it to the file. */
struct config_options {
	const char *file, *data_dir, *api, *nodes, *join;
	const char **dns;
	size_t n_dns;
	unsigned workers;
	bool check_only, version, help;
};

#define CONFIG_USAGE                                                                               \
	"usage: gtmd [-c FILE] [--data-dir DIR] [--dns ADDR:PORT]... [--api ADDR:PORT] "           \
	"[--workers N]\n"                                                                          \
	"            [--nodes ADDR:PORT] [--check-config] [--version] [--help]\n"                  \
	"       gtmd [-c FILE] [--data-dir DIR] [--join TOKEN]      as a probe node\n"

/* 0, or -EINVAL with a problem naming the option. */
MUST_USE int config_options(int argc, char **argv, struct config_options *o, struct diag *d);
/* 0, or -EINVAL with problems at "FILE:LINE: path". */
MUST_USE int config_load(struct config *c, const struct config_options *o, struct diag *d);
void config_fini(struct config *c);

/*
 * Read the file again (SIGHUP). What can change while running, the log level, takes effect at once
 * in this process; a change that takes a restart is logged, member by member; a file with a problem
 * is refused whole.
 */
void config_reload(struct config *c, const struct config_options *o);
