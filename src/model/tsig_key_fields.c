/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>

#include "base/base64.h"
#include "model/noun_rules.h"
#include "model/shared_fields.h"

const char *const tsig_algorithm_words[] = { "hmac-sha256", "hmac-sha384", "hmac-sha512", NULL };

#define AT(member) offsetof(struct tsig_key_spec, member)
const struct field tsig_key_fields[] = {
	{ .name = "algorithm",
	    .offset = AT(algorithm),
	    .type = FIELD_ENUM,
	    .words = tsig_algorithm_words,
	    .prose = "how messages are signed (RFC 8945)" },
	{ .name = "secret",
	    .offset = AT(secret),
	    .type = FIELD_STR,
	    .flags = FIELD_REQUIRED | FIELD_SECRET,
	    .min = 1,
	    .max = 255,
	    .prose = "shared with the peer, base64; left out of a PUT it stays as it is" },
	REMARK_FIELD(struct tsig_key_spec),
	LABELS_FIELD(struct tsig_key_spec),
	FIELD_END,
};
#undef AT

int
tsig_key_check(const char *name, const void *spec, struct diag *d)
{
	const struct tsig_key_spec *s = spec;
	uint8_t secret[TSIG_SECRET_MAX];

	(void)name;
	if (base64_decode(s->secret, secret, sizeof(secret)) > 0)
		return 0;
	diag_add(d, DIAG_INVALID, "secret", "is not base64");
	diag_detail(d, NULL, "base64 with padding, as tsig-keygen and keymgr print it");
	return -EINVAL;
}
