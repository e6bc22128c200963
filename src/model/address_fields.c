/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/duration.h"
#include "model/healthy_codec.h"
#include "model/noun_rules.h"
#include "model/shared_fields.h"
#include "net/addr.h"

const char *const address_type_words[] = { "ipv4", "ipv6", "domain", NULL };
static const char *const mode_words[] = { "auto", "manual", NULL };
static const char *const manual_state_words[] = { "available", "unavailable", NULL };

#define AT(member) offsetof(struct check_spec, member)
static const struct field check_fields[] = {
	{ .name = "template",
	    .offset = AT(template),
	    .type = FIELD_NAME,
	    .flags = FIELD_REQUIRED,
	    .prose = "how to probe" },
	{ .name = "port",
	    .offset = AT(port),
	    .type = FIELD_U32,
	    .flags = FIELD_REQUIRED,
	    .min = 1,
	    .max = 65535,
	    .prose = "port to probe" },
	{ .name = "target",
	    .offset = AT(target),
	    .type = FIELD_STR,
	    .flags = FIELD_OPTIONAL,
	    .min = 1,
	    .max = 64,
	    .prose = "numeric IP to probe instead of the address's value" },
	FIELD_END,
};
#undef AT

#define AT(member) offsetof(struct damp_rule, member)
static const struct field damping_fields[] = {
	{ .name = "transitions",
	    .offset = AT(transitions),
	    .type = FIELD_U32,
	    .max = DAMP_TRANSITIONS_MAX,
	    .def = 6,
	    .prose = "changes between up and down that are fine within a window; with more it is "
		     "held; 0: never" },
	{ .name = "window",
	    .offset = AT(window_ms),
	    .type = FIELD_DURATION,
	    .min = 1000,
	    .max = 86400000,
	    .def = 600000,
	    .prose = "time in which changes are counted, and after which, without any, all is "
		     "forgotten" },
	{ .name = "hold",
	    .offset = AT(hold_ms),
	    .type = FIELD_DURATION,
	    .min = 100,
	    .max = 86400000,
	    .def = 60000,
	    .prose = "how long it is held at first; twice as long each time it is still flapping" },
	{ .name = "hold_max",
	    .offset = AT(hold_max_ms),
	    .type = FIELD_DURATION,
	    .min = 100,
	    .max = 86400000,
	    .def = 600000,
	    .prose = "how long it is held at most before it is looked at again" },
	FIELD_END,
};
#undef AT

#define AT(member) offsetof(struct address_spec, member)
const struct field address_fields[] = {
	{ .name = "type",
	    .offset = AT(type),
	    .type = FIELD_ENUM,
	    .words = address_type_words,
	    .flags = FIELD_REQUIRED | FIELD_IMMUTABLE,
	    .prose = "what the value is" },
	{ .name = "value",
	    .offset = AT(value),
	    .type = FIELD_STR,
	    .flags = FIELD_REQUIRED,
	    .min = 1,
	    .max = 255,
	    .prose = "what is answered: an IP or a domain name" },
	{ .name = "enabled",
	    .offset = AT(enabled),
	    .type = FIELD_BOOL,
	    .def = true,
	    .prose = "a disabled address is never answered" },
	{ .name = "mode",
	    .offset = AT(mode),
	    .type = FIELD_ENUM,
	    .words = mode_words,
	    .prose = "auto: available as its health says; manual: as manual_state says" },
	{ .name = "manual_state",
	    .offset = AT(manual_state),
	    .type = FIELD_ENUM,
	    .words = manual_state_words,
	    .prose = "availability under mode manual" },
	{ .name = "checks",
	    .offset = AT(checks),
	    .type = FIELD_LIST,
	    .max = 64,
	    .sub = check_fields,
	    .sub_size = sizeof(struct check_spec),
	    .prose = "probes of this address; none: it counts as healthy" },
	HEALTHY_FIELD(struct address_spec),
	{ .name = "damping",
	    .offset = AT(damping),
	    .type = FIELD_STRUCT,
	    .sub = damping_fields,
	    .prose = "an address that keeps going up and down is held in one state" },
	REMARK_FIELD(struct address_spec),
	LABELS_FIELD(struct address_spec),
	FIELD_END,
};
#undef AT

static const struct {
	int family;
	const char *fault, *allowed;
} ip_types[] = {
	[ADDRESS_IPV4] = { AF_INET, "is not an IPv4 address", "an IPv4 address such as 192.0.2.1" },
	[ADDRESS_IPV6] = { AF_INET6, "is not an IPv6 address",
	    "an IPv6 address such as 2001:db8::1" },
};

/* Canonical text of a plain IP; NULL if it is none. A scope ("%eth0") means nothing to others. */
static const char *
canon_ip(const char *text, int family, char out[ADDR_TEXT_SIZE])
{
	struct addr ip;

	if (strchr(text, '%') != NULL || addr_ip_parse(&ip, text, family) < 0)
		return NULL;
	return addr_ip_text(&ip, out);
}

void
address_settle(const char *name, void *spec, struct arena *a)
{
	struct address_spec *s = spec;
	struct check_spec *check = s->checks.items;
	char text[KIND_NAME_SIZE];

	(void)name;
	if (s->type == ADDRESS_DOMAIN ? hostname_canon(s->value, text) == NULL
				      : canon_ip(s->value, ip_types[s->type].family, text) != NULL)
		s->value = strcmp(text, s->value) == 0 ? s->value : arena_strdup(a, text);
	for (size_t i = 0; i < s->checks.count; i++) {
		if (check[i].target != NULL && canon_ip(check[i].target, AF_UNSPEC, text) != NULL &&
		    strcmp(text, check[i].target) != 0)
			check[i].target = arena_strdup(a, text);
	}
}

static void
check_value(const struct address_spec *s, struct diag *d)
{
	char text[KIND_NAME_SIZE];
	const char *fault = NULL, *allowed = HOSTNAME_ALLOWED;

	if (s->type == ADDRESS_DOMAIN) {
		fault = hostname_canon(s->value, text);
		if (fault == NULL && strcmp(text, ".") == 0)
			fault = "must not be the root";
	} else if (canon_ip(s->value, ip_types[s->type].family, text) == NULL) {
		fault = ip_types[s->type].fault;
		allowed = ip_types[s->type].allowed;
	}
	if (fault == NULL)
		return;
	diag_add(d, DIAG_INVALID, "value", "%s", fault);
	diag_detail(d, s->value, allowed);
}

static bool
same_check(const struct check_spec *a, const struct check_spec *b)
{
	return a->port == b->port && strcmp(a->template, b->template) == 0 &&
	       (a->target == NULL) == (b->target == NULL) &&
	       (a->target == NULL || strcmp(a->target, b->target) == 0);
}

static void
check_check(const struct address_spec *s, size_t i, struct diag *d)
{
	const struct check_spec *check = s->checks.items;
	const char *target = check[i].target;
	char text[ADDR_TEXT_SIZE], where[48];

	snprintf(where, sizeof(where), "checks[%zu].target", i);
	if (target != NULL && canon_ip(target, AF_UNSPEC, text) == NULL) {
		diag_add(d, DIAG_INVALID, where, "is not a numeric IP address");
		diag_detail(d, target, "an IPv4 or IPv6 address");
	}
	if (target == NULL && s->type == ADDRESS_DOMAIN) {
		diag_add(d, DIAG_INVALID, where,
		    "is required: an address of type domain is probed at a numeric IP only");
		diag_detail(d, NULL, "an IPv4 or IPv6 address");
	}
	for (size_t k = 0; k < i; k++) {
		if (!same_check(&check[k], &check[i]))
			continue;
		snprintf(where, sizeof(where), "checks[%zu]", i);
		diag_add(d, DIAG_INVALID, where, "is the same check as checks[%zu]", k);
		return;
	}
}

static void
check_damping(const struct damp_rule *r, struct diag *d)
{
	char hold[DURATION_TEXT_SIZE], most[DURATION_TEXT_SIZE];

	if (r->hold_max_ms >= r->hold_ms)
		return;
	duration_text(r->hold_ms, hold);
	diag_add(d, DIAG_INVALID, "damping.hold_max", "must not be shorter than hold (%s)", hold);
	diag_detail(
	    d, duration_text(r->hold_max_ms, most), arena_printf(&d->arena, "at least %s", hold));
}

int
address_check(const char *name, const void *spec, struct diag *d)
{
	const struct address_spec *s = spec;
	const size_t before = d->count;

	(void)name;
	check_value(s, d);
	for (size_t i = 0; i < s->checks.count; i++)
		check_check(s, i, d);
	check_damping(&s->damping, d);
	return d->count == before ? 0 : -EINVAL;
}

void
address_refs(const void *spec, kind_ref_f *visit, void *arg)
{
	const struct address_spec *s = spec;
	const struct check_spec *check = s->checks.items;
	const struct diag_path all = { .name = "checks" };

	for (size_t i = 0; i < s->checks.count; i++) {
		const struct diag_path item = { .parent = &all, .index = i };
		const struct diag_path here = { .parent = &item, .name = "template" };

		visit(KIND_TEMPLATE, check[i].template, &here, arg);
	}
}
