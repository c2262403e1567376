# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on a client after a reboot: how the shutdown before it went, and how long the boot took, as JSON.

usage: shutdown.py MOUNT_UNIT

stopped   the units that matter, in the order in which they were stopped
seconds   from the first unit that was stopped to the last thing that the journal holds
failed    units whose stop failed or took too long
mounted   seconds from the kernel's start until the file system was mounted
"""
import json
import subprocess
import sys

MOUNT = sys.argv[1]
UNITS = (MOUNT, "open-iscsi.service", "iscsid.service", "multipathd.service")


def journal():
    out = subprocess.run(["journalctl", "-b", "-1", "-o", "json", "-q", "--no-pager"], stdout=subprocess.PIPE, check=True).stdout
    return [json.loads(line) for line in out.splitlines()]


def show(unit, name):
    return subprocess.run(["systemctl", "show", "--value", "-p", name, unit], stdout=subprocess.PIPE, universal_newlines=True,
                          check=True).stdout.strip()


entries = journal()
jobs = [entry for entry in entries if entry.get("JOB_TYPE") == "stop" and "JOB_RESULT" in entry]
begun = [entry for entry in entries if entry.get("JOB_TYPE") == "stop"]
first, last = (int(entry["__MONOTONIC_TIMESTAMP"]) for entry in (begun[0], entries[-1]))
json.dump(dict(
    stopped=[entry["UNIT"] for entry in jobs if entry["UNIT"] in UNITS],
    seconds=round((last - first) / 1e6, 1),
    failed=[entry["UNIT"] for entry in jobs if entry["JOB_RESULT"] != "done"],
    mounted=round(int(show(MOUNT, "ActiveEnterTimestampMonotonic")) / 1e6, 1)), sys.stdout)
