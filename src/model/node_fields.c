/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model/noun_rules.h"
#include "model/shared_fields.h"

#define PLACE_MAX 64

#define AT(member) offsetof(struct node_spec, member)
const struct field node_fields[] = {
	{ .name = "city",
	    .offset = AT(city),
	    .type = FIELD_STR,
	    .max = PLACE_MAX,
	    .prose = "where it stands" },
	{ .name = "isp",
	    .offset = AT(isp),
	    .type = FIELD_STR,
	    .max = PLACE_MAX,
	    .prose = "whose network it looks from" },
	{ .name = "country",
	    .offset = AT(country),
	    .type = FIELD_STR,
	    .max = PLACE_MAX,
	    .prose = "likewise, a code or a name" },
	{ .name = "enabled",
	    .offset = AT(enabled),
	    .type = FIELD_BOOL,
	    .def = 1,
	    .prose = "not: it is cut off at once, and its votes go" },
	{ .name = "token",
	    .offset = AT(token),
	    .type = FIELD_STR,
	    .flags = FIELD_SECRET,
	    .max = 128,
	    .prose = "kept by the server: the digest of an invitation that is open, and its end" },
	{ .name = "certificate",
	    .offset = AT(certificate),
	    .type = FIELD_STR,
	    .flags = FIELD_SECRET,
	    .max = 160,
	    .prose = "kept by the server: digests of the certificates it is known by" },
	REMARK_FIELD(struct node_spec),
	LABELS_FIELD(struct node_spec),
	FIELD_END,
};
#undef AT

static bool
is_digest(const char *text, size_t len)
{
	return len == NODE_DIGEST_LEN && strspn(text, "0123456789abcdef") >= len;
}

static bool
is_token(const char *text)
{
	const size_t len = strcspn(text, " ");

	return *text == '\0' || (is_digest(text, len) && text[len] == ' ' &&
				    strspn(text + len + 1, "0123456789") == strlen(text + len + 1));
}

static bool
are_digests(const char *text)
{
	const size_t len = strcspn(text, " ");

	return *text == '\0' ||
	       (is_digest(text, len) &&
		   (text[len] == '\0' || is_digest(text + len + 1, strlen(text + len + 1))));
}

int
node_check(const char *name, const void *spec, struct diag *d)
{
	const struct node_spec *s = spec;
	const size_t before = d->count;

	if (strcmp(name, NODE_LOCAL) == 0) {
		diag_add(d, DIAG_INVALID, "name", "is the server itself");
		diag_detail(d, name, "any other name");
	}
	if (!is_token(s->token))
		diag_add(d, DIAG_INVALID, "token", "is not of this server's making");
	if (!are_digests(s->certificate))
		diag_add(d, DIAG_INVALID, "certificate", "is not of this server's making");
	return d->count == before ? 0 : -EINVAL;
}

bool
node_knows(const struct node_spec *s, const char digest[NODE_DIGEST_LEN + 1])
{
	return digest[0] != '\0' && strstr(s->certificate, digest) != NULL;
}
