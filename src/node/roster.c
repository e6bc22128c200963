/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "node/roster.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "model/nouns.h"

/* The node as it is, under the editor's lock. NULL with a problem. */
static const struct model_object *
find(struct control *c, const char *node, struct diag *d)
{
	const struct model_object *o = model_find(control_model(c), KIND_NODE, node);

	if (o == NULL) {
		diag_add(d, DIAG_NOT_FOUND, "", "no node named '%s' exists", node);
		return NULL;
	}
	if (!((const struct node_spec *)o->spec)->enabled) {
		diag_add(d, DIAG_CONFLICT, "enabled", "node '%s' is disabled", node);
		return NULL;
	}
	return o;
}

static int
save(struct control *c, const struct model_object *o, const char *token, const char *certificate,
    const char *what, struct diag *d)
{
	struct node_spec spec = *(const struct node_spec *)o->spec;
	struct control_receipt receipt;
	struct change_set set;
	char *text, *summary = xasprintf("node '%s': %s", o->name, what);
	int rc;

	spec.token = token;
	spec.certificate = certificate;
	text = kind_spec_text(KIND_NODE, &spec);
	change_init(&set);
	change_add(&set, &(struct change_op){
			     .op = CHANGE_PUT,
			     .kind = KIND_NODE,
			     .name = o->name,
			     .id = o->id,
			     .spec = text,
			     .created_ms = o->created_ms,
			     .updated_ms = clock_real_ms(),
			 });
	set.author = "nodes";
	set.summary = summary;
	rc = control_edit_commit(c, &set, &receipt, d);
	change_fini(&set);
	free(summary);
	free(text);
	return rc;
}

int
roster_invite(struct control *c, const char *node, const uint8_t secret[TOKEN_SECRET],
    int64_t ends_ms, struct diag *d)
{
	char hash[TOKEN_HASH_SIZE], token[TOKEN_HASH_SIZE + 24];
	int rc = -EINVAL;

	token_hash(secret, hash);
	snprintf(token, sizeof(token), "%s %" PRId64, hash, ends_ms);
	control_edit_begin(c);

	const struct model_object *o = find(c, node, d);

	if (o != NULL)
		rc = save(
		    c, o, token, ((const struct node_spec *)o->spec)->certificate, "invited", d);
	control_edit_end(c);
	return rc;
}

static bool
is_good(const struct node_spec *s, const uint8_t secret[TOKEN_SECRET])
{
	char hash[TOKEN_HASH_SIZE];

	token_hash(secret, hash);
	return strlen(s->token) > NODE_DIGEST_LEN &&
	       CRYPTO_memcmp(hash, s->token, NODE_DIGEST_LEN) == 0 &&
	       strtoll(s->token + NODE_DIGEST_LEN, NULL, 10) > clock_real_ms();
}

bool
roster_expects(struct control *c, const char *node, const uint8_t secret[TOKEN_SECRET])
{
	const struct model_object *o = model_find(control_read_begin(c), KIND_NODE, node);
	const struct node_spec *s = o != NULL ? o->spec : NULL;
	const bool good = s != NULL && s->enabled && is_good(s, secret);

	control_read_end(c);
	return good;
}

int
roster_enrol(struct control *c, const char *node, const uint8_t secret[TOKEN_SECRET],
    const char digest[CERT_DIGEST_SIZE], struct diag *d)
{
	int rc = -EACCES;

	control_edit_begin(c);

	const struct model_object *o = find(c, node, d);

	if (o != NULL && is_good(o->spec, secret))
		rc = save(c, o, "", digest, "enrolled", d);
	control_edit_end(c);
	return rc;
}

int
roster_renew(struct control *c, const char *node, const char *old,
    const char digest[CERT_DIGEST_SIZE], struct diag *d)
{
	char both[2 * CERT_DIGEST_SIZE];
	int rc = -EACCES;

	snprintf(both, sizeof(both), "%s %s", old, digest);
	control_edit_begin(c);

	const struct model_object *o = find(c, node, d);
	const struct node_spec *s = o != NULL ? o->spec : NULL;

	if (s != NULL && node_knows(s, old))
		rc = save(c, o, s->token, both, "renews its certificate", d);
	control_edit_end(c);
	return rc;
}

int
roster_settle(
    struct control *c, const char *node, const char digest[CERT_DIGEST_SIZE], struct diag *d)
{
	int rc = -EACCES;

	control_edit_begin(c);

	const struct model_object *o = find(c, node, d);
	const struct node_spec *s = o != NULL ? o->spec : NULL;

	if (s != NULL && strcmp(s->certificate, digest) == 0)
		rc = 0;
	else if (s != NULL && node_knows(s, digest))
		rc = save(c, o, s->token, digest, "uses its new certificate", d);
	control_edit_end(c);
	return rc;
}

enum roster_word
roster_admits(struct control *c, const char *node, const char digest[CERT_DIGEST_SIZE])
{
	const struct model_object *o = model_find(control_read_begin(c), KIND_NODE, node);
	const struct node_spec *s = o != NULL ? o->spec : NULL;
	enum roster_word word = ROSTER_UNKNOWN;

	if (s != NULL && s->enabled && node_knows(s, digest))
		word = strncmp(s->certificate, digest, NODE_DIGEST_LEN) == 0 ? ROSTER_KNOWN
									     : ROSTER_NEW;
	control_read_end(c);
	return word;
}
