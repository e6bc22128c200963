/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * wire -- for tests: queries from names, responses as one line of text.
 *
 *   NOERROR aa | www.example.com 300 A 192.0.2.10 | | |
 *   rcode and flags | answer | authority | additional | EDNS
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wire_edns {
	uint16_t size; /* 0: no EDNS */
	bool dnssec_ok;
	uint8_t version;
};

/* Returns the length. `out` holds 512 bytes. */
size_t
wire_query(uint8_t *out, uint16_t id, const char *name, uint16_t type, struct wire_edns edns);
/* The text is the caller's to free; fails the test if the message is malformed. */
char *wire_text(const uint8_t *msg, size_t len);
/* Likewise, names and types only: signatures are long, and different every time. */
char *wire_outline(const uint8_t *msg, size_t len);
