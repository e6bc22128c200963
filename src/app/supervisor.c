/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/ready.h"
#include "base/check.h"
#include "base/clock.h"

#define YOUNG_MS    10000
#define BACKOFF_MS  100
#define BACKOFF_MAX 5000
/* The engine is what people wait for: even one that dies young again and again answers in between.
 */
#define ENGINE_BACKOFF_MAX 400
#define STOP_WAIT_MS       5000

struct child {
	const char *name;
	supervisor_main_f *main;
	bool pings;   /* keeps CAP_NET_RAW */
	bool xdp;     /* answers past the kernel's stack */
	pid_t pid;    /* 0: not running */
	int ready_fd; /* read end; -1 once it has spoken or died */
	bool ready;
	uint64_t started_ms;
	uint64_t due_ms; /* of the next start */
	unsigned backoff_ms, backoff_max_ms;
};

struct supervisor {
	struct config *config;
	const struct sockets *sockets;
	const struct config_options *options;
	struct child children[2];
	int signals;
	bool announced;
	bool stopping;
	int exit_code;
};

void
supervisor_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
}

void
supervisor_wait(void)
{
	sigset_t set;
	siginfo_t si;

	supervisor_signals(&set);
	for (;;) {
		const int sig = sigwaitinfo(&set, &si);

		if (sig == SIGTERM)
			return;
		if (sig == SIGHUP)
			log_level_set((enum log_level)si.si_value.sival_int);
	}
}

/*
 * What an engine that pings by raw sockets needs of root, and all that it keeps. Nothing but
 * permitted and effective: a program it might start would not have it.
 */
static void
keep_raw_sockets(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };
	data[0].permitted = data[0].effective = 1u << CAP_NET_RAW;
	if (syscall(SYS_capset, &header, data) != 0)
		log_info("app", "no CAP_NET_RAW: ping needs net.ipv4.ping_group_range");
}

/* `raw`: keep the right to open raw sockets, as far as we have it. */
static int
drop_privileges(const char *user, bool raw)
{
	if (user == NULL || geteuid() != 0)
		return 0;
	const struct passwd *pw = getpwnam(user);
	if (pw == NULL) {
		log_error("app", "user '%s' does not exist", user);
		return -ENOENT;
	}
	prctl(PR_SET_KEEPCAPS, raw);
	if (initgroups(user, pw->pw_gid) != 0 || setgid(pw->pw_gid) != 0 ||
	    setuid(pw->pw_uid) != 0) {
		log_error("app", "cannot become user '%s': %s", user, strerror(errno));
		return -errno;
	}
	if (raw)
		keep_raw_sockets();
	return 0;
}

/* In the child: forget the supervisor's signal handling, die with it, run. */
NORETURN static void
become(const struct supervisor *s, const struct child *c, int ready_fd, pid_t parent)
{
	sigset_t mask;
	supervisor_signals(&mask);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	signal(SIGPIPE, SIG_IGN);
	/* An interrupt from the terminal goes to the whole group; the supervisor decides. */
	signal(SIGINT, SIG_IGN);
	close(s->signals);
	prctl(PR_SET_NAME, c->name);
	log_start(c->name, (enum log_level)s->config->log_level);
	if (c->xdp)
		xdp_ports_enter(s->sockets->xdp);
	else
		xdp_ports_forget(s->sockets->xdp);
	if (drop_privileges(s->config->user, c->pings) != 0)
		_exit(EXIT_CONFIG);
	/* After the change of user, which clears it. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(EXIT_RUNTIME);
	exit(c->main(s->config, s->sockets, ready_fd));
}

static void
start(struct supervisor *s, struct child *c)
{
	int pipe_fds[2];
	if (pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) != 0) {
		log_error("app", "cannot start %s: %s", c->name, strerror(errno));
		c->due_ms = clock_mono_ms() + c->backoff_max_ms;
		return;
	}
	const pid_t parent = getpid();
	const pid_t pid = fork();
	if (pid == 0) {
		close(pipe_fds[0]);
		become(s, c, pipe_fds[1], parent);
	}
	close(pipe_fds[1]);
	if (pid < 0) {
		log_error("app", "cannot start %s: %s", c->name, strerror(errno));
		close(pipe_fds[0]);
		c->due_ms = clock_mono_ms() + c->backoff_max_ms;
		return;
	}
	c->pid = pid;
	c->ready_fd = pipe_fds[0];
	c->ready = false;
	c->started_ms = clock_mono_ms();
	log_debug("app", "%s started, pid %d", c->name, pid);
}

static void
stop_all(struct supervisor *s, int sig)
{
	for (size_t i = 0; i < ARRAY_LEN(s->children); i++)
		if (s->children[i].pid > 0)
			kill(s->children[i].pid, sig);
}

static void
shut_down(struct supervisor *s, int exit_code)
{
	if (s->stopping)
		return;
	s->stopping = true;
	s->exit_code = exit_code;
	ready_notify("STOPPING=1");
	stop_all(s, SIGTERM);
}

static void
describe_end(const struct child *c, int status)
{
	if (WIFSIGNALED(status))
		log_warn("app", "%s (pid %d) was killed by signal %d", c->name, c->pid,
		    WTERMSIG(status));
	else
		log_warn(
		    "app", "%s (pid %d) ended with code %d", c->name, c->pid, WEXITSTATUS(status));
}

static void
plan_restart(struct child *c)
{
	const uint64_t now = clock_mono_ms();
	if (now - c->started_ms >= YOUNG_MS || c->backoff_ms == 0) {
		c->backoff_ms = BACKOFF_MS;
		c->due_ms = now;
		return;
	}
	c->due_ms = now + c->backoff_ms;
	c->backoff_ms *= 2;
	if (c->backoff_ms > c->backoff_max_ms)
		c->backoff_ms = c->backoff_max_ms;
}

static void
bury(struct supervisor *s, struct child *c, int status)
{
	const bool hopeless = WIFEXITED(status) && WEXITSTATUS(status) == EXIT_CONFIG;
	if (!s->stopping)
		describe_end(c, status);
	if (c->ready_fd >= 0)
		close(c->ready_fd);
	c->pid = 0;
	c->ready_fd = -1;
	c->ready = false;
	if (hopeless)
		shut_down(s, EXIT_CONFIG);
	else
		plan_restart(c);
}

static void
reap(struct supervisor *s)
{
	int status;
	pid_t pid;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (size_t i = 0; i < ARRAY_LEN(s->children); i++)
			if (s->children[i].pid == pid)
				bury(s, &s->children[i], status);
}

/* SIGHUP. The children need not read the file: the one thing that can change comes with the signal.
 */
static void
reload(struct supervisor *s)
{
	config_reload(s->config, s->options);
	for (size_t i = 0; i < ARRAY_LEN(s->children); i++)
		if (s->children[i].pid > 0)
			sigqueue(s->children[i].pid, SIGHUP,
			    (union sigval){ .sival_int = s->config->log_level });
}

static void
on_signal(struct supervisor *s)
{
	struct signalfd_siginfo si;
	while (read(s->signals, &si, sizeof(si)) == sizeof(si)) {
		if (si.ssi_signo == SIGCHLD)
			reap(s);
		else if (si.ssi_signo == SIGHUP)
			reload(s);
		else
			shut_down(s, 0);
	}
}

static void
on_ready(struct supervisor *s, struct child *c)
{
	char byte;
	if (read(c->ready_fd, &byte, 1) == 1)
		c->ready = true;
	close(c->ready_fd);
	c->ready_fd = -1;
	if (s->announced || !s->children[0].ready || !s->children[1].ready)
		return;
	s->announced = true;
	ready_notify("READY=1\nSTATUS=serving");
	log_info("app", "ready");
}

static bool
any_running(const struct supervisor *s)
{
	return s->children[0].pid > 0 || s->children[1].pid > 0;
}

static int
start_due(struct supervisor *s)
{
	int wait_ms = -1;
	const uint64_t now = clock_mono_ms();
	for (size_t i = 0; i < ARRAY_LEN(s->children); i++) {
		struct child *c = &s->children[i];
		if (c->pid == 0 && c->due_ms <= now)
			start(s, c);
		if (c->pid == 0 && (wait_ms < 0 || (int)(c->due_ms - now) < wait_ms))
			wait_ms = c->due_ms > now ? (int)(c->due_ms - now) : 0;
	}
	return wait_ms;
}

static void
turn(struct supervisor *s, int wait_ms)
{
	struct pollfd fds[3] = {
		{ .fd = s->signals, .events = POLLIN },
		{ .fd = s->children[0].ready_fd, .events = POLLIN },
		{ .fd = s->children[1].ready_fd, .events = POLLIN },
	};
	if (poll(fds, ARRAY_LEN(fds), wait_ms) <= 0)
		return;
	for (size_t i = 0; i < ARRAY_LEN(s->children); i++)
		if (fds[i + 1].revents != 0)
			on_ready(s, &s->children[i]);
	if (fds[0].revents != 0)
		on_signal(s);
}

static void
watch_signals(struct supervisor *s)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	s->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	CHECK(s->signals >= 0);
}

int
supervisor_run(struct config *c, const struct sockets *s, const struct config_options *o,
    supervisor_main_f *engine, supervisor_main_f *control)
{
	struct supervisor me = {
		.config = c,
		.sockets = s,
		.options = o,
		.children = { { .name = "engine",
				  .main = engine,
				  .pings = true,
				  .xdp = true,
				  .ready_fd = -1,
				  .backoff_max_ms = ENGINE_BACKOFF_MAX },
		    { .name = c->node_name != NULL ? "uplink" : "control",
			.main = control,
			.ready_fd = -1,
			.backoff_max_ms = BACKOFF_MAX } },
	};
	watch_signals(&me);
	while (!me.stopping)
		turn(&me, start_due(&me));

	const uint64_t deadline = clock_mono_ms() + STOP_WAIT_MS;
	while (any_running(&me) && clock_mono_ms() < deadline)
		turn(&me, (int)(deadline - clock_mono_ms()));
	stop_all(&me, SIGKILL);
	while (any_running(&me) && waitpid(-1, NULL, 0) > 0)
		;
	close(me.signals);
	return me.exit_code;
}
