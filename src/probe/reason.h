/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * reason -- what a probe ended with, cause and text, as a number of 15 bits.
 *
 * Both are static texts and few pairs ever occur, so histories keep numbers. Numbers are given once
 * and stay. Any thread.
 */
#pragma once

#include <stdint.h>

struct reason {
	const char *cause, *text;
};

#define REASON_MAX 1024 /* further ones are told as the last */

uint16_t reason_of(const char *cause, const char *text);
struct reason reason_at(uint16_t number);
