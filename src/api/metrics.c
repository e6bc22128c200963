/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/metrics.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void
put_label(struct buf *out, const char *key, const char *value, bool first)
{
	buf_printf(out, "%s%s=\"", first ? "" : ",", key);
	for (; *value != '\0'; value++) {
		if (*value == '"' || *value == '\\')
			buf_puts(out, "\\");
		if (*value == '\n')
			buf_puts(out, "\\n");
		else
			buf_put_u8(out, (uint8_t)*value);
	}
	buf_puts(out, "\"");
}

static void
put_value(struct buf *out, const json_t *value)
{
	if (json_is_integer(value))
		buf_printf(out, " %" JSON_INTEGER_FORMAT "\n", json_integer_value(value));
	else
		buf_printf(out, " %.17g\n", json_number_value(value));
}

static void
put_samples(struct buf *out, const char *name, const char *suffix, const json_t *samples)
{
	size_t i;
	json_t *sample, *label;

	json_array_foreach((json_t *)(uintptr_t)samples, i, sample)
	{
		const char *key;
		bool first = true;

		buf_printf(out, "gtm_%s%s{", name, suffix);
		json_object_foreach(json_object_get(sample, "labels"), key, label)
		{
			const char *text = json_string_value(label);

			put_label(out, key, text != NULL ? text : "", first);
			first = false;
		}
		buf_puts(out, "}");
		put_value(out, json_object_get(sample, "value"));
	}
}

/* The last bound, null, is +Inf. */
static void
put_histogram(struct buf *out, const char *name, const json_t *j)
{
	size_t i;
	json_t *bucket;

	buf_printf(out, "# TYPE gtm_%s histogram\n", name);
	json_array_foreach(json_object_get(j, "histogram"), i, bucket)
	{
		const json_t *bound = json_array_get(bucket, 0);

		if (json_is_number(bound))
			buf_printf(out, "gtm_%s_bucket{le=\"%g\"}", name, json_number_value(bound));
		else
			buf_printf(out, "gtm_%s_bucket{le=\"+Inf\"}", name);
		put_value(out, json_array_get(bucket, 1));
	}
	buf_printf(out, "gtm_%s_sum", name);
	put_value(out, json_object_get(j, "sum"));
	buf_printf(out, "gtm_%s_count", name);
	put_value(out, json_object_get(j, "count"));
}

static void
put_counters(struct buf *out, const char *name, const json_t *j)
{
	const char *key;
	json_t *below;

	if (json_is_number(j)) {
		buf_printf(out, "# TYPE gtm_%s counter\ngtm_%s_total", name, name);
		put_value(out, j);
	} else if (json_is_array(j)) {
		buf_printf(out, "# TYPE gtm_%s counter\n", name);
		put_samples(out, name, "_total", j);
	} else if (json_is_number(json_object_get(j, "gauge"))) {
		buf_printf(out, "# TYPE gtm_%s gauge\ngtm_%s", name, name);
		put_value(out, json_object_get(j, "gauge"));
	} else if (json_is_array(json_object_get(j, "gauge"))) {
		buf_printf(out, "# TYPE gtm_%s gauge\n", name);
		put_samples(out, name, "", json_object_get(j, "gauge"));
	} else if (json_is_array(json_object_get(j, "histogram"))) {
		put_histogram(out, name, j);
	} else {
		json_object_foreach((json_t *)(uintptr_t)j, key, below)
		{
			char *longer = xasprintf("%s%s%s", name, name[0] != '\0' ? "_" : "", key);

			put_counters(out, longer, below);
			free(longer);
		}
	}
}

/* `metric`{kind, <member>}: how many objects have which word at that member of their status. */
static void
put_words(struct control *c, const struct model *m, int kind, const char *metric,
    const char *member, const char *otherwise, struct buf *out)
{
	struct strmap by_word;

	strmap_init(&by_word);
	STRMAP_EACH (&m->objects[kind], e) {
		char said[CONTROL_WORD_SIZE];
		const char *word = control_status_word(c, (enum kind)kind, e->key, member, said);

		if (word[0] == '\0')
			word = otherwise;
		strmap_put(&by_word, word, (void *)((uintptr_t)strmap_find(&by_word, word) + 1));
	}
	STRMAP_EACH (&by_word, e)
		buf_printf(out, "%s{kind=\"%s\",%s=\"%s\"} %ju\n", metric, kind_table[kind].name,
		    member, e->key, (uintmax_t)(uintptr_t)e->value);
	strmap_fini(&by_word);
}

static void
put_objects(struct control *c, struct buf *out)
{
	const struct model *m = control_read_begin(c);

	buf_puts(out, "# TYPE gtm_objects gauge\n# HELP gtm_objects Objects by kind and health.\n");
	for (int k = 0; k < KIND_COUNT; k++)
		put_words(c, m, k, "gtm_objects", "health", "unknown", out);
	buf_puts(out,
	    "# TYPE gtm_states gauge\n# HELP gtm_states Addresses, pools and domains by the state "
	    "that people see.\n");
	for (int k = KIND_ADDRESS; k <= KIND_DOMAIN; k++)
		put_words(c, m, k, "gtm_states", "state", "unknown", out);
	buf_printf(out,
	    "# TYPE gtm_revision gauge\n# HELP gtm_revision Newest revision of the model.\n"
	    "gtm_revision %" PRIu64 "\n",
	    m->revision);
	control_read_end(c);
}

void
metrics_write(struct control *c, struct buf *out)
{
	json_t *none = json_object(), *counters;
	struct diag d;

	diag_init(&d);
	counters = control_ask(c, "counters", none, &d);
	buf_printf(out,
	    "# TYPE gtm_engine_ready gauge\n# HELP gtm_engine_ready The engine serves DNS.\n"
	    "gtm_engine_ready %d\n",
	    control_ready(c));
	put_objects(c, out);
	if (counters != NULL)
		put_counters(out, "", counters);
	buf_puts(out, "# EOF\n");
	json_decref(counters);
	json_decref(none);
	diag_fini(&d);
}
