/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is digested (RFC 8945 4.3.3): the prior MAC with its length, if there is one; the message as
 * it was before the TSIG record was added, under its original id; then all variables of the record,
 * or, from the second response of a stream on, only the time and fudge. Names are digested lower
 * case and uncompressed.
 */
#include "dns/tsig.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <string.h>

#include "base/check.h"
#include "dns/query.h"
#include "dns/rrtype.h"

#define CLASS_ANY    255
#define FIXED        16 /* of the rdata, the algorithm's name and what has a length aside */
#define UNSIGNED_MAX 99
#define BADTIME_LEN  6

static const struct {
	const char *digest;
	uint8_t mac_len;
	const uint8_t *name;
} hashes[TSIG_HASHES] = {
	[TSIG_SHA256] = { "SHA256", 32, (const uint8_t *)"\013hmac-sha256" },
	[TSIG_SHA384] = { "SHA384", 48, (const uint8_t *)"\013hmac-sha384" },
	[TSIG_SHA512] = { "SHA512", 64, (const uint8_t *)"\013hmac-sha512" },
};

static unsigned
get_u16(const uint8_t *p)
{
	return (unsigned)(p[0] << 8 | p[1]);
}

static void
set_u16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static uint64_t
get_u48(const uint8_t *p)
{
	uint64_t v = 0;

	for (int i = 0; i < 6; i++)
		v = v << 8 | p[i];
	return v;
}

static void
set_u48(uint8_t *p, uint64_t v)
{
	for (int i = 5; i >= 0; i--, v >>= 8)
		p[i] = (uint8_t)v;
}

int
tsig_hash_parse(const uint8_t *algorithm, enum tsig_hash *hash)
{
	for (int i = 0; i < TSIG_HASHES; i++) {
		if (name_equal(algorithm, hashes[i].name)) {
			*hash = (enum tsig_hash)i;
			return 0;
		}
	}
	return -EINVAL;
}

/* -- parsing -- */

/* Skip the record at *pos; its type and rdata. */
static int
skip_record(const uint8_t *msg, size_t len, size_t *pos, uint8_t owner[NAME_MAX_LEN],
    uint16_t *type, size_t *rdata)
{
	if (name_expand(msg, len, pos, owner) < 0 || len - *pos < 10)
		return -EINVAL;
	*type = (uint16_t)get_u16(msg + *pos);
	*rdata = *pos + 10;
	*pos = *rdata + get_u16(msg + *pos + 8);
	return *pos <= len ? 0 : -EINVAL;
}

static int
read_rdata(const uint8_t *msg, size_t pos, size_t end, struct tsig_record *r)
{
	/* RFC 8945 4.2: the algorithm's name is not compressed. */
	const int len = name_check(msg, end, pos);

	if (len < 0 || end - pos - (size_t)len < FIXED)
		return -EINVAL;
	name_copy_lower(r->algorithm, msg + pos);

	const uint8_t *p = msg + pos + len;
	const size_t left = end - pos - (size_t)len - FIXED;

	r->time_s = get_u48(p);
	r->fudge_s = (uint16_t)get_u16(p + 6);
	r->mac_len = (uint16_t)get_u16(p + 8);
	r->mac = p + 10;
	if (r->mac_len > left)
		return -EINVAL;
	p += 10 + r->mac_len;
	r->original_id = (uint16_t)get_u16(p);
	r->error = (uint16_t)get_u16(p + 2);
	r->other_len = (uint16_t)get_u16(p + 4);
	r->other = p + 6;
	return r->other_len == left - r->mac_len ? 1 : -EINVAL;
}

int
tsig_find(const uint8_t *msg, size_t len, struct tsig_record *r)
{
	uint8_t owner[NAME_MAX_LEN];
	size_t pos = DNS_HEADER_LEN;
	uint16_t type;
	size_t rdata;

	if (len < DNS_HEADER_LEN)
		return -EINVAL;

	const unsigned others = get_u16(msg + 6) + get_u16(msg + 8), more = get_u16(msg + 10);

	for (unsigned i = get_u16(msg + 4); i > 0; i--, pos += 4)
		if (name_expand(msg, len, &pos, owner) < 0 || len - pos < 4)
			return -EINVAL;
	for (unsigned i = 0; i < others + more; i++) {
		const size_t off = pos;

		if (skip_record(msg, len, &pos, owner, &type, &rdata) < 0)
			return -EINVAL;
		if (type != RRTYPE_TSIG)
			continue;
		/* RFC 8945 5.1: the last record of the additional section, and nowhere else. */
		if (i < others || i + 1 != others + more || pos != len ||
		    get_u16(msg + rdata - 8) != CLASS_ANY ||
		    memcmp(msg + rdata - 6, "\0\0\0", 4) != 0)
			return -EINVAL;
		r->off = off;
		name_copy_lower(r->key, owner);
		return read_rdata(msg, rdata, pos, r);
	}
	return 0;
}

/* -- digesting -- */

static EVP_MAC *hmac;

static void
fetch(void)
{
	hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	CHECK(hmac != NULL);
}

static void
feed(EVP_MAC_CTX *ctx, const void *data, size_t len)
{
	CHECK(EVP_MAC_update(ctx, data, len) == 1);
}

static void
feed_u16(EVP_MAC_CTX *ctx, unsigned v)
{
	uint8_t bytes[2];

	set_u16(bytes, v);
	feed(ctx, bytes, sizeof(bytes));
}

/* The session's digest, begun with the prior MAC if it was not open yet. */
static EVP_MAC_CTX *
digest_of(struct tsig_session *s)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	if (s->digest != NULL)
		return s->digest;
	pthread_once(&once, fetch);

	char digest[8];

	strcpy(digest, hashes[s->key.hash].digest);

	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(hmac);

	CHECK(ctx != NULL);
	CHECK(EVP_MAC_init(ctx, s->key.secret, s->key.secret_len, params) == 1);
	if (s->prior_len > 0) {
		feed_u16(ctx, s->prior_len);
		feed(ctx, s->prior, s->prior_len);
	}
	s->digest = ctx;
	return ctx;
}

/* The message up to `len`, with this id and `fewer` records less in the additional section. */
static void
feed_message(EVP_MAC_CTX *ctx, const uint8_t *msg, size_t len, unsigned id, unsigned fewer)
{
	uint8_t header[DNS_HEADER_LEN];

	memcpy(header, msg, sizeof(header));
	set_u16(header, id);
	set_u16(header + 10, get_u16(msg + 10) - fewer);
	feed(ctx, header, sizeof(header));
	feed(ctx, msg + sizeof(header), len - sizeof(header));
}

static void
feed_variables(EVP_MAC_CTX *ctx, const struct tsig_session *s, const struct tsig_record *r)
{
	uint8_t time[8];

	set_u48(time, r->time_s);
	set_u16(time + 6, r->fudge_s);
	if (s->going_on) {
		feed(ctx, time, sizeof(time));
		return;
	}
	feed(ctx, s->key.name, name_len(s->key.name));
	feed(ctx, "\0\377\0\0\0\0", 6); /* class ANY, TTL 0 */
	feed(ctx, s->algorithm, name_len(s->algorithm));
	feed(ctx, time, sizeof(time));
	feed_u16(ctx, r->error);
	feed_u16(ctx, r->other_len);
	feed(ctx, r->other, r->other_len);
}

/* Close the digest into `mac`, of the hash's full length. */
static void
finish(struct tsig_session *s, uint8_t mac[TSIG_MAC_MAX])
{
	size_t len;

	CHECK(EVP_MAC_final(s->digest, mac, &len, TSIG_MAC_MAX) == 1);
	CHECK(len == hashes[s->key.hash].mac_len);
	tsig_end(s);
}

void
tsig_end(struct tsig_session *s)
{
	EVP_MAC_CTX_free(s->digest);
	s->digest = NULL;
}

/* What the next message is bound to. */
static void
chain(struct tsig_session *s, const uint8_t *mac, size_t len)
{
	memcpy(s->prior, mac, len);
	s->prior_len = (uint8_t)len;
	s->going_on = s->answering;
	s->answering = true;
	s->unsigned_run = 0;
}

/* -- checking -- */

/* RFC 8945 5.2.2.1: not longer than the hash, not shorter than 10 bytes or half of it. */
static bool
may_be_mac(const struct tsig_session *s, size_t len)
{
	const size_t full = hashes[s->key.hash].mac_len;

	return len <= full && len >= 10 && len >= full / 2;
}

static bool
matches(struct tsig_session *s, const uint8_t *msg, const struct tsig_record *r)
{
	uint8_t mac[TSIG_MAC_MAX];
	EVP_MAC_CTX *ctx = digest_of(s);

	feed_message(ctx, msg, r->off, r->original_id, 1);
	feed_variables(ctx, s, r);
	finish(s, mac);
	return CRYPTO_memcmp(mac, r->mac, r->mac_len) == 0;
}

static bool
is_timely(const struct tsig_record *r, uint64_t now_s)
{
	const uint64_t gap = now_s > r->time_s ? now_s - r->time_s : r->time_s - now_s;

	return gap <= r->fudge_s;
}

static bool
is_long_enough(const struct tsig_session *s, size_t len)
{
	return s->key.mac_min == 0 || len >= s->key.mac_min;
}

/* RFC 8945 5.2, in its order: key, MAC, time, truncation. */
int
tsig_accept(struct tsig_session *s, const struct tsig_key *key, const uint8_t *msg,
    const struct tsig_record *r, uint64_t now_s)
{
	enum tsig_hash hash;

	*s = (struct tsig_session){ .error = TSIG_BADKEY, .answering = true };
	memcpy(s->algorithm, r->algorithm, name_len(r->algorithm));
	memcpy(s->key.name, r->key, name_len(r->key));
	if (key == NULL || !name_equal(r->key, key->name) ||
	    tsig_hash_parse(r->algorithm, &hash) < 0 || hash != key->hash)
		return 0;
	s->key = *key;
	if (!may_be_mac(s, r->mac_len))
		return -EINVAL;
	s->answering = false;
	if (!matches(s, msg, r)) {
		s->error = TSIG_BADSIG;
		s->answering = true;
		return 0;
	}
	chain(s, r->mac, r->mac_len);
	s->request_time = r->time_s;
	s->request_fudge = r->fudge_s;
	s->server_time = now_s;
	s->error = !is_timely(r, now_s)             ? TSIG_BADTIME
		   : !is_long_enough(s, r->mac_len) ? TSIG_BADTRUNC
						    : TSIG_OK;
	return 0;
}

void
tsig_start(struct tsig_session *s, const struct tsig_key *key)
{
	const uint8_t *algorithm = hashes[key->hash].name;

	*s = (struct tsig_session){ .key = *key };
	memcpy(s->algorithm, algorithm, name_len(algorithm));
}

static int
check_unsigned(struct tsig_session *s, const uint8_t *msg, size_t len)
{
	if (!s->going_on || ++s->unsigned_run > UNSIGNED_MAX)
		return -EINVAL;
	feed_message(digest_of(s), msg, len, get_u16(msg), 0);
	return 1;
}

int
tsig_check(struct tsig_session *s, const uint8_t *msg, size_t len, uint64_t now_s, uint16_t *error)
{
	struct tsig_record r;
	const int found = tsig_find(msg, len, &r);

	CHECK(s->answering); /* the request was signed */
	if (error != NULL)
		*error = found == 1 ? r.error : 0;
	if (found == 0)
		return check_unsigned(s, msg, len);
	if (found < 0 || !name_equal(r.key, s->key.name) ||
	    !name_equal(r.algorithm, s->algorithm) || !may_be_mac(s, r.mac_len) ||
	    !is_long_enough(s, r.mac_len) || !matches(s, msg, &r))
		return -EINVAL;
	chain(s, r.mac, r.mac_len);
	return r.error == 0 && is_timely(&r, now_s) ? 0 : -EINVAL;
}

/* -- signing -- */

static size_t
record_len(const struct tsig_session *s, const struct tsig_record *r)
{
	return name_len(s->key.name) + 10 + name_len(s->algorithm) + FIXED + r->mac_len +
	       r->other_len;
}

static void
put_record(uint8_t *p, const struct tsig_session *s, const struct tsig_record *r)
{
	const size_t name = name_len(s->key.name), algorithm = name_len(s->algorithm);

	memcpy(p, s->key.name, name);
	p += name;
	set_u16(p, RRTYPE_TSIG);
	set_u16(p + 2, CLASS_ANY);
	memset(p + 4, 0, 4);
	set_u16(p + 8, (unsigned)(algorithm + FIXED + r->mac_len + r->other_len));
	memcpy(p + 10, s->algorithm, algorithm);
	p += 10 + algorithm;
	set_u48(p, r->time_s);
	set_u16(p + 6, r->fudge_s);
	set_u16(p + 8, r->mac_len);
	if (r->mac_len > 0)
		memcpy(p + 10, r->mac, r->mac_len);
	p += 10 + r->mac_len;
	set_u16(p, r->original_id);
	set_u16(p + 2, r->error);
	set_u16(p + 4, r->other_len);
	if (r->other_len > 0)
		memcpy(p + 6, r->other, r->other_len);
}

size_t
tsig_sign(struct tsig_session *s, uint8_t *msg, size_t len, size_t cap, uint64_t now_s)
{
	/* RFC 8945 5.3.2: without a key that both know there is nothing to sign with. */
	const bool bare = s->error == TSIG_BADKEY || s->error == TSIG_BADSIG;
	const bool late = s->error == TSIG_BADTIME;
	uint8_t mac[TSIG_MAC_MAX], clock[BADTIME_LEN];
	struct tsig_record r = {
		.time_s = late ? s->request_time : now_s,
		.fudge_s = late ? s->request_fudge : TSIG_FUDGE_S,
		.original_id = (uint16_t)get_u16(msg),
		.error = (uint16_t)s->error,
		.mac = mac,
		.mac_len = bare ? 0 : hashes[s->key.hash].mac_len,
		.other = clock,
		.other_len = late ? BADTIME_LEN : 0,
	};

	set_u48(clock, s->server_time);
	if (cap < len || cap - len < record_len(s, &r))
		return 0;
	if (!bare) {
		EVP_MAC_CTX *ctx = digest_of(s);

		feed_message(ctx, msg, len, r.original_id, 0);
		feed_variables(ctx, s, &r);
		finish(s, mac);
		chain(s, mac, r.mac_len);
	}
	put_record(msg + len, s, &r);
	set_u16(msg + 10, get_u16(msg + 10) + 1);
	return len + record_len(s, &r);
}
