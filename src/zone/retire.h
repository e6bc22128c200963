/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * retire -- release memory that readers may still look at, after an RCU grace period.
 *
 * The release runs in liburcu's call_rcu thread, so that neither the writer nor a reader pays for
 * freeing a zone of a million names. Writer only; a registered QSBR thread must be online here.
 */
#pragma once

void retire(void *ptr, void (*release)(void *ptr));
