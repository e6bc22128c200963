/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "geo/mmdb.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <maxminddb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "base/mem.h"
#include "model/line_tree.h"

#define PATH_MAX_KEYS 8
#define PATH_TEXT     128
#define TEXT_MAX      128

static const char *const usual_countries[] = { "country.iso_code", "country_code",
	"registered_country.iso_code", "country", NULL };
static const char *const usual_subdivisions[] = { "subdivisions.0.iso_code", "state1",
	"subdivisions.0.names.en", "region_code", "region", NULL };
static const char *const usual_asns[] = { "autonomous_system_number", "asn",
	"traits.autonomous_system_number", NULL };

/* A record in the file's data, looked at once: many ranges share one. */
struct seen {
	uint32_t offset; /* + 1; 0: free */
	struct layer_value value;
};

struct reader {
	const char *path;
	MMDB_s db;
	const char *const *countries, *const *subdivisions, *const *asns;
	struct layer *out;
	struct diag *d;
	struct seen *seen;
	size_t n_seen, cap_seen;
	uint64_t steps; /* nodes that may still be visited */
	bool useful;    /* some record had what we look for, whether we know a line of it or not */
};

static int
refuse(struct reader *r, const char *detail, const char *got, const char *allowed)
{
	diag_add(r->d, DIAG_INVALID, r->path, "%s", detail);
	diag_detail(r->d, got, allowed);
	return -EINVAL;
}

/* -- records -- */

/* What stands at "subdivisions.0.iso_code"; false if nothing does. */
static bool
look_up(MMDB_entry_s *entry, const char *path, MMDB_entry_data_s *data)
{
	char text[PATH_TEXT];
	const char *keys[PATH_MAX_KEYS + 1];
	size_t n = 0;
	char *save = NULL;

	snprintf(text, sizeof(text), "%s", path);
	for (char *key = strtok_r(text, ".", &save); key != NULL && n < PATH_MAX_KEYS;
	     key = strtok_r(NULL, ".", &save))
		keys[n++] = key;
	keys[n] = NULL;
	return MMDB_aget_value(entry, data, keys) == MMDB_SUCCESS && data->has_data;
}

static bool
find_text(MMDB_entry_s *entry, const char *const *paths, char out[TEXT_MAX])
{
	MMDB_entry_data_s data;

	for (; *paths != NULL; paths++) {
		if (!look_up(entry, *paths, &data) || data.type != MMDB_DATA_TYPE_UTF8_STRING)
			continue;
		snprintf(out, TEXT_MAX, "%.*s", (int)data.data_size, data.utf8_string);
		return true;
	}
	return false;
}

static bool
find_asn(MMDB_entry_s *entry, const char *const *paths, uint32_t *asn)
{
	MMDB_entry_data_s data;
	char text[TEXT_MAX];

	for (; *paths != NULL; paths++) {
		if (!look_up(entry, *paths, &data))
			continue;
		if (data.type == MMDB_DATA_TYPE_UINT32) {
			*asn = data.uint32;
			return true;
		}
		if (data.type != MMDB_DATA_TYPE_UTF8_STRING)
			continue;
		snprintf(text, sizeof(text), "%.*s", (int)data.data_size, data.utf8_string);
		if (sscanf(text, "AS%" SCNu32, asn) == 1 || sscanf(text, "%" SCNu32, asn) == 1)
			return true;
	}
	return false;
}

static struct layer_value
decode(struct reader *r, MMDB_entry_s *entry)
{
	struct layer_value v = { LAYER_NONE, LAYER_NONE };
	char country[TEXT_MAX], subdivision[TEXT_MAX];
	uint32_t asn;

	if (find_text(entry, r->countries, country)) {
		r->useful = true;
		v.place = layer_country(country);
	}
	if (v.place != LAYER_NONE && find_text(entry, r->subdivisions, subdivision)) {
		const uint16_t below = layer_subdivision(v.place, subdivision);

		v.place = below != LAYER_NONE ? below : v.place;
	}
	if (find_asn(entry, r->asns, &asn)) {
		r->useful = true;
		v.network = layer_network(asn);
	}
	return v;
}

static struct seen *
place_of(struct seen *seen, size_t cap, uint32_t offset)
{
	size_t i = offset * UINT64_C(0x9e3779b97f4a7c15) >> 32 & (cap - 1);

	while (seen[i].offset != 0 && seen[i].offset != offset + 1)
		i = (i + 1) & (cap - 1);
	return &seen[i];
}

static void
grow(struct reader *r)
{
	const size_t cap = r->cap_seen == 0 ? 1024 : 2 * r->cap_seen;
	struct seen *seen = xcalloc(cap, sizeof(*seen));

	for (size_t i = 0; i < r->cap_seen; i++)
		if (r->seen[i].offset != 0)
			*place_of(seen, cap, r->seen[i].offset - 1) = r->seen[i];
	free(r->seen);
	r->seen = seen;
	r->cap_seen = cap;
}

static struct layer_value
value_of(struct reader *r, MMDB_entry_s *entry)
{
	if (2 * r->n_seen >= r->cap_seen)
		grow(r);

	struct seen *s = place_of(r->seen, r->cap_seen, entry->offset);

	if (s->offset == 0) {
		*s = (struct seen){ entry->offset + 1, decode(r, entry) };
		r->n_seen++;
	}
	return s->value;
}

/* -- the tree of address bits -- */

struct spot { /* a subtree: addresses that begin with these bits */
	enum atlas_family family;
	unsigned depth; /* bits of an address of this family */
	struct atlas_point first;
};

static unsigned
width(enum atlas_family f)
{
	return f == ATLAS_V4 ? 32 : 128;
}

static struct spot
below(const struct spot *s, unsigned bit)
{
	struct spot b = *s;

	if (bit != 0 && s->depth < 64)
		b.first.hi |= UINT64_C(1) << (63 - s->depth);
	else if (bit != 0)
		b.first.lo |= UINT64_C(1) << (127 - s->depth);
	b.depth++;
	return b;
}

static void
add(struct reader *r, const struct spot *s, MMDB_entry_s *entry)
{
	struct layer_range range = { .first = s->first, .last = s->first };

	if (s->depth < 64)
		range.last.hi |= UINT64_MAX >> s->depth;
	if (s->family == ATLAS_V4)
		range.last.hi &= UINT64_MAX << 32;
	else if (s->depth < 128)
		range.last.lo |= s->depth <= 64 ? UINT64_MAX : UINT64_MAX >> (s->depth - 64);
	range.value = value_of(r, entry);
	layer_add(r->out, s->family, &range);
}

static int walk(struct reader *r, uint32_t node, const struct spot *s);

static int
follow(struct reader *r, const struct spot *s, uint64_t record, uint8_t type, MMDB_entry_s *entry)
{
	switch (type) {
	case MMDB_RECORD_TYPE_SEARCH_NODE:
		/* IPv4 stands at one place of an IPv6 tree, and others point there. */
		if (s->family == ATLAS_V6 && record == r->db.ipv4_start_node.node_value)
			return 0;
		return walk(r, (uint32_t)record, s);
	case MMDB_RECORD_TYPE_EMPTY:
		return 0;
	case MMDB_RECORD_TYPE_DATA:
		add(r, s, entry);
		return 0;
	default:
		return refuse(r, "is damaged: its tree points outside the file", NULL, NULL);
	}
}

static int
walk(struct reader *r, uint32_t node, const struct spot *s)
{
	MMDB_search_node_s n;

	if (s->depth == width(s->family))
		return refuse(r, "is damaged: its tree is deeper than an address", NULL, NULL);
	if (r->steps-- == 0)
		return refuse(r, "is damaged: its tree meets itself", NULL, NULL);
	if (MMDB_read_node(&r->db, node, &n) != MMDB_SUCCESS)
		return refuse(r, "is damaged: a node of its tree cannot be read", NULL, NULL);

	const struct spot left = below(s, 0), right = below(s, 1);
	const int rc = follow(r, &left, n.left_record, n.left_record_type, &n.left_record_entry);

	return rc < 0
		   ? rc
		   : follow(r, &right, n.right_record, n.right_record_type, &n.right_record_entry);
}

static int
walk_all(struct reader *r)
{
	const struct spot four = { .family = ATLAS_V4 }, six = { .family = ATLAS_V6 };
	const bool wide = r->db.metadata.ip_version == 6;
	const uint32_t start = wide ? r->db.ipv4_start_node.node_value : 0;

	r->steps = (uint64_t)r->db.metadata.node_count * 2 + 1;
	/* A tree without IPv4 ends before it gets there: the number is then no node's. */
	if ((!wide || r->db.ipv4_start_node.netmask == 96) && start < r->db.metadata.node_count &&
	    walk(r, start, &four) < 0)
		return -EINVAL;
	return wide ? walk(r, 0, &six) : 0;
}

/* -- the file -- */

static int
import(struct reader *r)
{
	if (r->db.metadata.ip_version != 4 && r->db.metadata.ip_version != 6)
		return refuse(r, "is damaged: it is of neither IPv4 nor IPv6", NULL, NULL);
	if (walk_all(r) < 0)
		return -EINVAL;
	if (r->useful)
		return 0;
	return refuse(r, "has neither a country nor an AS number where we look for them",
	    r->db.metadata.database_type,
	    "keys such as country.iso_code, country_code, autonomous_system_number; others can be "
	    "configured");
}

/*
 * The library maps the file, and whoever shortens a mapped file kills us: so a copy in memory is
 * what it gets. A descriptor, or a negative errno.
 */
static int
copy(const char *path)
{
	const int from = open(path, O_RDONLY | O_CLOEXEC);
	const int to = from < 0 ? -1 : memfd_create("mmdb", MFD_CLOEXEC);
	ssize_t n = 0;

	if (to >= 0)
		do
			n = sendfile(to, from, NULL, 1 << 30);
		while (n > 0);

	const int error = to < 0 || n < 0 ? -errno : 0;

	if (from >= 0)
		close(from);
	if (error < 0 && to >= 0)
		close(to);
	return error < 0 ? error : to;
}

static int
open_copy(struct reader *r)
{
	const int fd = copy(r->path);
	char name[32];
	int error;

	if (fd < 0)
		return refuse(r, strerror(-fd), NULL, NULL);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	error = MMDB_open(name, MMDB_MODE_MMAP, &r->db);
	close(fd);
	if (error == MMDB_SUCCESS)
		return 0;
	return refuse(r, MMDB_strerror(error), NULL, "a whole database in MaxMind's format");
}

int
mmdb_read(const char *path, const struct mmdb_keys *keys, struct layer *out, int64_t *made_ms,
    struct diag *d)
{
	const char *const country[] = { keys->country, NULL };
	const char *const subdivision[] = { keys->subdivision, NULL };
	const char *const asn[] = { keys->asn, NULL };
	struct reader r = { .path = path,
		.out = out,
		.d = d,
		.countries = keys->country != NULL ? country : usual_countries,
		.subdivisions = keys->subdivision != NULL ? subdivision : usual_subdivisions,
		.asns = keys->asn != NULL ? asn : usual_asns };

	if (open_copy(&r) < 0)
		return -EINVAL;

	const int rc = import(&r);

	*made_ms = (int64_t)(r.db.metadata.build_epoch % UINT32_MAX) * 1000;
	MMDB_close(&r.db);
	free(r.seen);
	return rc;
}
