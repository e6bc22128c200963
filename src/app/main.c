/* SPDX-License-Identifier: GPL-3.0-or-later */
/* main -- gtmd: options, configuration, data directory, sockets; then the supervisor. */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/config.h"
#include "app/control_process.h"
#include "app/engine.h"
#include "app/sockets.h"
#include "app/supervisor.h"
#include "app/uplink_process.h"
#include "base/mem.h"
#include "node/identity.h"
#include "node/join.h"

/* mkdir -p; the last part is for the service alone. */
static int
make_dir(const char *path)
{
	char *copy = xstrdup(path);
	int err = 0;
	for (char *p = copy + 1; err == 0; p++) {
		if (*p != '/' && *p != '\0')
			continue;
		const char was = *p;
		*p = '\0';
		if (mkdir(copy, was == '\0' ? 0700 : 0755) != 0 && errno != EEXIST)
			err = -errno;
		*p = was;
		if (was == '\0')
			break;
	}
	free(copy);
	return err;
}

static void
give_to_user(int dir, const char *user)
{
	const struct passwd *pw = user == NULL || geteuid() != 0 ? NULL : getpwnam(user);
	if (pw != NULL && fchown(dir, pw->pw_uid, pw->pw_gid) != 0)
		log_warn(
		    "app", "cannot give the data directory to '%s': %s", user, strerror(errno));
}

#define LOCK_WAIT_MS 2000
#define LOCK_TRY_MS  10

static int
lock_file(int dir, const char *path, struct diag *d)
{
	const int fd = openat(dir, "gtmd.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return diag_add(d, DIAG_UNAVAILABLE, path, "the data directory is not writable: %s",
		    strerror(errno));
	/* The children of one that was killed may still be ending, in the midst of a large write.
	 */
	for (int waited_ms = 0; waited_ms <= LOCK_WAIT_MS; waited_ms += LOCK_TRY_MS) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return fd;
		usleep(LOCK_TRY_MS * 1000);
	}
	close(fd);
	return diag_add(
	    d, DIAG_UNAVAILABLE, path, "another gtmd is running on this data directory");
}

/* The directory, ours alone for as long as the returned descriptor is open. Negative with a
 * problem. */
static int
take_dir(const struct config *c, struct diag *d)
{
	const char *path = c->data_dir;
	const int err = make_dir(path);
	if (err != 0)
		return diag_add(d, DIAG_UNAVAILABLE, path, "cannot make the data directory: %s",
		    strerror(-err));
	const int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return diag_add(d, DIAG_UNAVAILABLE, path, "cannot open the data directory: %s",
		    strerror(errno));
	give_to_user(dir, c->user);
	const int lock = lock_file(dir, path, d);
	close(dir);
	return lock;
}

static int
complain(const struct diag *d, int code)
{
	for (const struct diag_problem *p = d->first; p != NULL; p = p->next) {
		fprintf(stderr, "gtmd: %s%s%s", p->where, *p->where != '\0' ? ": " : "", p->detail);
		if (p->got != NULL)
			fprintf(stderr, " (got '%s')", p->got);
		if (p->allowed != NULL)
			fprintf(stderr, "; allowed: %s", p->allowed);
		fputc('\n', stderr);
	}
	return code;
}

/* A server's directory is none of a node's: what would become of its database? */
static int
check_no_server(const struct config *c, struct diag *d)
{
	char *path = xasprintf("%s/gtm.db", c->data_dir);
	const bool there = access(path, F_OK) == 0;

	free(path);
	return there ? diag_add(d, DIAG_INVALID, c->data_dir,
			   "holds the database of a server; a probe node needs a directory of its "
			   "own")
		     : 0;
}

/* A token is good once: whoever says it with each start should hear what to do instead. */
static void
say_joined(const struct config *c, struct diag *d)
{
	struct identity id;
	struct diag ignored;

	diag_init(&ignored);
	if (identity_load(c->data_dir, &id, &ignored) == 0) {
		diag_add(d, d->code, c->data_dir, "is node '%s' already: start it without --join",
		    id.node);
		identity_fini(&id);
	}
	diag_fini(&ignored);
}

/* With a token become a node; with an identity be one. */
static int
be_node(struct config *c, const struct config_options *o, struct diag *d)
{
	struct identity id;
	int rc = 0;

	if (o->join != NULL && (rc = check_no_server(c, d)) == 0)
		rc = join_server(o->join, c->data_dir, c->user, d);
	if (rc < 0) {
		say_joined(c, d);
		return rc;
	}
	rc = identity_load(c->data_dir, &id, d);
	if (rc == -ENOENT)
		return 0;
	if (rc == 0 && (rc = check_no_server(c, d)) == 0)
		c->node_name = arena_strdup(&c->arena, id.node);
	identity_fini(&id);
	return rc;
}

static int
run(struct config *c, const struct config_options *o, struct diag *d)
{
	struct sockets s;
	const int lock = take_dir(c, d);
	if (lock < 0)
		return complain(d, EXIT_RUNTIME);
	if (be_node(c, o, d) < 0) {
		close(lock);
		return complain(d, d->code == DIAG_INVALID ? EXIT_CONFIG : EXIT_RUNTIME);
	}
	if (sockets_open(&s, c, d) != 0) {
		close(lock);
		return complain(d, EXIT_RUNTIME);
	}
	const int code = supervisor_run(c, &s, o, engine_main,
	    c->node_name != NULL ? uplink_process_main : control_process_main);
	sockets_close(&s);
	close(lock);
	return code;
}

static int
start(const struct config_options *o, struct diag *d)
{
	struct config c;
	int code;
	if (config_load(&c, o, d) != 0) {
		code = complain(d, EXIT_CONFIG);
	} else if (o->check_only) {
		printf("configuration is valid\n");
		code = 0;
	} else {
		log_start("gtmd", (enum log_level)c.log_level);
		code = run(&c, o, d);
	}
	config_fini(&c);
	return code;
}

int
main(int argc, char **argv)
{
	struct config_options o;
	struct diag d;
	int code = 0;

	diag_init(&d);
	if (config_options(argc, argv, &o, &d) != 0) {
		code = complain(&d, EXIT_USAGE);
		fputs(CONFIG_USAGE, stderr);
	} else if (o.help) {
		fputs(CONFIG_USAGE, stdout);
	} else if (o.version) {
		puts("gtmd " GTM_VERSION);
	} else {
		code = start(&o, &d);
	}
	free(o.dns);
	diag_fini(&d);
	return code;
}
