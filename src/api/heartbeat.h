/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * heartbeat -- is it really this address that says it lives? HMAC-SHA256, twice:
 *
 *	key        hex(HMAC(the template's secret, "TEMPLATE\nADDRESS"))    given to that address
 *alone signature  hex(HMAC(key, "AT\nFOR"))                               of every heartbeat
 *
 * So whoever has one address's key can speak for no other. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

#define HEARTBEAT_HEX_SIZE 65

char *heartbeat_key(
    const char *secret, const char *template, const char *address, char out[HEARTBEAT_HEX_SIZE]);
char *heartbeat_signature(
    const char *key, int64_t at_ms, const char *duration, char out[HEARTBEAT_HEX_SIZE]);
/* In time that does not tell how much of it was right. */
MUST_USE bool heartbeat_check(const char *secret, const char *template, const char *address,
    int64_t at_ms, const char *duration, const char *signature);
