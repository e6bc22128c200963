/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/xdp_filter.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "net/xdp_filter_program.h" /* made of xdp_filter.bpf.c */

struct xdp_filter {
	int link, sockets, endpoints; /* -1: none */
	bool generic;
};

static int
tell(enum libbpf_print_level level, const char *format, va_list args)
{
	char *text;

	if (level == LIBBPF_DEBUG)
		return 0;
	text = xvasprintf(format, args);
	text[strcspn(text, "\n")] = '\0';
	log_debug("net", "%s", text);
	free(text);
	return 0;
}

static int
keep_map(const struct bpf_object *o, const char *name)
{
	return fcntl(bpf_object__find_map_fd_by_name(o, name), F_DUPFD_CLOEXEC, 0);
}

/* As the driver does it best; if it cannot, in the kernel's way for all of them. */
static int
attach(struct xdp_filter *f, int program, int ifindex)
{
	LIBBPF_OPTS(bpf_link_create_opts, driver, .flags = XDP_FLAGS_DRV_MODE);
	LIBBPF_OPTS(bpf_link_create_opts, generic, .flags = XDP_FLAGS_SKB_MODE);
	int err;

	f->link = bpf_link_create(program, ifindex, BPF_XDP, &driver);
	if (f->link >= 0)
		return 0;
	err = f->link;
	if (err == -EBUSY || err == -EPERM)
		return err;
	f->link = bpf_link_create(program, ifindex, BPF_XDP, &generic);
	f->generic = true;
	return f->link >= 0 ? 0 : f->link;
}

/* 0, or a negative errno with what could not be done in `what`. */
static int
load(struct xdp_filter *f, int ifindex, const char **what)
{
	struct bpf_object *o =
	    bpf_object__open_mem(xdp_filter_program, sizeof(xdp_filter_program), NULL);
	int err = o == NULL ? -errno : bpf_object__load(o);

	*what = "the filter program cannot be loaded";
	if (err == 0) {
		*what = "the filter program cannot be attached";
		f->sockets = keep_map(o, "sockets");
		f->endpoints = keep_map(o, "endpoints");
		err =
		    f->sockets < 0 || f->endpoints < 0
			? -errno
			: attach(f, bpf_program__fd(bpf_object__find_program_by_name(o, "filter")),
			      ifindex);
	}
	bpf_object__close(o);
	return err;
}

static const char *
hint(int err)
{
	if (err == -EPERM)
		return ": start as root, or with CAP_BPF, CAP_NET_ADMIN and CAP_NET_RAW";
	return err == -EBUSY ? ": another XDP program is there" : "";
}

struct xdp_filter *
xdp_filter_open(const char *name, const char *where, struct diag *d)
{
	const unsigned ifindex = if_nametoindex(name);
	struct xdp_filter *f;
	const char *what;
	int err;

	if (ifindex == 0) {
		diag_add(d, DIAG_UNAVAILABLE, where, "there is no interface '%s'", name);
		return NULL;
	}
	libbpf_set_print(tell);
	f = xcalloc(1, sizeof(*f));
	*f = (struct xdp_filter){ .link = -1, .sockets = -1, .endpoints = -1 };
	err = load(f, (int)ifindex, &what);
	if (err == 0)
		return f;
	diag_add(d, DIAG_UNAVAILABLE, where, "%s: %s: %s%s", name, what, strerror(-err), hint(err));
	xdp_filter_close(&f);
	return NULL;
}

static void
drop(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void
xdp_filter_release(struct xdp_filter *f)
{
	drop(&f->link);
	drop(&f->endpoints);
}

void
xdp_filter_close(struct xdp_filter **f)
{
	if (*f == NULL)
		return;
	xdp_filter_release(*f);
	drop(&(*f)->sockets);
	free(*f);
	*f = NULL;
}

bool
xdp_filter_is_generic(const struct xdp_filter *f)
{
	return f->generic;
}

int
xdp_filter_endpoint(struct xdp_filter *f, const struct addr *a)
{
	struct xdp_filter_endpoint e = { .port = htons(addr_port(a)) };
	const uint8_t one = 1;
	size_t len;
	const uint8_t *ip = addr_ip(a, &len);

	if (len == 4)
		e.ip[10] = e.ip[11] = 0xff;
	memcpy(e.ip + sizeof(e.ip) - len, ip, len);
	return bpf_map_update_elem(f->endpoints, &e, &one, BPF_ANY);
}

int
xdp_filter_divert(const struct xdp_filter *f, unsigned queue, int socket)
{
	return bpf_map_update_elem(f->sockets, &queue, &socket, BPF_ANY);
}

void
xdp_filter_restore(const struct xdp_filter *f, unsigned queue)
{
	(void)bpf_map_delete_elem(f->sockets, &queue);
}
