/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "serve/transfer.h"

#include <errno.h>

#include "dns/rrtype.h"
#include "serve/transfer_policy.h"
#include "serve/transfer_write.h"
#include "zone/history_condense.h"

bool
transfer_is_asked(const uint8_t *msg, size_t len)
{
	size_t pos = DNS_HEADER_LEN;
	int name;

	if (len < DNS_HEADER_LEN || (msg[2] & 0xf8) != 0 || msg[4] != 0 || msg[5] != 1)
		return false;
	name = name_check(msg, len, pos);
	if (name < 0 || len - pos - (size_t)name < 4)
		return false;
	pos += (size_t)name;
	return msg[pos] == 0 && (msg[pos + 1] == RRTYPE_AXFR || msg[pos + 1] == RRTYPE_IXFR);
}

static void
refuse(struct transfer *t, uint16_t rcode, const char *why)
{
	t->rcode = rcode;
	t->kind = why;
	transfer_write_error(t);
}

/* -- who asks -- */

/* false: refused already. */
static bool
check_signature(struct transfer *t, const struct transfer_env *env, const uint8_t *msg, size_t len,
    uint64_t now_s)
{
	struct tsig_record r;
	const int found = tsig_find(msg, len, &r);

	if (found == 0)
		return true;
	if (found < 0 ||
	    tsig_accept(&t->tsig, keyring_find(env->keys, r.key), msg, &r, now_s) < 0) {
		refuse(t, RCODE_FORMERR, "malformed signature");
		return false;
	}
	t->is_signed = true;
	if (t->tsig.error == TSIG_OK)
		return true;
	refuse(t, RCODE_NOTAUTH,
	    t->tsig.error == TSIG_BADKEY    ? "unknown key"
	    : t->tsig.error == TSIG_BADSIG  ? "bad signature"
	    : t->tsig.error == TSIG_BADTIME ? "the signature's time is off"
					    : "the signature is cut too short");
	return false;
}

/* -- IXFR -- */

/* Serial of the SOA in the authority section of the request. */
static int
read_serial(const struct transfer *t, const uint8_t *msg, size_t len, uint32_t *serial)
{
	uint8_t name[NAME_MAX_LEN];
	size_t pos = t->query.body_off, end;

	if (msg[6] != 0 || msg[7] != 0 || msg[8] != 0 || msg[9] == 0 ||
	    name_expand(msg, len, &pos, name) < 0 || len - pos < 10 || msg[pos] != 0 ||
	    msg[pos + 1] != RRTYPE_SOA)
		return -EINVAL;
	end = pos + 10 + (size_t)(msg[pos + 8] << 8 | msg[pos + 9]);
	pos += 10;
	if (end > len || name_expand(msg, end, &pos, name) < 0 ||
	    name_expand(msg, end, &pos, name) < 0 || end - pos != 20)
		return -EINVAL;
	*serial = (uint32_t)msg[pos] << 24 | (uint32_t)msg[pos + 1] << 16 |
		  (uint32_t)msg[pos + 2] << 8 | msg[pos + 3];
	return 0;
}

#define WORTH_IT 16384 /* bytes of differences for which nobody is sent a whole zone */

static size_t
bytes_of(struct history_step *const *steps, size_t n)
{
	size_t bytes = 0;

	for (size_t i = 0; i < n; i++)
		bytes += steps[i]->bytes;
	return bytes;
}

/* RFC 1995 section 5: as one step if that is less; false: the zone itself is less. */
static bool
write_steps(struct transfer *t, const struct zone *z, struct history_step **steps, size_t n)
{
	struct history_step *one = n > 1 ? history_condense(steps, n) : NULL;
	const size_t bytes = one != NULL ? one->bytes : bytes_of(steps, n);
	const bool good = n > 0 && (bytes <= WORTH_IT || bytes <= zone_bytes(z));

	if (good && one != NULL)
		transfer_write_steps(t, &one, 1);
	else if (good)
		transfer_write_steps(t, steps, n);
	history_step_unref(&one);
	return good;
}

static void
prepare_ixfr(struct transfer *t, const struct zone *z, const struct rrset *soa, uint32_t have)
{
	struct history *h = zone_history(z);
	struct history_step **steps = NULL;
	size_t n;

	t->kind = "up to date";
	if (!history_newer(history_serial(soa), have)) {
		transfer_write_soa(t, soa);
		return;
	}
	n = h == NULL ? 0 : history_since(h, have, &steps);
	t->kind = "IXFR";
	if (!write_steps(t, z, steps, n)) {
		t->kind = "IXFR as AXFR";
		transfer_write_zone(t, z);
	}
	history_release(steps, n);
}

static const struct rrset *
find_soa(const struct zone *z)
{
	const struct zone_node *apex = zone_apex_node(z);

	return apex == NULL ? NULL : zone_node_find(apex, RRTYPE_SOA);
}

static void
prepare(struct transfer *t, const struct transfer_env *env, const uint8_t *msg, size_t len,
    const struct addr *peer)
{
	const struct query *q = &t->query;
	const struct zone *z = zones_exact(env->zones, q->qname);
	const struct rrset *soa;
	uint32_t have = 0;

	if (q->qclass != DNS_CLASS_IN || z == NULL) {
		refuse(t, RCODE_NOTAUTH, "not authoritative"); /* RFC 5936 2.2.1 */
	} else if (!transfer_policy_allows(
		       zone_policy(z), peer, t->is_signed ? t->tsig.key.name : NULL)) {
		refuse(t, RCODE_REFUSED, "not allowed");
	} else if ((soa = find_soa(z)) == NULL || zone_stale(z)) {
		refuse(t, RCODE_SERVFAIL, "the zone is not loaded, or has expired");
	} else if (q->qtype == RRTYPE_IXFR && read_serial(t, msg, len, &have) < 0) {
		refuse(t, RCODE_FORMERR, "no serial in the request");
	} else if (q->qtype == RRTYPE_IXFR) {
		prepare_ixfr(t, z, soa, have);
	} else {
		t->kind = "AXFR";
		transfer_write_zone(t, z);
	}
}

void
transfer_prepare(struct transfer *t, const struct transfer_env *env, const uint8_t *msg, size_t len,
    const struct addr *peer, uint64_t now_s)
{
	t->tsig = (struct tsig_session){ .error = TSIG_OK };
	t->is_signed = false;
	t->rcode = RCODE_NOERROR;
	t->kind = "malformed";
	t->serial = 0;
	t->records = 0;
	spool_init(&t->spool, env->dir);
	if (query_parse(msg, len, &t->query) == QUERY_DROP)
		return;
	if (t->query.rcode != RCODE_NOERROR)
		refuse(t, t->query.rcode, t->kind);
	else if (check_signature(t, env, msg, len, now_s))
		prepare(t, env, msg, len, peer);
}

int
transfer_next(struct transfer *t, uint8_t *out, uint64_t now_s)
{
	const int len = spool_get(&t->spool, out);

	if (len <= 0 || !t->is_signed)
		return len;

	const size_t whole = tsig_sign(&t->tsig, out, (size_t)len, UINT16_MAX, now_s);

	return whole == 0 ? -EMSGSIZE : (int)whole;
}

void
transfer_fini(struct transfer *t)
{
	spool_fini(&t->spool);
	tsig_end(&t->tsig);
}
