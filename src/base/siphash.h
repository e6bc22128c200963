/* SPDX-License-Identifier: GPL-3.0-or-later */
/* siphash -- SipHash-2-4: a short keyed hash that others compute too (RFC 9018). Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define SIPHASH_KEY_LEN 16
#define SIPHASH_LEN     8

/* The value's bytes in little-endian order, as the reference implementation writes them. */
void
siphash(const uint8_t key[SIPHASH_KEY_LEN], const void *data, size_t len, uint8_t out[SIPHASH_LEN]);
