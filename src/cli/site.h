/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * site -- the short forms of `domain create` as the JSON that from-scenario takes. Pure.
 *
 *	dc-a=203.0.113.10,203.0.113.11:3    {"name":"dc-a","addresses":[...],"weight":3}
 *	dc-a=2001:db8::1  dc-a=[2001:db8::1]:3
 *	http:8080/healthz {"protocol":"http","port":8080,"http":{"path":"/healthz"}}
 *	https:443/healthz the same with "https"
 */
#pragma once

#include <jansson.h>

#include "base/attr.h"
#include "base/diag.h"

/* A new reference, or NULL with a problem that shows the form. */
MUST_USE json_t *site_parse(const char *text, struct diag *d);
MUST_USE json_t *site_check_parse(const char *text, struct diag *d);
/* A whole number of 0..max, or -1 with a problem about `where`. */
MUST_USE long long site_number(const char *where, const char *text, long long max, struct diag *d);
