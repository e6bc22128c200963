/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/demo.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cli/demo_dns.h"
#include "cli/input.h"
#include "cli/term.h"

#define READY_MS  15000
#define LOG_MAX   ((size_t)64 << 20)
#define LOG_SHOWN 2000 /* bytes of its end */

static volatile sig_atomic_t interrupted;

static void
interrupt(int signal_number)
{
	(void)signal_number;
	interrupted = 1;
}

bool
demo_interrupted(void)
{
	return interrupted != 0;
}

static void
catch_signals(void)
{
	const struct sigaction action = { .sa_handler = interrupt }; /* waits end: no SA_RESTART */

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	signal(SIGPIPE, SIG_IGN); /* whoever reads us may go; the server is still to be stopped */
}

static bool
is_ready(struct demo *d)
{
	const struct client_request q = { .method = "GET", .path = "/readyz" };
	struct client_reply r;
	struct diag ignored;
	bool ready = false;

	diag_init(&ignored);
	if (access(d->server.socket, F_OK) == 0 &&
	    client_call(d->cli->client, &q, &r, &ignored) == 0) {
		ready = r.status == 200;
		client_reply_fini(&r);
	}
	diag_fini(&ignored);
	return ready;
}

static bool
wait_ready(struct demo *d)
{
	const uint64_t start = clock_mono_ms();

	while (!demo_interrupted() && demo_server_runs(&d->server) &&
	       clock_mono_ms() - start < READY_MS) {
		if (is_ready(d))
			return demo_show_check(d, true, "gtmd is ready (after %.1f s)",
			    (double)(clock_mono_ms() - start) / 1000);
		demo_show_progress(d, "waiting for gtmd");
		usleep(20000);
	}
	return demo_show_check(d, false, "expected gtmd to be ready within %d s, saw %s",
	    READY_MS / 1000, demo_server_runs(&d->server) ? "that it is not" : "that it ended");
}

static bool
set_stage(struct demo *d)
{
	struct diag problems;

	diag_init(&problems);
	int rc = demo_sites_start(&d->sites, &problems);

	if (rc == 0)
		rc = demo_server_start(&d->server, args_value(&d->cli->args, "--gtmd"),
		    args_value(&d->cli->args, "--config"), &problems);
	if (rc == 0) {
		const struct client_target target = { .socket = d->server.socket };

		d->cli->client = client_new(&target, &problems);
		d->dns_fd = demo_dns_open(d->server.dns_port);
		if (d->cli->client == NULL || d->dns_fd < 0)
			rc = -1;
	}
	if (rc != 0)
		cli_fail(d->cli, EXIT_ERROR, &problems);
	diag_fini(&problems);
	return rc == 0;
}

static void
play_start(struct demo *d)
{
	if (!set_stage(d)) {
		d->failed = true;
		return;
	}
	demo_show_line(
	    d, "dc-a      127.0.10.1, 127.0.10.2   web servers on port %u", d->sites.port);
	demo_show_line(
	    d, "dc-b      127.0.20.1, 127.0.20.2   web servers on port %u", d->sites.port);
	demo_show_line(d, "gtmd      DNS 127.0.0.1:%u, API 127.0.0.1:%u, data in %s",
	    d->server.dns_port, d->server.api_port, d->server.dir);
	wait_ready(d);
}

static const struct demo_step first_step = { "Start",
	"   Two data centres of two web servers each, and the Global Traffic Manager.\n",
	play_start };

/* Later steps build on earlier ones: the first that does not hold ends the play. */
static void
play(struct demo *d)
{
	const struct demo_step *s = &first_step;

	while (s->title != NULL && !demo_interrupted() && !d->failed) {
		d->step++;
		demo_show_title(d, s);
		s->play(d);
		d->held += !d->failed && !demo_interrupted();
		s = s == &first_step ? demo_steps : s + 1;
	}
}

static unsigned
count_steps(void)
{
	unsigned n = 1;

	for (const struct demo_step *s = demo_steps; s->title != NULL; s++)
		n++;
	return n;
}

static void
show_log(struct demo *d)
{
	struct diag ignored;
	size_t len = 0;

	if (d->server.log == NULL)
		return;
	diag_init(&ignored);
	char *text = input_read(d->server.log, LOG_MAX, &len, &ignored);

	diag_fini(&ignored);
	if (text != NULL && len > 0)
		fprintf(d->cli->err, "\nThe end of gtmd's log:\n%s",
		    text + (len > LOG_SHOWN ? len - LOG_SHOWN : 0));
	free(text);
}

static void
show_commands(struct demo *d)
{
	const bool stays = args_has(&d->cli->args, "--stay");
	const char *program = d->cli->program, *dir = stays ? d->server.dir : "DIR";
	char dns[8] = "PORT", api[8] = "API";

	if (stays) {
		snprintf(dns, sizeof(dns), "%u", d->server.dns_port);
		snprintf(api, sizeof(api), "%u", d->server.api_port);
		fputs("\nLook around:\n", d->cli->out);
	} else {
		fprintf(d->cli->out,
		    "\nTo look around by hand, keep it running with %s demo --stay:\n", program);
	}
	demo_show_command(d, "dig @127.0.0.1 -p %s " DEMO_NAME " A", dns);
	demo_show_command(d, "kdig @127.0.0.1 -p %s +tcp cloud-example.com SOA", dns);
	demo_show_command(d, "%s --data-dir %s domain enable " DEMO_NAME " A", program, dir);
	demo_show_command(d, "%s --data-dir %s get addresses", program, dir);
	demo_show_command(d, "%s --data-dir %s events -w", program, dir);
	demo_show_command(d,
	    "curl -H \"Authorization: Bearer $(cat %s/admin.token)\" "
	    "http://127.0.0.1:%s/api/v1/domains",
	    dir, api);
}

static void
sum_up(struct demo *d)
{
	const unsigned total = count_steps();
	const bool held = d->held == total;
	const bool colour = d->cli->colour;
	const enum style style = held ? STYLE_GOOD : STYLE_BAD;

	demo_show_progress_end(d);
	fprintf(d->cli->out, "\n%s%u of %u steps held%s, in %.1f s\n", term_on(colour, style),
	    d->held, total, term_off(colour, style),
	    (double)(clock_real_ms() - d->started_ms) / 1000);
	fflush(d->cli->out);
	if (!held && demo_interrupted())
		cli_say(d->cli, "interrupted");
	else if (!held)
		show_log(d);
	if (held)
		show_commands(d);
}

static void
stay(struct demo *d)
{
	fprintf(d->cli->out, "\nEverything keeps running; Ctrl-C ends it.\n");
	fflush(d->cli->out);
	while (!demo_interrupted() && demo_server_runs(&d->server))
		usleep(100000);
}

int
demo_run(struct cli *cli)
{
	struct demo d = { .cli = cli, .dns_fd = -1, .started_ms = clock_real_ms() };

	cli->quiet = true; /* that the domain hides the record is the very point */
	catch_signals();
	play(&d);
	sum_up(&d);
	const bool held = d.held == count_steps();

	if (held && args_has(&cli->args, "--stay"))
		stay(&d);
	if (d.dns_fd >= 0)
		close(d.dns_fd);
	client_free(&cli->client);
	const bool clean = demo_server_stop(&d.server);

	demo_sites_stop(&d.sites);
	if (held && !clean)
		cli_refuse(
		    cli, EXIT_ERROR, "gtmd", "did not end by itself with status 0 after SIGTERM");
	return held && clean ? EXIT_OK : EXIT_ERROR;
}
