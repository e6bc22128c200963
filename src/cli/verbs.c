/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/verbs.h"

#include "cli/demo.h"
#include "cli/simulate.h"

static const struct option apply_options[] = {
	{ "--file", 'f', "FILE", "YAML to apply; - is stdin; may be given more than once" },
	{ "--dry-run", 0, NULL, "check and show what would change; change nothing" },
	OPTION_END,
};
static const struct option create_options[] = {
	{ "--scenario", 0, "NAME",
	    "health_check_only         probe and tell, answer all of them whatever happens\n"
	    "active_standby            the first site; while it is down the next\n"
	    "multi_active              all sites by weight\n"
	    "single_dc_multi_isp       one site, each carrier's clients by their carrier\n"
	    "active_standby_multi_isp  the same with standby sites\n"
	    "multi_active_multi_isp    the same with all sites by weight\n"
	    "custom                    your own strategy and pools" },
	{ "--site", 0, "NAME=IP,IP:WEIGHT",
	    "a site, its addresses and weight (1); repeat for each site, the primary first;\n"
	    "of multi_isp scenarios NAME=LINE:IP,LINE:IP:WEIGHT, lines telecom, unicom, ..." },
	{ "--check", 0, "PROTOCOL:PORT", "probe of each address: tcp:80, https:443/healthz" },
	{ "--template", 0, "NAME:PORT", "probe with a template that is there, instead" },
	{ "--interval", 0, "TIME", "between probes (5s)" },
	{ "--timeout", 0, "TIME", "of one probe (2s)" },
	{ "--fall", 0, "N", "failures in a row that make it down (3)" },
	{ "--rise", 0, "N", "passes in a row that make it up (2)" },
	{ "--ttl", 0, "SECONDS", "of the answers (60)" },
	{ "--sequence-mode", 0, "MODE",
	    "of standbys: preemptive goes back to a better one (default), non_preemptive stays" },
	{ "--failback-delay", 0, "TIME", "how long a better one must be up before going back (0)" },
	{ "--fallback", 0, "RULE",
	    "when nothing is available: fail_open (default), last_good, ..." },
	{ "--strategy", 0, "NAME", "of custom: weight, sequence, source_nearest, hash, ..." },
	{ "--pool", 0, "NAME:WEIGHT", "of custom: link a pool that is there; may be repeated" },
	{ "--name", 0, "KIND/NAME=NEW", "call what would be KIND/NAME otherwise; may be repeated" },
	{ "--remark", 0, "TEXT", "a note on the domain" },
	{ "--dry-run", 0, NULL, "show what would be made; change nothing" },
	{ "--enable", 0, NULL, "answer with it at once; without, it only probes" },
	OPTION_END,
};
static const struct option line_list_options[] = {
	{ "--kind", 0, "KIND", "only these: country, province, isp, cloud, search, ..." },
	{ "--parent", 0, "LINE", "only those right below this line" },
	OPTION_END,
};
#define INVITE_OPTIONS                                                                             \
	{ "--for", 0, "TIME", "how long the token is good (1h)" },                                 \
	    { "--dir", 0, "DIR",                                                                   \
		    "the node's data directory, on its own machine (/var/lib/opengtm)" },          \
	{                                                                                          \
		"--server-address", 0, "HOST:PORT",                                                \
		    "where the node is to connect; without, nodes.advertise of the server"         \
	}
static const struct option node_add_options[] = {
	{ "--city", 0, "CITY", "where it stands" },
	{ "--isp", 0, "ISP", "whose network it looks from" },
	{ "--country", 0, "COUNTRY", "likewise" },
	{ "--remark", 0, "TEXT", "a note" },
	INVITE_OPTIONS,
	OPTION_END,
};
static const struct option node_token_options[] = { INVITE_OPTIONS, OPTION_END };
static const struct option refresh_options[] = {
	{ "--whole", 0, NULL, "transfer all of it again, whatever the serial" },
	OPTION_END,
};
static const struct option explain_options[] = {
	{ "--client", 0, "IP", "whose address the query has: a resolver's, mostly" },
	{ "--ecs", 0, "PREFIX", "the query's EDNS Client Subnet, e.g. 198.51.100.0/24" },
	{ "--down", 0, "ADDRESS", "as if this address were down; may be repeated" },
	{ "--up", 0, "ADDRESS", "as if this address were up; may be repeated" },
	{ "--draws", 0, "N", "draw so many answers and count them" },
	OPTION_END,
};
static const struct option events_options[] = {
	{ "--watch", 'w', NULL, "go on with new events as they happen" },
	{ "--since", 0, "N", "only events after number N" },
	{ "--kind", 0, "KIND", "only events of this kind, e.g. address.down" },
	OPTION_END,
};
static const struct option try_options[] = {
	{ "--host", 0, "NAME",
	    "whom to ask for, as an address's value would; without, the target" },
	OPTION_END,
};
static const struct option check_options[] = {
	{ "--origin", 0, "ZONE", "the zone's name; without, the file's first $ORIGIN or SOA" },
	OPTION_END,
};
static const struct option demo_options[] = {
	{ "--stay", 0, NULL, "keep everything running until Ctrl-C" },
	{ "--gtmd", 0, "PATH", "the server to run; default: beside gtmctl" },
	{ "--config", 0, "FILE", "its configuration: data sets of where clients are" },
	OPTION_END,
};

static const struct option override_options[] = {
	{ "--reason", 0, "TEXT", "why, for whoever comes across it; needed" },
	{ "--for", 0, "TIME", "how long from now, e.g. 30m, 2h, 1d; without, until it is lifted" },
	{ "--until", 0, "TIME", "until this moment, e.g. 2026-12-01T04:00:00Z" },
	OPTION_END,
};

/* The four of each kind of object; `words` and `example` name one. */
#define OVERRIDE_VERBS(kind, words, least, most, example)                                          \
	{ kind " drain", words, "Take it out of the answers, as if it were disabled",              \
		"  gtmctl " kind " drain " example " --for 30m --reason 'kernel upgrade'\n"        \
		"  gtmctl " kind " ready " example "\n",                                           \
		override_options, least, most, verb_override },                                    \
	    { kind " force-down", words, "Have it unavailable, whatever its health",               \
		    "  gtmctl " kind " force-down " example                                        \
		    " --until 2026-12-01T04:00:00Z --reason 'moving racks'\n",                     \
		    override_options, least, most, verb_override },                                \
	    { kind " force-up", words, "Have it available, whatever its health",                   \
		    "  gtmctl " kind " force-up " example                                          \
		    " --for 10m --reason 'the probe is wrong'\n",                                  \
		    override_options, least, most, verb_override },                                \
	{                                                                                          \
		kind " ready", words, "Lift what was imposed: its health counts again",            \
		    "  gtmctl " kind " ready " example "\n", NULL, least, most, verb_override      \
	}

const struct verb verbs_table[] = {
	{ "get", "KIND [NAME]", "Show objects as a table, JSON or YAML",
	    "  gtmctl get domains\n"
	    "  gtmctl get domain www.example.com A -o yaml\n"
	    "  gtmctl get pools -o wide\n"
	    "  gtmctl get overrides\n"
	    "  gtmctl get addresses -o name\n",
	    NULL, 1, 3, verb_get },
	{ "describe", "KIND NAME", "Show all about one object: spec, status, latest events",
	    "  gtmctl describe pool dc-a\n"
	    "  gtmctl describe domain www.example.com A\n",
	    NULL, 2, 3, verb_describe },
	{ "apply", "-f FILE", "Make the server's objects as a YAML file says, all or nothing",
	    "  gtmctl apply -f gtm.yaml\n"
	    "  gtmctl apply -f gtm.yaml --dry-run\n"
	    "  gtmctl export | gtmctl apply -f -\n",
	    apply_options, 0, 0, verb_apply },
	{ "delete", "KIND NAME", "Delete one object that nothing uses",
	    "  gtmctl delete pool dc-c\n"
	    "  gtmctl delete domain www.example.com A\n",
	    NULL, 2, 3, verb_delete },
	{ "export", "", "Write all objects as YAML that apply takes",
	    "  gtmctl export > gtm.yaml\n", NULL, 0, 0, verb_export },
	{ "domain create", "NAME TYPE[,TYPE]",
	    "Make an access domain with its pools, addresses and checks",
	    "  gtmctl domain create www.example.com A --scenario multi_active \\\n"
	    "      --site dc-a=203.0.113.10,203.0.113.11:3 --site dc-b=198.51.100.10:1 --check "
	    "tcp:80\n"
	    "  gtmctl domain create www.example.com AAAA --scenario active_standby \\\n"
	    "      --site dc-a=2001:db8::1 --site 'dc-b=[2001:db8:1::1]:2' --check http:80/healthz "
	    "--enable\n"
	    "  gtmctl domain create www.example.com A,AAAA --scenario health_check_only \\\n"
	    "      --site dc-a=203.0.113.10,2001:db8::1 --check tcp:80\n"
	    "  gtmctl domain create www.example.com A --scenario single_dc_multi_isp \\\n"
	    "      --site dc-a=telecom:203.0.113.10,unicom:198.51.100.10,mobile:192.0.2.10 "
	    "--check tcp:80\n"
	    "  gtmctl domain create www.example.com A --scenario active_standby_multi_isp "
	    "--dry-run \\\n"
	    "      --site dc-a=telecom:203.0.113.10,unicom:198.51.100.10 \\\n"
	    "      --site dc-b=telecom:203.0.113.20,unicom:198.51.100.20 --check tcp:80\n"
	    "  gtmctl domain create www.example.com A --scenario multi_active_multi_isp \\\n"
	    "      --site dc-a=telecom:203.0.113.10,unicom:198.51.100.10:3 \\\n"
	    "      --site dc-b=telecom:203.0.113.20,unicom:198.51.100.20:1 --check tcp:80\n"
	    "  gtmctl domain create www.example.com A --scenario custom --strategy weight \\\n"
	    "      --pool dc-a:3 --pool dc-b:1\n",
	    create_options, 2, 2, verb_domain_create },
	{ "domain enable", "NAME TYPE",
	    "Answer with the access domain instead of the zone's record",
	    "  gtmctl domain enable www.example.com A\n", NULL, 1, 2, verb_domain_enable },
	{ "domain disable", "NAME TYPE", "Answer from the zone again",
	    "  gtmctl domain disable www.example.com A\n", NULL, 1, 2, verb_domain_disable },
	OVERRIDE_VERBS("domain", "NAME TYPE", 1, 2, "www.example.com A"),
	OVERRIDE_VERBS("pool", "NAME", 1, 1, "dc-a"),
	OVERRIDE_VERBS("address", "NAME", 1, 1, "dc-a-1"),
	{ "line list", "[WORD]", "Show the built-in lines, and which have data",
	    "  gtmctl line list telecom\n"
	    "  gtmctl line list --parent us\n"
	    "  gtmctl line list --kind cloud -o json\n",
	    line_list_options, 0, 1, verb_line_list },
	{ "line locate", "IP", "Show the lines of an address, best first, and why",
	    "  gtmctl line locate 192.0.2.1\n"
	    "  gtmctl line locate 2001:db8::1 -o json\n",
	    NULL, 1, 1, verb_line_locate },
	{ "node add", "NAME", "Make a node that probes, and print the command that enrols it",
	    "  gtmctl node add shanghai-1 --city Shanghai --isp telecom --country CN\n"
	    "  gtmctl node add fra-1 --city Frankfurt --server-address gtm.example.com:8054\n",
	    node_add_options, 1, 1, verb_node_add },
	{ "node token", "NAME", "Print the command that enrols a node, also once more",
	    "  gtmctl node token shanghai-1 --for 10m\n"
	    "  gtmctl node token shanghai-1 --dir /srv/gtm-node\n",
	    node_token_options, 1, 1, verb_node_token },
	{ "zone import", "ZONE FILE", "Make or replace a zone's records from a zone file",
	    "  gtmctl zone import example.com example.com.zone\n", NULL, 2, 2, verb_zone_import },
	{ "zone check", "FILE", "Tell what is wrong with a zone file; asks no server",
	    "  gtmctl zone check example.com.zone\n"
	    "  gtmctl zone check hosts.txt --origin example.com\n",
	    check_options, 1, 1, verb_zone_check },
	{ "zone refresh", "ZONE", "Have a secondary zone ask its primaries now",
	    "  gtmctl zone refresh example.com\n"
	    "  gtmctl zone refresh example.com --whole\n",
	    refresh_options, 1, 1, verb_zone_refresh },
	{ "zone export", "ZONE", "Write a zone's records as a zone file",
	    "  gtmctl zone export example.com > example.com.zone\n", NULL, 1, 1, verb_zone_export },
	{ "explain", "NAME TYPE", "Tell what would be answered, and why",
	    "  gtmctl explain www.example.com A\n"
	    "  gtmctl explain www.example.com A --client 192.0.2.1 --down dc-a-1 --draws 1000\n"
	    "  gtmctl explain www.example.com A --client 192.0.2.53 --ecs 198.51.100.0/24\n",
	    explain_options, 2, 2, verb_explain },
	{ "simulate", "NAME TYPE",
	    "Play resolvers, clients and failing sites against a domain, on a virtual clock",
	    SIMULATE_EXAMPLES("gtmctl simulate "), simulate_options, 2, 2, verb_simulate },
	{ "probe try", "TEMPLATE TARGET[:PORT]",
	    "Probe a target once, now, and tell what came of it and how long each phase took",
	    "  gtmctl probe try web 192.0.2.1:80\n"
	    "  gtmctl probe try web '[2001:db8::1]:443' --host www.example.com\n",
	    try_options, 2, 2, verb_probe_try },
	{ "events", "", "Show what happened",
	    "  gtmctl events -w\n"
	    "  gtmctl events --kind address.down\n",
	    events_options, 0, 0, verb_events },
	{ "demo", "", "Show a failover for real, on this machine, in under a minute",
	    "  gtmctl demo\n"
	    "  gtmctl demo --stay\n",
	    demo_options, 0, 0, demo_run },
	{ "version", "", "Show the versions of gtmctl and the server", "  gtmctl version\n", NULL,
	    0, 0, verb_version },
	{ "help", "[VERB]", "Show help", "  gtmctl help domain create\n", NULL, 0, 2, verb_help },
	{ .name = NULL },
};
