/* SPDX-License-Identifier: GPL-3.0-or-later */
/* warn -- what is allowed but probably not meant: said in the reply to the write. */
#pragma once

#include "api/edit.h"

/* For a spec about to be saved. */
void warn_object(struct edit *e, enum kind kind, const char *name, const void *spec);
/* For a record set with lines about to be saved: is its zone signed? */
void warn_lined(struct edit *e, const char *zone, const uint8_t *apex);
/* For static records about to be saved: does a domain hide them? */
void warn_records(struct edit *e, const uint8_t *owner, uint16_t type);
