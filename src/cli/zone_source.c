/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/zone_source.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "cli/mapped.h"
#include "cli/zone_lines.h"
#include "cli/zone_origin.h"
#include "dns/name.h"

#define DEPTH_MAX 10

/* Lines of the text from `line` on are those of `file` from `file_line` on, or all that one. */
struct span {
	uint64_t line, file_line;
	const char *file;
	bool single;
};

struct zone_source {
	struct arena arena; /* names of files */
	char *origin;
	char *root; /* the directory that no include leaves */
	struct mapped first;
	struct buf text; /* put together; unused if there is nothing to include */
	bool joined;
	uint64_t line; /* the next of `text` */
	struct span *spans;
	size_t n_spans, cap_spans;
};

/* A file being put in. */
struct frame {
	const struct frame *parent;
	const char *file;
	unsigned depth;
	dev_t device;
	ino_t inode;
	uint64_t line; /* of the entry at hand */
	uint8_t origin[NAME_MAX_LEN];
	struct zone_entry latest; /* record that has an owner, not resolved yet; or no text */
	uint8_t owner[NAME_MAX_LEN];
	bool owned;
	bool returned; /* from an include: to the scanner, the latest owner is one of that */
};

static int
refuse(const struct frame *f, struct diag *d, const char *what, const char *why)
{
	char *where = xasprintf("%s:%llu", f->file, (unsigned long long)f->line);
	const int rc = diag_add(d, DIAG_INVALID, where, "%s %s", what, why);

	free(where);
	return rc;
}

/* -- files -- */

static int
refuse_error(const struct frame *f, struct diag *d, const char *path, int error)
{
	const char *why = error == ENOTSUP ? "it is no file" : strerror(error);

	return refuse(f, d, path, arena_printf(&d->arena, "cannot be read: %s", why));
}

/* The directory of the first file, in full. */
static char *
root_of(const char *file)
{
	const char *slash = strrchr(file, '/');
	char *dir = slash == NULL   ? xstrdup(".")
		    : slash == file ? xstrdup("/")
				    : xstrndup(file, (size_t)(slash - file));
	char *real = realpath(dir, NULL);

	free(dir);
	return real != NULL ? real : xstrdup("/nowhere");
}

static bool
is_within(const char *path, const char *root)
{
	const size_t n = strcmp(root, "/") == 0 ? 0 : strlen(root);

	return strncmp(path, root, n) == 0 && path[n] == '/';
}

/* `name` as the frame's file means it; NULL with a problem. In the arena. */
static const char *
find_include(struct zone_source *s, const struct frame *f, const char *name, struct diag *d)
{
	const char *slash = strrchr(f->file, '/');
	const int dir = slash == NULL || name[0] == '/' ? 0 : (int)(slash - f->file) + 1;
	const char *path = arena_printf(&s->arena, "%.*s%s", dir, f->file, name);
	char *real = realpath(path, NULL);

	if (real == NULL)
		refuse_error(f, d, path, errno);
	else if (!is_within(real, s->root))
		refuse(f, d, path, "is outside of the directory of the zone's file");
	const bool good = real != NULL && is_within(real, s->root);

	free(real);
	return good ? path : NULL;
}

static bool
is_open(const struct frame *f, const struct stat *st)
{
	for (; f != NULL; f = f->parent)
		if (f->device == st->st_dev && f->inode == st->st_ino)
			return true;
	return false;
}

/* Before the origin changes: the latest owner becomes what it means under this one. */
static void
settle_owner(struct frame *f)
{
	char word[NAME_TEXT_SIZE];
	size_t pos = 0;

	if (f->latest.text != NULL && zone_lines_word(&f->latest, &pos, word, sizeof(word)))
		f->owned = zone_origin_resolve(word, f->origin, f->owner);
	f->latest.text = NULL;
}

static void
put_name(struct buf *out, const uint8_t *name)
{
	char text[NAME_TEXT_SIZE];

	buf_printf(out, "%s%s", name_text(name, text), name[0] == 0 ? "" : ".");
}

/* -- putting together -- */

static void
add_span(struct zone_source *s, const char *file, uint64_t file_line, bool single)
{
	MEM_GROW(&s->spans, &s->cap_spans, s->n_spans + 1);
	s->spans[s->n_spans++] = (struct span){ s->line, file_line, file, single };
}

/* A line of ours, that stands for the one of the include. */
static void
put_origin(struct zone_source *s, const struct frame *f, const uint8_t *origin)
{
	add_span(s, f->file, f->line, true);
	buf_puts(&s->text, "$ORIGIN ");
	put_name(&s->text, origin);
	buf_puts(&s->text, "\n");
	s->line++;
}

static void
put_entry(struct zone_source *s, const struct zone_entry *e)
{
	buf_put(&s->text, e->text, e->len);
	s->line += e->lines;
	if (e->text[e->len - 1] == '\n')
		return;
	buf_puts(&s->text, "\n");
	s->line++;
}

static int put_file(struct zone_source *s, struct frame *f, const struct mapped *c, struct diag *d);

static int
put_include(struct zone_source *s, const struct frame *f, const char *path, const uint8_t *origin,
    struct diag *d)
{
	struct frame inner = { .parent = f, .file = path, .depth = f->depth + 1 };
	struct mapped c;
	int rc = mapped_open(&c, path, ZONE_SOURCE_MAX, false);

	memcpy(inner.origin, origin, NAME_MAX_LEN);
	inner.device = c.st.st_dev;
	inner.inode = c.st.st_ino;
	if (rc < 0)
		rc = refuse_error(f, d, path, -rc);
	else if (is_open(f, &c.st))
		rc = refuse(f, d, path, "includes itself");
	else if (inner.depth > DEPTH_MAX)
		rc = refuse(f, d, path, "is included over 10 files deep");
	else
		rc = put_file(s, &inner, &c, d);
	mapped_close(&c);
	return rc;
}

static int
include(struct zone_source *s, struct frame *f, const struct zone_entry *e, struct diag *d)
{
	char word[PATH_MAX], name[NAME_TEXT_SIZE];
	uint8_t origin[NAME_MAX_LEN];
	const char *path;
	size_t pos = 0;

	if (!zone_lines_word(e, &pos, word, sizeof(word)) ||
	    !zone_lines_word(e, &pos, word, sizeof(word)))
		return refuse(f, d, "$INCLUDE", "needs the name of a file");
	memcpy(origin, f->origin, sizeof(origin));
	if (zone_lines_word(e, &pos, name, sizeof(name)) &&
	    !zone_origin_resolve(name, f->origin, origin))
		return refuse(f, d, name, "is not a valid name");
	path = find_include(s, f, word, d);
	if (path == NULL)
		return -EINVAL;
	put_origin(s, f, origin);
	if (put_include(s, f, path, origin, d) < 0)
		return -EINVAL;
	put_origin(s, f, f->origin);
	add_span(s, f->file, e->line + e->lines, false);
	f->returned = true;
	return 0;
}

static void
change_origin(struct frame *f, const struct zone_entry *e)
{
	char word[NAME_TEXT_SIZE];
	size_t pos = 0;

	settle_owner(f);
	if (zone_lines_word(e, &pos, word, sizeof(word)) &&
	    zone_lines_word(e, &pos, word, sizeof(word)))
		if (!zone_origin_resolve(word, f->origin, f->origin))
			return; /* whoever reads the text will say so */
}

static void
note_record(struct zone_source *s, struct frame *f, const struct zone_entry *e)
{
	if (!e->indented) {
		f->latest = *e;
	} else if (f->returned) {
		settle_owner(f);
		if (f->owned)
			put_name(&s->text, f->owner);
	}
	f->returned = false;
}

static int
put_file(struct zone_source *s, struct frame *f, const struct mapped *c, struct diag *d)
{
	struct zone_lines lines = { c->text, c->text + c->len, 1 };
	struct zone_entry e;

	add_span(s, f->file, 1, false);
	while (zone_lines_next(&lines, &e)) {
		f->line = e.line;
		if (e.open)
			return refuse(f, d, "parentheses", "are not closed");
		if (e.kind == ZONE_ENTRY_INCLUDE) {
			if (include(s, f, &e, d) < 0)
				return -EINVAL;
			continue;
		}
		if (e.kind == ZONE_ENTRY_ORIGIN)
			change_origin(f, &e);
		else if (e.kind == ZONE_ENTRY_RECORD)
			note_record(s, f, &e);
		put_entry(s, &e);
	}
	return s->text.overflow ? refuse(f, d, "the zone", "is over 256 MiB") : 0;
}

/* May there be an include? Fast, since most files have none, and are sent as they are. */
static bool
may_include(const struct mapped *c)
{
	static const char word[] = "$INCLUDE";
	const char *p = c->text, *end = p + c->len;

	while (p != NULL && (size_t)(end - p) >= sizeof(word)) {
		if (strncasecmp(p, word, sizeof(word) - 1) == 0)
			return true;
		p = memmem(p, (size_t)(end - p), "\n$", 2);
		p = p != NULL ? p + 1 : NULL;
	}
	return false;
}

static int
join(struct zone_source *s, const char *file, struct diag *d)
{
	struct frame f = {
		.file = file,
		.device = s->first.st.st_dev,
		.inode = s->first.st.st_ino,
	};

	if (name_parse(s->origin, f.origin) < 0)
		return diag_add(d, DIAG_INVALID, file, "'%s' is not a valid zone name", s->origin);
	if (!may_include(&s->first)) {
		add_span(s, file, 1, false);
		return 0;
	}
	s->joined = true;
	s->root = root_of(file);
	return put_file(s, &f, &s->first, d);
}

static int
load(struct zone_source *s, const char *file, const char *origin, struct diag *d)
{
	const char *name = strcmp(file, "-") == 0 ? "stdin" : arena_strdup(&s->arena, file);
	const int rc = mapped_open(&s->first, file, ZONE_SOURCE_MAX, true);

	if (rc < 0)
		return diag_add(d, DIAG_INVALID, name, "cannot be read: %s", strerror(-rc));
	s->origin =
	    origin != NULL ? xstrdup(origin) : zone_origin_find(s->first.text, s->first.len);
	if (s->origin == NULL)
		return diag_add(d, DIAG_INVALID, name,
		    "does not begin with $ORIGIN and a name, nor with a SOA at one: give --origin");
	return join(s, name, d);
}

struct zone_source *
zone_source_open(const char *file, const char *origin, struct diag *d)
{
	struct zone_source *s = xcalloc(1, sizeof(*s));

	arena_init(&s->arena);
	buf_init(&s->text, ZONE_SOURCE_MAX);
	s->line = 1;
	if (load(s, file, origin, d) < 0)
		zone_source_free(&s);
	return s;
}

void
zone_source_free(struct zone_source **sp)
{
	struct zone_source *s = *sp;

	if (s == NULL)
		return;
	mapped_close(&s->first);
	buf_fini(&s->text);
	arena_fini(&s->arena);
	free(s->spans);
	free(s->origin);
	free(s->root);
	free(s);
	*sp = NULL;
}

const char *
zone_source_text(const struct zone_source *s, size_t *len)
{
	*len = s->joined ? s->text.len : s->first.len;
	return s->joined && *len > 0 ? (const char *)s->text.data : s->first.text;
}

const char *
zone_source_origin(const struct zone_source *s)
{
	return s->origin;
}

char *
zone_source_place(const struct zone_source *s, uint64_t line)
{
	const struct span *at = s->spans;

	for (size_t i = 1; i < s->n_spans && s->spans[i].line <= line; i++)
		at = &s->spans[i];
	const uint64_t n = at->single || line < at->line ? 0 : line - at->line;

	return xasprintf("%s:%llu", at->file, (unsigned long long)(at->file_line + n));
}
