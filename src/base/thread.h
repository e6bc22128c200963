/* SPDX-License-Identifier: GPL-3.0-or-later */
/* thread -- start a named thread with all signals blocked; join it. Dies when the system has none.
 */
#pragma once

#include <pthread.h>

void thread_start(pthread_t *t, const char *name, void *(*run)(void *), void *arg);
void thread_join(pthread_t t);
