# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on a client: writes 4 KiB every 50 ms past all caches, until its input ends; prints the longest pause.

usage: pulse.py DEVICE OFFSET
"""
import json
import mmap
import os
import select
import sys
import time

device, offset = sys.argv[1], int(sys.argv[2])
page = mmap.mmap(-1, 4096)
handle = os.open(device, os.O_RDWR | os.O_DIRECT)
last, longest, when, writes = None, 0.0, 0.0, 0
while not select.select([sys.stdin], [], [], 0.05)[0]:
    page[0:8] = writes.to_bytes(8, "big")
    os.pwritev(handle, [page], offset)
    now = time.monotonic()
    # The pause in between is the pulse's own; what is left is the disk's.
    if last is not None and now - last > longest:
        longest, when = now - last, time.time()
    last = now
    writes += 1
print(json.dumps(dict(writes=writes, longest=longest, when=when)))
