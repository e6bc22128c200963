/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/model_keys.h"

#include <errno.h>

#include "base/base64.h"
#include "base/check.h"
#include "model/nouns.h"

static const enum tsig_hash hashes[] = {
	[TSIG_HMAC_SHA256] = TSIG_SHA256,
	[TSIG_HMAC_SHA384] = TSIG_SHA384,
	[TSIG_HMAC_SHA512] = TSIG_SHA512,
};

_Static_assert(TSIG_SECRET_MAX == TSIG_SECRET_LEN, "every secret of the model fits into a key");

int
model_keys_find_text(const struct model *m, const char *name, struct tsig_key *key)
{
	const struct model_object *o = model_find(m, KIND_TSIG_KEY, name);

	if (o == NULL)
		return -ENOENT;

	const struct tsig_key_spec *spec = o->spec;

	*key = (struct tsig_key){ .hash = hashes[spec->algorithm] };

	const int len = base64_decode(spec->secret, key->secret, sizeof(key->secret));

	CHECK(len > 0 && name_parse_lower(name, key->name) > 0); /* the model's rules */
	key->secret_len = (uint8_t)len;
	return 0;
}

int
model_keys_find(const struct model *m, const uint8_t *name, struct tsig_key *key)
{
	uint8_t lower[NAME_MAX_LEN];
	char text[NAME_TEXT_SIZE];

	name_copy_lower(lower, name);
	return model_keys_find_text(m, name_text(lower, text), key);
}
