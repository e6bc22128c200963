/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * aside -- handlers that take long, each on a thread of its own.
 *
 *	libmicrohttpd's   aside_run -> connection suspended ... called again: the reply goes
 *	its own thread        `-> handle -> resume ------------------^
 *
 * A thread of libmicrohttpd serves many connections; a file of a million names would keep all of
 * them waiting.
 */
#pragma once

#include <stdbool.h>

#include "api/request.h"

struct aside;

struct aside *aside_new(void);
void aside_free(struct aside **a); /* stopped, and no request is left */
/*
 * Have the request's route handle it aside; r->handled is set when libmicrohttpd calls for it
 * again. False: enough are under way, or it is stopped; nothing happened.
 */
MUST_USE bool aside_run(struct aside *a, struct request *r);
/* Waits for those under way and resumes them: libmicrohttpd wants no connection suspended. */
void aside_stop(struct aside *a);
