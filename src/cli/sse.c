/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/sse.h"

#include <stdio.h>
#include <string.h>

#define LINE_MAX_LEN ((size_t)1 << 20)

void
sse_init(struct sse *s, void (*event)(void *arg, const char *data), void *arg)
{
	*s = (struct sse){ .event = event, .arg = arg };
	buf_init(&s->line, LINE_MAX_LEN);
	buf_init(&s->data, LINE_MAX_LEN);
}

void
sse_fini(struct sse *s)
{
	buf_fini(&s->line);
	buf_fini(&s->data);
}

static void
take_line(struct sse *s, const char *line)
{
	const size_t name = strcspn(line, ":");
	const char *value = line[name] == ':' ? line + name + 1 : "";

	value += *value == ' ';
	if (*line == '\0') {
		if (s->data.len > 0 && !s->data.overflow)
			s->event(s->arg, buf_str(&s->data));
		buf_clear(&s->data);
	} else if (name == 4 && strncmp(line, "data", 4) == 0) {
		if (s->data.len > 0)
			buf_puts(&s->data, "\n");
		buf_puts(&s->data, value);
	} else if (name == 2 && strncmp(line, "id", 2) == 0) {
		snprintf(s->id, sizeof(s->id), "%s", value);
	} /* other fields and comments (heartbeats) are not ours */
}

void
sse_feed(struct sse *s, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] != '\n') {
			buf_put_u8(&s->line, (unsigned char)bytes[i]);
			continue;
		}
		if (s->line.len > 0 && s->line.data[s->line.len - 1] == '\r')
			s->line.len--;
		take_line(s, s->line.overflow ? "" : buf_str(&s->line));
		buf_clear(&s->line);
	}
}
