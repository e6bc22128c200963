/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * noun_rules -- what kind.c's table points at: each noun's settle, check and refs (see kind.h).
 *
 * Inside the room. Each lives in the noun's *_fields.c.
 */
#pragma once

#include "model/kind.h"
#include "model/nouns.h"

void zone_settle(const char *name, void *spec, struct arena *a);
void template_settle(const char *name, void *spec, struct arena *a);
void address_settle(const char *name, void *spec, struct arena *a);
void pool_settle(const char *name, void *spec, struct arena *a);
void domain_settle(const char *name, void *spec, struct arena *a);
void rrset_settle(const char *name, void *spec, struct arena *a);
void maintenance_settle(const char *name, void *spec, struct arena *a);

int tsig_key_check(const char *name, const void *spec, struct diag *d);
int zone_check(const char *name, const void *spec, struct diag *d);
int node_check(const char *name, const void *spec, struct diag *d);
int template_check(const char *name, const void *spec, struct diag *d);
int line_check(const char *name, const void *spec, struct diag *d);
int address_check(const char *name, const void *spec, struct diag *d);
int pool_check(const char *name, const void *spec, struct diag *d);
int domain_check(const char *name, const void *spec, struct diag *d);
int rrset_check(const char *name, const void *spec, struct diag *d);
int override_check(const char *name, const void *spec, struct diag *d);
int maintenance_check(const char *name, const void *spec, struct diag *d);

void zone_refs(const void *spec, kind_ref_f *visit, void *arg);
void template_refs(const void *spec, kind_ref_f *visit, void *arg);
void address_refs(const void *spec, kind_ref_f *visit, void *arg);
void pool_refs(const void *spec, kind_ref_f *visit, void *arg);
void domain_refs(const void *spec, kind_ref_f *visit, void *arg);
void rrset_refs(const void *spec, kind_ref_f *visit, void *arg);
void maintenance_refs(const void *spec, kind_ref_f *visit, void *arg);

/* Does it say nothing? Then this is what is wanted. */
#define OVERRIDE_REASON "a sentence for whoever comes across it"
bool override_is_blank(const char *reason);
