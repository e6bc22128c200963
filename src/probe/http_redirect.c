/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/http_redirect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NOT_A_URL "redirect to what is not a http or https URL"

static bool
same_host(const char *host, size_t len, const char *ours)
{
	if (len > 1 && host[0] == '[' && host[len - 1] == ']') {
		host++;
		len -= 2;
	}
	return ours != NULL && strlen(ours) == len && strncasecmp(host, ours, len) == 0;
}

/* "host[:port]" of `len` octets; 0 = no port. */
static int
split(const char *text, size_t *len, uint16_t *port)
{
	const char *colon = memrchr(text, ':', *len), *bracket = memrchr(text, ']', *len);
	unsigned long number = 0;

	*port = 0;
	if (colon == NULL || (bracket != NULL && bracket > colon))
		return 0;
	for (const char *at = colon + 1; at < text + *len; at++) {
		if (*at < '0' || *at > '9' || (number = number * 10 + (*at - '0')) > UINT16_MAX)
			return -1;
	}
	*port = (uint16_t)number;
	*len = (size_t)(colon - text);
	return 0;
}

/* From "host..." on. */
static const char *
absolute(const char *rest, const char *host, const char *ip, struct http_place *to)
{
	const char *path = rest + strcspn(rest, "/?");
	size_t len = (size_t)(path - rest);
	uint16_t port;

	if (memchr(rest, '@', len) != NULL || split(rest, &len, &port) < 0)
		return NOT_A_URL;
	if (!same_host(rest, len, host) && !same_host(rest, len, ip))
		return "redirect to another host is not followed";
	to->port = port != 0 ? port : to->secure ? 443 : 80;
	to->path = *path != '\0' ? path : "/";
	return NULL;
}

static void
relative(const struct http_place *from, const char *location, char *room, struct http_place *to)
{
	const size_t query = strcspn(from->path, "?");
	size_t keep = query;

	while (location[0] != '?' && keep > 0 && from->path[keep - 1] != '/')
		keep--;
	snprintf(room, (size_t)2 * HTTP_REDIRECT_MAX, "%.*s%s", (int)keep, from->path, location);
	to->path = room;
}

const char *
http_redirect(const struct http_place *from, const char *host, const char *ip, char *location,
    char *room, struct http_place *to)
{
	location[strcspn(location, "#")] = '\0';
	*to = *from;
	if (strncasecmp(location, "http://", 7) == 0) {
		to->secure = false;
		return absolute(location + 7, host, ip, to);
	}
	if (strncasecmp(location, "https://", 8) == 0) {
		to->secure = true;
		return absolute(location + 8, host, ip, to);
	}
	if (strncmp(location, "//", 2) == 0)
		return absolute(location + 2, host, ip, to);
	if (location[0] == '/') {
		to->path = location;
		return NULL;
	}
	if (location[strcspn(location, ":/?")] == ':')
		return NOT_A_URL;
	relative(from, location, room, to);
	return NULL;
}
