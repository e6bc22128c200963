/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vantage -- what each node says of an address's checks, and since when. */
#pragma once

#include "base/buf.h"
#include "cli/cli.h"

/* Appends nothing where there is nothing to say, or nobody to ask. */
void vantage_write(struct cli *cli, struct buf *b, const char *address);
