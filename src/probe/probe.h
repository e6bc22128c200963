/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * probe -- one attempt on one target: its socket, how far it got, and what it found.
 *
 *	          .-- READ, WRITE: waits until its socket is ready
 *	start ----+-- PASS
 *	          +-- ANEW: over another connection (a redirect); starts again, in the same time
 *	          +-- FAIL, with a cause named by layer
 *	          `-- STARVED: this machine had no descriptor or port left. No outcome at all:
 *	              our own want says nothing about the target
 *
 * The steps common to all protocols over TCP. No loop, no timer: those are the runner's.
 */
#pragma once

#include <openssl/types.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "probe/http_body.h"
#include "probe/http_reply.h"
#include "probe/recipe.h"

enum probe_step { PROBE_READ, PROBE_WRITE, PROBE_PASS, PROBE_FAIL, PROBE_STARVED, PROBE_ANEW };

struct probe {
	const struct recipe *recipe;
	int fd; /* -1 = none */
	bool connected, secured;
	uint64_t start_us; /* monotonic */
	/* Since the start; 0 = not got there. */
	uint64_t connect_us, tls_us, first_byte_us;
	const char *cause; /* static; "" unless failed */
	const char *text;  /* static; for people */
	uint16_t status;   /* http: what came, 0 = none */
	size_t sent;       /* octets of the request */
	struct buf in;     /* what came, as far as it is looked at */

	/* TLS */
	bool secure;
	SSL *ssl;
	struct tls_memory *tls_memory; /* stays from probe to probe; NULL = none yet */

	uint16_t port;

	/* ping, dns */
	uint16_t id;
	uint64_t cookie;
	uint64_t replied[2]; /* a bit for each packet */
	uint8_t n_replied;
	bool raw;

	struct grpc_call *grpc; /* NULL = none under way */
	struct script *script;  /* NULL = none under way */

	/* http; `hops` also tells dns by TCP */
	uint8_t hops;
	char *redirected; /* the request of a redirect, or NULL */
	size_t redirected_len;
	struct http_reply reply;
	struct http_body body;
	bool in_body;

	/* Keeping the connection for the next probe. */
	bool keep;      /* a protocol that passes may ask for it */
	bool reused;    /* this probe began on a kept one */
	uint32_t reuse; /* probes that this connection has served before */
};

#define PROBE_IN_MAX HTTP_BODY_MAX

void probe_init(struct probe *p); /* no socket, no memory */
/* Begin with the recipe's protocol. */
enum probe_step probe_begin(struct probe *p, const struct recipe *r);
void probe_hang_up(struct probe *p); /* with a reset; harmless without socket */
void probe_forget(struct probe *p);  /* what is remembered from probe to probe */
void probe_close(struct probe *p);   /* and give back all that was taken meanwhile */
void probe_keep(struct probe *p);    /* the same, but the connection stays for the next probe */

/* For the protocols. */
enum probe_step probe_connect(struct probe *p);
enum probe_step probe_connected(struct probe *p); /* writable: PASS, or why not */
enum probe_step probe_fail(struct probe *p, const char *cause, const char *text);
enum probe_step probe_error(struct probe *p, int error); /* a positive errno */
void probe_secured(struct probe *p);
/* A datagram was sent once more, or not (`n` < 0 with errno): READ, or what the socket heard. */
enum probe_step probe_sent(struct probe *p, ssize_t n);
void probe_first_byte(struct probe *p);
/* For the runner: time is up. */
enum probe_step probe_late(struct probe *p);
