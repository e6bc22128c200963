/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * invitation -- the command that makes a machine a node, as it is carried over to it. Pure.
 *
 * The token in it is all that the machine needs: where the server is, as whom to come, and by which
 * authority the server is known. So no file goes along.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/diag.h"

#define INVITATION_DIR "/var/lib/opengtm" /* gtmd's own default */

/* May that be the node's data directory? NULL is INVITATION_DIR. 0 or -EINVAL with a problem at
 * "dir". */
MUST_USE int invitation_check_dir(const char *dir, struct diag *d);
/* "gtmd --data-dir DIR --join TOKEN", for a shell; the caller frees. */
MUST_USE char *invitation_command(const char *dir, const char *token);
/* Is host:port an address that means another machine on each machine (127.0.0.1, localhost)? */
bool invitation_is_loopback(const char *server);
