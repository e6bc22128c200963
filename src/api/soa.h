/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * soa -- the SOA and NS of a zone that has none yet, and the serial that follows every change.
 */
#pragma once

#include "api/edit.h"

/* For a zone put in this edit: add SOA and NS made from its spec unless the zone has an SOA. */
void soa_plant(struct edit *e, const char *zone);
/* Records of `zone` change: add its SOA with the next serial. */
void soa_bump(struct edit *e, const char *zone);

/* Does this edit bring the zone a SOA already, alone or with all its records? */
bool soa_is_new(const struct edit *e, const char *zone);

/* The serial after `soa`'s by the zone's policy; always newer (RFC 1982). */
uint32_t soa_next(const struct edit *e, const char *zone, const struct rrset *soa);
/* As above; `now_s` seconds of Unix time. */
uint32_t soa_next_serial(int policy, uint32_t serial, int64_t now_s);
uint32_t soa_serial(const struct rrset *soa);
/* A copy with another serial, to rrset_free. */
struct rrset *soa_with_serial(const struct rrset *soa, uint32_t serial);
/* RFC 1982: is `a` after `b`? */
bool soa_newer(uint32_t a, uint32_t b);
