/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/soa.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/records.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "model/nouns.h"

#define SOA_TTL    3600
#define SOA_TIMERS "3600 900 1209600 300" /* refresh, retry, expire, negative TTL */
#define TIMERS     20                     /* bytes after the two names, serial first */

uint32_t
soa_serial(const struct rrset *soa)
{
	const uint8_t *p = soa->data + soa->size - TIMERS;

	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

struct rrset *
soa_with_serial(const struct rrset *soa, uint32_t serial)
{
	uint8_t *data = xmemdup(soa->data, soa->size), *p = data + soa->size - TIMERS;

	p[0] = (uint8_t)(serial >> 24);
	p[1] = (uint8_t)(serial >> 16);
	p[2] = (uint8_t)(serial >> 8);
	p[3] = (uint8_t)serial;

	struct rrset *set = rrset_new(RRTYPE_SOA, soa->ttl_s, data, soa->size);

	CHECK(set != NULL);
	free(data);
	return set;
}

bool
soa_newer(uint32_t a, uint32_t b)
{
	return a != b && (uint32_t)(a - b) < 0x80000000u;
}

/* 2026073100 */
static uint32_t
date_serial(int64_t now_s)
{
	const time_t now = (time_t)now_s;
	struct tm tm;

	gmtime_r(&now, &tm);
	return (uint32_t)(((tm.tm_year + 1900) * 100 + tm.tm_mon + 1) * 100 + tm.tm_mday) * 100u;
}

uint32_t
soa_next_serial(int policy, uint32_t serial, int64_t now_s)
{
	const uint32_t wish = policy == SERIAL_UNIXTIME     ? (uint32_t)now_s
			      : policy == SERIAL_DATESERIAL ? date_serial(now_s)
							    : serial + 1;

	return soa_newer(wish, serial) ? wish : serial + 1;
}

uint32_t
soa_next(const struct edit *e, const char *zone, const struct rrset *soa)
{
	const struct model_object *o = model_find(e->model, KIND_ZONE, zone);
	const struct zone_spec *spec = o != NULL ? o->spec : NULL;

	return soa_next_serial(spec != NULL ? spec->serial : SERIAL_INCREMENT, soa_serial(soa),
	    clock_real_ms() / 1000);
}

/* "host.master@example.com" -> "host\.master.example.com." (RFC 1035 section 8) */
static void
put_rname(struct buf *out, const char *contact, const char *zone)
{
	const char *at = contact != NULL ? strchr(contact, '@') : NULL;

	if (contact == NULL || contact[0] == '\0') {
		buf_printf(out, "hostmaster.%s.", zone);
		return;
	}
	for (const char *c = contact; *c != '\0'; c++) {
		if (at != NULL && c < at && *c == '.')
			buf_puts(out, "\\");
		buf_put_u8(out, (uint8_t)(c == at ? '.' : *c));
	}
	if (contact[strlen(contact) - 1] != '.')
		buf_puts(out, ".");
}

/* Names in a spec are absolute, with or without the final dot. */
static void
put_absolute(struct buf *out, const char *name)
{
	buf_printf(out, "%s%s", name, name[strlen(name) - 1] == '.' ? "" : ".");
}

static void
plant(struct edit *e, const char *zone, const uint8_t *apex, uint16_t type, struct buf *records)
{
	struct rrset *set = rrset_new(type, SOA_TTL, records->data, records->len);

	CHECK(set != NULL);
	edit_rrset(e, zone, apex, type, set);
	rrset_free(&set);
}

/* Parse `text` and append it as one { length; rdata }. */
static void
put_rdata(struct edit *e, uint16_t type, const char *where, struct buf *text, struct buf *out)
{
	struct buf rdata;
	const char *why = NULL;

	buf_init(&rdata, RDATA_MAX_LEN);
	if (rdata_parse(type, buf_str(text), ".", &rdata, &why) == 0) {
		buf_put_u16(out, (uint16_t)rdata.len);
		buf_put(out, rdata.data, rdata.len);
	} else {
		diag_add(&e->r->diag, DIAG_INVALID, where, "%s",
		    why != NULL ? why : "is not a valid name");
		diag_detail(&e->r->diag, buf_str(text), NULL);
	}
	buf_fini(&rdata);
	buf_clear(text);
}

static void
plant_all(struct edit *e, const char *zone, const struct zone_spec *spec)
{
	const char *const *servers = spec->nameservers.items;
	const char *own = arena_printf(&e->r->arena, "ns1.%s", zone);
	size_t n = spec->nameservers.count;
	uint8_t apex[NAME_MAX_LEN];
	struct buf text, soa, ns;

	buf_init(&text, SIZE_MAX);
	buf_init(&soa, SIZE_MAX);
	buf_init(&ns, SIZE_MAX);
	CHECK(name_parse_lower(zone, apex) > 0);
	if (n == 0) {
		servers = &own;
		n = 1;
		edit_warn(e, "no nameservers given: %s is put in; it needs an address record", own);
	}
	put_absolute(&text, servers[0]);
	buf_puts(&text, " ");
	put_rname(&text, spec->contact, zone);
	buf_puts(&text, " 1 " SOA_TIMERS);
	put_rdata(e, RRTYPE_SOA, "contact", &text, &soa);
	for (size_t i = 0; i < n; i++) {
		put_absolute(&text, servers[i]);
		put_rdata(e, RRTYPE_NS, "nameservers", &text, &ns);
	}
	if (!diag_failed(&e->r->diag)) {
		plant(e, zone, apex, RRTYPE_SOA, &soa);
		plant(e, zone, apex, RRTYPE_NS, &ns);
	}
	buf_fini(&text);
	buf_fini(&soa);
	buf_fini(&ns);
}

void
soa_plant(struct edit *e, const char *zone)
{
	const struct change_op *op = edit_pending(e, KIND_ZONE, zone);
	uint8_t apex[NAME_MAX_LEN];

	if (op == NULL || name_parse_lower(zone, apex) < 0)
		return;

	struct rrset *soa = records_find(control_store(e->r->control), zone, apex, RRTYPE_SOA);

	if (soa == NULL) {
		json_t *j = json_loads(op->spec, 0, NULL);
		const struct zone_spec *spec =
		    kind_decode(KIND_ZONE, zone, j, &e->r->arena, &e->r->diag);

		if (spec != NULL && spec->role == ZONE_PRIMARY)
			plant_all(e, zone, spec);
		json_decref(j);
	}
	rrset_free(&soa);
}

bool
soa_is_new(const struct edit *e, const char *zone)
{
	for (size_t i = e->set.count; i-- > 0;) {
		const struct change_op *op = &e->set.ops[i];
		const bool soa = op->op == CHANGE_ZONE_PAGE ||
				 (op->op == CHANGE_RRSET_PUT && op->type == RRTYPE_SOA);

		if (soa && strcmp(op->name, zone) == 0)
			return true;
	}
	return false;
}

void
soa_bump(struct edit *e, const char *zone)
{
	uint8_t apex[NAME_MAX_LEN];

	if (name_parse_lower(zone, apex) < 0)
		return;

	struct rrset *old = records_find(control_store(e->r->control), zone, apex, RRTYPE_SOA);

	if (old == NULL)
		return;

	struct rrset *next = soa_with_serial(old, soa_next(e, zone, old));

	edit_rrset(e, zone, apex, RRTYPE_SOA, next);
	rrset_free(&next);
	rrset_free(&old);
}
