/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "steer/explain_account.h"

#include <stdarg.h>
#include <stdlib.h>

#include "base/mem.h"
#include "dns/rdata.h"

void
explain_step(struct account *a, const char *step, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *text = xvasprintf(fmt, ap);

	va_end(ap);
	json_array_append_new(a->decision, json_pack("{s:s, s:s}", "step", step, "text", text));
	free(text);
}

void
explain_rdata(struct account *a, uint16_t type, const uint8_t *rdata, uint16_t rdlen)
{
	struct buf text;

	buf_init(&text, 4 * (size_t)RDATA_MAX_LEN + 64);
	rdata_text(type, rdata, rdlen, &text);
	json_array_append_new(a->rdata, json_string(buf_str(&text)));
	buf_fini(&text);
}
