/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * word -- the verdict of one check as one 32-bit word: where probe and steer meet.
 *
 *   probe thread --word_store--> [ table of words ] <--word_load-- steer
 *
 * One writer per slot, wait-free readers. Slots keep their place for life; the table grows by
 * blocks.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

#define WORD_DOWN    0x80000000u /* the check's verdict is down */
#define WORD_UNKNOWN 0x40000000u /* no verdict yet; counts as up */
#define WORD_EDGES   0x00ffffffu /* number of edges so far, wraps */

struct word_table;

struct word_table *word_table_new(void);
void word_table_free(struct word_table **t);
/* A slot, unknown at first. Owner thread only (the engine's main thread). */
uint32_t word_take(struct word_table *t);
void word_give(struct word_table *t, uint32_t slot); /* reuse later */
/* Any thread. */
void word_store(struct word_table *t, uint32_t slot, uint32_t word);
uint32_t word_load(const struct word_table *t, uint32_t slot);
