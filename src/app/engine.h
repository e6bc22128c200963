/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * engine -- the process that answers and probes: wiring of tree, zones, prober, server, journals
 * and feed.
 *
 *   feed --change--> [ engine thread: zones, tree, journal ] --RCU--> DNS workers
 *                          ^                 | want/drop
 *                          `--edge (post)-- prober thread
 *
 * One thread writes zones, tree and journals. It starts from its journals alone, so control, its
 * database and its cluster may be gone. DNS is served once there is a model and every check has a
 * verdict, or FIRST_ROUND_MS after the model came, whatever is still unknown then counting as up.
 */
#pragma once

#include "app/config.h"
#include "app/sockets.h"

int engine_main(const struct config *c, const struct sockets *s, int ready_fd);
