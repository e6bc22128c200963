/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * supervisor -- opens what needs privileges, starts engine and control, and starts them again when
 * they die.
 *
 *   supervisor --fork--> engine    answers and probes; knows no database
 *              `-fork--> control   store and API; may die without a query noticing
 *
 * A child that ends with EXIT_CONFIG (78) cannot be helped by another start: gtmd ends with it. Any
 * other end is followed by a restart: at once, then after 100 ms doubling to 5 s (the engine: 400
 * ms) while it keeps dying young.
 */
#pragma once

#include <signal.h>

#include "app/config.h"
#include "app/sockets.h"

#define EXIT_RUNTIME 1
#define EXIT_USAGE   2
#define EXIT_CONFIG  78

/* A child's main: `ready_fd` gets one byte when the child does its work; returns the exit code. */
typedef int supervisor_main_f(const struct config *c, const struct sockets *s, int ready_fd);

/* Runs until SIGTERM or SIGINT; returns the exit code. */
/*
 * What a child waits for with sigwaitinfo or a signalfd; blocked when its main starts. SIGTERM:
 * stop. SIGHUP carries the log level.
 */
void supervisor_signals(sigset_t *set);
/* For a child whose work is done by its threads: until SIGTERM. */
void supervisor_wait(void);

int supervisor_run(struct config *c, const struct sockets *s, const struct config_options *o,
    supervisor_main_f *engine, supervisor_main_f *control);
