/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "zone/history_codec.h"

#include "base/mem.h"
#include "dns/name.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"

static void
put_set(struct buf *b, const struct rrset *s)
{
	buf_put_u16(b, s->type);
	buf_put_u32(b, s->ttl_s);
	buf_put_u32(b, s->size);
	buf_put(b, s->data, s->size);
}

static void
put_items(struct buf *b, const struct history_item *items, size_t n)
{
	buf_put_u32(b, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		buf_put(b, items[i].owner, name_len(items[i].owner));
		put_set(b, items[i].set);
	}
}

void
history_codec_put(struct buf *b, const struct history_step *s)
{
	put_set(b, s->old_soa);
	put_set(b, s->new_soa);
	put_items(b, s->gone, s->n_gone);
	put_items(b, s->come, s->n_come);
}

/* NULL makes the reader bad. */
static struct rrset *
take_set(struct buf_reader *r)
{
	const uint16_t type = buf_read_u16(r);
	const uint32_t ttl_s = buf_read_u32(r), size = buf_read_u32(r);
	const uint8_t *data = buf_read_bytes(r, size);
	struct rrset *s = data != NULL ? rrset_new(type, ttl_s, data, size) : NULL;

	r->bad |= s == NULL;
	return s;
}

static void
take_items(struct buf_reader *r, struct history_step *s,
    void (*add)(struct history_step *s, const uint8_t *owner, struct rrset *set))
{
	for (uint32_t n = buf_read_u32(r); n > 0 && !r->bad; n--) {
		const int len = name_check(r->data, r->len, r->pos);
		const uint8_t *owner = len > 0 ? buf_read_bytes(r, (size_t)len) : NULL;
		struct rrset *set = owner != NULL ? take_set(r) : NULL;

		r->bad |= set == NULL;
		if (set != NULL)
			add(s, owner, set);
	}
}

static bool
is_soa(const struct rrset *s)
{
	return s != NULL && s->type == RRTYPE_SOA && s->count == 1 &&
	       rdata_check(RRTYPE_SOA, s->data + 2, (uint16_t)(s->size - 2));
}

struct history_step *
history_codec_take(struct buf_reader *r)
{
	struct history_step *s = xcalloc(1, sizeof(*s));

	s->refs = 1;
	s->bytes = sizeof(*s);
	s->old_soa = take_set(r);
	s->new_soa = take_set(r);
	take_items(r, s, history_step_gone);
	take_items(r, s, history_step_come);
	if (r->bad || !is_soa(s->old_soa) || !is_soa(s->new_soa)) {
		history_step_unref(&s);
		return NULL;
	}
	s->from = history_serial(s->old_soa);
	s->to = history_serial(s->new_soa);
	return s;
}
