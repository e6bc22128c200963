/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/site.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static int
bad_site(const char *text, struct diag *d)
{
	diag_add(d, DIAG_INVALID, "--site", "must look like dc-a=203.0.113.10,203.0.113.11:3");
	diag_detail(d, text, NULL);
	return -EINVAL;
}

long long
site_number(const char *where, const char *text, long long max, struct diag *d)
{
	if (*text != '\0' && text[strspn(text, "0123456789")] == '\0' && strlen(text) < 12 &&
	    atoll(text) <= max)
		return atoll(text);
	char allowed[48];

	snprintf(allowed, sizeof(allowed), "0..%lld", max);
	diag_add(d, DIAG_INVALID, where, "must be a whole number");
	diag_detail(d, text, allowed);
	return -1;
}

/* Cut ":weight" off the last address; an IPv6 address has one only behind brackets. */
static int
take_weight(char *last, json_t *site, struct diag *d)
{
	char *colon = strrchr(last, ':');

	if (*last == '[' ? colon != NULL && colon[-1] != ']' : colon != strchr(last, ':'))
		colon = NULL;
	if (colon == NULL)
		return 0;
	*colon = '\0';

	const long long weight = site_number("--site weight", colon + 1, 65535, d);

	if (weight < 0)
		return -EINVAL;
	json_object_set_new(site, "weight", json_integer(weight));
	return 0;
}

static int
fill_site(char *text, const char *whole, json_t *site, struct diag *d)
{
	json_t *addresses = json_object_get(site, "addresses");
	char *last = strrchr(text, ','), *save = NULL;

	if (take_weight(last != NULL ? last + 1 : text, site, d) != 0)
		return -EINVAL;
	for (char *one = strtok_r(text, ",", &save); one != NULL;
	     one = strtok_r(NULL, ",", &save)) {
		const size_t len = strlen(one);

		if (*one == '[' && one[len - 1] == ']') {
			one[len - 1] = '\0';
			one++;
		}
		if (*one == '\0')
			return bad_site(whole, d);
		json_array_append_new(addresses, json_string(one));
	}
	return json_array_size(addresses) > 0 ? 0 : bad_site(whole, d);
}

json_t *
site_parse(const char *text, struct diag *d)
{
	const char *equals = strchr(text, '=');

	if (equals == NULL || equals == text) {
		bad_site(text, d);
		return NULL;
	}
	json_t *site = json_pack(
	    "{s:s%,s:i,s:[]}", "name", text, (size_t)(equals - text), "weight", 1, "addresses");
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
