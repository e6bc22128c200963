/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * vfork, not fork: the engine is large, and a page table copied for every probe would cost more
 * than all the rest. The child shares our memory until it has become the script, so it makes system
 * calls and nothing else; those of glibc that concern "all threads" (setuid) are made directly.
 */
#include "probe/script.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"

#define NOBODY 65534
#define CANNOT 127
#define STRAYS 64 /* killed, but not yet seen to end */

static const char *const environment[] = { "PATH=/usr/local/bin:/usr/bin:/bin", NULL };

/* -- in the child -- */

struct start {
	const char *path;
	char *const *argv;
	int out, null;
	volatile int error;
};

static bool
become_nobody(void)
{
	return syscall(SYS_setgroups, 0, NULL) == 0 &&
	       syscall(SYS_setresgid, NOBODY, NOBODY, NOBODY) == 0 &&
	       syscall(SYS_setresuid, NOBODY, NOBODY, NOBODY) == 0;
}

static void
forget_signals(void)
{
	const struct sigaction plain = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int n = 1; n < NSIG; n++)
		sigaction(n, &plain, NULL);
	sigemptyset(&none);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, _NSIG / 8);
}

static _Noreturn void
become(struct start *s)
{
	const struct rlimit no_core = { 0, 0 };

	setpgid(0, 0);
	umask(077);
	forget_signals();
	setrlimit(RLIMIT_CORE, &no_core);
	if (chdir("/") == 0 && dup2(s->null, 0) >= 0 && dup2(s->out, 1) >= 0 &&
	    dup2(s->out, 2) >= 0 && syscall(SYS_close_range, 3, ~0U, 0) == 0 &&
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && (geteuid() != 0 || become_nobody()))
		execve(s->path, s->argv, (char *const *)(uintptr_t)environment);
	s->error = errno != 0 ? errno : EPERM;
	_exit(CANNOT);
}

/* The pid, or a negative errno. All signals are blocked around it: a handler of ours in the child
 * would run in our memory. */
static pid_t
spawn(struct start *s)
{
	sigset_t all, before;
	int status;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	s->error = 0;

	const pid_t pid = vfork();

	if (pid == 0)
		become(s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (pid < 0)
		return -errno;
	if (s->error == 0)
		return pid;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return -s->error;
}

/* -- those that were killed -- */

static pthread_mutex_t strays_lock = PTHREAD_MUTEX_INITIALIZER;
static int strays[STRAYS]; /* their pid_fds */
static unsigned n_strays;

static bool
has_ended(int pid_fd, int flags, siginfo_t *info)
{
	*info = (siginfo_t){ 0 };
	return waitid(P_PIDFD, (id_t)pid_fd, info, WEXITED | WNOHANG | flags) == 0 &&
	       info->si_pid != 0;
}

static void
reap_strays(void)
{
	siginfo_t info;

	pthread_mutex_lock(&strays_lock);
	for (unsigned i = n_strays; i-- > 0;) {
		if (!has_ended(strays[i], 0, &info))
			continue;
		close(strays[i]);
		strays[i] = strays[--n_strays];
	}
	pthread_mutex_unlock(&strays_lock);
}

static bool
leave_to_later(int pid_fd)
{
	pthread_mutex_lock(&strays_lock);
	const bool room = n_strays < STRAYS;

	if (room)
		strays[n_strays++] = pid_fd;
	pthread_mutex_unlock(&strays_lock);
	return room;
}

/* SIGKILL takes effect soon, but not always at once. With too many of them, wait. */
static void
abandon(int pid_fd)
{
	siginfo_t info;

	reap_strays();
	if (!has_ended(pid_fd, 0, &info) && leave_to_later(pid_fd))
		return;
	while (
	    info.si_pid == 0 && waitid(P_PIDFD, (id_t)pid_fd, &info, WEXITED) < 0 && errno == EINTR)
		continue;
	close(pid_fd);
}

/* -- in the engine -- */

static void
close_all(struct script *s)
{
	if (s->fd >= 0)
		close(s->fd);
	if (s->out >= 0)
		close(s->out);
	s->fd = s->out = -1;
}

static int
watch(int epoll, int fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) < 0 ? -errno : 0;
}

static int
launch(struct script *s, const char *path, char *const argv[], int out, int null)
{
	struct start start = { path, argv, out, null, 0 };
	const pid_t pid = spawn(&start);
	int error = pid < 0 ? pid : 0;

	if (error < 0)
		return error;
	s->pid = pid;
	s->pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (s->pid_fd >= 0 && watch(s->fd, s->pid_fd) == 0) {
		s->ended = false;
		return 0;
	}
	error = -errno;
	kill(-pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	if (s->pid_fd >= 0)
		close(s->pid_fd);
	s->pid_fd = -1;
	return error;
}

int
script_start(struct script *s, const char *path, char *const argv[])
{
	int ends[2], error;

	reap_strays();
	*s = (struct script){ .fd = -1, .out = -1, .pid_fd = -1, .ended = true };
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	s->out = ends[0];
	fcntl(s->out, F_SETFL, O_NONBLOCK); /* our end alone */
	s->fd = epoll_create1(EPOLL_CLOEXEC);
	error = s->fd < 0 ? -errno : watch(s->fd, s->out);

	const int null = error == 0 ? open("/dev/null", O_RDONLY | O_CLOEXEC) : -1;

	if (error == 0)
		error = null < 0 ? -errno : launch(s, path, argv, ends[1], null);
	if (null >= 0)
		close(null);
	close(ends[1]);
	if (error < 0)
		close_all(s);
	return error;
}

static void
read_output(struct script *s, struct buf *output)
{
	char chunk[SCRIPT_OUTPUT_MAX];
	ssize_t n;

	while (s->out >= 0 && (n = read(s->out, chunk, sizeof(chunk))) != 0) {
		const size_t room = SCRIPT_OUTPUT_MAX - output->len;

		if (n < 0)
			return; /* EAGAIN: that is all for now */
		buf_put(output, chunk, (size_t)n < room ? (size_t)n : room);
	}
	if (s->out >= 0)
		close(s->out); /* and so no longer watched */
	s->out = -1;
}

bool
script_step(struct script *s, struct buf *output)
{
	siginfo_t info;

	if (s->ended)
		return true;
	/* Asked first: what it wrote before its end is in the pipe by then. */
	s->ended = has_ended(s->pid_fd, WNOWAIT, &info);
	read_output(s, output);
	if (s->ended)
		s->status = info.si_code == CLD_EXITED ? info.si_status : 256 + info.si_status;
	return s->ended;
}

/* The leader is reaped last: until then its number, the group's, is nobody else's. */
void
script_end(struct script *s)
{
	if (s->pid_fd < 0)
		return;
	kill(-s->pid, SIGKILL);
	abandon(s->pid_fd);
	s->pid_fd = -1;
	close_all(s);
}
