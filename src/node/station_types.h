/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inside of a station, for station.c and session.c. */
#pragma once

#include <pthread.h>

#include "base/list.h"
#include "net/addr.h"
#include "net/loop.h"
#include "node/registrar.h"
#include "node/station.h"
#include "node/wire.h"

/* A question to all nodes; lives on the asker's stack, in the list under the station's lock. */
struct inquiry {
	struct list item;
	uint32_t id;
	size_t pending;  /* replies */
	bool asked;      /* pending has been counted */
	json_t *replies; /* node -> what it said */
};

struct station {
	uint32_t magic;
#define STATION_MAGIC 0x57a71070u
	struct control *control;
	struct station_hooks hooks;
	struct authority *authority;
	struct registrar *registrar;
	char *advertise;
	int fd;
	struct loop *loop;
	pthread_t thread;
	bool started;
	struct loop_fd accept;
	struct wheel_timer pause; /* of accepting */
	struct list sessions;
	size_t n_strangers, n_nodes;
	uint64_t serial; /* of sessions */

	pthread_mutex_t lock;
	pthread_cond_t answered;
	struct list inquiries;
	uint32_t next_inquiry;
};

struct session {
	uint32_t magic;
#define SESSION_MAGIC 0x5e551073u
	struct station *station;
	struct list in;
	struct wire *wire;
	uint64_t id;
	struct addr peer;
	struct wheel_timer limit;
	char node[CERT_NAME_SIZE];     /* "": a stranger */
	char digest[CERT_DIGEST_SIZE]; /* of its certificate */
	bool asked;                    /* the registrar, for it: once at a time */
	bool current;                  /* its HELLO has been answered: live changes go out */
	bool ending;
	uint64_t heard_ms, event_ms;
};

/* session.c */
void session_start(struct station *s, int fd, const struct addr *peer);
void session_free(struct session *se);
/* Tell it why (NULL: nothing), and close. */
void session_end(struct session *se, const char *problem, const char *why);
/* The registrar is done with what it was asked for this session. */
void session_registered(struct session *se, const struct registrar_job *job);
/* Tell the server's engine that it is there, or not. */
void session_tell(struct session *se, bool connected);
bool session_pass(const struct change_op *op, struct change_op *out);

/* station.c: a reply to an inquiry. Takes the reference. */
void station_answer(struct station *s, uint32_t id, const char *node, json_t *reply);
