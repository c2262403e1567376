# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way from an image to an application's disk, as the hosts themselves report it."""
from __future__ import annotations

import json

import config
import scst
import ssh
from progress import LabError

GATEWAYS = [h for h in config.HOSTS.values() if h.gateway]
CLIENT = config.HOSTS["client1"]


def probe(host, name, *argv):
    """Run molecule/shared/probes/NAME.py on HOST and give back the JSON that it prints."""
    script = (config.SHARED / "probes" / (name + ".py")).read_text()
    done = ssh.call(host, "python3 - " + " ".join("'%s'" % a for a in argv), "asking for the topology (%s)" % name, stdin=script)
    return json.loads(done.stdout)


def ask(without=None):
    """Everything, from all hosts (WITHOUT: name of a gateway that is dead)."""
    return dict(gateways={h.name: probe(h, "gateway", scst.sysfs_root()) for h in GATEWAYS if h.name != without},
                client=probe(CLIENT, "client"))


class Lun:
    """One image, joined over the hosts by the serial number that both ends see (SCST's usn, the disk's VPD page 0x80)."""

    def __init__(self, serial, exports, disks, maps):
        self.serial = serial
        self.exports = exports          # [(gateway, lun as its gateway reports it)]
        self.disks = disks              # the client's disks with this serial number
        self.maps = maps                # multipath devices over these disks
        self.image = exports[0][1]["image"]

    @property
    def map(self):
        return self.maps[0]

    def gateways_of(self, names):
        """Gateways that the disks NAMES lead to."""
        return sorted({d["iqn"].rsplit(":", 1)[1] for d in self.disks if d["disk"] in names})

    def active_gateways(self):
        return self.gateways_of(self.map["active"])

    def problems(self):
        """What is not as it should be, in words."""
        if len(self.maps) != 1:
            return ["%s: the client has %d multipath devices for it, wanted is one" % (self.image, len(self.maps))]
        found = []
        for gateway in GATEWAYS:
            paths = [d for d in self.disks if d["iqn"].endswith(":" + gateway.name) and d["disk"] in self.map["disks"]]
            good = [d for d in paths if (d["dm"], d["checker"], d["session"]) == ("active", "ready", "LOGGED_IN")]
            if len(good) != 2:
                found.append("%s: %d working paths through %s, wanted are 2 (one for each portal)" % (self.image, len(good), gateway.name))
        states = {d["disk"]: d["access_state"] for d in self.disks}
        best = self.gateways_of([d for d, s in states.items() if s == "active/optimized"])
        if len(best) != 1:
            found.append("%s: active/optimized through %s, wanted is one gateway" % (self.image, " and ".join(best) or "no gateway"))
        elif self.active_gateways() != best:
            found.append("%s: I/O goes through %s, though %s is active/optimized" % (
                self.image, " and ".join(self.active_gateways()) or "no path", best[0]))
        return found


def join(facts):
    """The LUNs that the client sees."""
    client = facts["client"]
    exports = {}
    for gateway, found in facts["gateways"].items():
        for lun in found["luns"]:
            exports.setdefault(lun["serial"], []).append((gateway, lun))
    luns = []
    for serial, where in sorted(exports.items(), key=lambda item: item[1][0][1]["image"]):
        disks = [d for d in client["disks"] if d["serial"] == serial]
        if disks:
            names = {d["disk"] for d in disks}
            luns.append(Lun(serial, where, disks, [m for m in client["maps"] if names & set(m["disks"])]))
    if not luns:
        raise LabError(CLIENT.name, "reading the topology", "none of the %d exported LUNs is a disk here (disks: %s)" % (
            len(exports), [d["disk"] for d in client["disks"]] or "none"), "converge the site first: molecule converge -s site")
    return luns


def show(facts, luns, say):
    for lun in luns:
        say("image %s" % lun.image)
        for gateway, one in lun.exports:
            say("  %s: /dev/%s -> SCST device %s -> %s, group %s, LUN %d, portals %s" % (
                gateway, one["block"], one["device"], one["iqn"], one["group"], one["lun"],
                " ".join(facts["gateways"][gateway]["portals"]) or "none"))
        for one in lun.maps:
            say("  %s: /dev/mapper/%s, %d MiB, serial %s" % (CLIENT.name, one["name"], one["bytes"] >> 20, lun.serial))
            for d in lun.disks:
                if d["disk"] in one["disks"]:
                    say("    %-4s %-11s %s  %-20s %s %s, priority %s%s" % (
                        d["disk"], d["address"], d["iqn"].rsplit(":", 1)[1], d["access_state"], d["dm"], d["checker"], d["prio"],
                        "  <- I/O" if d["disk"] in one["active"] else ""))
