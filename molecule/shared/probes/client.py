# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on an initiator: its iSCSI disks, paths and multipath devices, from the kernel and multipathd, as JSON."""
import glob
import json
import os
import subprocess
import sys


def read(path):
    try:
        with open(path) as f:
            return f.read().strip()
    except OSError:
        return ""


def serial(disk):
    """Unit serial number, VPD page 0x80 (SPC-4, 7.8.13): four bytes of header, then ASCII."""
    try:
        with open("/sys/block/%s/device/vpd_pg80" % disk, "rb") as f:
            return f.read()[4:].decode("ascii", "replace").strip("\0 ")
    except OSError:
        return ""


def run(*argv):
    try:
        return subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, universal_newlines=True, timeout=60,
                              check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


def checker():
    """multipathd's view: disk -> (kernel's path state, checker's, priority)."""
    rows = [line.split("|") for line in run("multipathd", "show", "paths", "raw", "format", "%d|%t|%T|%p").splitlines()]
    return {r[0].strip(): [c.strip() for c in r[1:]] for r in rows if len(r) == 4}


def disks():
    states = checker()
    for session in sorted(glob.glob("/sys/class/iscsi_session/session*")):
        number = session.rsplit("session", 1)[1]
        address = read("/sys/class/iscsi_connection/connection%s:0/persistent_address" % number)
        for block in sorted(glob.glob("%s/device/target*/*/block/*" % session)):
            disk = os.path.basename(block)
            dm, chk, prio = states.get(disk, ["", "", ""])
            yield dict(disk=disk, iqn=read(session + "/targetname"), address=address, session=read(session + "/state"),
                       lun=int(os.path.realpath(block + "/device").rsplit(":", 1)[1]), serial=serial(disk),
                       access_state=read("/sys/block/%s/device/access_state" % disk), dm=dm, checker=chk, prio=prio)


def maps():
    for path in sorted(glob.glob("/sys/block/dm-*")):
        if not read(path + "/dm/uuid").startswith("mpath-"):
            continue
        name = read(path + "/dm/name")
        mounted = any(line.split()[0] in ("/dev/mapper/" + name, "/dev/" + os.path.basename(path)) for line in open("/proc/mounts"))
        yield dict(name=name, wwid=read(path + "/dm/uuid")[len("mpath-"):], disks=sorted(os.listdir(path + "/slaves")),
                   bytes=int(read(path + "/size")) * 512, used=mounted or bool(os.listdir(path + "/holders")),
                   active=active(name))


def active(name):
    """Disks of the path group that serves I/O now.

    dm-multipath's status has, for each group, "A|E|D selector-arguments paths path-arguments" (A: in use), and for each
    of its paths "major:minor A|F failures …".
    """
    words = run("dmsetup", "status", name).split()
    numbers, group = [], None
    for before, word, after in zip(words, words[1:], words[2:] + [""]):
        if word in ("A", "E", "D") and ":" not in before and after.isdigit():
            group = word
        elif group == "A" and ":" in word and after == "A":
            numbers.append(word)
    return sorted(os.path.basename(os.readlink("/sys/dev/block/" + n)) for n in numbers)


json.dump(dict(disks=list(disks()), maps=list(maps())), sys.stdout)
