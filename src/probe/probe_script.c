/* SPDX-License-Identifier: GPL-3.0-or-later */
/* probe_script -- passes when a script of the server's own directory ends with status 0. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "probe/protocol.h"
#include "probe/script.h"

#define ARGS_MAX 17 /* with the command */
#define TEXT_MAX 8192

/* An argument with what stands for the target filled in, and its NUL. */
static void
put_argument(struct buf *out, const char *text, const char *const values[][2])
{
	while (*text != '\0') {
		size_t i = 0;

		while (
		    values[i][0] != NULL && strncmp(text, values[i][0], strlen(values[i][0])) != 0)
			i++;
		if (values[i][0] != NULL) {
			buf_puts(out, values[i][1]);
			text += strlen(values[i][0]);
		} else {
			buf_put_u8(out, (uint8_t)*text++);
		}
	}
	buf_put_u8(out, '\0');
}

/* The request is the arguments, one after the other, each with its NUL. */
static void
prepare(struct recipe *r, const char *host, const struct template_spec *template)
{
	const struct script_spec *script = &template->script;
	const char *const *args = script->args.items;
	const struct addr target = recipe_target(r);
	char ip[ADDR_TEXT_SIZE], port[8], timeout[16];
	struct buf b;

	addr_ip_text(&target, ip);
	snprintf(port, sizeof(port), "%u", addr_port(&target));
	snprintf(timeout, sizeof(timeout), "%u", template->timeout_ms);

	const char *const values[][2] = { { "{address}", ip }, { "{port}", port },
		{ "{host}", host != NULL ? host : ip }, { "{timeout_ms}", timeout }, { NULL, "" } };

	buf_init(&b, TEXT_MAX);
	buf_put(&b, script->command, strlen(script->command) + 1);
	for (size_t i = 0; i < script->args.count && i + 1 < ARGS_MAX; i++)
		put_argument(&b, args[i], values);
	r->request = (char *)buf_take(&b, &r->request_len);
}

static void
split(const struct recipe *r, char *argv[ARGS_MAX + 1])
{
	size_t n = 0;

	for (size_t at = 0; at < r->request_len && n < ARGS_MAX; at += strlen(r->request + at) + 1)
		argv[n++] = r->request + at;
	argv[n] = NULL;
}

static enum probe_step
start(struct probe *p)
{
	const struct recipe *r = p->recipe;
	char *argv[ARGS_MAX + 1], path[PATH_MAX];

	/* Nothing is learned about the target: no outcome. */
	p->text = "this server's configuration allows no scripts (probe.scripts)";
	if (r->script_dir == NULL)
		return PROBE_STARVED;
	split(r, argv);
	snprintf(path, sizeof(path), "%s/%s", r->script_dir, argv[0]);
	p->script = xcalloc(1, sizeof(*p->script));

	const int error = script_start(p->script, path, argv);

	if (error < 0) {
		p->text = strerrordesc_np(-error);
		return PROBE_STARVED;
	}
	p->fd = p->script->fd;
	p->connected = true; /* there is no connection to wait for */
	p->text = "";
	return PROBE_READ;
}

static enum probe_step
on_io(struct probe *p)
{
	const bool ended = script_step(p->script, &p->in);
	const int status = p->script->status;

	if (p->in.len > 0)
		probe_first_byte(p);
	if (!ended)
		return PROBE_READ;
	if (status == 0) {
		p->text = "exit status 0";
		return PROBE_PASS;
	}
	if (status < 256) {
		p->status = (uint16_t)status;
		return probe_fail(p, "script_exit", "");
	}

	const char *name = sigdescr_np(status - 256);

	return probe_fail(p, "script_signal", name != NULL ? name : "a signal ended it");
}

/* It closes the descriptor, too, which is no socket. */
static void
end(struct probe *p)
{
	if (p->script == NULL)
		return;
	script_end(p->script);
	free(p->script);
	p->script = NULL;
	p->fd = -1;
}

const struct protocol_row probe_script = {
	.name = "script",
	.single = true,
	.late = "script_timeout",
	.late_text = "it did not end in time",
	.prepare = prepare,
	.start = start,
	.on_io = on_io,
	.end = end,
};
