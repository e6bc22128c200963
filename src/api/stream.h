/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * stream -- server-sent events: replay from the store, then the hub's messages as they come.
 *
 * An idle client costs a suspended connection and no thread. One thread of ours sends the
 * heartbeat, which also finds the clients that are gone.
 */
#pragma once

#include "api/request.h"

struct stream;

struct stream *stream_new(struct control *control);
/* Ends every client's reply; call before the daemons stop. */
void stream_stop(struct stream *s);
void stream_free(struct stream **s); /* after they have stopped */

/* Answer `r` with a stream of `topics`; stored events after `since` come first (0: none). */
void stream_open(struct stream *s, struct request *r, unsigned topics, uint64_t since, bool replay);

/* One frame, to free(): "id: 7\nevent: event\ndata: {...}\n\n"; id 0 has no id line. `data`: JSON
 * of one line. */
char *stream_frame(const char *event, uint64_t id, const char *data);
