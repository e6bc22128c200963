/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "node/reach.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "net/addr.h"
#include "net/sock.h"

#define HOST_SIZE 256

/* "192.0.2.1:80", "[2001:db8::1]:80", "gtm.example.com:80" */
static int
split(const char *server, char host[HOST_SIZE], const char **port)
{
	const char *colon = strrchr(server, ':');
	const char *begin = server;
	size_t len = colon != NULL ? (size_t)(colon - server) : 0;

	if (len > 2 && server[0] == '[' && server[len - 1] == ']') {
		begin++;
		len -= 2;
	}
	if (len == 0 || len >= HOST_SIZE)
		return -EINVAL;
	memcpy(host, begin, len);
	host[len] = '\0';
	*port = colon + 1;

	char *end;
	const unsigned long n = strtoul(*port, &end, 10);

	return **port >= '0' && **port <= '9' && *end == '\0' && n > 0 && n < 65536 ? 0 : -EINVAL;
}

int
reach_check(const char *server)
{
	char host[HOST_SIZE];
	const char *port;

	return split(server, host, &port);
}

static int
connect_one(const struct addrinfo *list, unsigned attempt)
{
	const struct addrinfo *at = list;
	struct addr a;
	unsigned n = 0;

	for (const struct addrinfo *i = list; i != NULL; i = i->ai_next)
		n++;
	for (unsigned skip = attempt % n; skip > 0; skip--)
		at = at->ai_next;
	addr_set(&a, at->ai_addr, at->ai_addrlen);
	return sock_tcp_connect(&a, NULL);
}

int
reach_connect(const char *server, unsigned attempt, struct diag *d)
{
	const struct addrinfo want = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
	struct addrinfo *list = NULL;
	char host[HOST_SIZE];
	const char *port;

	if (split(server, host, &port) < 0)
		return diag_add(d, DIAG_INVALID, server, "is not host:port");

	const int error = getaddrinfo(host, port, &want, &list);

	if (error != 0 || list == NULL)
		return diag_add(d, DIAG_UNAVAILABLE, server, "is not found: %s",
		    error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error));

	const int fd = connect_one(list, attempt);

	freeaddrinfo(list);
	if (fd < 0)
		return diag_add(
		    d, DIAG_UNAVAILABLE, server, "cannot be connected to: %s", strerror(-fd));
	return fd;
}
