#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A camera's SNTP request: 48 bytes, version 3, all zero but T1, answered or not."""
import socket
import struct
import sys
import time

EPOCH = 2208988800


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: sntp.py ADDRESS")
    family, _, _, _, addr = socket.getaddrinfo(sys.argv[1], 123, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        s.settimeout(2)
        s.connect(addr)
        t1 = time.time()
        stamp = struct.pack("!II", (int(t1) + EPOCH) & 0xffffffff, int(t1 % 1 * 2 ** 32))
        s.send(b"\x1b" + bytes(39) + stamp)
        try:
            reply = s.recv(1024)
        except OSError as e:
            sys.exit(f"{sys.argv[1]}: no answer: {e}")
        t4 = time.time()
    if len(reply) != 48 or reply[24:32] != stamp or reply[0] & 7 != 4:
        sys.exit(f"{sys.argv[1]}: not an answer to the request: {reply.hex()}")
    leap, stratum = reply[0] >> 6, reply[1]
    t2, t3 = (s - EPOCH + f / 2 ** 32 for s, f in
              (struct.unpack("!II", reply[i:i + 8]) for i in (32, 40)))
    offset = ((t2 - t1) + (t3 - t4)) / 2
    print(f"{sys.argv[1]}: leap {leap} stratum {stratum} offset {offset * 1e3:+.3f} ms "
          f"delay {(t4 - t1 - t3 + t2) * 1e3:.3f} ms residence {(t3 - t2) * 1e6:.1f} us")
    if leap == 3 or stratum == 0:
        sys.exit("the server says that it is not synchronised")


main()
