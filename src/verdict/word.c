/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A directory of blocks that never move: a reader needs one acquire load for the block and one for
 * the word, and the owner adds a block without anybody noticing. Slots given back wait in a stack
 * and start unknown again.
 */
#include "verdict/word.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/mem.h"

#define BLOCK_BITS  10
#define BLOCK_WORDS (1u << BLOCK_BITS)
#define BLOCKS_MAX  4096u /* 4 Mi checks */

struct block {
	_Atomic uint32_t words[BLOCK_WORDS];
};

struct word_table {
	uint32_t magic;
#define WORD_TABLE_MAGIC 0x30adb1e5u
	uint32_t used; /* slots ever taken */
	uint32_t *spare;
	size_t n_spare, spare_cap;
	struct block *_Atomic blocks[BLOCKS_MAX];
};

struct word_table *
word_table_new(void)
{
	struct word_table *t = xcalloc(1, sizeof(*t));

	t->magic = WORD_TABLE_MAGIC;
	return t;
}

void
word_table_free(struct word_table **t)
{
	if (*t == NULL)
		return;
	OBJ_CHECK(*t, WORD_TABLE_MAGIC);
	for (uint32_t i = 0; i < BLOCKS_MAX; i++)
		free(atomic_load(&(*t)->blocks[i]));
	free((*t)->spare);
	(*t)->magic = 0;
	free(*t);
	*t = NULL;
}

static _Atomic uint32_t *
word_of(const struct word_table *t, uint32_t slot)
{
	CHECK(slot >> BLOCK_BITS < BLOCKS_MAX);

	struct block *b =
	    atomic_load_explicit(&t->blocks[slot >> BLOCK_BITS], memory_order_acquire);

	CHECK(b != NULL);
	return &b->words[slot & (BLOCK_WORDS - 1)];
}

uint32_t
word_take(struct word_table *t)
{
	OBJ_CHECK(t, WORD_TABLE_MAGIC);

	const uint32_t slot = t->n_spare > 0 ? t->spare[--t->n_spare] : t->used++;
	const uint32_t block = slot >> BLOCK_BITS;

	CHECK(block < BLOCKS_MAX);
	if (atomic_load_explicit(&t->blocks[block], memory_order_relaxed) == NULL)
		atomic_store_explicit(
		    &t->blocks[block], xcalloc(1, sizeof(struct block)), memory_order_release);
	word_store(t, slot, WORD_UNKNOWN);
	return slot;
}

void
word_give(struct word_table *t, uint32_t slot)
{
	OBJ_CHECK(t, WORD_TABLE_MAGIC);
	CHECK(slot < t->used);
	word_store(t, slot, WORD_UNKNOWN);
	MEM_GROW(&t->spare, &t->spare_cap, t->n_spare + 1);
	t->spare[t->n_spare++] = slot;
}

void
word_store(struct word_table *t, uint32_t slot, uint32_t word)
{
	OBJ_CHECK(t, WORD_TABLE_MAGIC);
	atomic_store_explicit(word_of(t, slot), word, memory_order_release);
}

uint32_t
word_load(const struct word_table *t, uint32_t slot)
{
	OBJ_CHECK(t, WORD_TABLE_MAGIC);
	return atomic_load_explicit(word_of(t, slot), memory_order_acquire);
}
