/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * expiry -- deletes overrides whose time is over.
 *
 *	commit --note--> agenda by `until` --wait--> thread --edit--> the override's deletion
 *
 * The engine has lifted it by itself at that moment; this makes the model say so. Waiting costs
 * nothing, an override O(log n), and nobody is searched. A deletion that cannot be stored is tried
 * again after a while.
 */
#pragma once

#include "api/control.h"

struct expiry;

/* Before anybody edits. */
struct expiry *expiry_start(struct control *c);
void expiry_stop(struct expiry **x);
