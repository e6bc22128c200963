/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The event stream: live, replayed, and for readers that are too slow. */
#include <pthread.h>
#include <time.h>

#include "api/hub.h"
#include "rig.h"

/* A client on its own thread until `want` has come (or the time is over). */
struct listener {
	struct rig *r;
	const char *path, *last_id, *want;
	pthread_t thread;
	struct buf got;
	_Atomic bool found;
};

static size_t
hear(char *data, size_t size, size_t n, void *arg)
{
	struct listener *l = arg;

	buf_put(&l->got, data, size * n);
	l->found = strstr(buf_str(&l->got), l->want) != NULL;
	return l->found ? 0 : size * n; /* 0 ends the transfer */
}

static void *
listen_on(void *arg)
{
	struct listener *l = arg;
	char url[256], line[200];
	struct curl_slist *list = NULL;
	CURL *curl = curl_easy_init();

	snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", l->r->port, l->path);
	snprintf(line, sizeof(line), "Authorization: Bearer %s", l->r->token);
	list = curl_slist_append(list, line);
	snprintf(line, sizeof(line), "Last-Event-ID: %s", l->last_id != NULL ? l->last_id : "");
	if (l->last_id != NULL)
		list = curl_slist_append(list, line);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, hear);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, l);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 5000L);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_perform(curl);
	curl_easy_cleanup(curl);
	curl_slist_free_all(list);
	return NULL;
}

static bool
joined(struct rig *r)
{
	struct hub *h = control_hub(r->control);
	bool any;

	pthread_mutex_lock(&h->lock);
	any = !list_empty(&h->readers);
	pthread_mutex_unlock(&h->lock);
	return any;
}

static void
start(struct listener *l, struct rig *r, const char *path, const char *last_id, const char *want)
{
	*l = (struct listener){ .r = r, .path = path, .last_id = last_id, .want = want };
	buf_init(&l->got, SIZE_MAX);
	pthread_create(&l->thread, NULL, listen_on, l);
	while (!joined(r) && last_id == NULL)
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

static void
finish(struct listener *l)
{
	pthread_join(l->thread, NULL);
	if (!l->found)
		fail_msg("no '%s' in: %s", l->want, buf_str(&l->got));
}

static void
event(struct rig *r, const char *kind, const char *text)
{
	json_t *e = json_pack("{s:s, s:s, s:s, s:{s:s, s:s}}", "kind", kind, "severity", "warning",
	    "text", text, "object", "kind", "address", "name", "a1");

	control_event(r->control, e);
	json_decref(e);
}

static void
test_an_event_arrives(void **state)
{
	struct rig *r = *state;
	struct listener l;

	start(&l, r, "/api/v1/stream?topics=events", NULL, "address.down");
	rig_put(r, "/api/v1/templates/t", "{'spec':{'protocol':'tcp'}}"); /* not of this topic */
	event(r, "address.down", "a1 is down");
	finish(&l);
	assert_non_null(strstr(buf_str(&l.got), "event: event\ndata: {"));
	assert_null(strstr(buf_str(&l.got), "config.applied"));
	buf_fini(&l.got);
}

static void
test_events_of_one_moment_arrive_each(void **state)
{
	struct rig *r = *state;
	struct listener l;

	start(&l, r, "/api/v1/stream?topics=events", NULL, "second");
	event(r, "address.down", "first");
	event(r, "address.up", "second");
	finish(&l);
	assert_non_null(strstr(buf_str(&l.got), "first"));
	buf_fini(&l.got);
}

static void
test_commits_and_statuses_are_topics(void **state)
{
	struct rig *r = *state;
	struct listener config, health;

	rig_fill(r);
	start(&config, r, "/api/v1/stream?topics=config", NULL, "put template 'x'");
	rig_put(r, "/api/v1/templates/x", "{'spec':{'protocol':'tcp'}}");
	finish(&config);
	start(&health, r, "/api/v1/stream?topics=health", NULL, "\"health\":\"ok\"");
	while (!health.found && r->ready) {
		control_status(r->control, KIND_ADDRESS, "a1", "{\"health\":\"ok\"}");
		nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
	}
	finish(&health);
	buf_fini(&config.got);
	buf_fini(&health.got);
}

static void
test_replay_from_the_last_id(void **state)
{
	struct rig *r = *state;
	struct listener l;
	char id[32];

	event(r, "address.down", "first");
	event(r, "address.up", "second");
	assert_int_equal(rig_ask(r, "GET", "/api/v1/events?object=address/a1", NULL, NULL), 200);
	assert_string_equal(rig_at(r, "items[0].text"), "first");
	assert_string_equal(rig_at(r, "items[1].object.name"), "a1");
	snprintf(id, sizeof(id), "%s", rig_at(r, "items[0].id"));
	start(&l, r, "/api/v1/stream", id, "second");
	finish(&l);
	assert_null(strstr(buf_str(&l.got), "first"));
	buf_fini(&l.got);

	char path[96];

	snprintf(path, sizeof(path), "/api/v1/events?since=%s&kind=address.up", id);
	assert_int_equal(rig_ask(r, "GET", path, NULL, NULL), 200);
	assert_string_equal(rig_at(r, "items[0].text"), "second");
}

static void
nothing(void *arg)
{
	(void)arg;
}

static void
test_a_slow_reader_loses_the_oldest(void **state)
{
	struct hub h;
	struct hub_reader r = { .topics = HUB_EVENTS, .sleep = nothing, .wake = nothing };
	struct hub_message *m;
	uint64_t lost = 0;

	(void)state;
	hub_init(&h);
	hub_join(&h, &r);
	assert_int_equal(hub_take(&h, &r, &m, &lost), HUB_ASLEEP);
	for (uint64_t i = 1; i <= HUB_QUEUE + 5; i++)
		hub_publish(&h, HUB_EVENTS, i, "x");
	hub_publish(&h, HUB_HEALTH, 0, "not for me");
	hub_beat(&h, "nor this: there is something queued");
	assert_int_equal(hub_take(&h, &r, &m, &lost), HUB_LAGGED);
	assert_int_equal(lost, 5);
	for (uint64_t i = 6; i <= HUB_QUEUE + 5; i++) {
		assert_int_equal(hub_take(&h, &r, &m, &lost), HUB_MESSAGE);
		assert_int_equal(m->id, i);
		hub_release(&h, m);
	}
	hub_close(&h);
	assert_int_equal(hub_take(&h, &r, &m, &lost), HUB_CLOSED);
	hub_leave(&h, &r);
	hub_fini(&h);
}

static void
test_a_stop_ends_the_streams(void **state)
{
	struct rig *r = *state;
	struct listener l;

	start(&l, r, "/api/v1/stream", NULL, "never");
	rig_halt(r);
	pthread_join(l.thread, NULL);
	buf_fini(&l.got);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_start, rig_stop)
		TEST(test_an_event_arrives),
		TEST(test_events_of_one_moment_arrive_each),
		TEST(test_commits_and_statuses_are_topics),
		TEST(test_replay_from_the_last_id),
		cmocka_unit_test(test_a_slow_reader_loses_the_oldest),
		TEST(test_a_stop_ends_the_streams),
	};

	curl_global_init(CURL_GLOBAL_DEFAULT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
