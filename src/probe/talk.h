/* SPDX-License-Identifier: GPL-3.0-or-later */
/* talk -- what to say and what to hear, of protocols that carry any octets. */
#pragma once

#include "probe/probe.h"
#include "probe/recipe.h"

#define TALK_MAX 4096 /* octets looked at */

enum talk_progress { TALK_MORE, TALK_MATCH, TALK_FULL };

void talk_prepare(struct recipe *r, const char *host, const struct template_spec *template);
/* Further octets: does what came so far match the recipe's pattern? */
enum talk_progress talk_hear(struct probe *p, const void *data, size_t len);
/* The whole conversation over TCP or TLS. */
enum probe_step talk_on_io(struct probe *p);
