/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * http -- the API's listeners: REST, event stream, health endpoints, on libmicrohttpd.
 */
#pragma once

#include "api/control.h"

struct http;

struct http_config {
	int tcp_fd;  /* listening, or -1 */
	int unix_fd; /* listening (DIR/control.sock): peers of our own uid (or root) need no token;
			or -1 */
	const char *data_dir; /* admin.token is written here at first start */
};

struct http *http_start(const struct http_config *c, struct control *control, struct diag *d);
void http_stop(struct http **h);
