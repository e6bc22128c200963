/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * registrar -- what takes a commit, done beside the station's loop: enrolments, renewals.
 *
 * One thread, its work in order, at most REGISTRAR_MAX waiting.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/control.h"
#include "node/authority.h"
#include "node/token.h"

#define REGISTRAR_MAX 64

enum registrar_what { REGISTRAR_ENROL, REGISTRAR_RENEW, REGISTRAR_SETTLE };

struct registrar_job {
	enum registrar_what what;
	uint64_t session;           /* whom it is for; the registrar only hands it back */
	char node[TOKEN_NODE_SIZE]; /* canonical */
	uint8_t secret[TOKEN_SECRET];
	char digest[CERT_DIGEST_SIZE]; /* of the certificate shown */
	char *request;                 /* PEM, or NULL; the job's */
	/* What came of it: the certificate, or NULL with a text for the node. The job's. */
	char *certificate, *problem;
};

struct registrar;

/* `done` is called on the registrar's thread and owns the job (registrar_job_free). */
struct registrar *registrar_new(struct control *control, const struct authority *authority,
    void (*done)(void *arg, struct registrar_job *job), void *arg);
void registrar_free(struct registrar **r); /* what waits is dropped */
/* Any thread; takes the job. False: too many wait, it is freed. */
bool registrar_ask(struct registrar *r, struct registrar_job *job);
void registrar_job_free(struct registrar_job **job);
