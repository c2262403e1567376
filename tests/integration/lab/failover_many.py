# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many disks on a gateway that is killed: when the first and when the last one is served by the other gateway. Mode fenced, on the lab that is up.

usage: failover_many.py [NUMBER] [--initiator] [--no-site]; NUMBER of disks besides the lab's own, 100 unless told otherwise. Prints seconds
after the kill, by the other gateway's clock, and ends with an error when a disk is not back, or the last one not within twice the time of the
first. With --initiator the lab's client has the disks, and what counts is when its reads of them are answered again, by its own clock.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import time

import failover
import gatewaylab as lab
from labsite import STATE, TOP, disks, on, play_site

import yaml

VICTIM = "gw1"
IMAGE = "rbd/many%03d"
# Which host of the lab's site has the disks, and from which LUN on. Nobody logs in as backup, so without --initiator nobody sees them: what is
# measured is the gateways, and no time goes for bringing 400 paths up on an emulated client.
HOSTS = {False: ("backup", 1), True: ("app", 10)}

# On the gateway that takes over: when, by its own clock, each device was first seen open, which is when it is served. Seldom, for
# looking takes the processor that the take-over waits for.
WATCH = """
import json, os, sys, time
root, wanted, began, served = sys.argv[1], int(sys.argv[2]), time.time(), {}
left = [name for name in sorted(os.listdir(root + '/devices')) if open('%s/devices/%s/active' % (root, name)).read(1) != '1']
while len(served) < wanted and time.time() - began < 300:
    for name in list(left):
        with open('%s/devices/%s/active' % (root, name)) as handle:
            if handle.read(1) == '1':
                served[name] = time.time()
                left.remove(name)
    time.sleep(0.5)
print(json.dumps(sorted(served.values())))
"""


def site(number, initiator=False):
    """The lab's site with so many LUNs more, in mode fenced."""
    declared = yaml.safe_load((TOP / "inventories/lab/group_vars/all.yml").read_text())["cephgate_luns"]
    host, first = HOSTS[initiator]
    luns = declared + [dict(image=IMAGE % each, size="8M", gateway=VICTIM, hosts={host: first + each}) for each in range(number)]
    began = time.time()
    failover.leave("fenced")
    run = play_site(variables=dict(cephgate_ha_mode="fenced", cephgate_luns=luns), timeout=7200)
    if run.code:
        raise SystemExit("the site with %d LUNs: %s" % (number, run.error))
    print("site with %d LUNs: %.0f s" % (number, time.time() - began), flush=True)


def owned():
    """The images that the gateway which is to die serves."""
    return [entry["image"] for entry in failover.answer(VICTIM)["images"] if entry["owner"] == VICTIM]


class AtGateway:
    """When the other gateway serves each of so many disks."""

    def __init__(self, gateway, wanted):
        self.host = gateway
        on(gateway, "cat > /run/watch.py <<'WATCH'\n%s\nWATCH\n(python3 /run/watch.py %s %d > /run/watch.json 2>&1 &)" % (WATCH, lab.TREE, wanted))

    def end(self):
        end = time.monotonic() + 260
        while not on(self.host, "cat /run/watch.json").strip() and time.monotonic() < end:
            time.sleep(3)
        seen = on(self.host, "cat /run/watch.json").strip()
        if not seen.startswith("[") or seen == "[]":
            raise SystemExit("%s served no disk of %s within 260 s; the watch there said: %s. See journalctl -u cephgate-agent." % (
                self.host, VICTIM, seen or "nothing"))
        return [each - self.killed for each in json.loads(seen) if each > self.killed]


class AtInitiator:
    """When reads of each of these images are answered again at the lab's client."""

    host = "client1"

    def __init__(self, images):
        first, maps = HOSTS[True][1], disks()
        numbers = [first + int(image[len(IMAGE % 0) - 3:]) for image in images]
        missing = [number for number in numbers if number not in maps]
        if missing:
            raise SystemExit("the client has no multipath device for %d LUNs, %d the first. Was the site made with --initiator? Leave --no-site out, or see "
                             "iscsiadm -m session and multipath -ll there." % (len(missing), missing[0]))
        script = (pathlib.Path(__file__).parent / "reads.py").read_text()
        on("client1", "cat > /run/reads.py <<'READS'\n%s\nREADS" % script)
        self.process = subprocess.Popen(["ssh", "-F", str(STATE / "ssh_config"), self.host, "python3 /run/reads.py " + " ".join(
            maps[number] for number in numbers)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        said = self.process.stdout.readline().strip()
        if said != "reading":
            raise SystemExit("the client's reads: %s" % (said or "ended at once"))

    def end(self):
        found = json.loads(self.process.communicate("", timeout=120)[0])
        errors = sum(each["errors"] for each in found.values())
        if errors:
            raise SystemExit("%d reads failed at the client; its kernel log (dmesg) says why" % errors)
        # A disk is back when its last read that was held up is answered: the other gateway has it then, and nothing else happens to it.
        answered = ([when - self.killed for when, dummy in each["held"] if when > self.killed] for each in found.values() if not each["hangs"])
        return sorted(max(held) for held in answered if held)


def told(times):
    return dict(served=len(times), first=round(times[0], 1), median=round(times[len(times) // 2], 1), last=round(times[-1], 1),
                ratio=round(times[-1] / times[0], 2)) if times else dict(served=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", 1)[0])
    parser.add_argument("number", type=int, nargs="?", default=100)
    parser.add_argument("--initiator", action="store_true", help="measure at the lab's client, too")
    parser.add_argument("--no-site", action="store_true", help="the site is as it should be")
    options = parser.parse_args()
    number = options.number
    if not options.no_site:
        site(number, options.initiator)
    failover.healthy(600)
    # What it was made with went to the gateway where a host was logged in first.
    on(VICTIM, "cephgate --json --wait 600 failback", timeout=660)
    failover.healthy(600)
    there = owned()
    assert len(there) >= number, "%s has %d disks" % (VICTIM, len(there))
    other = next(gateway for gateway in failover.GATEWAYS if gateway != VICTIM)
    many = sorted(set(there) & set(IMAGE % each for each in range(number)))
    initiator = AtInitiator(many) if options.initiator else None
    gateway = AtGateway(other, len(there))
    time.sleep(5)
    for each in (initiator, gateway) if initiator else (gateway,):
        each.killed = float(on(each.host, "date +%s.%N"))
    lab.power_cut(VICTIM)
    time.sleep(5)
    try:
        times, wanted = gateway.end(), len(there)
        result = dict(told(times), killed=VICTIM, disks=wanted)
        if initiator:
            time.sleep(30)  # an initiator looks at its paths every few seconds
            times, wanted = initiator.end(), len(many)
            result["initiator"] = told(times)
    finally:
        lab.power_on(VICTIM)
    print(json.dumps(result))
    return 0 if len(times) >= wanted and times[-1] <= 2 * times[0] else 1


if __name__ == "__main__":
    sys.exit(main())
