/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "app/config.h"

#define RATE_MAX 1000000

#define AT(member) .offset = offsetof(struct config_probe, member)
const struct field config_probe_fields[] = {
	{ "rate", AT(rate), .type = FIELD_U32, .min = 0, .max = RATE_MAX, .def = 50000,
	    .prose =
		"Probes a second, in all; further ones wait, which is no failure. 0: no cap." },
	{ "host_rate", AT(host_rate), .type = FIELD_U32, .min = 0, .max = RATE_MAX, .def = 500,
	    .prose = "Probes a second of one IP address, whatever its ports and templates. 0: no "
		     "cap." },
	{ "connections", AT(connections), .type = FIELD_U32, .min = 0, .max = RATE_MAX,
	    .prose = "Probes under way and connections kept, at once. 0: most of the descriptors "
		     "that the process may have (RLIMIT_NOFILE)." },
	{ "threads", AT(threads), .type = FIELD_U32, .min = 1, .max = 64, .def = 1,
	    .prose =
		"Threads that probe. One is enough for some ten thousand checks a second; each "
		"has all checks of some IP addresses, and its part of `connections`." },
	{ "repeat", AT(repeat), .type = FIELD_BOOL, .def = 1,
	    .prose = "Within a probe, repeat what a lossy network may have lost. false: one try a "
		     "probe, and packet loss counts as failure." },
	{ "source", AT(source), .type = FIELD_STRS, .min = 0, .max = 2,
	    .prose = "Addresses of this server to probe from, at most one IPv4 and one IPv6; a "
		     "template's own come first. None: as the routes say." },
	{ "scripts", AT(scripts), .type = FIELD_STR, .flags = FIELD_OPTIONAL, .min = 1, .max = 1024,
	    .prose = "Directory of the programs that templates with protocol script may run. "
		     "Absent: none." },
	FIELD_END,
};
#undef AT

static int
check_sources(const struct config_probe *c, struct diag *d)
{
	const char *const *texts = c->source.items;
	int error = 0, first = AF_UNSPEC;

	for (size_t i = 0; i < c->source.count; i++) {
		struct addr a;
		char where[40];
		const bool ip = addr_ip_parse(&a, texts[i], AF_UNSPEC) == 0;

		if (ip && addr_family(&a) != first) {
			first = addr_family(&a);
			continue;
		}
		snprintf(where, sizeof(where), "probe.source[%zu]", i);
		diag_add(d, DIAG_INVALID, where,
		    ip ? "is a second address of its family" : "must be an IP address");
		diag_detail(d, texts[i], "one IPv4 and one IPv6 address");
		error = -EINVAL;
	}
	return error;
}

int
config_probe_check(const struct config_probe *c, struct diag *d)
{
	struct stat st;
	int error = check_sources(c, d);

	if (c->scripts != NULL &&
	    (c->scripts[0] != '/' || stat(c->scripts, &st) < 0 || !S_ISDIR(st.st_mode))) {
		diag_add(
		    d, DIAG_INVALID, "probe.scripts", "must be the absolute path of a directory");
		diag_detail(d, c->scripts, "\"/etc/opengtm/scripts\"");
		error = -EINVAL;
	}
	if (c->scripts != NULL && error == 0 && (st.st_mode & S_IWOTH) != 0) {
		diag_add(d, DIAG_INVALID, "probe.scripts", "may be written by everybody");
		diag_detail(d, c->scripts, "mode 0755 at most");
		error = -EINVAL;
	}
	return error;
}

void
config_probe_settings(const struct config_probe *c, struct prober_settings *out)
{
	const char *const *texts = c->source.items;

	*out = (struct prober_settings){
		.rate = c->rate,
		.host_rate = c->host_rate,
		.connections = c->connections,
		.threads = c->threads,
		.options.script_dir = c->scripts,
		.options.once = !c->repeat,
	};
	for (size_t i = 0; i < c->source.count; i++) {
		struct addr a;

		if (addr_ip_parse(&a, texts[i], AF_UNSPEC) == 0)
			out->options.source[addr_family(&a) == AF_INET6] = a;
	}
}
