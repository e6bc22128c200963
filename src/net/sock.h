/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sock -- opening sockets, with refusals a person can act on.
 *
 * Every socket here is non-blocking and closed on exec. Functions return a descriptor (the
 * caller closes it) or a negative errno; those that take a diag add a problem such as
 * "127.0.0.1:53: udp address already in use by another process".
 *
 * Two gtmd must not silently share a port. SO_REUSEPORT would let them, so the first socket of a
 * group is bound without it, which fails when anybody else is there, and only then opened for
 * its siblings. No moment is left in which a second gtmd could slip in.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/diag.h"
#include "net/addr.h"

/*
 * For answering: IPv6 sockets are IPv6 only; fragments and forged path MTUs are ignored
 * (IP_PMTUDISC_OMIT); the receive buffer is 4 MiB as far as the kernel allows. On 0.0.0.0 and ::
 * recvmsg() tells by IP_PKTINFO / IPV6_PKTINFO which address was asked: reply from that.
 */
MUST_USE int sock_udp_bind(const struct addr *a, struct diag *d);
/* `n` sockets on one address, the kernel spreads queries over them. 0, or all are closed. */
MUST_USE int sock_udp_bind_group(const struct addr *a, int *fds, size_t n, struct diag *d);

/* Listening already, TCP_NODELAY; groups as for UDP. */
MUST_USE int sock_tcp_listen(const struct addr *a, struct diag *d);
MUST_USE int sock_tcp_listen_group(const struct addr *a, int *fds, size_t n, struct diag *d);

/*
 * A stream socket at `path` with the permissions `mode`, never open wider, not even for a moment.
 * Replaces what a dead process left behind; refuses when somebody still listens there.
 */
MUST_USE int sock_unix_listen(const char *path, mode_t mode, struct diag *d);
MUST_USE int sock_unix_connect(const char *path, struct diag *d);

/*
 * Connecting to a target; failure is an outcome, not a problem: no diag. `from` may be NULL. TCP is
 * under way on return (writable when done, then ask sock_error).
 */
MUST_USE int sock_udp_connect(const struct addr *to, const struct addr *from);
MUST_USE int sock_tcp_connect(const struct addr *to, const struct addr *from);
/*
 * The same for very many: without TCP_NODELAY, and a port of `from` is taken only where that
 * (port, target) is free (IP_BIND_ADDRESS_NO_PORT).
 */
MUST_USE int sock_tcp_begin(const struct addr *to, const struct addr *from);
/*
 * As sock_tcp_begin, to learn whether they listen and no more: the last ACK of the handshake waits
 * for data, so a reset right after it is all that they get. Their server never sees a connection,
 * and neither side's kernel makes one.
 */
MUST_USE int sock_tcp_knock(const struct addr *to, const struct addr *from);
void sock_no_delay(int fd);
/* The lowest port that the kernel gives to connections. */
uint16_t sock_first_local_port(void);
int sock_error(int fd); /* the pending error as a negative errno, or 0; clears it */

/* -EAGAIN when nobody waits. `peer` may be NULL; a Unix peer is no address. */
MUST_USE int sock_accept(int listener, struct addr *peer);
/* The local address, e.g. which port 0 became. 0 or a negative errno. */
int sock_name(int fd, struct addr *a);
