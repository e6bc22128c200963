/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "node/parcel.h"

#include <errno.h>

int
parcel_take(const uint8_t *data, size_t len, size_t max, struct parcel *out)
{
	if (len < 4)
		return 0;

	const size_t said =
	    (size_t)data[0] << 24 | (size_t)data[1] << 16 | (size_t)data[2] << 8 | data[3];

	if (said < 1 || said > max)
		return -EINVAL;
	if (len - 4 < said)
		return 0;
	*out = (struct parcel){ data[4], data + PARCEL_HEADER, said - 1, 4 + said };
	return 1;
}

void
parcel_head(uint8_t type, size_t len, uint8_t out[PARCEL_HEADER])
{
	const size_t said = 1 + len;

	out[0] = (uint8_t)(said >> 24);
	out[1] = (uint8_t)(said >> 16);
	out[2] = (uint8_t)(said >> 8);
	out[3] = (uint8_t)said;
	out[4] = type;
}
