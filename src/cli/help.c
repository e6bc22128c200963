/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/help.h"

#include <string.h>

#include "cli/verbs.h"

static const char program_examples[] =
    "  gtmctl demo                                      the whole product in under a minute\n"
    "  gtmctl zone import example.com example.com.zone\n"
    "  gtmctl domain create www.example.com A --scenario multi_active \\\n"
    "      --site dc-a=203.0.113.10 --site dc-b=198.51.100.10:3 --check tcp:80 --enable\n"
    "  gtmctl get domains\n"
    "  gtmctl explain www.example.com A --client 192.0.2.1\n"
    "  gtmctl events -w\n";

/* Lines after the first begin at `column`. */
static void
write_lines(FILE *out, const char *text, int column)
{
	for (const char *end; (end = strchr(text, '\n')) != NULL; text = end + 1)
		fprintf(out, "%.*s\n%*s", (int)(end - text), text, column, "");
	fprintf(out, "%s\n", text);
}

static void
write_options(FILE *out, const char *title, const struct option *o)
{
	fprintf(out, "\n%s\n", title);
	for (; o->name != NULL; o++) {
		char left[48];

		snprintf(left, sizeof(left), "%c%c%s%s%s%s", o->letter != 0 ? '-' : ' ',
		    o->letter != 0 ? o->letter : ' ', o->letter != 0 ? ", " : "  ", o->name,
		    o->value != NULL ? " " : "", o->value != NULL ? o->value : "");
		fprintf(out, "  %-28s ", left);
		write_lines(out, o->prose, 31);
	}
}

static void
write_verb(FILE *out, const struct verb *v)
{
	fprintf(out, "%s.\n\nExamples\n%s\nUsage\n  gtmctl %s %s%s\n", v->prose, v->examples,
	    v->name, v->usage, v->options != NULL ? " [OPTIONS]" : "");
	if (v->options != NULL)
		write_options(out, "Options", v->options);
	write_options(out, "Options of every verb", args_common);
}

void
help_write(FILE *out, const struct verb *v)
{
	if (v != NULL) {
		write_verb(out, v);
		return;
	}
	fprintf(out, "gtmctl steers OpenGTM, the Global Traffic Manager.\n\nExamples\n%s\nVerbs\n",
	    program_examples);
	for (v = verbs_table; v->name != NULL; v++)
		fprintf(out, "  %-16s %s\n", v->name, v->prose);
	write_options(out, "Options", args_common);
	fputs("\nEnvironment\n  GTM_SERVER, GTM_SOCKET, GTM_TOKEN_FILE stand for the options; "
	      "NO_COLOR turns colour off\n"
	      "\nExit status\n  0 ok, 1 error, 2 usage, 3 not found, 4 conflict, 5 not allowed, 6 "
	      "unreachable\n"
	      "\ngtmctl help VERB tells more of a verb.\n",
	    out);
}
