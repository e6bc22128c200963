/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * hash -- 64-bit hashing with a per-process secret.
 *
 * XXH3 keyed by a random seed drawn at first use: names come from strangers, and a table with a
 * guessable hash can be flooded. Values are not stable across processes; never persist them.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

uint64_t hash_bytes(const void *data, size_t len);
uint64_t hash_str(const char *s);
