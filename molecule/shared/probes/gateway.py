# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on a gateway: what it exports, as JSON. argv: root of SCST's tree."""
import json
import os
import subprocess
import sys

ROOT = sys.argv[1]


def read(*parts):
    """First line of an attribute (SCST adds the line "[key]" to values that were set), or ""."""
    try:
        with open(os.path.join(*parts)) as f:
            return f.readline().strip()
    except OSError:
        return ""


def listing(*parts):
    try:
        return sorted(os.listdir(os.path.join(*parts)))
    except OSError:
        return []


def images():
    """Kernel name of every mapped image's device -> pool/image."""
    found = {}
    for ident in listing("/sys/bus/rbd/devices"):
        at = "/sys/bus/rbd/devices/" + ident
        found["rbd" + ident] = "/".join(p for p in (read(at, "pool"), read(at, "pool_ns"), read(at, "name")) if p)
    return found


def luns():
    mapped = images()
    for iqn in listing(ROOT, "targets", "iscsi"):
        groups = os.path.join(ROOT, "targets", "iscsi", iqn, "ini_groups")
        for group in listing(groups):
            for lun in listing(groups, group, "luns"):
                link = os.path.join(groups, group, "luns", lun, "device")
                if not os.path.islink(link):
                    continue
                device = os.path.basename(os.readlink(link))
                at = os.path.join(ROOT, "devices", device)
                block = os.path.basename(os.path.realpath(read(at, "filename")))
                yield dict(iqn=iqn, group=group, lun=int(lun), device=device, block=block, image=mapped.get(block, ""), serial=read(at, "usn"))


def portals():
    out = subprocess.run(["ss", "-Hltn", "sport = :3260"], stdout=subprocess.PIPE, universal_newlines=True, check=False).stdout
    return sorted(line.split()[3] for line in out.splitlines())


targets = {iqn: read(ROOT, "targets", "iscsi", iqn, "enabled") for iqn in listing(ROOT, "targets", "iscsi")
           if os.path.isdir(os.path.join(ROOT, "targets", "iscsi", iqn, "ini_groups"))}
json.dump(dict(targets=targets, luns=list(luns()), portals=portals(), images=images()), sys.stdout)
