/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/sockets.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/sock.h"

static int
open_udp(struct sockets *s, const struct addr *a, unsigned index, struct diag *d)
{
	int *group = xcalloc(s->workers, sizeof(int));
	const int err = sock_udp_bind_group(a, group, s->workers, d);
	for (unsigned w = 0; err == 0 && w < s->workers; w++)
		s->udp[w * s->n_addrs + index] = group[w];
	free(group);
	return err;
}

static int
open_dns(struct sockets *s, const struct config *c, struct diag *d)
{
	for (unsigned i = 0; i < s->n_addrs; i++) {
		if (open_udp(s, &c->dns_addrs[i], i, d) != 0)
			return -EINVAL;
		s->tcp[i] = sock_tcp_listen(&c->dns_addrs[i], d);
		if (s->tcp[i] < 0)
			return -EINVAL;
	}
	return 0;
}

/* For the user the children become: they connect to it themselves. */
static int
hand_over(const char *path, const char *user, struct diag *d)
{
	const struct passwd *pw = user != NULL && geteuid() == 0 ? getpwnam(user) : NULL;
	if (pw == NULL || lchown(path, pw->pw_uid, pw->pw_gid) == 0)
		return 0;
	diag_add(
	    d, DIAG_UNAVAILABLE, path, "cannot be given to user '%s': %s", user, strerror(errno));
	return -EPERM;
}

static int
open_unix(const struct config *c, const char *name, struct diag *d)
{
	char *path = xasprintf("%s/%s", c->data_dir, name);
	int fd = sock_unix_listen(path, 0600, d);
	if (fd >= 0 && hand_over(path, c->user, d) < 0) {
		close(fd);
		fd = -EPERM;
	}
	free(path);
	return fd;
}

static int
open_servers(struct sockets *s, const struct config *c, struct diag *d)
{
	if (open_dns(s, c, d) != 0 || (s->api = sock_tcp_listen(&c->api_addr, d)) < 0 ||
	    (s->control = open_unix(c, "control.sock", d)) < 0)
		return -EINVAL;
	if (c->nodes_listen != NULL && (s->nodes = sock_tcp_listen(&c->nodes_addr, d)) < 0)
		return -EINVAL;
	return 0;
}

int
sockets_open(struct sockets *s, const struct config *c, struct diag *d)
{
	/* A probe node answers nobody. */
	const bool node = c->node_name != NULL;
	const size_t n_addrs = node ? 0 : c->n_dns_addrs;
	const unsigned workers = node ? 1 : c->dns.workers;
	const size_t n_udp = workers * n_addrs;
	*s = (struct sockets){
		.workers = workers,
		.n_addrs = (unsigned)n_addrs,
		.udp = xmalloc((n_udp + 1) * sizeof(int)),
		.tcp = xmalloc((n_addrs + 1) * sizeof(int)),
		.api = -1,
		.nodes = -1,
		.control = -1,
		.feed = -1,
	};
	for (size_t i = 0; i < n_udp; i++)
		s->udp[i] = -1;
	for (size_t i = 0; i < n_addrs; i++)
		s->tcp[i] = -1;

	int err = node ? 0 : open_servers(s, c, d);
	if (err == 0 && (s->feed = open_unix(c, "feed.sock", d)) < 0)
		err = -EINVAL;
	if (err != 0)
		sockets_close(s);
	else
		s->xdp = xdp_ports_open(c);
	return err;
}

static void
close_one(int fd)
{
	if (fd >= 0)
		close(fd);
}

void
sockets_close(struct sockets *s)
{
	for (unsigned i = 0; s->udp != NULL && i < s->workers * s->n_addrs; i++)
		close_one(s->udp[i]);
	for (unsigned i = 0; s->tcp != NULL && i < s->n_addrs; i++)
		close_one(s->tcp[i]);
	close_one(s->api);
	close_one(s->nodes);
	close_one(s->control);
	close_one(s->feed);
	xdp_ports_close(&s->xdp);
	free(s->udp);
	free(s->tcp);
	*s = (struct sockets){ .api = -1, .nodes = -1, .control = -1, .feed = -1 };
}
