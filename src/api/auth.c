/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/auth.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"

#define SECRET_BYTES 32
#define SECRET_TEXT  (2 * SECRET_BYTES)
#define ADMIN_ID     "admin"

const char *const auth_scope_words[] = { "none", "read", "operate", "write", "admin", NULL };

/* "read,operate" -> the widest of them. */
static enum auth_scope
widest(const char *scopes)
{
	enum auth_scope best = AUTH_NONE;

	for (const char *at = scopes; *at != '\0';) {
		const size_t len = strcspn(at, ", ");

		for (int i = AUTH_READ; i <= AUTH_ADMIN; i++)
			if (strlen(auth_scope_words[i]) == len &&
			    memcmp(at, auth_scope_words[i], len) == 0 && i > (int)best)
				best = (enum auth_scope)i;
		at += len;
		at += strspn(at, ", ");
	}
	return best;
}

static void
hash_secret(const char *secret, uint8_t hash[STORE_HASH_SIZE])
{
	_Static_assert(STORE_HASH_SIZE == crypto_hash_sha256_BYTES, "SHA-256");
	crypto_hash_sha256(hash, (const unsigned char *)secret, strlen(secret));
}

/* A search by hash tells a guesser nothing about the secret; the compare is for the driver that
 * might match loosely. */
static bool
find(struct store *store, const char *secret, struct auth_caller *out)
{
	uint8_t hash[STORE_HASH_SIZE];
	struct store_token token;
	struct arena arena;
	bool found;

	hash_secret(secret, hash);
	arena_init(&arena);
	found = store_token_find(store, hash, &arena, &token) == 0 &&
		sodium_memcmp(token.hash, hash, sizeof(hash)) == 0 &&
		(token.expires_ms == 0 || token.expires_ms > clock_real_ms());
	if (found) {
		out->scope = widest(token.scopes);
		snprintf(out->name, sizeof(out->name), "token:%s", token.name);
	}
	arena_fini(&arena);
	return found;
}

bool
auth_bearer(struct store *store, const char *header, struct auth_caller *out)
{
	if (strncasecmp(header, "Bearer ", 7) != 0)
		return false;
	header += 7;
	header += strspn(header, " ");
	return find(store, header, out);
}

bool
auth_peer(int fd, struct auth_caller *out)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 ||
	    (peer.uid != 0 && peer.uid != geteuid()))
		return false;
	out->scope = AUTH_ADMIN;
	snprintf(out->name, sizeof(out->name), "uid:%u", peer.uid);
	return true;
}

/* The file's secret; false unless it is one that we could have written. */
static bool
read_secret(const char *path, char secret[SECRET_TEXT + 1])
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n = -1;

	if (fd >= 0) {
		n = read(fd, secret, SECRET_TEXT);
		close(fd);
	}
	if (n != SECRET_TEXT)
		return false;
	secret[SECRET_TEXT] = '\0';
	return strspn(secret, "0123456789abcdef") == SECRET_TEXT;
}

/* Whole or not at all, and never readable by others. */
static int
write_secret(const char *path, const char *secret, struct diag *d)
{
	char *fresh = xasprintf("%s.new", path), *line = xasprintf("%s\n", secret);
	int fd, rc = 0;

	unlink(fresh);
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || fchmod(fd, 0600) < 0 || write(fd, line, SECRET_TEXT + 1) != SECRET_TEXT + 1 ||
	    fsync(fd) < 0 || rename(fresh, path) < 0)
		rc = diag_add(d, DIAG_UNAVAILABLE, path, "cannot be written: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	sodium_memzero(line, SECRET_TEXT);
	free(line);
	free(fresh);
	return rc;
}

static int
remember(struct store *store, const char *secret, struct diag *d)
{
	struct store_token token = {
		.id = ADMIN_ID,
		.name = ADMIN_ID,
		.scopes = "admin",
		.created_ms = clock_real_ms(),
	};
	struct diag ignored;

	hash_secret(secret, token.hash);
	diag_init(&ignored);
	if (store_token_remove(store, ADMIN_ID, &ignored) == 0)
		log_info("api", "the former admin token is void");
	diag_fini(&ignored);
	return store_token_add(store, &token, d);
}

/* The file comes first: after a crash in between, the next start finds it and takes it over. */
int
auth_start(struct store *store, const char *data_dir, struct diag *d)
{
	char *path = xasprintf("%s/admin.token", data_dir), secret[SECRET_TEXT + 1];
	struct auth_caller known;
	int rc = 0;

	if (sodium_init() < 0) {
		rc = diag_add(d, DIAG_INTERNAL, "", "libsodium does not start");
	} else if (!read_secret(path, secret)) {
		rand_hex(secret, SECRET_BYTES);
		rc = write_secret(path, secret, d);
		if (rc == 0)
			rc = remember(store, secret, d);
		if (rc == 0)
			log_info("api", "wrote '%s', a token with all rights", path);
	} else if (!find(store, secret, &known)) {
		rc = remember(store, secret, d);
	}
	sodium_memzero(secret, sizeof(secret));
	free(path);
	return rc;
}
