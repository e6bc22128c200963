/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hosted -- for tests: a set of zones that has an example of everything (hosted.c). */
#pragma once

#include "zone/zones.h"

/* The calling thread must be a registered QSBR reader. */
struct zones *hosted_new(void);
void hosted_free(struct zones **zs);
