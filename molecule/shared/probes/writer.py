# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on an initiator: writes generations to blocks until told to stop, then reads them all back.

argv: write DEVICE OFFSET STATE | check DEVICE OFFSET STATE. Block I holds (I, generation). A block whose generation on
disk is older than the last one that was acknowledged was lost, or overwritten by a stale write of the old path: fio,
which writes each block once, cannot see the latter. `write` runs while the file STATE.run exists and writes STATE
(JSON); `check` reads the blocks again later, as a gateway that returns may still hold old writes.
"""
import json
import mmap
import os
import struct
import sys
import threading
import time

BLOCKS, SIZE, PERIOD = 16, 4096, 0.25
READ_EVERY = 4  # generations: a gateway that was shut out fails reads first
mode, device, offset, state = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
fd = os.open(device, os.O_RDWR | os.O_DIRECT)


def buffer():
    # O_DIRECT wants aligned memory: an anonymous map is page-aligned
    return mmap.mmap(-1, SIZE)


def read_back(acked):
    wrong = []
    for index in range(BLOCKS):
        data = buffer()
        os.preadv(fd, [data], offset + index * SIZE)
        found, generation = struct.unpack("<QQ", data[:16])
        if found != index or generation != acked[index]:
            wrong.append("block %d holds generation %d of block %d, acknowledged was %d" % (index, generation, found, acked[index]))
    return wrong


def write_all():
    acked, errors, times = [0] * BLOCKS, [], []

    def body(index):
        data, generation = buffer(), 0
        while os.path.exists(state + ".run") or not generation:
            generation += 1
            data[:16] = struct.pack("<QQ", index, generation)
            try:
                os.pwritev(fd, [data], offset + index * SIZE)
            except OSError as e:
                errors.append("block %d generation %d: %s" % (index, generation, e))
                return
            acked[index] = generation
            times.append(time.time())
            if not generation % READ_EVERY:
                try:
                    os.preadv(fd, [data], offset + index * SIZE)
                except OSError as e:
                    errors.append("block %d generation %d, reading: %s" % (index, generation, e))
                    continue
                if struct.unpack("<QQ", data[:16]) != (index, generation):
                    errors.append("block %d: read generation %d after %d was acknowledged" % (index, struct.unpack("<QQ", data[:16])[1], generation))
            time.sleep(PERIOD)

    threads = [threading.Thread(target=body, args=(i,)) for i in range(BLOCKS)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    times.sort()
    pauses = sorted(((b - a, a) for a, b in zip(times, times[1:])), reverse=True)[:3]
    return dict(acked=acked, errors=errors, writes=len(times), pauses=[[round(p, 2), at] for p, at in pauses])


if mode == "write":
    result = write_all()
    with open(state, "w") as f:
        json.dump(result, f)
else:
    with open(state) as f:
        result = json.load(f)
result["wrong"] = read_back(result["acked"])
json.dump(result, sys.stdout)
