# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on a client after a reboot: how the shutdown before it went, and how long the boot took, as JSON.

usage: shutdown.py MOUNT_UNIT, and before the shutdown: logger -t clienttest-shutdown begin

stopped   of each unit that matters, in the order of their begin: [unit, begin of its stop, end], in seconds from the first stop of any
wrong     what must be over before something else begins, and was not
seconds   from the first unit that was stopped to the last thing that the journal holds
failed    units whose stop failed or took too long
lost      what the kernel said of writes that came to nothing
mounted   seconds from the kernel's start until the file system was mounted
"""
import json
import re
import subprocess
import sys

MOUNT = sys.argv[1]
MARK = "clienttest-shutdown"
LOGOUT, DAEMON, MAPS = "open-iscsi.service", "iscsid.service", "multipathd.service"
# The unmount writes. That takes the sessions, somebody who makes a broken one again, and somebody who has the map wait for it. The
# logout takes the daemon; it writes nothing more, so nobody need serve the map until then.
BEFORE = [(MOUNT, LOGOUT), (MOUNT, DAEMON), (MOUNT, MAPS), (LOGOUT, DAEMON)]
LOST = re.compile(r"lost (a?sync )?page write|EXT4-fs error|JBD2: .*(error|abort)|Aborting journal", re.I)


def journal():
    out = subprocess.run(["journalctl", "-b", "-1", "-o", "json", "-q", "--no-pager"], stdout=subprocess.PIPE, check=True).stdout
    return [json.loads(line) for line in out.splitlines()]


def show(unit, name):
    return subprocess.run(["systemctl", "show", "--value", "-p", name, unit], stdout=subprocess.PIPE, universal_newlines=True,
                          check=True).stdout.strip()


def first_of(jobs):
    """{unit: index in the journal} of the first job of each."""
    found = {}
    for index, entry in jobs:
        found.setdefault(entry["UNIT"], index)
    return found


entries = journal()
# What was stopped in that boot before is of no interest.
while entries and entries[0].get("SYSLOG_IDENTIFIER") != MARK:
    entries.pop(0)
stops = [(index, entry) for index, entry in enumerate(entries) if entry.get("JOB_TYPE") == "stop"]
begun = first_of((index, entry) for index, entry in stops if "JOB_RESULT" not in entry)
ended = first_of((index, entry) for index, entry in stops if "JOB_RESULT" in entry)


def at(index):
    return int(entries[index]["__MONOTONIC_TIMESTAMP"]) / 1e6


# Not from the mark: on a busy machine it takes its time from there to the order.
zero = at(stops[0][0])
json.dump(dict(
    stopped=[[unit, round(at(begun[unit]) - zero, 1), round(at(ended[unit]) - zero, 1) if unit in ended else None]
             for unit in sorted({unit for pair in BEFORE for unit in pair if unit in begun}, key=begun.get)],
    wrong=["%s before %s" % (first, second) for first, second in BEFORE
           if not (first in ended and second in begun and ended[first] < begun[second])],
    seconds=round(at(-1) - zero, 1),
    failed=[entry["UNIT"] for dummy, entry in stops if entry.get("JOB_RESULT", "done") != "done"],
    lost=[entry["MESSAGE"] for entry in entries if entry.get("_TRANSPORT") == "kernel" and LOST.search(str(entry.get("MESSAGE")))],
    mounted=round(int(show(MOUNT, "ActiveEnterTimestampMonotonic")) / 1e6, 1)), sys.stdout)
