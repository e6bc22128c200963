/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * conn -- the octets of a probe over TCP, in the clear or in TLS: protocols need not know which.
 *
 * Moving functions return what was moved; 0 with *step saying what to return to the runner (wait,
 * or the failure).
 */
#pragma once

#include "probe/probe.h"

/* After probe_connect, whenever the socket is ready: PASS once there is something to talk over, and
 * from then on. */
enum probe_step conn_ready(struct probe *p);

size_t conn_send(struct probe *p, const void *data, size_t len, enum probe_step *step);
/* The end is 0 with *step = PROBE_PASS. Notes the time of the first octet. */
size_t conn_receive(struct probe *p, void *data, size_t size, enum probe_step *step);
/* Send what is left of the probe's request: PASS when all is gone. */
enum probe_step conn_request(struct probe *p, const char *request, size_t len);
