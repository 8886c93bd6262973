// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: any bytes as a request.  Beyond what the sanitizers see: a MAC
 * ends where the packet ends, fields fit in before it, the header decides alone
 * whether there is an answer, and no answer is longer than the request.
 */
#include <stdlib.h>
#include <string.h>
#include <ntpk/ntp_ext.h>
#include "fuzz.h"

static void check(const uint8_t *data, size_t size, const struct ntp_ext *ext)
{
	size_t end = ext->mac_len ? ext->mac_off : size;
	size_t reply = NTP_HEADER_LEN + ext->mac_len;

	if (ext->mac_len && (ext->mac_off < NTP_HEADER_LEN || ext->mac_off + ext->mac_len != size))
		abort();
	if (ext->fields * (size_t)NTP_EXT_MIN > end - NTP_HEADER_LEN)
		abort();
	if (ext->mono_root) {
		if (!ext->fields || ntp_lvm_version(data[0]) != 4)
			abort();
		reply += NTP_EXT_MONO_ROOT_LEN;
	}
	if (reply > size || reply > sizeof(struct ntp_packet))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct ntp_policy policy;
	struct ntp_header header;
	struct ntp_ext ext;

	memset(&header, 0, sizeof(header));
	memcpy(&header, data, size < sizeof(header) ? size : sizeof(header));
	if (ntp_reply_classify(&header, size, 123, &policy) != NTPK_REASON_NONE)
		return 0;
	ntp_ext_parse(data, size, &ext);
	check(data, size, &ext);
	return 0;
}
