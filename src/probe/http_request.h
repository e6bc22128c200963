/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * http_request -- a template's HTTP options as the request to send and the statuses to expect.
 *
 * Pure. Whatever the options hold, the result is one well-formed request: octets that do not
 * belong into a request line are percent-encoded, headers that would break it are left out.
 */
#pragma once

#include <stddef.h>

#include "base/attr.h"
#include "model/nouns.h"
#include "net/addr.h"
#include "probe/http_redirect.h"
#include "probe/recipe.h"

/*
 * Host: the template's as it stands, else `host` and the port (unless the scheme's), else the
 * target. The template's own headers replace ours, but not Connection. The caller frees.
 */
MUST_USE char *http_request_text(const struct http_spec *http, const struct addr *target,
    const char *host, bool secure, size_t *len);
/* `text` (of `len`) for another place: path and port differ. The caller frees. */
MUST_USE char *http_request_redirect(
    const char *text, size_t len, const char *host, const struct http_place *to, size_t *out_len);
/* What the Host header names, without port. The caller frees. */
MUST_USE char *
http_request_host(const struct http_spec *http, const struct addr *target, const char *host);
/* "200" and "200-399"; what is neither is left out. Nothing left: 200-399. The caller frees
 * what is not &recipe_usual. */
MUST_USE const struct recipe_range *http_request_expect(const struct http_spec *http, size_t *n);
