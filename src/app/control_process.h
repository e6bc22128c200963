/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * control_process -- the process that keeps the model and speaks HTTP: wiring of store, api and
 * feed.
 *
 *   HTTP threads --deliver/ask--> [ feed thread: link ] ==feed==> engine
 *                 <---applied/reply--'      `--status/event--> control
 *
 * It may die at any moment: what it acknowledged is in the store, what the engine serves is the
 * engine's.
 */
#pragma once

#include "app/config.h"
#include "app/sockets.h"

int control_process_main(const struct config *c, const struct sockets *s, int ready_fd);
