/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/site.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/addr.h"

#define DEFAULT_LINE "default"

static int
bad_site(const char *text, struct diag *d)
{
	diag_add(d, DIAG_INVALID, "--site",
	    "must look like dc-a=203.0.113.10,203.0.113.11:3 or "
	    "dc-a=telecom:203.0.113.10,unicom:198.51.100.10");
	diag_detail(d, text, NULL);
	return -EINVAL;
}

static bool
is_number(const char *text)
{
	return *text != '\0' && text[strspn(text, "0123456789")] == '\0';
}

long long
site_number(const char *where, const char *text, long long max, struct diag *d)
{
	if (is_number(text) && strlen(text) < 12 && atoll(text) <= max)
		return atoll(text);
	char allowed[48];

	snprintf(allowed, sizeof(allowed), "0..%lld", max);
	diag_add(d, DIAG_INVALID, where, "must be a whole number");
	diag_detail(d, text, allowed);
	return -1;
}

/* -- [LINE:]ADDRESS[@TARGET][:WEIGHT] -- */

struct item {
	char *line, *address, *target, *weight; /* NULL: not given */
};

static bool
is_ip(const char *text, int family)
{
	struct addr ip;

	return addr_ip_parse(&ip, text, family) == 0;
}

/* The next part up to a colon outside of brackets; NULL at the end. */
static char *
next_part(char **at)
{
	char *part = *at;
	int depth = 0;

	if (part == NULL)
		return NULL;
	for (char *c = part; *c != '\0'; c++) {
		depth += (*c == '[') - (*c == ']');
		if (*c != ':' || depth > 0)
			continue;
		*c = '\0';
		*at = c + 1;
		return part;
	}
	*at = NULL;
	return part;
}

/* Without the brackets around it, which must be a pair. */
static char *
unwrap(char *text)
{
	const size_t len = strlen(text);

	if (*text != '[' || len < 2 || text[len - 1] != ']')
		return text;
	text[len - 1] = '\0';
	return text + 1;
}

static void
split_target(struct item *out)
{
	char *at = strchr(out->address, '@');

	if (at != NULL) {
		*at = '\0';
		out->target = unwrap(at + 1);
	}
	out->address = unwrap(out->address);
}

/* An IPv6 address without brackets is not followed by a weight. */
static bool
take_bare(char *text, struct item *out)
{
	char *colon = strchr(text, ':');

	if (is_ip(text, AF_INET6)) {
		*out = (struct item){ .address = text };
		return true;
	}
	if (colon == NULL || !is_ip(colon + 1, AF_INET6))
		return false;
	*colon = '\0';
	*out = (struct item){ .line = text, .address = colon + 1 };
	return *text != '\0';
}

static bool
take_item(char *text, struct item *out)
{
	char *parts[4];
	size_t n = 0;

	if (take_bare(text, out))
		return true;
	while (n < 4 && (parts[n] = next_part(&text)) != NULL) {
		if (*parts[n++] == '\0')
			return false;
	}
	*out = (struct item){ 0 };
	if (n == 1)
		out->address = parts[0];
	else if (n == 2 && (is_number(parts[1]) || is_ip(parts[0], AF_INET) || *parts[0] == '['))
		*out = (struct item){ .address = parts[0], .weight = parts[1] };
	else if (n == 2)
		*out = (struct item){ .line = parts[0], .address = parts[1] };
	else if (n == 3)
		*out = (struct item){ .line = parts[0], .address = parts[1], .weight = parts[2] };
	else
		return false;
	split_target(out);
	return *out->address != '\0' && (out->target == NULL || *out->target != '\0');
}

/* -- the site -- */

static json_t *
address_json(const struct item *item)
{
	if (item->target == NULL)
		return json_string(item->address);
	return json_pack("{s:s, s:s}", "value", item->address, "target", item->target);
}

static void
add_address(json_t *lines, const char *line, const struct item *item)
{
	json_t *list = json_object_get(lines, line);

	if (list == NULL) {
		list = json_array();
		json_object_set_new(lines, line, list);
	}
	json_array_append_new(list, address_json(item));
}

/* A line holds until the next one is named. *by_line: one was. */
static int
fill_lines(
    char *text, const char *whole, json_t *lines, bool *by_line, json_t *site, struct diag *d)
{
	const char *line = DEFAULT_LINE;
	char *save = NULL;

	for (char *one = strtok_r(text, ",", &save); one != NULL;) {
		char *next = strtok_r(NULL, ",", &save);
		struct item item;

		if (!take_item(one, &item) || (item.weight != NULL && next != NULL))
			return bad_site(whole, d);
		if (item.line != NULL) {
			line = item.line;
			*by_line = true;
		}
		add_address(lines, line, &item);
		if (item.weight != NULL) {
			const long long n = site_number("--site weight", item.weight, 65535, d);

			if (n < 0)
				return -EINVAL;
			json_object_set_new(site, "weight", json_integer(n));
		}
		one = next;
	}
	return json_object_size(lines) > 0 ? 0 : bad_site(whole, d);
}

static int
fill_site(char *text, const char *whole, json_t *site, struct diag *d)
{
	json_t *lines = json_object();
	bool by_line = false;
	const int rc = fill_lines(text, whole, lines, &by_line, site, d);

	if (by_line)
		json_object_set(site, "lines", lines);
	else
		json_object_set(site, "addresses", json_object_get(lines, DEFAULT_LINE));
	json_decref(lines);
	return rc;
}

json_t *
site_parse(const char *text, struct diag *d)
{
	const char *equals = strchr(text, '=');

	if (equals == NULL || equals == text) {
		bad_site(text, d);
		return NULL;
	}
	json_t *site = json_pack("{s:s%,s:i}", "name", text, (size_t)(equals - text), "weight", 1);
	char *rest = xstrdup(equals + 1);

	if (site == NULL || fill_site(rest, text, site, d) != 0) {
		if (site == NULL)
			bad_site(text, d);
		json_decref(site);
		site = NULL;
	}
	free(rest);
	return site;
}

/* -- checks -- */

json_t *
site_check_parse(const char *text, struct diag *d)
{
	const char *colon = strchr(text, ':');
	const char *path = colon != NULL ? strchr(colon, '/') : NULL;
	const size_t port_len =
	    path != NULL ? (size_t)(path - colon - 1) : strlen(colon != NULL ? colon + 1 : "");

	if (colon == NULL || colon == text || port_len == 0) {
		diag_add(d, DIAG_INVALID, "--check",
		    "must look like tcp:80, http:80/healthz or https:443/healthz");
		diag_detail(d, text, NULL);
		return NULL;
	}
	char *port_text = xstrndup(colon + 1, port_len);
	const long long port = site_number("--check port", port_text, 65535, d);

	free(port_text);
	if (port < 0)
		return NULL;
	json_t *check = json_pack(
	    "{s:s%,s:I}", "protocol", text, (size_t)(colon - text), "port", (json_int_t)port);

	if (path != NULL)
		json_object_set_new(check, "http", json_pack("{s:s}", "path", path));
	return check;
}

json_t *
site_pair_parse(const char *option, const char *text, char between, const char *form,
    const char **value, struct diag *d)
{
	const char *at = strrchr(text, between);

	if (at == NULL || at == text || at[1] == '\0') {
		diag_add(d, DIAG_INVALID, option, "must look like %s", form);
		diag_detail(d, text, NULL);
		return NULL;
	}
	json_t *head = json_stringn(text, (size_t)(at - text));

	if (head == NULL) {
		diag_add(d, DIAG_INVALID, option, "is not valid UTF-8");
		return NULL;
	}
	*value = at + 1;
	return head;
}
