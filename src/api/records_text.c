/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Record sets between JSON and wire form. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/records.h"
#include "base/mem.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"

#define TTL_DEFAULT 3600
#define TTL_MAX     2147483647 /* RFC 2181 section 8 */

int
records_owner(const char *zone, const char *text, uint8_t owner[NAME_MAX_LEN], struct diag *d)
{
	uint8_t apex[NAME_MAX_LEN], relative[NAME_MAX_LEN];
	const size_t len = strlen(text);
	int n;

	if (name_parse_lower(zone, apex) < 0)
		return diag_add(d, DIAG_INVALID, "zone", "is not a domain name");
	if (strcmp(text, "@") == 0) {
		memcpy(owner, apex, name_len(apex));
		return 0;
	}
	n = len > 0 ? name_parse_lower(text, relative) : -EINVAL;
	if (n < 0) {
		diag_add(d, DIAG_INVALID, "owner", "is not a domain name");
		diag_detail(d, text, "\"@\", a name relative to the zone, or one inside it");
		return -EINVAL;
	}
	if (name_below(relative, apex)) {
		memcpy(owner, relative, (size_t)n);
		return 0;
	}
	if (text[len - 1] == '.') {
		diag_add(d, DIAG_INVALID, "owner", "is outside the zone");
		diag_detail(d, text, zone);
		return -EINVAL;
	}
	if ((size_t)n - 1 + name_len(apex) > NAME_MAX_LEN)
		return diag_add(d, DIAG_INVALID, "owner", "is longer than 255 bytes");
	memcpy(owner, relative, (size_t)n - 1);
	memcpy(owner + n - 1, apex, name_len(apex));
	return 0;
}

json_t *
records_encode(const uint8_t *owner, const struct rrset *set)
{
	char name[NAME_TEXT_SIZE], type[RRTYPE_TEXT_SIZE];
	json_t *j = json_object(), *list = json_array();
	const uint8_t *rdata;
	uint32_t pos = 0;
	uint16_t len;

	while ((rdata = rrset_next(set, &pos, &len)) != NULL) {
		struct buf text;

		buf_init(&text, SIZE_MAX);
		rdata_text(set->type, rdata, len, &text);
		json_array_append_new(list, json_string(buf_str(&text)));
		buf_fini(&text);
	}
	json_object_set_new(j, "owner", json_string(name_text(owner, name)));
	json_object_set_new(j, "type", json_string(rrtype_text(set->type, type)));
	json_object_set_new(j, "ttl", json_integer(set->ttl_s));
	json_object_set_new(j, "records", list);
	return j;
}

static int
decode_ttl(const json_t *j, uint32_t *ttl_s, struct diag *d)
{
	char got[32];

	*ttl_s = TTL_DEFAULT;
	if (j == NULL)
		return 0;
	if (!json_is_integer(j))
		return diag_add(d, DIAG_INVALID, "ttl", "must be a whole number of seconds");
	if (json_integer_value(j) < 0 || json_integer_value(j) > TTL_MAX) {
		snprintf(got, sizeof(got), "%lld", (long long)json_integer_value(j));
		diag_add(d, DIAG_INVALID, "ttl", "is out of range");
		diag_detail(d, got, "0..2147483647");
		return -EINVAL;
	}
	*ttl_s = (uint32_t)json_integer_value(j);
	return 0;
}

static void
decode_record(
    const char *zone, uint16_t type, const json_t *j, size_t i, struct buf *out, struct diag *d)
{
	const char *text = json_string_value(j), *why = NULL;
	struct buf rdata;
	char where[32];

	snprintf(where, sizeof(where), "records[%zu]", i);
	if (text == NULL) {
		diag_add(d, DIAG_INVALID, where, "must be a string");
		return;
	}
	buf_init(&rdata, RDATA_MAX_LEN);
	if (rdata_parse(type, text, zone, &rdata, &why) < 0) {
		diag_add(d, DIAG_INVALID, where, "%s", why != NULL ? why : "is not valid");
		diag_detail(d, text, NULL);
	} else {
		buf_put_u16(out, (uint16_t)rdata.len);
		buf_put(out, rdata.data, rdata.len);
	}
	buf_fini(&rdata);
}

struct rrset *
records_decode(const char *zone, uint16_t type, const json_t *body, struct diag *d)
{
	const json_t *list = json_object_get(body, "records"), *item;
	struct rrset *set = NULL;
	struct buf data;
	uint32_t ttl_s = 0;
	size_t i;

	if (decode_ttl(json_object_get(body, "ttl"), &ttl_s, d) < 0)
		return NULL;
	if (!json_is_array(list) || json_array_size(list) == 0) {
		diag_add(d, DIAG_INVALID, "records", "must be a list of at least one record");
		return NULL;
	}
	buf_init(&data, SIZE_MAX);
	json_array_foreach((json_t *)(uintptr_t)list, i, item)
	    decode_record(zone, type, item, i, &data, d);
	if (!diag_failed(d)) {
		set = rrset_new(type, ttl_s, data.data, data.len);
		if (set == NULL)
			diag_add(d, DIAG_INVALID, "records", "the set is too large");
	}
	buf_fini(&data);
	return set;
}
