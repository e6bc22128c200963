/* SPDX-License-Identifier: GPL-3.0-or-later */
/* uplink_process -- in control's place on a probe node: the feed, carried to the server. */
#pragma once

#include "app/config.h"
#include "app/sockets.h"

int uplink_process_main(const struct config *c, const struct sockets *s, int ready_fd);
