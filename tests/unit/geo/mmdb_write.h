/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mmdb_write -- small databases in MaxMind's format, for tests: prefixes and their records. */
#pragma once

#include <stddef.h>

struct mmdb_write_row {
	const char *prefix; /* "192.0.2.0/24"; in an ip_version 6 file IPv4 stands at ::/96 */
	const char *record; /* JSON with ' for ": strings, integers, lists, maps */
};

struct mmdb_write {
	unsigned record_size; /* 24, 28 or 32 */
	unsigned ip_version;  /* 4 or 6 */
	const char *type;
	const struct mmdb_write_row *rows;
	size_t n;
};

void mmdb_write_file(const struct mmdb_write *w, const char *path);
