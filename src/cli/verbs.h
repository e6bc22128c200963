/* SPDX-License-Identifier: GPL-3.0-or-later */
/* verbs -- every verb of gtmctl: a row in verbs.c and a function here. */
#pragma once

#include "cli/args.h"

extern const struct verb verbs_table[]; /* ends with a row without a name */

int verb_get(struct cli *cli);
int verb_describe(struct cli *cli);
int verb_delete(struct cli *cli);
int verb_export(struct cli *cli);
int verb_apply(struct cli *cli);
int verb_domain_create(struct cli *cli);
int verb_domain_enable(struct cli *cli);
int verb_domain_disable(struct cli *cli);
int verb_override(struct cli *cli); /* all of pool|address|domain drain|ready|force-* */
int verb_line_list(struct cli *cli);
int verb_line_locate(struct cli *cli);
int verb_node_add(struct cli *cli);
int verb_node_token(struct cli *cli);
int verb_zone_import(struct cli *cli);
int verb_zone_export(struct cli *cli);
int verb_zone_check(struct cli *cli);
int verb_zone_refresh(struct cli *cli);
int verb_explain(struct cli *cli);
int verb_simulate(struct cli *cli);
int verb_events(struct cli *cli);
int verb_probe_try(struct cli *cli);
int verb_version(struct cli *cli);
int verb_help(struct cli *cli);
