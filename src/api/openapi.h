/* SPDX-License-Identifier: GPL-3.0-or-later */
/* openapi -- the OpenAPI 3.1 document, from the routes and the field tables. Pure. */
#pragma once

#include "base/json.h"

json_t *openapi_document(void);
