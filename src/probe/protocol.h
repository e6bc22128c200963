/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * protocol -- the table of probe protocols. A new one is a file, a row and its tests.
 *
 * A protocol knows sockets but neither the loop nor time: it is told to start, then whenever its
 * descriptor is ready, and says each time what it waits for or how the probe ended. What it keeps
 * meanwhile is in struct probe.
 */
#pragma once

#include "model/nouns.h"
#include "probe/probe.h"
#include "probe/recipe.h"

struct protocol_row {
	const char *name; /* as in templates */
	/* When time is up after the connection stood; before that it is l4_timeout. */
	const char *late, *late_text;
	bool secure;      /* over TLS */
	bool passive;     /* nothing is sent: the target tells (push) */
	bool single;      /* nothing of it can get lost on the way (script) */
	const char *alpn; /* in TLS, as on the wire; NULL = none */
	/* Compile the protocol's options into the recipe; NULL = has none. Any thread. */
	void (*prepare)(struct recipe *r, const char *host, const struct template_spec *template);
	enum probe_step (*start)(struct probe *p);
	enum probe_step (*on_io)(struct probe *p);
	void (*end)(struct probe *p); /* the connection is over; NULL = nothing of its own */
	enum probe_step (*on_late)(struct probe *p); /* instead of late; NULL = none */
	/*
	 * Nothing has come for a while: send again what may be lost. ANEW, and NULL for protocols
	 * over TCP: another connection beside this one may have more luck.
	 */
	enum probe_step (*again)(struct probe *p);
};

const struct protocol_row *protocol_of(int protocol); /* enum protocol */

extern const struct protocol_row probe_tcp, probe_tls, probe_http, probe_https, probe_ping,
    probe_udp, probe_dns, probe_grpc, probe_script, probe_push;
