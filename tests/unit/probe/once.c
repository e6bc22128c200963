/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "once.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void
done(struct runner *r, enum probe_step step)
{
	struct once *o = container_of(r, struct once, runner);

	o->step = step;
	o->cause = r->probe.cause;
	o->text = r->probe.text;
	loop_stop(o->loop);
}

void
once_init(struct once *o)
{
	*o = (struct once){ .loop = loop_new() };
	runner_init(&o->runner, o->loop, done);
}

void
once_fini(struct once *o)
{
	probe_forget(&o->runner.probe);
	loop_free(&o->loop);
}

enum probe_step
once_run(struct once *o, const struct addr *target, const char *host, const struct template_spec *t)
{
	struct recipe *r = recipe_new(target, host, t, NULL);

	runner_start(&o->runner, r);
	loop_run(o->loop);
	recipe_free(&r);
	return o->step;
}

void
once_assert(struct once *o, const struct addr *target, const char *host,
    const struct template_spec *t, const char *cause, const char *text)
{
	const enum probe_step step = once_run(o, target, host, t);

	if (strcmp(o->cause, cause) != 0 || (text != NULL && strcmp(o->text, text) != 0))
		fail_msg("'%s' (%s), not '%s' (%s)", o->cause, o->text, cause, text ? text : "");
	assert_int_equal(step, cause[0] == '\0' ? PROBE_PASS : PROBE_FAIL);
}
