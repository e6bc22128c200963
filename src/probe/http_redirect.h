/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * http_redirect -- where a Location leads, seen from where we are.
 *
 * We probe one address and resolve no names, so only a redirect to the same host is followed: its
 * scheme, port and path may differ. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_REDIRECT_HOPS 5
#define HTTP_REDIRECT_MAX  2048 /* octets of a Location */

struct http_place {
	bool secure;
	uint16_t port;
	const char *path; /* with the query; octets not fit for a request line still in it */
};

/*
 * `location` is cut where its fragment begins; `to->path` points into it, or into `room` (size
 * 2 * HTTP_REDIRECT_MAX) for a path that was relative. `host`: ours, without port; `ip`: the
 * target's, which is the same host. NULL, or why it is not followed.
 */
const char *http_redirect(const struct http_place *from, const char *host, const char *ip,
    char *location, char *room, struct http_place *to);
