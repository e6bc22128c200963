/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * control_feed -- control's end of the feed: keeps the engine up to date, carries questions and
 * answers.
 *
 * A commit is in the store before it comes here. While the engine is away it is just dropped: on
 * HELLO the engine says what it has, and gets the current state of everything touched since, or the
 * whole model when its revision is of another lineage. So nothing is queued, and applying a thing
 * twice is harmless.
 */
#pragma once

#include "api/control.h"
#include "feed/message.h"
#include "store/store.h"

struct control_feed;

struct control_feed *control_feed_new(struct store *store, const char *path);
/* What control_new wants. */
struct control_engine control_feed_engine(struct control_feed *f);
/* Before the start: who takes the body of each FORWARD (in the feed's thread: must not wait). */
void control_feed_on_forward(
    struct control_feed *f, void (*take)(void *arg, const uint8_t *body, size_t len), void *arg);
/* Before the start: `came` is called in the feed's thread when an engine is connected and has been
 * brought up to date. */
void control_feed_on_engine(struct control_feed *f, void (*came)(void *arg), void *arg);
/* From any thread: a message for the engine; dropped while it is away. */
void
control_feed_tell(struct control_feed *f, enum message_type type, const char *text, size_t len);
/* From any thread: the response to a FORWARD. */
void control_feed_forwarded(struct control_feed *f, uint32_t id, const uint8_t *data, size_t len);
/* Connect and go on connecting; `on_serving` (any thread) is called when the engine answers DNS. */
void control_feed_start(
    struct control_feed *f, struct control *control, void (*on_serving)(void *arg), void *arg);
/* Writes no longer wait for an engine that is away. Any thread; before the API is stopped. */
void control_feed_leave(struct control_feed *f);
/* Nothing comes from the engine any more; what is sent is dropped. */
void control_feed_stop(struct control_feed *f);
void control_feed_free(struct control_feed **f);
