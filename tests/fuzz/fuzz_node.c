/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What strangers say to the listener for nodes, and what is pasted after --join: frames are within
 * what came, a token that is read is written the same, a request's key is one of ours.
 */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "node/cert.h"
#include "node/parcel.h"
#include "node/token.h"
#include "target.h"

#define FRAME_MAX 16384

static void
frames(const uint8_t *data, size_t size)
{
	struct parcel f;

	for (size_t pos = 0; parcel_take(data + pos, size - pos, FRAME_MAX, &f) == 1;
	     pos += f.whole) {
		uint8_t head[PARCEL_HEADER];

		CHECK(f.whole == PARCEL_HEADER + f.len && f.whole <= size - pos);
		CHECK(f.body == data + pos + PARCEL_HEADER && f.len < FRAME_MAX);
		parcel_head(f.type, f.len, head);
		CHECK(memcmp(head, data + pos, sizeof(head)) == 0);
	}
}

static void
token(const char *text)
{
	struct token t, again;

	if (token_parse(text, &t) != NULL)
		return;

	char *same = token_text(&t);

	CHECK(token_parse(same, &again) == NULL && memcmp(&t, &again, sizeof(t)) == 0);
	free(same);
}

/* The checksum keeps a fuzzer out: seal what it made. */
static void
sealed(const uint8_t *data, size_t size)
{
	uint8_t sum[CERT_DIGEST];
	unsigned len = sizeof(sum);
	char *text = xcalloc(2 * size + 16, 1);

	CHECK(EVP_Digest(data, size, sum, &len, EVP_sha256(), NULL) == 1);
	strcpy(text, "gtm1-");
	token_hex(data, size, text + 5);
	token_hex(sum, 4, text + 5 + 2 * size);
	token(text);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xstrndup((const char *)data, size);

	frames(data, size);
	token(text);
	if (size < 700)
		sealed(data, size);

	EVP_PKEY *key = cert_request_key(text);

	CHECK(key == NULL || EVP_PKEY_get_bits(key) == 256);
	EVP_PKEY_free(key);
	free(text);
	return 0;
}
