/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "geo/csv.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/strmap.h"
#include "net/cidr.h"

#define FIELDS_MAX 32
#define V4_SHIFT   32

struct reader {
	const char *name;
	uint32_t line;
	struct csv_columns columns;
	bool columns_known;
	size_t used; /* columns that say a range; 0: no row yet */
	struct layer *out;
	struct diag *d;
	struct strmap places; /* "CN/Fujian" -> line + 1, as long as we know no better */
};

static int
refuse(const struct reader *r, const char *got, const char *allowed, const char *detail)
{
	char *where = xasprintf("%s:%u", r->name, r->line);

	diag_add(r->d, DIAG_INVALID, where, "%s", detail);
	diag_detail(r->d, got, allowed);
	free(where);
	return -EINVAL;
}

/* -- fields -- */

/* Cut off one field at *at, which moves behind it: NULL at the end of the row. */
static char *
field(char **at)
{
	char *begin = *at, *to, *from;

	if (*begin != '"') {
		to = begin + strcspn(begin, ",");
		*at = *to == ',' ? to + 1 : NULL;
		*to = '\0';
		return begin;
	}
	to = ++begin;
	for (from = begin; *from != '\0' && (*from != '"' || from[1] == '"'); from++) {
		from += *from == '"';
		*to++ = *from;
	}
	from += strcspn(from, ","); /* what stands behind the quotes is nobody's */
	*at = *from == ',' ? from + 1 : NULL;
	*to = '\0';
	return begin;
}

static size_t
split(char *row, char *fields[FIELDS_MAX])
{
	size_t n = 0;

	for (char *at = row; at != NULL && n < FIELDS_MAX;)
		fields[n++] = field(&at);
	return n;
}

/* -- addresses -- */

static uint64_t
word(const uint8_t *bytes)
{
	uint64_t w = 0;

	for (int i = 0; i < 8; i++)
		w = w << 8 | bytes[i];
	return w;
}

/* An address written as one decimal number; what fits into 32 bits is IPv4. */
static int
parse_number(const char *text, enum atlas_family *f, struct atlas_point *out)
{
	unsigned __int128 n = 0;

	for (const char *p = text; *p != '\0'; p++) {
		if (*p < '0' || *p > '9' || n > (~(unsigned __int128)0 - 9) / 10)
			return -EINVAL;
		n = n * 10 + (unsigned)(*p - '0');
	}
	*f = n <= UINT32_MAX ? ATLAS_V4 : ATLAS_V6;
	*out = *f == ATLAS_V4 ? (struct atlas_point){ (uint64_t)n << V4_SHIFT, 0 }
			      : (struct atlas_point){ (uint64_t)(n >> 64), (uint64_t)n };
	return 0;
}

static int
parse_dotted(const char *text, struct atlas_point *out)
{
	uint64_t ip = 0;

	for (int i = 0; i < 4; i++) {
		unsigned part = 0, digits = 0;

		for (; *text >= '0' && *text <= '9' && digits < 4; text++, digits++)
			part = part * 10 + (unsigned)(*text - '0');
		if (digits == 0 || digits > 3 || part > 255 || *text != (i < 3 ? '.' : '\0'))
			return -EINVAL;
		text += i < 3;
		ip = ip << 8 | part;
	}
	*out = (struct atlas_point){ ip << V4_SHIFT, 0 };
	return 0;
}

static int
parse_address(const char *text, enum atlas_family *f, struct atlas_point *out)
{
	struct addr a;
	size_t len;

	if (*text == '\0')
		return -EINVAL;
	if (text[strspn(text, "0123456789")] == '\0')
		return parse_number(text, f, out);
	*f = strchr(text, ':') != NULL ? ATLAS_V6 : ATLAS_V4;
	if (*f == ATLAS_V4)
		return parse_dotted(text, out);
	if (addr_ip_parse(&a, text, AF_INET6) < 0)
		return -EINVAL;

	const uint8_t *ip = addr_ip(&a, &len);

	*out = (struct atlas_point){ word(ip), word(ip + 8) };
	return 0;
}

static uint64_t
low_bits(unsigned n)
{
	return n >= 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1;
}

static int
parse_prefix(const char *text, enum atlas_family *f, struct layer_range *out)
{
	struct cidr c;

	if (cidr_parse(&c, text) < 0 || c.family == AF_UNSPEC)
		return -EINVAL;
	*f = c.family == AF_INET ? ATLAS_V4 : ATLAS_V6;
	out->first = (struct atlas_point){ word(c.ip), word(c.ip + 8) };
	out->last = out->first;
	if (*f == ATLAS_V4) {
		out->last.hi |= low_bits(64 - c.bits) & UINT64_MAX << V4_SHIFT;
	} else {
		out->last.hi |= c.bits < 64 ? low_bits(64 - c.bits) : 0;
		out->last.lo |= low_bits(128 - c.bits);
	}
	return 0;
}

/* The range of a row; *used columns say it. */
static int
parse_range(struct reader *r, char *const *fields, size_t n, enum atlas_family *f,
    struct layer_range *out, size_t *used)
{
	enum atlas_family other;

	*used = 1;
	if (strchr(fields[0], '/') != NULL)
		return parse_prefix(fields[0], f, out) == 0
			   ? 0
			   : refuse(r, fields[0], NULL, "is not a range of addresses");
	*used = 2;
	if (parse_address(fields[0], f, &out->first) < 0)
		return refuse(r, fields[0], NULL, "is not an address");
	if (n < 2 || parse_address(fields[1], &other, &out->last) < 0)
		return refuse(r, n < 2 ? "" : fields[1], NULL, "is not an address");
	if (*f != other && other == ATLAS_V6 && strpbrk(fields[0], ".:") == NULL) {
		/* A small number may begin a range of IPv6. */
		out->first = (struct atlas_point){ 0, out->first.hi >> V4_SHIFT };
		*f = other;
	}
	if (*f != other)
		return refuse(r, fields[1], NULL, "is not of the family of the first address");
	if (atlas_point_compare(out->first, out->last) > 0)
		return refuse(r, fields[1], NULL, "is before the first address");
	return 0;
}

/* -- what is there -- */

static int
parse_asn(const char *text, uint32_t *asn)
{
	char *end;

	if ((text[0] == 'A' || text[0] == 'a') && (text[1] == 'S' || text[1] == 's'))
		text += 2;
	if (*text < '0' || *text > '9')
		return -EINVAL;

	const unsigned long long n = strtoull(text, &end, 10);

	*asn = (uint32_t)n;
	return *end == '\0' && n <= UINT32_MAX ? 0 : -EINVAL;
}

static bool
is_country(const char *text)
{
	return isalpha((unsigned char)text[0]) && isalpha((unsigned char)text[1]) &&
	       text[2] == '\0'; /* a code that we do not know is one, too */
}

/* From the first row that has something after its addresses. */
static int
find_columns(struct reader *r, char *const *fields, size_t n, size_t used)
{
	uint32_t asn;

	r->columns_known = true;
	if (r->columns.country != 0 || r->columns.asn != 0)
		return 0;
	if (is_country(fields[used])) {
		r->columns.country = (unsigned)used + 1;
		if (n > used + 1 && r->columns.subdivision == 0)
			r->columns.subdivision = (unsigned)used + 2;
		return 0;
	}
	r->columns.asn = (unsigned)used + 1;
	if (parse_asn(fields[used], &asn) == 0)
		return 0;
	return refuse(r, fields[used], "a country such as CN, or the number of an AS",
	    "the column after the addresses cannot be told");
}

static const char *
at(char *const *fields, size_t n, unsigned column)
{
	return column > 0 && column <= n ? fields[column - 1] : "";
}

static uint16_t
place_of(struct reader *r, const char *country, const char *subdivision)
{
	char key[128];
	uint16_t place, in = layer_country(country);

	if (in == LAYER_NONE || subdivision[0] == '\0')
		return in;
	if ((size_t)snprintf(key, sizeof(key), "%s/%s", country, subdivision) >= sizeof(key))
		return in;

	const uintptr_t known = (uintptr_t)strmap_find(&r->places, key);

	if (known != 0)
		return (uint16_t)(known - 1);
	place = layer_subdivision(in, subdivision);
	place = place == LAYER_NONE ? in : place;
	strmap_put(&r->places, key, (void *)((uintptr_t)place + 1));
	return place;
}

static int
read_row(struct reader *r, char *row)
{
	char *fields[FIELDS_MAX];
	const size_t n = split(row, fields);
	struct layer_range range = { .line = r->line };
	enum atlas_family f;
	uint32_t asn = 0;
	size_t used;

	if (r->line == 1 && isalpha((unsigned char)fields[0][0]) && strchr(fields[0], ':') == NULL)
		return 0; /* a heading */
	if (parse_range(r, fields, n, &f, &range, &used) < 0)
		return -EINVAL;
	if (r->used != 0 && r->used != used)
		return refuse(r, fields[0], r->used == 1 ? "a prefix" : "first and last address",
		    "says its range in another way than the rows before");
	r->used = used;
	if (n <= used)
		return refuse(
		    r, NULL, "a country or the number of an AS", "ends after its addresses");
	if (!r->columns_known && fields[used][0] != '\0' && find_columns(r, fields, n, used) < 0)
		return -EINVAL;

	const char *number = at(fields, n, r->columns.asn);

	if (number[0] != '\0' && parse_asn(number, &asn) < 0)
		return refuse(r, number, NULL, "is not the number of an AS");
	range.value.network = layer_network(asn);
	range.value.place =
	    place_of(r, at(fields, n, r->columns.country), at(fields, n, r->columns.subdivision));
	layer_add(r->out, f, &range);
	return 0;
}

int
csv_read(char *text, size_t len, const char *name, const struct csv_columns *columns,
    struct layer *out, struct diag *d)
{
	struct reader r = { .name = name, .columns = *columns, .out = out, .d = d };
	char *end = text + len, *next;
	int err = 0;

	strmap_init(&r.places);
	for (char *row = text; err == 0 && row < end; row = next) {
		char *eol = memchr(row, '\n', (size_t)(end - row));

		eol = eol != NULL ? eol : end;
		next = eol + 1;
		*eol = '\0';
		r.line++;
		if (memchr(row, '\0', (size_t)(eol - row)) != NULL)
			err = refuse(&r, NULL, NULL, "is not text");
		if (eol > row && eol[-1] == '\r')
			eol[-1] = '\0';
		if (err == 0 && row[0] != '\0' && row[0] != '#')
			err = read_row(&r, row);
	}
	strmap_fini(&r.places);
	return err;
}
