/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rest -- the handlers behind the routes, one file per subject (rest_object.c, ...).
 *
 * Each runs on the thread of its connection, after login and with the body complete.
 */
#pragma once

#include "api/request.h"

void rest_object_list(struct request *r);
void rest_object_get(struct request *r);
void rest_object_put(struct request *r);
void rest_object_patch(struct request *r);
void rest_object_delete(struct request *r);

void rest_pool_link(struct request *r);
void rest_pool_unlink(struct request *r);
void rest_domain_enable(struct request *r);
void rest_domain_disable(struct request *r);
void rest_scenario(struct request *r);

void rest_override_get(struct request *r);
void rest_override_put(struct request *r);
void rest_override_delete(struct request *r);

void rest_line_tree(struct request *r);
void rest_line_locate(struct request *r);

void rest_node_token(struct request *r);

void rest_zone_refresh(struct request *r);
void rest_zone_retransfer(struct request *r);
void rest_zonefile_get(struct request *r);
void rest_zonefile_put(struct request *r);
void rest_rrset_list(struct request *r);
void rest_rrset_get(struct request *r);
void rest_rrset_put(struct request *r);
void rest_rrset_delete(struct request *r);

void rest_config_get(struct request *r);
void rest_config_apply(struct request *r);

void rest_explain(struct request *r);
void rest_simulate(struct request *r);
void rest_address_health(struct request *r);
void rest_address_heartbeat(struct request *r);
void rest_template_try(struct request *r);
void rest_events(struct request *r);
void rest_audit(struct request *r);
void rest_stream(struct request *r);

void rest_openapi(struct request *r);
void rest_healthz(struct request *r);
void rest_readyz(struct request *r);
void rest_version(struct request *r);
void rest_metrics(struct request *r);
