/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rig.h"

#include <inttypes.h>

static bool
deliver(void *arg, const struct change_set *c, unsigned timeout_ms)
{
	struct rig *r = arg;

	(void)c, (void)timeout_ms;
	r->delivered++;
	return r->applies;
}

static json_t *
ask(void *arg, const char *verb, const json_t *request, unsigned timeout_ms, struct diag *d)
{
	struct rig *r = arg;

	(void)timeout_ms;
	if (!r->ready) {
		diag_add(d, DIAG_UNAVAILABLE, "", "the engine is not there");
		return NULL;
	}
	if (strcmp(verb, "counters") == 0)
		return json_pack("{s:{s:i, s:[{s:{s:s}, s:i}]}}", "dns", "queries", 12, "answers",
		    "labels", "rcode", "NOERROR", "value", 11);
	return json_pack("{s:s, s:O}", "verb", verb, "request", request);
}

static bool
ready(void *arg)
{
	return ((struct rig *)arg)->ready;
}

void
rig_serve(struct rig *r)
{
	struct http_config config = { .data_dir = r->dir };
	struct addr any;
	char path[96];
	struct diag d;

	diag_init(&d);
	r->engine = (struct control_engine){ r, deliver, ask, ready };
	r->control = control_new(r->store, &r->engine, &d);
	assert_non_null(r->control);
	assert_int_equal(addr_parse(&any, "127.0.0.1:0", 0), 0);
	config.tcp_fd = sock_tcp_listen(&any, &d);
	assert_true(config.tcp_fd >= 0);
	assert_int_equal(sock_name(config.tcp_fd, &any), 0);
	r->port = addr_port(&any);
	snprintf(path, sizeof(path), "%s/control.sock", r->dir);
	config.unix_fd = sock_unix_listen(path, 0600, &d);
	assert_true(config.unix_fd >= 0);
	r->http = http_start(&config, r->control, &d);
	if (r->http == NULL)
		fail_msg("%s", diag_text(&d));
	diag_fini(&d);
	snprintf(path, sizeof(path), "%s/admin.token", r->dir);

	FILE *f = fopen(path, "r");

	assert_non_null(f);
	assert_non_null(fgets(r->token, sizeof(r->token), f));
	r->token[strcspn(r->token, "\n")] = '\0';
	fclose(f);
}

void
rig_halt(struct rig *r)
{
	http_stop(&r->http);
	control_free(&r->control);
}

int
rig_start(void **state)
{
	struct rig *r = xcalloc(1, sizeof(*r));
	struct diag d;

	strcpy(r->dir, "/tmp/gtm-api-XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	diag_init(&d);
	if (store_open(r->dir, &r->store, &d) < 0)
		fail_msg("%s", diag_text(&d));
	diag_fini(&d);
	r->ready = r->applies = true;
	buf_init(&r->text, SIZE_MAX);
	buf_init(&r->headers, SIZE_MAX);
	rig_serve(r);
	*state = r;
	return 0;
}

int
rig_stop(void **state)
{
	struct rig *r = *state;
	char command[128];

	rig_halt(r);
	store_close(&r->store);
	snprintf(command, sizeof(command), "rm -rf '%s'", r->dir);
	assert_int_equal(system(command), 0);
	json_decref(r->json);
	buf_fini(&r->text);
	buf_fini(&r->headers);
	free(r);
	return 0;
}

static size_t
take(char *data, size_t size, size_t n, void *arg)
{
	buf_put(arg, data, size * n);
	return size * n;
}

static struct curl_slist *
header_list(struct rig *r, const char *type, const char *headers)
{
	struct curl_slist *list = NULL;
	char line[200];

	snprintf(line, sizeof(line), "Content-Type: %s", type != NULL ? type : "");
	if (type != NULL)
		list = curl_slist_append(list, line);
	snprintf(line, sizeof(line), "Authorization: Bearer %s", r->token);
	if (r->token[0] != '\0')
		list = curl_slist_append(list, line);
	while (headers != NULL && *headers != '\0') {
		const size_t len = strcspn(headers, "\n");

		snprintf(line, sizeof(line), "%.*s", (int)len, headers);
		list = curl_slist_append(list, line);
		headers += len + (headers[len] == '\n');
	}
	return list;
}

long
rig_send(struct rig *r, const char *method, const char *path, const char *type, const char *body,
    const char *headers)
{
	struct curl_slist *list = header_list(r, type, headers);
	char url[1024], local[96];
	CURL *curl = curl_easy_init();

	snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", r->port, path);
	snprintf(local, sizeof(local), "%s/control.sock", r->dir);
	buf_clear(&r->text);
	buf_clear(&r->headers);
	curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	if (r->local)
		curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, local);
	if (strcmp(method, "HEAD") == 0)
		curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
	if (body != NULL)
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &r->text);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, &r->headers);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 10000L);

	const CURLcode rc = curl_easy_perform(curl);

	if (rc != CURLE_OK)
		fail_msg("%s %s: %s", method, path, curl_easy_strerror(rc));
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &r->status);
	curl_easy_cleanup(curl);
	curl_slist_free_all(list);
	json_decref(r->json);
	r->json = json_loadb((char *)r->text.data, r->text.len, 0, NULL);
	return r->status;
}

long
rig_ask(struct rig *r, const char *method, const char *path, const char *body, const char *headers)
{
	char *text = xstrdup(body);

	for (char *c = text; c != NULL && *c != '\0'; c++)
		if (*c == '\'')
			*c = '"';
	rig_send(r, method, path, body != NULL ? "application/json" : NULL, text, headers);
	free(text);
	return r->status;
}

const char *
rig_at(struct rig *r, const char *path)
{
	static char out[1024];
	const json_t *j = r->json;

	while (*path != '\0' && j != NULL) {
		const size_t len = strcspn(path, ".[");
		char *key = xstrndup(path, len);

		if (len > 0)
			j = json_object_get(j, key);
		free(key);
		path += len;
		if (*path == '[') {
			j = json_array_get(j, strtoul(path + 1, NULL, 10));
			path += strcspn(path, "]") + 1;
		}
		path += *path == '.';
	}
	out[0] = '\0';
	if (json_is_string(j)) {
		snprintf(out, sizeof(out), "%s", json_string_value(j));
	} else if (j != NULL) {
		char *text = json_text(j);

		snprintf(out, sizeof(out), "%s", text);
		free(text);
	}
	return out;
}

const char *
rig_header(struct rig *r, const char *name)
{
	static char out[200];
	char line[64];
	const char *at;

	snprintf(line, sizeof(line), "\n%s: ", name);
	at = strcasestr(buf_str(&r->headers), line);
	if (at == NULL)
		return "";
	at += strlen(line);
	snprintf(out, sizeof(out), "%.*s", (int)strcspn(at, "\r\n"), at);
	return out;
}

uint64_t
rig_revision(struct rig *r)
{
	return store_revision(r->store);
}

void
rig_put(struct rig *r, const char *path, const char *body)
{
	const long status = rig_ask(r, "PUT", path, body, NULL);

	if (status != 200 && status != 201)
		fail_msg("PUT %s: %ld %s", path, status, buf_str(&r->text));
}

void
rig_fill(struct rig *r)
{
	rig_put(r, "/api/v1/zones/example.com",
	    "{'spec':{'nameservers':['ns1.example.net','ns2.example.net']}}");
	rig_put(r, "/api/v1/templates/tcp", "{'spec':{'protocol':'tcp'}}");
	for (int i = 1; i <= 2; i++) {
		char path[64], body[200];

		snprintf(path, sizeof(path), "/api/v1/addresses/a%d", i);
		snprintf(body, sizeof(body),
		    "{'spec':{'type':'ipv4','value':'192.0.2.%d',"
		    "'checks':[{'template':'tcp','port':80}]}}",
		    i);
		rig_put(r, path, body);
		snprintf(path, sizeof(path), "/api/v1/pools/p%d", i);
		snprintf(body, sizeof(body),
		    "{'spec':{'type':'ipv4','addresses':[{'address':'a%d'}]}}", i);
		rig_put(r, path, body);
	}
	rig_put(r, "/api/v1/domains/www.example.com/A",
	    "{'spec':{'strategy':'weight','enabled':true,'pools':[{'pool':'p1'},{'pool':'p2'}]}}");
}
