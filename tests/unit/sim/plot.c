/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "plot.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/mem.h"
#include "model/model.h"
#include "sim/extract.h"
#include "sim/sim.h"

static char *
quote(char *text)
{
	for (char *p = text; *p != '\0'; p++) {
		if (*p == '\'')
			*p = '"';
	}
	return text;
}

static void
put(struct model *m, enum kind kind, const char *name, const char *spec, ...)
{
	struct diag d;
	struct arena a;
	va_list ap;

	va_start(ap, spec);
	char *text = quote(xvasprintf(spec, ap));

	va_end(ap);
	diag_init(&d);
	arena_init(&a);

	json_t *j = json_parse(text, strlen(text), &d);

	CHECK(j != NULL);
	if (model_check_put(m, NULL, kind, name, j, &d) < 0)
		check_failed(diag_text(&d), __FILE__, __LINE__, name);

	char *whole = kind_spec_text(kind, kind_decode(kind, name, j, &a, &d));

	(void)model_apply(m, &(struct change_op){ .op = CHANGE_PUT,
				 .kind = kind,
				 .name = name,
				 .id = "0123456789abcdef",
				 .spec = whole });
	free(whole);
	free(text);
	json_decref(j);
	arena_fini(&a);
	diag_fini(&d);
}

static void
build(struct model *m, const struct plot *p)
{
	struct buf links;

	buf_init(&links, 65536);
	put(m, KIND_ZONE, "example.com", "{}");
	put(m, KIND_ADDRESS, "other", "{'type': 'ipv4', 'value': '198.51.100.9'}"); /* of another */
	put(m, KIND_TEMPLATE, "t", "%s",
	    p->template != NULL ? p->template
				: "{'protocol': 'tcp', 'interval': '1s', 'timeout': '500ms', "
				  "'fall': 2, 'rise': 1}");
	for (unsigned i = 1; i <= p->n_sites; i++) {
		char name[2][16];

		snprintf(name[0], sizeof(name[0]), "a%u", i);
		snprintf(name[1], sizeof(name[1]), "p%u", i);
		put(m, KIND_ADDRESS, name[0],
		    "{'type': 'ipv4', 'value': '192.0.2.%u', 'checks': [%s]}", i,
		    p->unchecked ? "" : "{'template': 't', 'port': 80}");
		put(m, KIND_POOL, name[1], "{'type': 'ipv4', 'addresses': [{'address': '%s'}]}",
		    name[0]);
		buf_printf(&links, "%s{'pool': '%s', 'weight': %u}", i > 1 ? ", " : "", name[1],
		    p->weights[i - 1]);
	}
	put(m, KIND_DOMAIN, "www.example.com/A", "{'strategy': '%s', %s%s'pools': [%s]}",
	    p->strategy != NULL ? p->strategy : "weight", p->domain != NULL ? p->domain : "",
	    p->domain != NULL ? ", " : "", buf_str(&links));
	buf_fini(&links);
	for (size_t i = 0; i < ARRAY_LEN(p->imposed) && p->imposed[i][0] != NULL; i++)
		put(m, KIND_OVERRIDE, p->imposed[i][0], "%s", p->imposed[i][1]);
	if (p->window != NULL)
		put(m, KIND_MAINTENANCE, "window", "%s", p->window);
}

static json_t *
run(const struct plot *p, const char *request, struct diag *d)
{
	struct model m;
	struct sim_spec spec;
	struct change_set set;
	struct arena a;
	char *text = quote(xasprintf("{'name': 'www.example.com', %s}", request));
	json_t *j = json_parse(text, strlen(text), d), *report = NULL;

	model_init(&m);
	build(&m, p);
	arena_init(&a);
	change_init(&set);
	if (j != NULL && sim_spec_read(&spec, j, &a, d) == 0 &&
	    extract_domain(&m, &spec, &set, d) == 0)
		report = sim_run(&set, &spec, NULL, SIM_WORK_MAX, d);
	change_fini(&set);
	arena_fini(&a);
	model_fini(&m);
	json_decref(j);
	free(text);
	return report;
}

json_t *
plot_run(const struct plot *p, const char *request, ...)
{
	struct diag d;
	va_list ap;

	va_start(ap, request);
	char *text = xvasprintf(request, ap);

	va_end(ap);
	diag_init(&d);

	json_t *report = run(p, text, &d);

	if (report == NULL)
		check_failed(diag_text(&d), __FILE__, __LINE__, text);
	diag_fini(&d);
	free(text);
	return report;
}

const char *
plot_refusal(const struct plot *p, const char *request)
{
	static char text[4096];
	struct diag d;

	diag_init(&d);
	CHECK(run(p, request, &d) == NULL);
	snprintf(text, sizeof(text), "%s", diag_text(&d));
	diag_fini(&d);
	return text;
}

double
plot_number(const json_t *report, const char *path)
{
	const json_t *at = report;
	char key[64];
	size_t i;

	while (*path != '\0') {
		const size_t n = strcspn(path, ".[]");

		CHECK(n < sizeof(key));
		memcpy(key, path, n);
		key[n] = '\0';
		if (n > 0 && json_is_array(at)) {
			i = strtoul(key, NULL, 10);
			at = json_array_get(at, i);
		} else if (n > 0) {
			at = json_object_get(at, key);
		}
		path += n;
		path += strspn(path, ".[]");
		CHECK(at != NULL);
	}
	return json_is_null(at) ? -1 : json_number_value(at);
}
