/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/xdp_ports.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/mem.h"

#define MTU_MIN 576

void
xdp_ports_fail(struct xdp_interface *i, const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	text = xvasprintf(fmt, args);
	va_end(args);
	log_warn("app", "no AF_XDP: %s; ordinary sockets serve", text);
	if (i->problem == NULL)
		i->problem = text;
	else
		free(text);
}

/* ---- what the kernel knows of an interface ---- */

static unsigned
count_queues(int fd, const char *name)
{
	struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };
	struct ifreq r = { .ifr_data = (char *)&channels };

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	if (ioctl(fd, SIOCETHTOOL, &r) != 0)
		return 1; /* a driver that has no more */

	const unsigned n = channels.rx_count + channels.combined_count;

	return n > 0 ? n : 1;
}

static unsigned
find_mtu(int fd, const char *name)
{
	struct ifreq r = { 0 };

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	return ioctl(fd, SIOCGIFMTU, &r) == 0 ? (unsigned)r.ifr_mtu : 0;
}

/* A card that takes VLAN tags off leaves no sign of them in the frame, so our answer has none. */
static bool
takes_tags_off(int fd, const char *name)
{
	struct ethtool_value flags = { .cmd = ETHTOOL_GFLAGS };
	struct ifreq r = { .ifr_data = (char *)&flags };

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	return ioctl(fd, SIOCETHTOOL, &r) == 0 && (flags.data & ETH_FLAG_RXVLAN) != 0;
}

static bool
examine(struct xdp_interface *i)
{
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	i->queues = count_queues(fd, i->name);
	i->mtu = find_mtu(fd, i->name);
	if (takes_tags_off(fd, i->name))
		log_debug("app",
		    "%s takes VLAN tags off: queries that had one are answered without", i->name);
	close(fd);
	if (i->mtu < MTU_MIN)
		xdp_ports_fail(i, "%s: its MTU is %u, below %d", i->name, i->mtu, MTU_MIN);
	else if (i->queues > XDP_FILTER_QUEUES_MAX)
		xdp_ports_fail(i, "%s has %u receive queues, more than %d; see ethtool -L", i->name,
		    i->queues, XDP_FILTER_QUEUES_MAX);
	return i->problem == NULL;
}

/* ---- endpoints ---- */

static bool
is_loopback(const struct addr *a)
{
	if (addr_family(a) == AF_INET)
		return *(const uint8_t *)&a->in4.sin_addr == 127;
	return IN6_IS_ADDR_LOOPBACK(&a->in6.sin6_addr);
}

static int
add_endpoint(struct xdp_interface *i, const struct addr *a, unsigned *count)
{
	const int err = is_loopback(a) ? 0 : xdp_filter_endpoint(i->filter, a);

	if (err == 0 && !is_loopback(a))
		++*count;
	return err;
}

/* All of this machine: it answers for any of them wherever the question comes in. */
static int
add_own(struct xdp_interface *i, const struct addr *any, unsigned *count)
{
	struct ifaddrs *list = NULL;
	int err = getifaddrs(&list) == 0 ? 0 : -errno;

	for (const struct ifaddrs *l = list; err == 0 && l != NULL; l = l->ifa_next) {
		struct addr a;

		if (l->ifa_addr == NULL || l->ifa_addr->sa_family != addr_family(any))
			continue;
		addr_set(
		    &a, l->ifa_addr, addr_family(any) == AF_INET ? sizeof(a.in4) : sizeof(a.in6));
		addr_port_set(&a, addr_port(any));
		err = add_endpoint(i, &a, count);
	}
	freeifaddrs(list);
	return err;
}

static void
add_endpoints(struct xdp_interface *i, const struct config *c)
{
	unsigned count = 0;
	int err = 0;

	for (size_t k = 0; err == 0 && k < c->n_dns_addrs; k++) {
		const struct addr *a = &c->dns_addrs[k];

		err = addr_is_any(a) ? add_own(i, a, &count) : add_endpoint(i, a, &count);
	}
	if (err != 0)
		xdp_ports_fail(i, "%s: too many addresses: %s", i->name, strerror(-err));
	else if (count == 0)
		xdp_ports_fail(i, "%s: no address of dns.listen can be asked there", i->name);
}

/* ---- life ---- */

static void
open_filter(struct xdp_interface *i, const struct config *c)
{
	struct diag d;

	diag_init(&d);
	i->filter = xdp_filter_open(i->name, "dns.xdp", &d);
	if (i->filter == NULL) {
		xdp_ports_fail(i, "%s", diag_text(&d));
	} else {
		i->ifindex = if_nametoindex(i->name);
		if (examine(i))
			add_endpoints(i, c);
		if (i->problem != NULL)
			xdp_filter_close(&i->filter);
		else
			log_info("app", "AF_XDP filter at %s, %s mode, queues: %u", i->name,
			    xdp_filter_is_generic(i->filter) ? "generic" : "driver", i->queues);
	}
	diag_fini(&d);
}

struct xdp_ports *
xdp_ports_open(const struct config *c)
{
	struct xdp_ports *p = xcalloc(1, sizeof(*p));

	p->n = (unsigned)c->dns.xdp.count;
	p->interfaces = xcalloc(p->n, sizeof(*p->interfaces));
	for (unsigned k = 0; k < p->n; k++) {
		struct xdp_interface *i = &p->interfaces[k];

		snprintf(
		    i->name, sizeof(i->name), "%s", ((const char *const *)c->dns.xdp.items)[k]);
		open_filter(i, c);
	}
	return p;
}

static void
close_sockets(struct xdp_interface *i)
{
	for (unsigned q = 0; i->sockets != NULL && q < i->queues; q++)
		xsk_close(&i->sockets[q]);
	free(i->sockets);
	i->sockets = NULL;
}

/* All or none: an interface that is served by halves is hard to understand. */
static void
open_sockets(struct xdp_interface *i)
{
	int err = 0;

	i->sockets = xcalloc(i->queues, sizeof(struct xsk *));
	for (unsigned q = 0; err == 0 && q < i->queues; q++)
		err = xsk_open(&i->sockets[q]);
	if (err == 0)
		return;
	close_sockets(i);
	xdp_filter_close(&i->filter);
	xdp_ports_fail(i, "%s: no socket: %s%s", i->name, strerror(-err),
	    err == -ENOBUFS ? ": no right to lock memory (CAP_IPC_LOCK, or LimitMEMLOCK)" : "");
}

void
xdp_ports_enter(struct xdp_ports *p)
{
	for (unsigned k = 0; k < p->n; k++) {
		struct xdp_interface *i = &p->interfaces[k];

		if (i->filter == NULL)
			continue;
		xdp_filter_release(i->filter);
		open_sockets(i);
	}
}

void
xdp_ports_forget(struct xdp_ports *p)
{
	for (unsigned k = 0; k < p->n; k++)
		xdp_filter_close(&p->interfaces[k].filter);
}

void
xdp_ports_close(struct xdp_ports **p)
{
	if (*p == NULL)
		return;
	for (unsigned k = 0; k < (*p)->n; k++) {
		struct xdp_interface *i = &(*p)->interfaces[k];

		close_sockets(i);
		xdp_filter_close(&i->filter);
		free(i->problem);
	}
	free((*p)->interfaces);
	free(*p);
	*p = NULL;
}
