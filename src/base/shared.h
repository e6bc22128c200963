/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * shared -- things that are made once from a text and used by many: regular expressions, TLS trust.
 *
 *	shared_get("kind:text") --> found: one more user   `--> else made
 *	shared_put              --> the last user gone: freed
 *
 * Equal texts give the same pointer, so users compare by it. Any thread; what is made must itself
 * be fit for the threads that use it.
 */
#pragma once

struct shared {
	char *key; /* private, as the rest */
	unsigned users;
	void (*free)(struct shared *s);
};

/*
 * `make` is called under the lock of all shared things: it must not come back here. It sets `free`
 * and may return NULL, as shared_get then does.
 */
struct shared *
shared_get(const char *key, struct shared *(*make)(const void *arg), const void *arg);
void shared_put(struct shared *s); /* NULL is fine */
