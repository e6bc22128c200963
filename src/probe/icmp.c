/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/icmp.h"

#include <string.h>

enum { ECHO_REPLY_4 = 0, ECHO_4 = 8, ECHO_6 = 128, ECHO_REPLY_6 = 129 };

/* RFC 1071, of an even number of octets. */
static uint16_t
checksum(const uint8_t *data, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i += 2)
		sum += (uint32_t)data[i] << 8 | data[i + 1];
	sum = (sum >> 16) + (sum & 0xffff);
	return (uint16_t) ~(sum + (sum >> 16));
}

static void
put_u16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

void
icmp_request(bool ip6, uint16_t id, uint16_t sequence, uint64_t cookie, uint8_t out[ICMP_ECHO_SIZE])
{
	memset(out, 0, ICMP_ECHO_SIZE);
	out[0] = ip6 ? ECHO_6 : ECHO_4;
	put_u16(out + 4, id);
	put_u16(out + 6, sequence);
	memcpy(out + 8, &cookie, sizeof(cookie));
	put_u16(out + 2, checksum(out, ICMP_ECHO_SIZE));
}

int
icmp_reply(bool ip6, bool header, uint64_t cookie, const uint8_t *data, size_t len)
{
	const size_t skip = header && len > 0 ? (size_t)(data[0] & 15) * 4 : 0;

	if (len < skip || len - skip < ICMP_ECHO_SIZE)
		return -1;
	data += skip;
	if (data[0] != (ip6 ? ECHO_REPLY_6 : ECHO_REPLY_4) || data[1] != 0 ||
	    memcmp(data + 8, &cookie, sizeof(cookie)) != 0)
		return -1;
	return data[6] << 8 | data[7];
}
