# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pauses of I/O from a latency log of fio (--write_lat_log=NAME, file NAME_clat.1.log)."""
from __future__ import annotations

WRITE = 1


def completions(text, direction=WRITE):
    """Times in seconds (since fio's start, or the epoch with --log_unix_epoch) at which I/Os ended. Fields: ms, latency in ns, direction, size, …"""
    times = []
    for line in text.splitlines():
        fields = line.split(",")
        if len(fields) >= 3 and int(fields[2]) == direction:
            times.append(int(fields[0]) / 1000.0)
    return sorted(times)


def longest_pause(times):
    """(length, beginning), in seconds, of the longest time without a completion; None when fewer than two I/Os ended."""
    pauses = [(b - a, a) for a, b in zip(times, times[1:])]
    return max(pauses) if pauses else None
