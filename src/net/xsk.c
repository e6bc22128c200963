/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/xsk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/mem.h"

#define MEMORY (2 * (size_t)XSK_FRAMES * XSK_FRAME_SIZE)
/* In copy mode a frame on its way is charged to the send buffer with its descriptor. */
#define SEND_BUFFER (XSK_FRAMES * (XSK_FRAME_SIZE + 1024))

#define KERNEL_BATCH 32 /* frames that one call sends in copy mode at least, if there is room */

#ifndef XDP_MAX_TX_SKB_BUDGET
#define XDP_MAX_TX_SKB_BUDGET 9 /* Linux 6.17: frames that one system call sends in copy mode */
#endif

/* One of four; the indices are the kernel's and ours, one writes each, and they only grow. */
struct ring {
	void *map;
	size_t map_len;
	uint32_t *producer, *consumer, *flags;
	union {
		struct xdp_desc *packets; /* rx, tx */
		uint64_t *frames;         /* fill, completion */
	};
	uint32_t mine; /* our index, ahead of what has been published */
};

struct xsk {
	uint32_t magic;
#define XSK_MAGIC 0x05c0a7edu
	int fd;
	bool zero_copy;
	uint8_t *memory;
	struct ring rx, tx, fill, completion;
	unsigned n_received;
	uint64_t received[XSK_FRAMES]; /* by addresses in `memory`: to be released */
	unsigned n_idle;
	uint64_t idle[XSK_FRAMES]; /* to send from */
};

#define AT(i) ((i) & (XSK_FRAMES - 1))

static uint32_t
seen(const uint32_t *index)
{
	return __atomic_load_n(index, __ATOMIC_ACQUIRE);
}

static void
publish(uint32_t *index, uint32_t value)
{
	__atomic_store_n(index, value, __ATOMIC_RELEASE);
}

/* The kernel sleeps on it, and will not look before it is called. */
static bool
wants_call(const struct ring *r)
{
	return (__atomic_load_n(r->flags, __ATOMIC_RELAXED) & XDP_RING_NEED_WAKEUP) != 0;
}

/* ---- opening ---- */

static int
map_ring(struct xsk *x, struct ring *r, const struct xdp_ring_offset *at, size_t entry, off_t where)
{
	r->map_len = at->desc + XSK_FRAMES * entry;
	r->map =
	    mmap(NULL, r->map_len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, x->fd, where);
	if (r->map == MAP_FAILED) {
		r->map = NULL;
		return -errno;
	}
	r->producer = (uint32_t *)((char *)r->map + at->producer);
	r->consumer = (uint32_t *)((char *)r->map + at->consumer);
	r->flags = (uint32_t *)((char *)r->map + at->flags);
	r->frames = (uint64_t *)(void *)((char *)r->map + at->desc);
	return 0;
}

static int
set(const struct xsk *x, int option, const void *value, size_t len)
{
	return setsockopt(x->fd, SOL_XDP, option, value, (socklen_t)len) == 0 ? 0 : -errno;
}

static int
register_memory(struct xsk *x)
{
	const struct xdp_umem_reg reg = {
		.addr = (uint64_t)(uintptr_t)x->memory,
		.len = MEMORY,
		.chunk_size = XSK_FRAME_SIZE,
	};

	return set(x, XDP_UMEM_REG, &reg, sizeof(reg));
}

static int
make_rings(struct xsk *x)
{
	static const int options[] = { XDP_UMEM_FILL_RING, XDP_UMEM_COMPLETION_RING, XDP_RX_RING,
		XDP_TX_RING };
	const int entries = XSK_FRAMES;
	struct xdp_mmap_offsets at;
	socklen_t len = sizeof(at);
	int err = 0;

	for (size_t i = 0; err == 0 && i < ARRAY_LEN(options); i++)
		err = set(x, options[i], &entries, sizeof(entries));
	if (err == 0 && getsockopt(x->fd, SOL_XDP, XDP_MMAP_OFFSETS, &at, &len) != 0)
		err = -errno;
	if (err == 0 && len != sizeof(at)) /* before Linux 5.4: no wake-up flags */
		err = -EOPNOTSUPP;
	if (err == 0)
		err = map_ring(x, &x->rx, &at.rx, sizeof(struct xdp_desc), XDP_PGOFF_RX_RING);
	if (err == 0)
		err = map_ring(x, &x->tx, &at.tx, sizeof(struct xdp_desc), XDP_PGOFF_TX_RING);
	if (err == 0)
		err = map_ring(
		    x, &x->fill, &at.fr, sizeof(uint64_t), (off_t)XDP_UMEM_PGOFF_FILL_RING);
	if (err == 0)
		err = map_ring(x, &x->completion, &at.cr, sizeof(uint64_t),
		    (off_t)XDP_UMEM_PGOFF_COMPLETION_RING);
	return err;
}

/* What only makes it better. */
static void
tune(struct xsk *x)
{
	const int size = SEND_BUFFER, budget = XSK_FRAMES;

	if (setsockopt(x->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) != 0)
		(void)setsockopt(x->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	(void)set(x, XDP_MAX_TX_SKB_BUDGET, &budget, sizeof(budget));
}

static void
deal_frames(struct xsk *x)
{
	for (uint32_t i = 0; i < XSK_FRAMES; i++) {
		x->fill.frames[i] = (uint64_t)i * XSK_FRAME_SIZE;
		x->idle[i] = (uint64_t)(XSK_FRAMES + i) * XSK_FRAME_SIZE;
	}
	x->n_idle = XSK_FRAMES;
	x->fill.mine = XSK_FRAMES;
	publish(x->fill.producer, x->fill.mine);
}

int
xsk_open(struct xsk **out)
{
	struct xsk *x = xcalloc(1, sizeof(*x));
	int err = 0;

	x->magic = XSK_MAGIC;
	x->fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (x->fd < 0)
		err = -errno;
	x->memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	CHECK(x->memory != MAP_FAILED);
	if (err == 0)
		err = register_memory(x);
	if (err == 0)
		err = make_rings(x);
	if (err != 0) {
		xsk_close(&x);
		return err;
	}
	tune(x);
	deal_frames(x);
	*out = x;
	return 0;
}

int
xsk_bind(struct xsk *x, unsigned ifindex, unsigned queue)
{
	const struct sockaddr_xdp sa = {
		.sxdp_family = AF_XDP,
		.sxdp_flags = XDP_USE_NEED_WAKEUP,
		.sxdp_ifindex = ifindex,
		.sxdp_queue_id = queue,
	};
	struct xdp_options options = { 0 };
	socklen_t len = sizeof(options);

	OBJ_CHECK(x, XSK_MAGIC);
	if (bind(x->fd, (const struct sockaddr *)&sa, sizeof(sa)) != 0)
		return -errno;
	if (getsockopt(x->fd, SOL_XDP, XDP_OPTIONS, &options, &len) == 0)
		x->zero_copy = (options.flags & XDP_OPTIONS_ZEROCOPY) != 0;
	return 0;
}

static void
unmap_ring(struct ring *r)
{
	if (r->map != NULL)
		munmap(r->map, r->map_len);
}

void
xsk_close(struct xsk **x)
{
	struct xsk *old = *x;

	if (old == NULL)
		return;
	OBJ_CHECK(old, XSK_MAGIC);
	unmap_ring(&old->rx);
	unmap_ring(&old->tx);
	unmap_ring(&old->fill);
	unmap_ring(&old->completion);
	if (old->fd >= 0)
		close(old->fd);
	munmap(old->memory, MEMORY);
	old->magic = 0;
	free(old);
	*x = NULL;
}

int
xsk_fd(const struct xsk *x)
{
	return x->fd;
}

bool
xsk_is_zero_copy(const struct xsk *x)
{
	return x->zero_copy;
}

/* ---- receiving ---- */

unsigned
xsk_receive(struct xsk *x, struct xsk_packet *out, unsigned max)
{
	const uint32_t there = seen(x->rx.producer) - x->rx.mine;
	const unsigned n = there < max ? there : max;

	for (unsigned i = 0; i < n; i++) {
		const struct xdp_desc *d = &x->rx.packets[AT(x->rx.mine++)];

		CHECK(d->addr < MEMORY / 2 && d->len <= XSK_FRAME_SIZE);
		out[i] = (struct xsk_packet){ x->memory + d->addr, d->len };
		/* The kernel gives the place of the data; it takes any address in the frame. */
		x->received[i] = d->addr - d->addr % XSK_FRAME_SIZE;
	}
	x->n_received = n;
	return n;
}

void
xsk_release(struct xsk *x)
{
	if (x->n_received == 0)
		return;
	for (unsigned i = 0; i < x->n_received; i++)
		x->fill.frames[AT(x->fill.mine++)] = x->received[i];
	x->n_received = 0;
	publish(x->rx.consumer, x->rx.mine);
	publish(x->fill.producer, x->fill.mine);
	if (UNLIKELY(wants_call(&x->fill))) /* a driver that ran out of frames */
		(void)recvfrom(x->fd, NULL, 0, MSG_DONTWAIT, NULL, NULL);
}

/* ---- sending ---- */

static void
reclaim(struct xsk *x)
{
	const uint32_t there = seen(x->completion.producer) - x->completion.mine;

	for (uint32_t i = 0; i < there; i++) {
		CHECK(x->n_idle < XSK_FRAMES);
		x->idle[x->n_idle++] = x->completion.frames[AT(x->completion.mine++)];
	}
	if (there > 0)
		publish(x->completion.consumer, x->completion.mine);
}

unsigned
xsk_room(struct xsk *x, unsigned max)
{
	if (UNLIKELY(x->n_idle < max))
		reclaim(x);
	return x->n_idle < max ? x->n_idle : max;
}

uint8_t *
xsk_frame(struct xsk *x)
{
	CHECK(x->n_idle > 0);
	return x->memory + x->idle[x->n_idle - 1];
}

void
xsk_send(struct xsk *x, uint32_t len)
{
	CHECK(x->n_idle > 0);
	x->tx.packets[AT(x->tx.mine++)] =
	    (struct xdp_desc){ .addr = x->idle[--x->n_idle], .len = len };
}

/* One call; false: another would not help now. */
static bool
drive(struct xsk *x)
{
	if (sendto(x->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) >= 0)
		return false;
	/* EAGAIN is "enough for one call" as well as "no room"; EBUSY is a frame lost. */
	return errno == EAGAIN || errno == EBUSY || errno == EINTR;
}

static uint32_t
unsent(const struct xsk *x)
{
	return x->tx.mine - seen(x->tx.consumer);
}

/* Older kernels do not tell after each call how far they are, so the calls are counted instead. */
static void
drive_copying(struct xsk *x)
{
	for (uint32_t calls = unsent(x) / KERNEL_BATCH + 1; calls > 0 && unsent(x) > 0; calls--)
		if (!drive(x))
			break;
}

bool
xsk_flush(struct xsk *x)
{
	publish(x->tx.producer, x->tx.mine);
	if (!x->zero_copy)
		drive_copying(x);
	else if (unsent(x) > 0 && wants_call(&x->tx))
		(void)drive(x);
	reclaim(x);
	return x->n_idle == 0 || (unsent(x) > 0 && (!x->zero_copy || wants_call(&x->tx)));
}

void
xsk_statistics(const struct xsk *x, struct xdp_statistics *out)
{
	socklen_t len = sizeof(*out);

	memset(out, 0, sizeof(*out));
	if (getsockopt(x->fd, SOL_XDP, XDP_STATISTICS, out, &len) != 0)
		memset(out, 0, sizeof(*out));
}
