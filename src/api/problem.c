/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/problem.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const struct {
	unsigned status;
	const char *title;
} statuses[] = {
	{ 400, "Bad request" },
	{ 401, "Authentication required" },
	{ 403, "Not allowed" },
	{ 404, "Not found" },
	{ 405, "Method not allowed" },
	{ 409, "Conflict" },
	{ 412, "Precondition failed" },
	{ 413, "Body too large" },
	{ 415, "Unsupported media type" },
	{ 422, "Invalid input" },
	{ 500, "Internal error" },
	{ 503, "Unavailable" },
};

static const char *
title(unsigned status)
{
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
		if (statuses[i].status == status)
			return statuses[i].title;
	return "Error";
}

unsigned
problem_status(const struct diag *d)
{
	switch (d->code) {
	case DIAG_INVALID:
		return 422;
	case DIAG_NOT_FOUND:
		return 404;
	case DIAG_CONFLICT:
		return 409;
	case DIAG_PRECONDITION:
		return 412;
	case DIAG_UNAVAILABLE:
		return 503;
	case DIAG_NONE:
	case DIAG_INTERNAL:
		break;
	}
	return 500;
}

json_t *
problem_string(const char *text)
{
	json_t *j = json_string(text);

	if (j != NULL)
		return j;

	char *safe = xstrdup(text);

	for (char *c = safe; *c != '\0'; c++)
		if (*c & 0x80)
			*c = '?';
	j = json_string(safe);
	free(safe);
	return j;
}

static json_t *
encode(const struct diag_problem *p)
{
	json_t *j = json_object();

	json_object_set_new(j, "pointer", problem_string(p->where));
	json_object_set_new(j, "detail", problem_string(p->detail));
	if (p->got != NULL)
		json_object_set_new(j, "got", problem_string(p->got));
	if (p->allowed != NULL)
		json_object_set_new(j, "allowed", problem_string(p->allowed));
	return j;
}

/* One line for people: the first problem, and how many more there are. */
static json_t *
summary(const struct diag *d)
{
	const struct diag_problem *p = d->first;

	if (p == NULL)
		return json_string("");

	char *more = d->count > 1 ? xasprintf(" (and %zu more)", d->count - 1) : xstrdup("");
	char *text =
	    xasprintf("%s%s%s%s", p->where, p->where[0] != '\0' ? ": " : "", p->detail, more);
	json_t *j = problem_string(text);

	free(more);
	free(text);
	return j;
}

json_t *
problem_encode(const struct diag *d, unsigned status)
{
	json_t *j = json_object(), *errors = json_array();

	if (status == 0)
		status = problem_status(d);
	json_object_set_new(j, "type", json_sprintf("urn:opengtm:problem:%u", status));
	json_object_set_new(j, "title", json_string(title(status)));
	json_object_set_new(j, "status", json_integer(status));
	json_object_set_new(j, "detail", summary(d));
	for (const struct diag_problem *p = d->first; p != NULL; p = p->next)
		json_array_append_new(errors, encode(p));
	json_object_set_new(j, "errors", errors);
	if (d->n_referrers > 0) {
		json_t *who = json_array();

		for (size_t i = 0; i < d->n_referrers; i++)
			json_array_append_new(who, problem_string(d->referrers[i]));
		json_object_set_new(j, "referrers", who);
	}
	return j;
}

static char *
place(const char *prefix, const char *where, bool whole)
{
	if (whole || where[0] == '\0')
		return xstrdup(prefix);
	if (prefix[0] == '\0')
		return xstrdup(where);
	return xasprintf("%s%s%s", prefix, where[0] == '[' ? "" : ".", where);
}

void
problem_adopt(struct diag *to, const struct diag *from, const char *prefix, bool whole)
{
	for (const struct diag_problem *p = from->first; p != NULL; p = p->next) {
		char *where = place(prefix, p->where, whole);

		/* The code is that of the first problem: all of a diag share it here. */
		diag_add(to, from->code, where, "%s", p->detail);
		diag_detail(to, p->got, p->allowed);
		free(where);
	}
	for (size_t i = 0; i < from->n_referrers; i++)
		diag_referrer(to, from->referrers[i]);
}
