/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ready -- tell the service manager how things stand (sd_notify(3), without libsystemd). */
#pragma once

/* "READY=1", "STATUS=...", "STOPPING=1"; nothing happens without $NOTIFY_SOCKET. */
void ready_notify(const char *state);
