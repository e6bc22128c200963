/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/config.h"

#define DEFAULT_DNS "127.0.0.1:5300"
#define XDP_MAX     16

static const char *const deny_words[] = { "refuse", "drop", NULL };

#define AT(member) .offset = offsetof(struct config_rate, member)
static const struct field rate_fields[] = {
	{ "answers", AT(answers), .type = FIELD_U32, .min = 0, .max = SERVE_RATE_MAX,
	    .prose = "equal answers a second to one client prefix; 0: no limit" },
	{ "slip", AT(slip), .type = FIELD_U32, .min = 0, .max = 10, .def = 2,
	    .prose = "of those above the limit every so manieth is sent truncated, so that a real "
		     "client comes by TCP; 0: none" },
	{ "ipv4_prefix", AT(ipv4_prefix), .type = FIELD_U32, .min = 8, .max = 32, .def = 24,
	    .prose = "IPv4 addresses that share so many bits are one client" },
	{ "ipv6_prefix", AT(ipv6_prefix), .type = FIELD_U32, .min = 16, .max = 64, .def = 56,
	    .prose = "IPv6 addresses likewise" },
	{ "exempt", AT(exempt), .type = FIELD_STRS, .min = 0, .max = SERVE_RANGES_MAX,
	    .prose = "CIDR ranges that are not limited; nor is who shows a valid cookie" },
	FIELD_END,
};
#undef AT

#define AT(member) .offset = offsetof(struct config_dns, member)
const struct field config_dns_fields[] = {
	{ "listen", AT(listen), .type = FIELD_STRS, .min = 1, .max = 64, .def_str = DEFAULT_DNS,
	    .prose = "Addresses and ports that answer DNS, over UDP and TCP: 192.0.2.1:53, "
		     "[2001:db8::1]:53." },
	{ "workers", AT(workers), .type = FIELD_U32, .min = 1, .max = 64, .def = 1,
	    .prose = "UDP threads; one per core that DNS may use." },
	{ "xdp", AT(xdp), .type = FIELD_STRS, .min = 0, .max = XDP_MAX,
	    .prose = "Interfaces whose UDP queries go past the kernel's network stack (AF_XDP), a "
		     "thread for each receive queue. Where that cannot be, the sockets of `listen` "
		     "serve; they always do for TCP." },
	{ "tcp_max_clients", AT(tcp_max_clients), .type = FIELD_U32, .min = 16, .max = 100000,
	    .def = 1000,
	    .prose = "TCP connections at once; beyond that the longest idle one is closed." },
	{ "tcp_idle", AT(tcp_idle_ms), .type = FIELD_DURATION, .min = 1000, .max = 600000,
	    .def = 10000, .prose = "A TCP connection that says nothing this long is closed." },
	{ "nsid", AT(nsid), .type = FIELD_STR, .min = 0, .max = SERVE_TEXT_SIZE - 1, .def_str = "",
	    .prose = "told to who asks for NSID (RFC 5001); empty: nothing" },
	{ "id", AT(id), .type = FIELD_STR, .min = 0, .max = SERVE_TEXT_SIZE - 1, .def_str = "",
	    .prose = "answer to CHAOS TXT id.server and hostname.bind; empty: refused" },
	{ "version", AT(version), .type = FIELD_STR, .min = 0, .max = SERVE_TEXT_SIZE - 1,
	    .def_str = "",
	    .prose = "answer to CHAOS TXT version.server and version.bind; empty: refused" },
	{ "cookies", AT(cookies), .type = FIELD_BOOL, .def = true,
	    .prose = "DNS cookies (RFC 7873, 9018)" },
	{ "cookie_secret", AT(cookie_secret), .type = FIELD_STR,
	    .flags = FIELD_OPTIONAL | FIELD_SECRET, .min = 32, .max = 32,
	    .prose = "32 hex digits, the same on every server of an anycast set; absent: made at "
		     "each start" },
	{ "cookie_secret_previous", AT(cookie_secret_previous), .type = FIELD_STR,
	    .flags = FIELD_OPTIONAL | FIELD_SECRET, .min = 32, .max = 32,
	    .prose = "still accepted, while cookie_secret is being changed everywhere" },
	{ "allow", AT(allow), .type = FIELD_STRS, .min = 0, .max = SERVE_RANGES_MAX,
	    .prose = "CIDR ranges that may ask; none: everybody" },
	{ "deny", AT(deny), .type = FIELD_ENUM, .words = deny_words, .def = CONFIG_DENY_REFUSE,
	    .prose = "what the others get: REFUSED, or no answer" },
	{ "rate_limit", AT(rate), .type = FIELD_STRUCT, .sub = rate_fields,
	    .sub_size = sizeof(struct config_rate),
	    .prose = "response rate limiting, against reflection" },
	FIELD_END,
};

static int
check_ranges(const struct field_list *texts, const char *path, struct diag *d)
{
	int err = 0;

	for (size_t i = 0; i < texts->count; i++) {
		const char *text = ((const char *const *)texts->items)[i];
		char where[64];
		struct cidr c;

		if (cidr_parse(&c, text) == 0)
			continue;
		snprintf(where, sizeof(where), "%s[%zu]", path, i);
		diag_add(d, DIAG_INVALID, where, "is not a range of addresses");
		diag_detail(d, text, "such as 192.0.2.0/24, 2001:db8::/32 or any");
		err = -EINVAL;
	}
	return err;
}

static bool
is_interface(const char *text)
{
	const size_t len = strlen(text);

	return len > 0 && len < IFNAMSIZ && strcspn(text, "/: \t\n") == len;
}

/* Whether it is there is seen at each start. */
static int
check_interfaces(const struct field_list *names, struct diag *d)
{
	const char *const *texts = names->items;
	int err = 0;

	for (size_t i = 0; i < names->count; i++) {
		bool again = false;
		char where[32];

		for (size_t k = 0; k < i; k++)
			again |= strcmp(texts[k], texts[i]) == 0;
		if (is_interface(texts[i]) && !again)
			continue;
		snprintf(where, sizeof(where), "dns.xdp[%zu]", i);
		diag_add(d, DIAG_INVALID, where,
		    again ? "is named twice" : "is not the name of an interface");
		diag_detail(d, texts[i], again ? NULL : "such as eth0");
		err = -EINVAL;
	}
	return err;
}

static int
check_secret(const char *text, const char *where, struct diag *d)
{
	if (text == NULL || strspn(text, "0123456789abcdefABCDEF") == 2 * SIPHASH_KEY_LEN)
		return 0;
	return diag_add(
	    d, DIAG_INVALID, where, "must be 32 hex digits"); /* not shown: it is a secret */
}

int
config_serve_check(const struct config_dns *c, struct diag *d)
{
	int err = 0;

	if (check_ranges(&c->allow, "dns.allow", d) != 0 ||
	    check_ranges(&c->rate.exempt, "dns.rate_limit.exempt", d) != 0)
		err = -EINVAL;
	if (check_interfaces(&c->xdp, d) != 0)
		err = -EINVAL;
	if (check_secret(c->cookie_secret, "dns.cookie_secret", d) != 0 ||
	    check_secret(c->cookie_secret_previous, "dns.cookie_secret_previous", d) != 0)
		err = -EINVAL;
	return err;
}

static void
add_ranges(struct serve_ranges *out, const struct field_list *texts)
{
	struct cidr c;

	for (size_t i = 0; i < texts->count; i++)
		if (cidr_parse(&c, ((const char *const *)texts->items)[i]) == 0)
			serve_options_add(out, &c);
}

static bool
read_secret(const char *text, uint8_t out[SIPHASH_KEY_LEN])
{
	for (size_t i = 0; text != NULL && i < SIPHASH_KEY_LEN; i++) {
		const char pair[3] = { text[2 * i], text[2 * i + 1], '\0' };

		out[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return text != NULL;
}

struct serve_options *
config_serve_options(const struct config_dns *c)
{
	struct serve_options *o = serve_options_new();

	o->cookies = c->cookies;
	(void)read_secret(c->cookie_secret, o->secrets.current);
	o->secrets.has_previous = read_secret(c->cookie_secret_previous, o->secrets.previous);
	snprintf(o->nsid, sizeof(o->nsid), "%s", c->nsid);
	snprintf(o->id, sizeof(o->id), "%s", c->id);
	snprintf(o->version, sizeof(o->version), "%s", c->version);
	add_ranges(&o->allow, &c->allow);
	o->drop = c->deny == CONFIG_DENY_DROP;
	o->rrl = (struct rrl_options){
		.rate = c->rate.answers,
		.slip = c->rate.slip,
		.ipv4_bits = (uint8_t)c->rate.ipv4_prefix,
		.ipv6_bits = (uint8_t)c->rate.ipv6_prefix,
	};
	add_ranges(&o->rrl_spare, &c->rate.exempt);
	return o;
}
