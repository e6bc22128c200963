/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fetch -- one question to a primary and its answer, which may be many messages: over UDP, or TCP
 * (RFC 7766), signed if there is a key (RFC 8945).
 *
 *	fetch_start --> message(m1) MORE, message(m2) MORE, message(m3) DONE
 *	           \--> failed(why)                          at any point; at most once
 *
 * In `failed` the fetch is idle again; who says DONE has stopped it. Either may have started
 * another. Thread: the loop's. Lives in the caller's struct, zero-initialised.
 */
#pragma once

#include "dns/tsig.h"
#include "net/addr.h"
#include "net/loop.h"
#include "zone/xfr_message.h"

enum fetch_verdict { FETCH_MORE, FETCH_DONE };

struct fetch;
struct fetch_hooks {
	/* One message, its signature checked. A reply over UDP that is not ours: MORE. DONE: f has
	 * been stopped. */
	enum fetch_verdict (*message)(struct fetch *f, const uint8_t *msg, size_t len);
	void (*failed)(struct fetch *f, const char *why); /* static text */
};

struct fetch_request {
	struct addr to;
	const struct tsig_key *key; /* copied; NULL: unsigned */
	const struct xfr_question *question;
	bool tcp;
	unsigned silence_ms; /* given up after so long without a sign of life */
	unsigned whole_ms;   /* and after so long in all */
};

struct fetch {
	struct loop *loop;
	const struct fetch_hooks *hooks;
	struct loop_fd watch;
	struct wheel_timer timer;
	uint64_t until_ms;
	unsigned silence_ms;
	bool tcp, busy, keyed;
	bool whole; /* the latest message was signed: the answer may end here */
	uint16_t id;
	struct tsig_session session;
	uint8_t *in; /* TCP: what has come of length and message */
	size_t in_len;
	uint8_t out[2 + XFR_QUESTION_SIZE + TSIG_ROOM];
	size_t out_len, out_done;
};

void fetch_start(struct fetch *f, struct loop *l, const struct fetch_hooks *hooks,
    const struct fetch_request *r);
void fetch_stop(struct fetch *f); /* no callback any more; harmless when idle */
