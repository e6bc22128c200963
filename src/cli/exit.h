/* SPDX-License-Identifier: GPL-3.0-or-later */
/* exit -- what a script learns from `$?`. */
#pragma once

enum exit_code {
	EXIT_OK = 0,
	EXIT_ERROR = 1,       /* the server refused it, or it failed */
	EXIT_USAGE = 2,       /* the command line is wrong; nothing was asked */
	EXIT_NOT_FOUND = 3,   /* 404 */
	EXIT_CONFLICT = 4,    /* 409, 412: in use, exists, changed meanwhile */
	EXIT_AUTH = 5,        /* 401, 403 */
	EXIT_UNREACHABLE = 6, /* nobody answered at the socket or URL */
};
