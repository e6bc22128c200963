/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/config.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/yaml_in.h"
#include "geo/survey.h"
#include "node/reach.h"

#define DEFAULT_API "127.0.0.1:8053"
#define DEFAULT_DIR "/var/lib/opengtm"

static const char *const log_words[] = { "error", "warn", "info", "debug", NULL };

static const struct field api_fields[] = {
	{ "listen", offsetof(struct config_api, listen), FIELD_STR, .min = 1, .max = 255,
	    .def_str = DEFAULT_API,
	    .prose = "Address and port of the REST API and the event stream." },
	FIELD_END,
};

static const struct field nodes_fields[] = {
	{ "listen", offsetof(struct config_nodes, listen), FIELD_STR, FIELD_OPTIONAL, .min = 1,
	    .max = 255,
	    .prose = "Address and port to which probe nodes connect; not given: there are none." },
	{ "advertise", offsetof(struct config_nodes, advertise), FIELD_STR, FIELD_OPTIONAL,
	    .min = 1, .max = 250,
	    .prose = "host:port by which they reach it; not given: nodes.listen, if that is one." },
	FIELD_END,
};

static const struct field database_fields[] = {
	{ "file", offsetof(struct config_database, file), FIELD_STR, FIELD_REQUIRED, .min = 1,
	    .max = 1024,
	    .prose = "A database in MaxMind's format (.mmdb), or ranges as text (CSV)." },
	{ "country", offsetof(struct config_database, country), FIELD_STR, FIELD_OPTIONAL, .min = 1,
	    .max = 120,
	    .prose = "Where the country's code stands: keys such as country.iso_code, or the "
		     "number of a column. Not given: the usual places." },
	{ "subdivision", offsetof(struct config_database, subdivision), FIELD_STR, FIELD_OPTIONAL,
	    .min = 1, .max = 120, .prose = "Likewise, of the province or state: code or name." },
	{ "asn", offsetof(struct config_database, asn), FIELD_STR, FIELD_OPTIONAL, .min = 1,
	    .max = 120, .prose = "Likewise, of the number of the autonomous system." },
	FIELD_END,
};

static const struct field geo_fields[] = {
	{ "databases", offsetof(struct config_geo, databases), FIELD_LIST,
	    .max = SURVEY_SOURCES_MAX, .sub = database_fields,
	    .sub_size = sizeof(struct config_database),
	    .prose = "What says where addresses are and whose; earlier ones first. A changed file "
		     "is read again by itself, and at SIGHUP." },
	{ "max_age_days", offsetof(struct config_geo, max_age_days), FIELD_U32, .max = 3650,
	    .def = 45,
	    .prose = "A file older than this is told by an event (geoip.stale); 0: never." },
	FIELD_END,
};

const struct field config_fields[] = {
	{ "data_dir", offsetof(struct config, data_dir), FIELD_STR, .min = 1, .max = 1024,
	    .def_str = DEFAULT_DIR,
	    .prose = "Directory of the database, the engine's journals, the control socket and "
		     "admin.token." },
	{ "user", offsetof(struct config, user), FIELD_STR, FIELD_OPTIONAL, .min = 1, .max = 64,
	    .prose = "User to run as once the sockets are open." },
	{ "log_level", offsetof(struct config, log_level), FIELD_ENUM, .words = log_words,
	    .def = LOG_INFO, .prose = "The least severe messages that are written to stderr." },
	{ "dns", offsetof(struct config, dns), FIELD_STRUCT, .sub = config_dns_fields,
	    .sub_size = sizeof(struct config_dns), .prose = "The DNS listeners." },
	{ "transfer_max_mib", offsetof(struct config, transfer_max_mib), FIELD_U32, .min = 1,
	    .max = 1048576, .def = 1024,
	    .prose = "Memory in MiB that one transfer of a secondary zone may take; a million "
		     "records need about 200." },
	{ "revisions_kept", offsetof(struct config, revisions_kept), FIELD_U32, .min = 1000,
	    .max = 100000000, .def = 100000,
	    .prose =
		"How many of the newest changes the audit log goes back. An engine that missed "
		"more than so many takes the whole model anew." },
	{ "probe", offsetof(struct config, probe), FIELD_STRUCT, .sub = config_probe_fields,
	    .sub_size = sizeof(struct config_probe), .prose = "How this server probes." },
	{ "api", offsetof(struct config, api), FIELD_STRUCT, .sub = api_fields,
	    .sub_size = sizeof(struct config_api), .prose = "The API listener." },
	{ "nodes", offsetof(struct config, nodes), FIELD_STRUCT, .sub = nodes_fields,
	    .sub_size = sizeof(struct config_nodes),
	    .prose = "The listener for nodes that probe for this server." },
	{ "geo", offsetof(struct config, geo), FIELD_STRUCT, .sub = geo_fields,
	    .sub_size = sizeof(struct config_geo),
	    .prose = "Data sets that tell the lines of clients." },
	FIELD_END,
};

enum {
	OPT_DATA_DIR = 256,
	OPT_DNS,
	OPT_API,
	OPT_NODES,
	OPT_JOIN,
	OPT_WORKERS,
	OPT_CHECK,
	OPT_VERSION,
	OPT_HELP
};

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "data-dir", required_argument, NULL, OPT_DATA_DIR },
	{ "dns", required_argument, NULL, OPT_DNS },
	{ "api", required_argument, NULL, OPT_API },
	{ "nodes", required_argument, NULL, OPT_NODES },
	{ "join", required_argument, NULL, OPT_JOIN },
	{ "workers", required_argument, NULL, OPT_WORKERS },
	{ "check-config", no_argument, NULL, OPT_CHECK },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ "help", no_argument, NULL, OPT_HELP },
	{ 0 },
};

static int
workers_parse(const char *text, unsigned *n, struct diag *d)
{
	char *end;
	const unsigned long v = strtoul(text, &end, 10);
	if (*text == '\0' || *end != '\0' || v < 1 || v > 64) {
		diag_add(d, DIAG_INVALID, "--workers", "must be a number");
		diag_detail(d, text, "1..64");
		return -EINVAL;
	}
	*n = (unsigned)v;
	return 0;
}

int
config_options(int argc, char **argv, struct config_options *o, struct diag *d)
{
	*o = (struct config_options){ .dns = xcalloc((size_t)argc, sizeof(char *)) };
	opterr = 0;
	optind = 1;
	for (;;) {
		const char *word = argv[optind < argc ? optind : argc - 1];
		switch (getopt_long(argc, argv, ":c:h", long_options, NULL)) {
		case 'c':
			o->file = optarg;
			break;
		case OPT_DATA_DIR:
			o->data_dir = optarg;
			break;
		case OPT_DNS:
			o->dns[o->n_dns++] = optarg;
			break;
		case OPT_API:
			o->api = optarg;
			break;
		case OPT_NODES:
			o->nodes = optarg;
			break;
		case OPT_JOIN:
			o->join = optarg;
			break;
		case OPT_WORKERS:
			if (workers_parse(optarg, &o->workers, d) != 0)
				return -EINVAL;
			break;
		case OPT_CHECK:
			o->check_only = true;
			break;
		case OPT_VERSION:
			o->version = true;
			break;
		case 'h':
		case OPT_HELP:
			o->help = true;
			break;
		case ':':
			return diag_add(d, DIAG_INVALID, word, "this option needs a value");
		case '?':
			return diag_add(d, DIAG_INVALID, word, "unknown option");
		default:
			if (optind < argc)
				return diag_add(
				    d, DIAG_INVALID, argv[optind], "gtmd takes options only");
			return 0;
		}
	}
}

/* Turn "dns.workers" of a problem into "FILE:LINE: dns.workers"; what the command line said has no
 * line. */
static void
place_problems(const struct yaml_in *y, struct diag *d)
{
	for (struct diag_problem *p = d->first; p != NULL; p = p->next) {
		const char *pointer = arena_printf(&d->arena, "objects[0].%s", p->where);
		const char *place = *p->where == '-' ? NULL : yaml_in_place(y, pointer);
		if (place != NULL)
			p->where = arena_printf(&d->arena, "%s: %s", place, p->where);
	}
}

static int
read_file(const char *file, struct yaml_in *y, struct diag *d)
{
	struct buf text;
	buf_init(&text, 1 << 20);
	int err = file_read(file, &text);
	if (err != 0)
		diag_add(
		    d, DIAG_INVALID, file, "cannot read the configuration: %s", strerror(-err));
	else
		err = yaml_in_read(y, file, buf_str(&text), text.len, d);
	buf_fini(&text);
	if (err == 0 && json_array_size(y->objects) != 1)
		err = diag_add(d, DIAG_INVALID, file, "must be one YAML mapping");
	return err;
}

static void
override(struct config *c, const struct config_options *o)
{
	if (o->data_dir != NULL)
		c->data_dir = arena_strdup(&c->arena, o->data_dir);
	if (o->api != NULL)
		c->api.listen = arena_strdup(&c->arena, o->api);
	if (o->nodes != NULL)
		c->nodes.listen = arena_strdup(&c->arena, o->nodes);
	if (o->workers > 0)
		c->dns.workers = o->workers;
	if (o->n_dns > 0) {
		c->dns.listen.items = arena_memdup(&c->arena, o->dns, o->n_dns * sizeof(char *));
		c->dns.listen.count = o->n_dns;
	}
}

static int
parse_addr(const char *text, uint16_t port, const char *where, struct addr *a, struct diag *d)
{
	if (addr_parse(a, text, port) == 0 && addr_port(a) != 0)
		return 0;
	diag_add(d, DIAG_INVALID, where, "must be an address and a port");
	diag_detail(d, text, "such as 127.0.0.1:5300 or [::1]:5300");
	return -EINVAL;
}

static int
parse_addrs(struct config *c, const struct config_options *o, struct diag *d)
{
	const char *const *texts = c->dns.listen.items;
	int err = 0;
	c->n_dns_addrs = c->dns.listen.count;
	c->dns_addrs = arena_alloc(&c->arena, c->n_dns_addrs * sizeof(struct addr));
	for (size_t i = 0; i < c->n_dns_addrs; i++) {
		char where[32] = "--dns";
		if (o->n_dns == 0)
			snprintf(where, sizeof(where), "dns.listen[%zu]", i);
		if (parse_addr(texts[i], 53, where, &c->dns_addrs[i], d) != 0)
			err = -EINVAL;
	}
	if (parse_addr(
		c->api.listen, 8053, o->api != NULL ? "--api" : "api.listen", &c->api_addr, d) != 0)
		err = -EINVAL;
	return err;
}

static int
parse_nodes(struct config *c, const struct config_options *o, struct diag *d)
{
	const char *where = o->nodes != NULL ? "--nodes" : "nodes.listen";

	c->nodes_listen = c->nodes.listen;
	c->nodes_advertise = c->nodes.advertise;
	if (c->nodes.advertise != NULL && reach_check(c->nodes.advertise) < 0) {
		diag_add(d, DIAG_INVALID, "nodes.advertise", "must be a host and a port");
		diag_detail(d, c->nodes.advertise, "such as gtm.example.com:8054");
		return -EINVAL;
	}
	if (c->nodes.listen == NULL)
		return 0;
	if (parse_addr(c->nodes.listen, 8054, where, &c->nodes_addr, d) != 0)
		return -EINVAL;
	if (c->nodes_advertise == NULL && !addr_is_any(&c->nodes_addr)) {
		char text[ADDR_TEXT_SIZE];

		c->nodes_advertise = arena_strdup(&c->arena, addr_text(&c->nodes_addr, text));
	}
	return 0;
}

/* With the file (if any) read into `y`. */
static int
build(struct config *c, const struct config_options *o, const struct yaml_in *y, struct diag *d)
{
	const json_t *doc = json_array_get(y->objects, 0);
	int err = doc == NULL ? 0 : field_decode(config_fields, doc, c, &c->arena, NULL, d);
	if (err == 0) {
		override(c, o);
		err = parse_addrs(c, o, d);
		if (parse_nodes(c, o, d) != 0)
			err = -EINVAL;
		if (config_serve_check(&c->dns, d) != 0 || config_probe_check(&c->probe, d) != 0)
			err = -EINVAL;
	}
	if (err != 0)
		place_problems(y, d);
	return err;
}

int
config_load(struct config *c, const struct config_options *o, struct diag *d)
{
	struct yaml_in y;
	*c = (struct config){ 0 };
	arena_init(&c->arena);
	/* Defaults zero nothing outside their own members. */
	field_defaults(config_fields, c, &c->arena);
	c->file = o->file;
	yaml_in_init(&y);
	int err = c->file == NULL ? 0 : read_file(c->file, &y, d);
	if (err == 0)
		err = build(c, o, &y, d);
	yaml_in_fini(&y);
	return err;
}

void
config_fini(struct config *c)
{
	arena_fini(&c->arena);
}

/* One line of JSON for each top-level member: enough to see what differs. */
static void
tell_restart(const struct config *was, const struct config *is)
{
	json_t *a = field_encode(config_fields, was, true),
	       *b = field_encode(config_fields, is, true);
	const char *name;
	json_t *value;

	json_object_foreach(b, name, value) if (strcmp(name, "log_level") != 0 &&
						!json_equal(value, json_object_get(a, name)))
	    log_warn("app", "'%s' has changed: it takes a restart", name);
	json_decref(a);
	json_decref(b);
}

void
config_reload(struct config *c, const struct config_options *o)
{
	struct config fresh;
	struct diag d;

	diag_init(&d);
	if (config_load(&fresh, o, &d) != 0) {
		log_error("app", "reload refused, the old configuration stays: %s", diag_text(&d));
	} else {
		c->log_level = fresh.log_level;
		log_level_set((enum log_level)c->log_level);
		tell_restart(c, &fresh);
		log_info("app", "configuration read again");
	}
	config_fini(&fresh);
	diag_fini(&d);
}
