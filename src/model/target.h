/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * target -- an object that operators may take out, as one word: "address/dc-a-1", "pool/dc-a",
 * "domain/www.example.com/A". Pure.
 */
#pragma once

#include "model/kind.h"

#define TARGET_ALLOWED "address/<name>, pool/<name>, domain/<host>/<type>"

/* NULL, or what is wrong. `name` (size KIND_NAME_SIZE) as kind_name makes it. */
const char *target_parse(const char *text, enum kind *kind, char *name);
/* Back again, into `out` (size KIND_NAME_SIZE); what does not fit is cut off. */
char *target_text(enum kind kind, const char *name, char *out);
