/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * transfer_write -- the messages of a transfer, into its spool; inside of room serve.
 *
 * Whatever goes wrong on the way (a record that no message can hold, a full disk) leaves nothing in
 * the spool but SERVFAIL: a secondary gets all or an error, never a part that looks whole.
 */
#pragma once

#include "serve/transfer.h"
#include "zone/history.h"

void transfer_write_error(struct transfer *t);                        /* t->rcode */
void transfer_write_soa(struct transfer *t, const struct rrset *soa); /* you have it all */
void transfer_write_zone(struct transfer *t, const struct zone *z);   /* SOA, all else, SOA */
/* SOA new, { SOA old, what went, SOA new, what came }..., SOA new (RFC 1995 section 4) */
void transfer_write_steps(struct transfer *t, struct history_step **steps, size_t n);
