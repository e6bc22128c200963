/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "node/token.h"

#include <errno.h>
#include <openssl/sha.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

#define PREFIX   "gtm1-"
#define CHECKSUM 4
#define BYTES_MAX                                                                                  \
	(1 + TOKEN_SERVER_SIZE + 2 + TOKEN_NODE_SIZE + TOKEN_SECRET + TOKEN_DIGEST + CHECKSUM)

void
token_hex(const uint8_t *data, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		*out++ = digits[data[i] >> 4];
		*out++ = digits[data[i] & 15];
	}
	*out = '\0';
}

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int
token_unhex(const char *text, uint8_t *out, size_t len)
{
	if (strlen(text) != 2 * len)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		const int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return -EINVAL;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return 0;
}

void
token_hash(const uint8_t secret[TOKEN_SECRET], char out[TOKEN_HASH_SIZE])
{
	uint8_t hash[SHA256_DIGEST_LENGTH];

	SHA256(secret, TOKEN_SECRET, hash);
	token_hex(hash, sizeof(hash), out);
}

char *
token_text(const struct token *t)
{
	uint8_t sum[SHA256_DIGEST_LENGTH];
	char hex[2 * BYTES_MAX + 1];
	struct buf b;

	buf_init(&b, BYTES_MAX);
	buf_put_u8(&b, (uint8_t)strlen(t->server));
	buf_puts(&b, t->server);
	buf_put_u16(&b, (uint16_t)strlen(t->node));
	buf_puts(&b, t->node);
	buf_put(&b, t->secret, sizeof(t->secret));
	buf_put(&b, t->authority, sizeof(t->authority));
	SHA256(b.data, b.len, sum);
	buf_put(&b, sum, CHECKSUM);
	token_hex(b.data, b.len, hex);
	buf_fini(&b);
	return xasprintf(PREFIX "%s", hex);
}

/* A text of `len` bytes without a NUL. */
static bool
take_text(struct buf_reader *r, size_t len, char *out, size_t size)
{
	const uint8_t *data = buf_read_bytes(r, len);

	if (data == NULL || len == 0 || len >= size || memchr(data, '\0', len) != NULL)
		return false;
	memcpy(out, data, len);
	out[len] = '\0';
	return true;
}

static bool
take_bytes(struct buf_reader *r, uint8_t *out, size_t len)
{
	const uint8_t *data = buf_read_bytes(r, len);

	if (data != NULL)
		memcpy(out, data, len);
	return data != NULL;
}

static bool
is_whole(const uint8_t *data, size_t len)
{
	uint8_t sum[SHA256_DIGEST_LENGTH];

	if (len <= CHECKSUM)
		return false;
	SHA256(data, len - CHECKSUM, sum);
	return memcmp(sum, data + len - CHECKSUM, CHECKSUM) == 0;
}

const char *
token_parse(const char *text, struct token *out)
{
	const size_t prefix = strlen(PREFIX);
	uint8_t data[BYTES_MAX];

	memset(out, 0, sizeof(*out));
	if (strncmp(text, PREFIX, prefix) != 0)
		return "is not a token of gtmctl node token";

	const size_t len = strlen(text + prefix) / 2;

	if (len > sizeof(data) || token_unhex(text + prefix, data, len) < 0 || !is_whole(data, len))
		return "is damaged; was all of it copied?";

	struct buf_reader r = { .data = data, .len = len - CHECKSUM };

	if (!take_text(&r, buf_read_u8(&r), out->server, sizeof(out->server)) ||
	    !take_text(&r, buf_read_u16(&r), out->node, sizeof(out->node)) ||
	    !take_bytes(&r, out->secret, sizeof(out->secret)) ||
	    !take_bytes(&r, out->authority, sizeof(out->authority)) || r.pos != r.len)
		return "is of another version of gtmd";
	return NULL;
}
