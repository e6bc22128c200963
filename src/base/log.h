/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * log -- one line per event on stderr: time, level, process, room, message.
 *
 * Messages are lower case without a final period, variables in 'quotes'. Thread-safe: a line is
 * one write(2).
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* `process` ("engine") must stay valid. Before log_start: level info, process "gtmd". */
void log_start(const char *process, enum log_level level);
void log_level_set(enum log_level level);
bool log_level_parse(const char *text, enum log_level *level);
void log_line(enum log_level level, const char *room, const char *fmt, ...) PRINTF(3, 4);

#define log_error(room, ...) log_line(LOG_ERROR, room, __VA_ARGS__)
#define log_warn(room, ...)  log_line(LOG_WARN, room, __VA_ARGS__)
#define log_info(room, ...)  log_line(LOG_INFO, room, __VA_ARGS__)
#define log_debug(room, ...) log_line(LOG_DEBUG, room, __VA_ARGS__)
