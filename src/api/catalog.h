/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * catalog -- catalog zones made here (RFC 9432): a hosted primary zone that lists the zones whose
 * `catalog` names it, one PTR each, under the zone's id:
 *
 *	version.catalog.example.               TXT "2"
 *	1f0c5a6b7d8e9f00.zones.catalog.example. PTR member.example.
 */
#pragma once

#include "api/edit.h"

/* Bring the catalogs in step with the zones put and deleted in this edit, in the same revision. */
void catalog_follow(struct edit *e);
