/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where clients are: the atlas that answers go by, and the files it comes from.
 *
 *	geo/watch (a thread of its own) -- news --> this thread --> tree_set_atlas, and then domain
 *by |                                                     domain, between other work
 *	      `--> DIR/geo.atlas   what was read last: the next start begins with it
 *
 * The old data stays whatever happens to the files.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "app/engine_state.h"
#include "base/clock.h"
#include "base/mem.h"
#include "geo/atlas_file.h"
#include "geo/watch.h"
#include "model/line_tree.h"
#include "steer/locate.h"

#define REFRESH_STEP  200   /* domains compiled anew before other work has its turn */
#define FIRST_READ_MS 10000 /* what a first start waits for at most */
#define AGE_CHECK_MS  3600000
#define DAY_MS        INT64_C(86400000)
#define STALE         "geoip.stale"

struct engine_geo {
	struct engine *engine;
	struct survey_source *sources;
	size_t n;
	char *path; /* of geo.atlas */
	struct watch *watch;

	/* From the watching thread; under the lock. */
	pthread_mutex_t lock;
	struct watch_news *news;

	struct atlas *atlas; /* in use; NULL: none yet */
	struct survey_report *reports;
	int64_t loaded_ms, took_ms;
	char *problem;  /* why the latest reading failed; NULL: it did not */
	bool *told_old; /* of each source, since it was read */
	uint64_t loads, failures;
	bool waited; /* for the first reading, long enough */
	struct wheel_timer refresh, patience, age;
};

/* -- geo.atlas -- */

/* What the file was made from. */
static char *
note_text(const struct engine_geo *g, const struct survey_report *reports)
{
	json_t *list = json_array(), *note;

	for (size_t i = 0; i < g->n; i++) {
		const struct survey_source *s = &g->sources[i];
		const struct survey_report *r = &reports[i];

		json_array_append_new(
		    list, json_pack("{s:s, s:s?, s:s?, s:s?, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
			      "file", s->file, "country", s->country, "subdivision", s->subdivision,
			      "asn", s->asn, "modified_ms", (json_int_t)r->modified_ms, "made_ms",
			      (json_int_t)r->made_ms, "size", (json_int_t)r->size, "inode",
			      (json_int_t)r->inode, "ranges", (json_int_t)r->ranges, "skipped",
			      (json_int_t)r->skipped, "overlaps", (json_int_t)r->overlaps));
	}
	note = json_pack("{s:o}", "sources", list);

	char *text = json_text(note);

	json_decref(note);
	return text;
}

static bool
same_text(const json_t *j, const char *key, const char *text)
{
	const char *was = json_string_value(json_object_get(j, key));

	return was == NULL || text == NULL ? was == text : strcmp(was, text) == 0;
}

static int64_t
number(const json_t *j, const char *key)
{
	return json_integer_value(json_object_get(j, key));
}

/* Is this note of the sources that are configured now? Then what was read of them. */
static bool
read_note(const char *text, const struct engine_geo *g, struct survey_report *reports)
{
	json_t *note = json_loads(text, 0, NULL);
	const json_t *list = json_object_get(note, "sources");
	bool same = json_array_size(list) == g->n;

	for (size_t i = 0; same && i < g->n; i++) {
		const json_t *j = json_array_get(list, i);
		const struct survey_source *s = &g->sources[i];

		same = same_text(j, "file", s->file) && same_text(j, "country", s->country) &&
		       same_text(j, "subdivision", s->subdivision) && same_text(j, "asn", s->asn);
		reports[i] = (struct survey_report){ .modified_ms = number(j, "modified_ms"),
			.made_ms = number(j, "made_ms"),
			.size = (uint64_t)number(j, "size"),
			.inode = (uint64_t)number(j, "inode"),
			.ranges = (size_t)number(j, "ranges"),
			.skipped = (size_t)number(j, "skipped"),
			.overlaps = (size_t)number(j, "overlaps") };
	}
	json_decref(note);
	return same;
}

static void
keep(struct engine_geo *g, const struct watch_news *n)
{
	char *note = note_text(g, n->reports);
	const int err = atlas_file_write(g->path, n->atlas, note);

	free(note);
	if (err < 0)
		log_warn("geo",
		    "%s cannot be written (%s): the next start reads the data sets again", g->path,
		    strerror(-err));
}

/* -- events -- */

static void
tell(struct engine_geo *g, const char *kind, const char *severity, const char *text)
{
	log_line(strcmp(severity, "info") == 0 ? LOG_INFO : LOG_WARN, "geo", "%s: %s", kind, text);
	engine_feed_notice(g->engine, kind, severity, text);
}

static void
check_age(struct engine_geo *g)
{
	const int64_t max = g->engine->config->geo.max_age_days, now = clock_real_ms();

	for (size_t i = 0; i < g->n && g->reports != NULL && max > 0; i++) {
		const int64_t days = (now - g->reports[i].made_ms) / DAY_MS;

		if (days <= max || g->told_old[i])
			continue;
		g->told_old[i] = true;

		char *text = xasprintf("%s is %jd days old, more than %jd: clients may be taken "
				       "for others'",
		    g->sources[i].file, (intmax_t)days, (intmax_t)max);

		tell(g, STALE, "warning", text);
		free(text);
	}
	loop_timer_in(g->engine->loop, &g->age, AGE_CHECK_MS);
}

static void
age_due(struct wheel_timer *t)
{
	check_age(container_of(t, struct engine_geo, age));
}

/* -- into use -- */

static void
refresh_due(struct wheel_timer *t)
{
	struct engine_geo *g = container_of(t, struct engine_geo, refresh);

	if (tree_refresh(g->engine->tree, REFRESH_STEP, clock_real_ms()) > 0)
		loop_timer_in(g->engine->loop, &g->refresh, 0);
}

/* Takes both. */
static void
use(struct engine_geo *g, struct atlas *a, struct survey_report *reports)
{
	atlas_unref(&g->atlas);
	free(g->reports);
	g->atlas = a;
	g->reports = reports;
	g->loaded_ms = clock_real_ms();
	memset(g->told_old, 0, g->n * sizeof(*g->told_old));
	atlas_ref(a);
	tree_set_atlas(g->engine->tree, a);
	loop_timer_in(g->engine->loop, &g->refresh, 0);
	check_age(g);
}

static void
tell_loaded(struct engine_geo *g)
{
	char *text = xasprintf("%zu data sets read in %jd ms: %zu ranges of IPv4, %zu of IPv6",
	    g->n, (intmax_t)g->took_ms, atlas_count(g->atlas, ATLAS_V4),
	    atlas_count(g->atlas, ATLAS_V6));

	tell(g, "geoip.loaded", "info", text);
	free(text);
}

static void
tell_failed(struct engine_geo *g)
{
	char at[CLOCK_TEXT_SIZE];
	char *text = g->atlas == NULL ? xasprintf("no data of where clients are: %s", g->problem)
				      : xasprintf("the data read at %s stays: %s",
					    clock_text(g->loaded_ms, at), g->problem);

	tell(g, STALE, "warning", text);
	free(text);
}

static void
take_news(void *arg)
{
	struct engine_geo *g = arg;

	pthread_mutex_lock(&g->lock);
	struct watch_news *n = g->news;
	g->news = NULL;
	pthread_mutex_unlock(&g->lock);
	if (n == NULL)
		return; /* the one before took it */
	free(g->problem);
	g->problem = n->problem;
	n->problem = NULL;
	g->took_ms = n->took_ms;
	if (n->atlas != NULL) {
		g->loads++;
		use(g, n->atlas, n->reports);
		n->atlas = NULL;
		n->reports = NULL;
		tell_loaded(g);
	} else {
		g->failures++;
		tell_failed(g);
	}
	watch_news_free(&n);
	g->waited = true;
	loop_timer_cancel(g->engine->loop, &g->patience);
	engine_maybe_serve(g->engine);
}

/* In the watching thread. */
static void
post_news(void *arg, struct watch_news *n)
{
	struct engine_geo *g = arg;

	if (n->atlas != NULL)
		keep(g, n);
	pthread_mutex_lock(&g->lock);
	watch_news_free(&g->news); /* not yet taken, and old now */
	g->news = n;
	pthread_mutex_unlock(&g->lock);
	loop_post(g->engine->loop, take_news, g);
}

static void
patience_over(struct wheel_timer *t)
{
	struct engine_geo *g = container_of(t, struct engine_geo, patience);

	log_warn("geo", "the data sets are not read after %d ms; serving without", FIRST_READ_MS);
	g->waited = true;
	engine_maybe_serve(g->engine);
}

bool
engine_geo_ready(const struct engine *e)
{
	return e->geo == NULL || e->geo->atlas != NULL || e->geo->waited;
}

void
engine_geo_ask(struct engine *e)
{
	if (e->geo != NULL)
		watch_ask(e->geo->watch);
}

/* -- what is known of it -- */

static json_t *
source_status(const struct engine_geo *g, size_t i)
{
	const struct survey_report *r = g->reports != NULL ? &g->reports[i] : NULL;
	json_t *j = json_pack("{s:s}", "file", g->sources[i].file);
	char at[CLOCK_TEXT_SIZE];

	if (r == NULL)
		return j;
	json_object_set_new(j, "made", json_string(clock_text(r->made_ms, at)));
	json_object_set_new(j, "ranges", json_integer((json_int_t)r->ranges));
	json_object_set_new(j, "skipped", json_integer((json_int_t)r->skipped));
	json_object_set_new(j, "overlaps", json_integer((json_int_t)r->overlaps));
	return j;
}

struct atlas *
engine_geo_atlas(const struct engine *e)
{
	struct atlas *a = e->geo == NULL ? NULL : e->geo->atlas;

	if (a != NULL)
		atlas_ref(a);
	return a;
}

json_t *
engine_geo_status(const struct engine *e)
{
	const struct engine_geo *g = e->geo;
	json_t *databases = json_array(), *lines = json_array();
	json_t *j = json_pack("{s:o, s:o}", "databases", databases, "lines", lines);
	char at[CLOCK_TEXT_SIZE];

	if (g == NULL)
		return j;
	for (size_t i = 0; i < g->n; i++)
		json_array_append_new(databases, source_status(g, i));
	for (size_t i = 0; g->atlas != NULL && i < line_tree_count(); i++)
		if (atlas_sets_of(g->atlas, (uint16_t)i).count > 0)
			json_array_append_new(lines, json_string(line_tree_at(i)->code));
	if (g->atlas != NULL)
		json_object_set_new(j, "loaded", json_string(clock_text(g->loaded_ms, at)));
	if (g->problem != NULL)
		json_object_set_new(j, "problem", json_string(g->problem));
	return j;
}

json_t *
engine_geo_locate(const struct engine *e, const json_t *request, struct diag *d)
{
	const struct engine_geo *g = e->geo;
	const char *files[SURVEY_SOURCES_MAX];
	const size_t n = g != NULL ? g->n : 0;

	for (size_t i = 0; i < n; i++)
		files[i] = g->sources[i].file;
	return locate(tree_model(e->tree), g != NULL ? g->atlas : NULL, files, n, request, d);
}

static void
add_gauge(json_t *j, const char *name, json_int_t value)
{
	json_object_set_new(j, name, json_pack("{s:I}", "gauge", value));
}

void
engine_geo_counters(const struct engine *e, json_t *j)
{
	const struct engine_geo *g = e->geo;
	int64_t made_ms = INT64_MAX;

	if (g == NULL)
		return;
	json_object_set_new(j, "geoip_loads", json_integer((json_int_t)g->loads));
	json_object_set_new(j, "geoip_failures", json_integer((json_int_t)g->failures));
	add_gauge(j, "geoip_failed", g->problem != NULL);
	if (g->atlas == NULL)
		return;
	for (size_t i = 0; i < g->n; i++)
		if (g->reports[i].made_ms < made_ms)
			made_ms = g->reports[i].made_ms;
	add_gauge(j, "geoip_age_seconds", (clock_real_ms() - made_ms) / 1000);
	add_gauge(j, "geoip_load_milliseconds", g->took_ms);
	add_gauge(j, "geoip_ranges_ipv4", (json_int_t)atlas_count(g->atlas, ATLAS_V4));
	add_gauge(j, "geoip_ranges_ipv6", (json_int_t)atlas_count(g->atlas, ATLAS_V6));
	add_gauge(j, "geoip_bytes", (json_int_t)atlas_bytes(g->atlas));
}

/* -- life -- */

/* What the last run read; true if it is of the sources configured now. */
static bool
recall(struct engine_geo *g, struct survey_report *reports)
{
	struct diag d;
	char *note;

	diag_init(&d);

	struct atlas *a = atlas_file_read(g->path, &note, &d);

	if (a == NULL && d.code != DIAG_NOT_FOUND)
		log_warn("geo", "%s", diag_text(&d));
	if (a != NULL && !read_note(note, g, reports))
		atlas_unref(&a);
	free(note);
	diag_fini(&d);
	if (a == NULL)
		return false;
	use(g, a, xmemdup(reports, g->n * sizeof(*reports)));
	log_info("geo", "%s: %zu ranges of IPv4, %zu of IPv6", g->path, atlas_count(a, ATLAS_V4),
	    atlas_count(a, ATLAS_V6));
	return true;
}

void
engine_geo_open(struct engine *e)
{
	const struct config_geo *c = &e->config->geo;
	const struct config_database *db = c->databases.items;
	struct survey_report *reports;
	struct engine_geo *g;
	bool known;

	if (c->databases.count == 0)
		return;
	g = xcalloc(1, sizeof(*g));
	g->engine = e;
	e->geo = g;
	g->n = c->databases.count;
	g->sources = xcalloc(g->n, sizeof(*g->sources));
	for (size_t i = 0; i < g->n; i++)
		g->sources[i] = (struct survey_source){ db[i].file, db[i].country,
			db[i].subdivision, db[i].asn };
	g->told_old = xcalloc(g->n, sizeof(*g->told_old));
	g->path = xasprintf("%s/geo.atlas", e->config->data_dir);
	pthread_mutex_init(&g->lock, NULL);
	wheel_timer_init(&g->refresh, refresh_due);
	wheel_timer_init(&g->patience, patience_over);
	wheel_timer_init(&g->age, age_due);
	reports = xcalloc(g->n, sizeof(*reports));
	known = recall(g, reports);
	if (!known)
		loop_timer_in(e->loop, &g->patience, FIRST_READ_MS);
	g->watch = watch_start(g->sources, g->n, known ? reports : NULL, post_news, g);
	free(reports);
}

void
engine_geo_close(struct engine *e)
{
	struct engine_geo *g = e->geo;

	if (g == NULL)
		return;
	watch_stop(&g->watch);
	loop_timer_cancel(e->loop, &g->refresh);
	loop_timer_cancel(e->loop, &g->patience);
	loop_timer_cancel(e->loop, &g->age);
	watch_news_free(&g->news);
	pthread_mutex_destroy(&g->lock);
	atlas_unref(&g->atlas);
	free(g->reports);
	free(g->told_old);
	free(g->problem);
	free(g->path);
	free(g->sources);
	free(g);
	e->geo = NULL;
}
