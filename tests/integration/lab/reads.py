# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on a client: reads 4 KiB of each disk, past all caches, every 0.5 s, until its input ends.

usage: reads.py DEVICE ...
Prints "reading" when every disk answers, then {DEVICE: {held: [[when a read that took longer than LONG ended, by the clock; seconds], ...], reads,
errors: how many; hangs: whether one has no answer at the end}} as JSON.
"""
import json
import mmap
import os
import random
import sys
import threading
import time

PERIOD = 0.5
LONG = 2.0  # seconds; a client with hundreds of paths is itself so slow at times, when it looks at all of them, that a second is no sign
over = threading.Event()
found = {}
answered = {}  # {device: when its last read that did not take long ended}


def follow(device):
    mine = found[device] = dict(held=[], reads=0, errors=0, hangs=False)
    page = mmap.mmap(-1, 4096)
    handle = os.open(device, os.O_RDONLY | os.O_DIRECT)
    over.wait(random.random() * PERIOD)  # so that many do not ask together
    while not over.is_set():
        began = time.monotonic()
        try:
            os.preadv(handle, [page], 0)
        except OSError:
            mine["errors"] += 1
        spent = time.monotonic() - began
        if spent > LONG:
            mine["held"].append((time.time(), spent))
        else:
            answered[device] = time.monotonic()
        mine["reads"] += 1
        over.wait(PERIOD)


threads = {device: threading.Thread(target=follow, args=(device,), daemon=True) for device in sys.argv[1:]}
for each in threads.values():
    each.start()


def silent():
    """The disks that do not answer soon now."""
    return [device for device in threads if time.monotonic() - answered.get(device, 0) > PERIOD + LONG]


# What was done to the disks before may hold them up still: that is not to be taken for what comes.
end = time.monotonic() + 120
while silent() and time.monotonic() < end:
    time.sleep(PERIOD)
for mine in found.values():
    mine["held"] = []
print("no answer soon from %s within 120 s" % " ".join(silent()) if silent() else "reading", flush=True)
sys.stdin.read()
over.set()
end = time.monotonic() + 20
for device, each in threads.items():
    each.join(max(0, end - time.monotonic()))
    found[device]["hangs"] = each.is_alive()
print(json.dumps(found))
