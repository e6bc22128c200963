/* SPDX-License-Identifier: GPL-3.0-or-later */
/* list -- an intrusive, circular, doubly linked list. Thread: the owner's. */
#pragma once

#include <stdbool.h>

#include "base/attr.h"

struct list {
	struct list *prev;
	struct list *next;
};

static inline void
list_init(struct list *l)
{
	l->prev = l->next = l;
}

static inline bool
list_empty(const struct list *l)
{
	return l->next == l;
}

static inline void
list_append(struct list *head, struct list *item)
{
	item->prev = head->prev;
	item->next = head;
	head->prev->next = item;
	head->prev = item;
}

/* Unlink `item`; unlinking twice is harmless. */
static inline void
list_remove(struct list *item)
{
	item->prev->next = item->next;
	item->next->prev = item->prev;
	list_init(item);
}

/* Move all of `from` to the empty `to`. */
static inline void
list_move(struct list *to, struct list *from)
{
	list_init(to);
	if (list_empty(from))
		return;
	to->next = from->next;
	to->prev = from->prev;
	to->next->prev = to;
	to->prev->next = to;
	list_init(from);
}

#define LIST_ENTRY(ptr, type, member) container_of(ptr, type, member)
/* Safe against removal of the current item. */
#define LIST_EACH(it, tmp, head)                                                                   \
	for (struct list *it = (head)->next, *tmp = it->next; it != (head);                        \
	     it = tmp, tmp = it->next)
