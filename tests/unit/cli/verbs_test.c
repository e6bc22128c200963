/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whole runs of verbs against a server that says what the test wants; the demo's parts by
 * themselves. */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/thread.h"
#include "cli/demo_dns.h"
#include "cli/demo_sites.h"
#include "cli/verbs.h"
#include "net/sock.h"

/* Answers each connection's one request with `reply` and keeps what was asked. */
struct server {
	char dir[64], *path;
	int fd;
	pthread_t thread;
	const char *reply;
	char request[65536];
};

static void
answer(struct server *s, int fd)
{
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, s->request + len, sizeof(s->request) - 1 - len)) > 0) {
		const char *length, *end;

		s->request[len += (size_t)n] = '\0';
		end = strstr(s->request, "\r\n\r\n");
		length = strstr(s->request, "Content-Length: ");
		if (end != NULL && (length == NULL || strlen(end + 4) >= (size_t)atoi(length + 16)))
			break;
	}
	assert_true(write(fd, s->reply, strlen(s->reply)) > 0);
	close(fd);
}

static void *
serve(void *arg)
{
	struct server *s = arg;

	for (int fd; (fd = accept(s->fd, NULL, NULL)) >= 0;)
		answer(s, fd);
	return NULL;
}

static void
start(struct server *s, const char *reply)
{
	struct diag d;
	int flags = 0;

	*s = (struct server){ .dir = "/tmp/gtmctl-test-XXXXXX", .reply = reply };
	diag_init(&d);
	assert_non_null(mkdtemp(s->dir));
	s->path = xasprintf("%s/s", s->dir);
	s->fd = sock_unix_listen(s->path, 0600, &d);
	assert_true(s->fd >= 0);
	diag_fini(&d);
	flags = fcntl(s->fd, F_GETFL);
	assert_int_equal(fcntl(s->fd, F_SETFL, flags & ~O_NONBLOCK), 0);
	thread_start(&s->thread, "server", serve, s);
}

static void
stop(struct server *s)
{
	shutdown(s->fd, SHUT_RDWR); /* ends accept */
	thread_join(s->thread);
	close(s->fd);
	unlink(s->path);
	rmdir(s->dir);
	free(s->path);
}

struct outcome {
	int code;
	char *out, *err;
	size_t out_len, err_len;
};

static struct outcome
run(const char *const *argv)
{
	struct outcome o = { 0 };
	struct cli cli = { .program = "gtmctl" };
	struct diag d;
	int argc = 0;

	while (argv[argc] != NULL)
		argc++;
	diag_init(&d);
	cli.out = open_memstream(&o.out, &o.out_len);
	cli.err = open_memstream(&o.err, &o.err_len);
	assert_int_equal(args_parse(&cli.args, verbs_table, argc, argv, &d), 0);
	const char *format = args_value(&cli.args, "--output");

	cli.output = format != NULL && strcmp(format, "yaml") == 0 ? OUTPUT_YAML : OUTPUT_TABLE;
	o.code = cli.args.verb->run(&cli);
	client_free(&cli.client);
	fclose(cli.out);
	fclose(cli.err);
	diag_fini(&d);
	return o;
}
#define RUN(...) run((const char *const[]){ "gtmctl", __VA_ARGS__, NULL })

static void
end(struct outcome *o)
{
	free(o->out);
	free(o->err);
}

#define HEAD(status)                                                                               \
	"HTTP/1.1 " status "\r\nConnection: close\r\nContent-Type: application/json\r\n"

static void
test_get(void **state)
{
	struct server s;

	(void)state;
	start(&s, HEAD("200 OK") "\r\n{\"items\":[{\"kind\":\"pool\",\"name\":\"dc-a\"}]}");
	struct outcome o = RUN("get", "pools", "--socket", s.path);

	assert_int_equal(o.code, EXIT_OK);
	assert_non_null(strstr(o.out, "dc-a  "));
	assert_string_equal(o.err, "");
	assert_int_equal(strncmp(s.request, "GET /api/v1/pools HTTP/1.1\r\n", 28), 0);
	end(&o);
	o = RUN("get", "pools", "--socket", s.path, "-o", "yaml");
	assert_string_equal(o.out, "kind: pool\nname: dc-a\n");
	end(&o);
	stop(&s);
}

static void
test_refusals_have_their_exit_codes(void **state)
{
	struct server s;

	(void)state;
	start(&s,
	    HEAD("409 Conflict") "\r\n{\"title\":\"Conflict\",\"referrers\":[\"domain www/A\"]}");
	struct outcome o = RUN("delete", "pool", "dc-a", "--socket", s.path);

	assert_int_equal(o.code, EXIT_CONFLICT);
	assert_string_equal(o.err, "error: Conflict\n  used by domain www/A\n");
	assert_string_equal(o.out, "");
	end(&o);
	stop(&s);
	o = RUN("get", "pools", "--socket", "/nonexistent/socket");
	assert_int_equal(o.code, EXIT_UNREACHABLE);
	assert_non_null(strstr(o.err, "/nonexistent/socket: cannot reach the server"));
	end(&o);
	o = RUN("get", "pools", "--socket", "/x", "--server", "http://y");
	assert_int_equal(o.code, EXIT_USAGE);
	end(&o);
}

static void
test_create_sends_what_was_meant(void **state)
{
	struct server s;

	(void)state;
	start(&s, HEAD("201 Created") "GTM-Applied: 0\r\n\r\n{\"warnings\":[\"odd\"]}");
	struct outcome o = RUN("domain", "create", "www.x", "A", "--scenario", "multi_active",
	    "--site", "a=192.0.2.1:3", "--check", "tcp:80", "--interval", "1s", "--fall", "2",
	    "--enable", "--socket", s.path);

	assert_int_equal(o.code, EXIT_OK);
	assert_non_null(strstr(s.request,
	    "{\"scenario\":\"multi_active\",\"name\":\"www.x\",\"type\":\"A\",\"enabled\":true,"
	    "\"check\":{\"protocol\":\"tcp\",\"port\":80,\"interval\":\"1s\",\"fall\":2},"
	    "\"sites\":[{\"name\":\"a\",\"weight\":3,\"addresses\":[\"192.0.2.1\"]}]}"));
	assert_non_null(strstr(o.err, "note: saved, but DNS does not serve it yet"));
	assert_non_null(strstr(o.err, "warning: odd"));
	end(&o);
	o = RUN("domain", "create", "www.x", "A", "--scenario", "multi_active", "--socket", s.path);
	assert_int_equal(o.code, EXIT_USAGE);
	end(&o);
	stop(&s);
}

/* Every option arrives where the request has it; what was made is shown. */
static void
test_create_with_everything(void **state)
{
	static const char reply[] = HEAD(
	    "200 OK") "\r\n{\"dryRun\":true,\"reused\":[{\"kind\":\"template\",\"name\":\"web\","
		      "\"generated\":\"t\",\"spec\":{\"protocol\":\"tcp\",\"interval\":\"5s\"}}],"
		      "\"made\":[{\"kind\":\"pool\",\"name\":\"p\",\"spec\":{\"strategy\":"
		      "\"weight\","
		      "\"addresses\":[{\"address\":\"a\",\"weight\":3,\"lines\":[\"default\"]}]}},"
		      "{\"kind\":\"domain\",\"name\":\"www.x/A\",\"spec\":{\"strategy\":"
		      "\"source_nearest\",\"ttl\":60,\"enabled\":false,\"pools\":[{\"pool\":\"p\","
		      "\"weight\":1,\"lines\":[\"telecom\"]}]}}]}";
	struct server s;

	(void)state;
	start(&s, reply);
	struct outcome o = RUN("domain", "create", "www.x", "A,AAAA", "--scenario", "custom",
	    "--template", "web:80", "--site", "a=telecom:192.0.2.1", "--ttl", "5",
	    "--sequence-mode", "non_preemptive", "--failback-delay", "5m", "--strategy", "hash",
	    "--fallback", "nodata", "--remark", "r", "--pool", "p:3", "--pool", "q", "--name",
	    "pool/a=b", "--dry-run", "--socket", s.path);

	assert_int_equal(o.code, EXIT_OK);
	assert_non_null(strstr(s.request, "POST /api/v1/domains:from-scenario?dryRun=1 "));
	assert_non_null(strstr(s.request,
	    "{\"scenario\":\"custom\",\"name\":\"www.x\",\"type\":[\"A\",\"AAAA\"],"
	    "\"enabled\":false,\"check\":{\"template\":\"web\",\"port\":80},\"sites\":["
	    "{\"name\":\"a\",\"weight\":1,\"lines\":{\"telecom\":[\"192.0.2.1\"]}}],"
	    "\"ttl\":5,\"sequence_mode\":\"non_preemptive\",\"failback_delay\":\"5m\","
	    "\"strategy\":\"hash\",\"fallback\":\"nodata\",\"remark\":\"r\",\"pools\":["
	    "{\"pool\":\"p\",\"weight\":3},\"q\"],\"names\":{\"pool/a\":\"b\"}}"));
	assert_string_equal(o.out, "       OBJECT          WHAT\n"
				   "there  template/web    tcp every 5s (for t)\n"
				   "new    pool/p          weight: a*3\n"
				   "new    domain/www.x/A  source_nearest, ttl 60, disabled\n"
				   "         pool/p        line telecom\n");
	assert_string_equal(o.err, "nothing was changed: this is what would be made\n");
	end(&o);
	stop(&s);
}

static void
test_create_refuses_what_it_cannot_read(void **state)
{
	static const char *const bad[][2] = {
		{ "--pool", "p:x" },
		{ "--pool", ":3" },
		{ "--template", "web" },
		{ "--template", "web:x" },
		{ "--name", "a" },
		{ "--remark", "\xff" },
		{ "--ttl", "x" },
		{ "--site", "a" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct outcome o = RUN("domain", "create", "www.x", "A", "--scenario", "custom",
		    bad[i][0], bad[i][1], "--socket", "/nonexistent");

		assert_int_equal(o.code, EXIT_USAGE);
		assert_non_null(strstr(o.err, bad[i][0]));
		end(&o);
	}
}

static void
test_explain_sends_the_subnet(void **state)
{
	struct server s;

	(void)state;
	start(&s, HEAD("200 OK") "\r\n{\"answer\":{}}");
	struct outcome o = RUN("explain", "www.x", "A", "--client", "192.0.2.53", "--ecs",
	    "198.51.100.0/24", "--socket", s.path);

	assert_int_equal(o.code, EXIT_OK);
	assert_non_null(strstr(s.request, "{\"name\":\"www.x\",\"type\":\"A\",\"client\":"
					  "\"192.0.2.53\",\"ecs\":\"198.51.100.0/24\"}"));
	end(&o);
	stop(&s);
}

static void
test_sites_fail_and_return(void **state)
{
	struct demo_sites s = { 0 };
	struct addr a;
	struct diag d;

	(void)state;
	diag_init(&d);
	assert_int_equal(demo_sites_start(&s, &d), 0);
	assert_int_equal(addr_parse(&a, demo_sites_ips[0][1], s.port), 0);
	for (int round = 0; round < 6; round++) {
		const bool up = round % 2 == 0;

		assert_true(demo_sites_set(&s, 0, up));
		const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		assert_int_equal(connect(fd, &a.sa, a.len), up ? 0 : -1);
		close(fd);
	}
	demo_sites_stop(&s);
	diag_fini(&d);
	assert_int_equal(demo_sites_of("127.0.20.2"), 1);
	assert_int_equal(demo_sites_of("192.0.2.1"), -1);
}

/* A server that answers the second question first with garbage, then rightly. */
static void *
answer_dns(void *arg)
{
	const int fd = *(int *)arg;
	uint8_t m[512];
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	const ssize_t n = recvfrom(fd, m, sizeof(m), 0, (struct sockaddr *)&from, &len);
	static const uint8_t rr[] = { 0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7 };

	assert_true(n > 12);
	m[0] ^= 0xff;
	sendto(fd, m, (size_t)n, 0, (struct sockaddr *)&from, len); /* not ours: another id */
	m[0] ^= 0xff;
	m[2] |= 0x84;
	m[7] = 1;
	memcpy(m + n, rr, sizeof(rr));
	sendto(fd, m, (size_t)n + sizeof(rr), 0, (struct sockaddr *)&from, len);
	return NULL;
}

static void
test_dns_answers_are_read(void **state)
{
	int server = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct demo_dns_answer a;
	struct addr at;
	pthread_t t;

	(void)state;
	assert_int_equal(addr_parse(&at, "127.0.0.1:0", 0), 0);
	assert_int_equal(bind(server, &at.sa, at.len), 0);
	assert_int_equal(sock_name(server, &at), 0);
	thread_start(&t, "dns", answer_dns, &server);
	const int fd = demo_dns_open(addr_port(&at));

	assert_true(fd >= 0);
	assert_int_equal(demo_dns_ask(fd, "www.example.com", 1, 2000, &a), 0);
	assert_true(a.aa);
	assert_int_equal(a.n, 1);
	assert_int_equal(a.ttl, 60);
	assert_string_equal(a.rdata[0], "192.0.2.7");
	assert_int_equal(demo_dns_ask(fd, "www.example.com", 1, 30, &a), -ETIMEDOUT);
	thread_join(t);
	close(fd);
	close(server);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_get),
		cmocka_unit_test(test_refusals_have_their_exit_codes),
		cmocka_unit_test(test_create_sends_what_was_meant),
		cmocka_unit_test(test_create_with_everything),
		cmocka_unit_test(test_create_refuses_what_it_cannot_read),
		cmocka_unit_test(test_explain_sends_the_subnet),
		cmocka_unit_test(test_sites_fail_and_return),
		cmocka_unit_test(test_dns_answers_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
