/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "intake/intake.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "dns/answer.h"
#include "feed/forward.h"
#include "intake/on_update.h"
#include "intake/secondary.h"

#define RESPONSE_MAX 65535

/* ---- dispatch ---- */

/* What has no handler. */
static void
decline(const struct intake_message *m, struct buf *out)
{
	uint8_t bytes[ANSWER_MIN_CAP];
	struct answer a;
	struct query q;

	if (query_parse(m->data, m->len, &q) == QUERY_DROP)
		return;
	answer_init(&a, bytes, sizeof(bytes), &q);
	a.rcode = RCODE_NOTIMP;
	buf_put(out, bytes, answer_finish(&a));
}

typedef void handle(const struct intake_message *m, struct buf *out);

static handle *const handlers[16] = {
	[OPCODE_NOTIFY] = secondary_notify,
	[OPCODE_UPDATE] = on_update,
};

void
intake_message(const struct intake_message *m, struct buf *out)
{
	handle *h;

	if (m->len < DNS_HEADER_LEN)
		return;
	h = handlers[(m->data[2] >> 3) & 15];
	(h != NULL ? h : decline)(m, out);
}

/* ---- the thread ---- */

struct letter {
	struct list item;
	size_t len;
	uint8_t body[];
};

struct intake {
	uint32_t magic;
#define INTAKE_MAGIC 0x1274a4e5u
	struct control *control;
	struct intake_hooks hooks;
	pthread_t thread;
	bool started;

	pthread_mutex_t lock; /* over what follows */
	pthread_cond_t changed;
	bool stop;
	struct list letters; /* the engine bounds how many are under way */
};

static void
handle_letter(struct intake *in, const struct letter *l)
{
	struct forward f;
	struct buf out;

	if (forward_take(l->body, l->len, &f) != 0) {
		log_warn("intake", "the engine forwarded what cannot be read");
		return;
	}

	const struct intake_message m = { .control = in->control,
		.peer = f.peer,
		.tcp = f.tcp,
		.data = f.message,
		.len = f.len };

	buf_init(&out, RESPONSE_MAX);
	intake_message(&m, &out);
	in->hooks.reply(in->hooks.arg, f.id, out.data, out.len);
	buf_fini(&out);
}

/* The next letter, or NULL when it is time to stop. */
static struct letter *
wait_letter(struct intake *in)
{
	struct letter *l = NULL;

	pthread_mutex_lock(&in->lock);
	while (!in->stop && list_empty(&in->letters))
		pthread_cond_wait(&in->changed, &in->lock);
	if (!in->stop) {
		l = LIST_ENTRY(in->letters.next, struct letter, item);
		list_remove(&l->item);
	}
	pthread_mutex_unlock(&in->lock);
	return l;
}

static void *
run(void *arg)
{
	struct intake *in = arg;
	struct letter *l;

	OBJ_CHECK(in, INTAKE_MAGIC);
	while ((l = wait_letter(in)) != NULL) {
		handle_letter(in, l);
		free(l);
	}
	return NULL;
}

void
intake_take(struct intake *in, const uint8_t *body, size_t len)
{
	struct letter *l = xmalloc(sizeof(*l) + len);

	OBJ_CHECK(in, INTAKE_MAGIC);
	l->len = len;
	if (len > 0)
		memcpy(l->body, body, len);
	pthread_mutex_lock(&in->lock);
	list_append(&in->letters, &l->item);
	pthread_cond_signal(&in->changed);
	pthread_mutex_unlock(&in->lock);
}

/* ---- life ---- */

struct intake *
intake_new(struct control *c, const struct intake_hooks *hooks)
{
	struct intake *in = xcalloc(1, sizeof(*in));

	in->magic = INTAKE_MAGIC;
	in->control = c;
	in->hooks = *hooks;
	list_init(&in->letters);
	pthread_mutex_init(&in->lock, NULL);
	pthread_cond_init(&in->changed, NULL);
	return in;
}

void
intake_start(struct intake *in)
{
	OBJ_CHECK(in, INTAKE_MAGIC);
	in->started = true;
	thread_start(&in->thread, "intake", run, in);
}

void
intake_free(struct intake **p)
{
	struct intake *in = *p;

	if (in == NULL)
		return;
	OBJ_CHECK(in, INTAKE_MAGIC);
	pthread_mutex_lock(&in->lock);
	in->stop = true;
	pthread_cond_signal(&in->changed);
	pthread_mutex_unlock(&in->lock);
	if (in->started)
		thread_join(in->thread);
	LIST_EACH (it, tmp, &in->letters)
		free(LIST_ENTRY(it, struct letter, item));
	pthread_cond_destroy(&in->changed);
	pthread_mutex_destroy(&in->lock);
	in->magic = 0;
	free(in);
	*p = NULL;
}
