/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * site -- the short forms of `domain create` as the JSON that from-scenario takes. Pure.
 *
 *	dc-a=203.0.113.10,203.0.113.11:3    {"name":"dc-a","weight":3,"addresses":[...]}
 *	dc-a=2001:db8::1  dc-a=[2001:db8::1]:3
 *	dc-a=telecom:203.0.113.10,unicom:198.51.100.10,198.51.100.11,default:192.0.2.1:3
 *	                  {"name":"dc-a","weight":3,"lines":{"telecom":[...],"unicom":[two],...}}
 *	dc-a=lb.example.net@192.0.2.1       {... [{"value":"lb.example.net","target":"192.0.2.1"}]}
 *	http:8080/healthz {"protocol":"http","port":8080,"http":{"path":"/healthz"}}
 *	https:443/healthz the same with "https"
 *
 * A whole word that is an IPv6 address is one: "de:2001:db8::1" is no line de, but
 * "de:[2001:db8::1]" is.
 */
#pragma once

#include <jansson.h>

#include "base/attr.h"
#include "base/diag.h"

/* A new reference, or NULL with a problem that shows the form. */
MUST_USE json_t *site_parse(const char *text, struct diag *d);
MUST_USE json_t *site_check_parse(const char *text, struct diag *d);
/*
 * "HEAD=VALUE" or the like, cut at the last `between`: HEAD, and *value within `text`. NULL with a
 * problem that shows `form`.
 */
MUST_USE json_t *site_pair_parse(const char *option, const char *text, char between,
    const char *form, const char **value, struct diag *d);
/* A whole number of 0..max, or -1 with a problem about `where`. */
MUST_USE long long site_number(const char *where, const char *text, long long max, struct diag *d);
