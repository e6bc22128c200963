/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * demo -- the seed scenario for real: a server, two sites of web servers, a failure and its repair.
 *
 *	demo_run    sets the stage, plays the steps, sums up, cleans up
 *	steps       what is shown, in order (demo_steps.c); each says what must hold and looks
 *	show        how it is printed (demo_show.c)
 *	sites       the web servers (demo_sites.c)
 *	server      gtmd and its data directory (demo_server.c)
 *	dns         asking over UDP (demo_dns.c)
 */
#pragma once

#include "cli/cli.h"
#include "cli/demo_server.h"
#include "cli/demo_sites.h"

#define DEMO_NAME "www.cloud-example.com"

struct demo {
	struct cli *cli;
	struct demo_server server;
	struct demo_sites sites;
	int dns_fd; /* one socket, so one worker answers all: its exactness can be held against it
		     */
	unsigned step, held;
	bool failed;      /* something in the current step did not hold */
	bool progressing; /* a progress line is on the terminal */
	int64_t started_ms;
};

struct demo_step {
	const char *title;
	const char *prose; /* why, for a newcomer; lines are indented as they are */
	void (*play)(struct demo *d);
};
extern const struct demo_step demo_steps[]; /* ends with a step without a title */

int demo_run(struct cli *cli);
/* Ctrl-C or SIGTERM came: every wait ends. */
bool demo_interrupted(void);

/* demo_show.c */
void demo_show_title(struct demo *d, const struct demo_step *s);
void demo_show_line(struct demo *d, const char *fmt, ...) PRINTF(2, 3);
void demo_show_command(struct demo *d, const char *fmt, ...) PRINTF(2, 3);
/* A check mark, or a cross and the step fails. Returns `held`. */
bool demo_show_check(struct demo *d, bool held, const char *fmt, ...) PRINTF(3, 4);
/* Indent a block of lines. */
void demo_show_block(struct demo *d, struct buf *text);
/* On a terminal only: what is being waited for; gone before anything else is printed. */
void demo_show_progress(struct demo *d, const char *fmt, ...) PRINTF(2, 3);
void demo_show_progress_end(struct demo *d);

/* demo_lines.c: answers by where the client is. */
void demo_lines_play(struct demo *d);

/* demo_watch.c: looking at the running thing. */

/* Ask the API; false after printing the refusal (the step fails). `body` is taken over. */
bool
demo_watch_api(struct demo *d, const char *method, const char *path, json_t *body, json_t **reply);
/* Poll until the `n` addresses of these sites have this health, at most `ms`. */
bool demo_watch_health(struct demo *d, const char *health, unsigned ms);
/* Ask 1,000 times and hold the counts per site against the weights. */
void demo_watch_ratio(struct demo *d, const unsigned weights[DEMO_SITES]);
