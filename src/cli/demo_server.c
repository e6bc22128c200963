/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/demo_server.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/sock.h"

#define PATIENCE_MS 5000

/* A port of 127.0.0.1 that is free for UDP and TCP now; 0 if there is none. */
static uint16_t
free_port(struct diag *d)
{
	for (int attempt = 0; attempt < 50; attempt++) {
		struct addr a;
		struct diag ignored;
		int udp = -1;

		if (addr_parse(&a, "127.0.0.1:0", 0) != 0)
			return 0;
		const int tcp = sock_tcp_listen(&a, d);

		if (tcp < 0)
			return 0;
		diag_init(&ignored);
		if (sock_name(tcp, &a) == 0)
			udp = sock_udp_bind(&a, &ignored);
		diag_fini(&ignored);
		close(tcp);
		if (udp >= 0) {
			close(udp);
			return addr_port(&a);
		}
	}
	return 0;
}

static char *
find_gtmd(const char *given)
{
	char self[4096];
	const ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (given != NULL || len <= 0)
		return xstrdup(given != NULL ? given : "gtmd");
	self[len] = '\0';
	return xasprintf("%s/gtmd", dirname(self));
}

/* Only what exec needs happens between fork and exec. */
NORETURN static void
become(const char *path, const char *const *argv, const char *log)
{
	const int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	const int null = open("/dev/null", O_RDONLY);
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGTERM); /* should the demo be killed */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setpgid(0, 0); /* Ctrl-C is the demo's: it ends the server itself */
	if (fd < 0 || null < 0 || dup2(null, 0) < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
		_exit(126);
	execv(path, (char *const *)(uintptr_t)argv);
	dprintf(2, "%s: %s\n", path, strerror(errno));
	_exit(127);
}

static int
spawn(struct demo_server *s, const char *path, const char *config)
{
	char *dns = xasprintf("127.0.0.1:%u", s->dns_port),
	     *api = xasprintf("127.0.0.1:%u", s->api_port);
	const char *const argv[] = { path, "--data-dir", s->dir, "--dns", dns, "--api", api,
		config != NULL ? "-c" : NULL, config, NULL };

	s->pid = fork();
	if (s->pid == 0)
		become(path, argv, s->log);
	free(dns);
	free(api);
	return s->pid > 0 ? 0 : -errno;
}

static int
make_dir(struct demo_server *s)
{
	const char *tmp = getenv("TMPDIR");

	s->dir = xasprintf("%s/opengtm-demo-XXXXXX", tmp != NULL && *tmp != '\0' ? tmp : "/tmp");
	if (mkdtemp(s->dir) == NULL) {
		const int error = errno;

		free(s->dir);
		s->dir = NULL;
		return -error;
	}
	s->socket = xasprintf("%s/control.sock", s->dir);
	s->log = xasprintf("%s/gtmd.log", s->dir);
	return 0;
}

int
demo_server_start(struct demo_server *s, const char *gtmd, const char *config, struct diag *d)
{
	char *path = find_gtmd(gtmd);
	int rc = 0;

	*s = (struct demo_server){ 0 };
	if (access(path, X_OK) != 0)
		rc = diag_add(d, DIAG_INVALID, path,
		    "cannot run the server: %s (--gtmd PATH names another)", strerror(errno));
	if (rc == 0 && (rc = make_dir(s)) != 0)
		rc = diag_add(d, DIAG_INTERNAL, "temporary directory", "%s", strerror(-rc));
	if (rc == 0) {
		s->dns_port = free_port(d);
		s->api_port = free_port(d);
		if (s->dns_port == 0 || s->api_port == 0)
			rc = diag_add(d, DIAG_INTERNAL, "127.0.0.1", "no free port");
	}
	if (rc == 0 && (rc = spawn(s, path, config)) != 0)
		rc = diag_add(d, DIAG_INTERNAL, path, "%s", strerror(-rc));
	free(path);
	return rc;
}

/* Reaps it when it has ended; `*status` as of waitpid. */
static bool
ended(struct demo_server *s, int *status)
{
	if (s->pid <= 0)
		return true;
	if (waitpid(s->pid, status, WNOHANG) == 0)
		return false;
	s->pid = 0;
	return true;
}

bool
demo_server_runs(struct demo_server *s)
{
	int status;

	return !ended(s, &status);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

bool
demo_server_stop(struct demo_server *s)
{
	const uint64_t deadline = clock_mono_ms() + PATIENCE_MS;
	bool clean = s->pid > 0;
	int status = 0;

	if (s->pid > 0)
		kill(s->pid, SIGTERM);
	while (!ended(s, &status)) {
		if (clock_mono_ms() > deadline) {
			clean = false;
			kill(s->pid, SIGKILL);
		}
		usleep(10000);
	}
	if (s->dir != NULL)
		nftw(s->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(s->dir);
	free(s->socket);
	free(s->log);
	*s = (struct demo_server){ 0 };
	return clean && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
