# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many disks on a gateway that is killed: when the first and when the last one is served by the other gateway. Mode fenced, on the lab that is up.

usage: failover_many.py [NUMBER] [--no-site]; NUMBER of disks besides the lab's own, 100 unless told otherwise. Prints seconds after the
kill, by the other gateway's clock, and ends with an error when a disk is not back, or the last one not within twice the time of the first.
"""
import argparse
import json
import sys
import time

import failover
import gatewaylab as lab
from labsite import TOP, on, play_site

import yaml

VICTIM = "gw1"

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


def site(number):
    """The lab's site with so many LUNs, in mode fenced."""
    declared = yaml.safe_load((TOP / "inventories/lab/group_vars/all.yml").read_text())["cephgate_luns"]
    # The lab's client sees none of them: what is measured is the gateways.
    luns = declared + [dict(image="rbd/many%03d" % each, size="8M", gateway=VICTIM, hosts=dict(backup=each + 1)) for each in range(number)]
    began = time.time()
    failover.leave("fenced")
    run = play_site(variables=dict(cephgate_ha_mode="fenced", cephgate_luns=luns), timeout=3600)
    if run.code:
        raise SystemExit("the site with %d LUNs: %s" % (number, run.error))
    print("site with %d LUNs: %.0f s" % (number, time.time() - began), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", 1)[0])
    parser.add_argument("number", type=int, nargs="?", default=100)
    parser.add_argument("--no-site", action="store_true", help="the site is as it should be")
    options = parser.parse_args()
    number = options.number
    if not options.no_site:
        site(number)
    failover.healthy(600)
    # What it was made with went to the gateway where a host was logged in first.
    on(VICTIM, "cephgate --json --wait 600 failback", timeout=660)
    failover.healthy(600)
    there = sum(entry["owner"] == VICTIM for entry in failover.answer(VICTIM)["images"])
    assert there >= number, "%s has %d disks" % (VICTIM, there)
    other = next(gateway for gateway in failover.GATEWAYS if gateway != VICTIM)
    on(other, "cat > /run/watch.py <<'WATCH'\n%s\nWATCH\n(python3 /run/watch.py %s %d > /run/watch.json 2>&1 &)" % (WATCH, lab.TREE, there))
    time.sleep(5)
    killed = float(on(other, "date +%s.%N"))
    lab.power_cut(VICTIM)
    time.sleep(5)
    end = time.monotonic() + 260
    while not on(other, "cat /run/watch.json").strip() and time.monotonic() < end:
        time.sleep(3)
    seen = on(other, "cat /run/watch.json").strip()
    lab.power_on(VICTIM)
    if not seen.startswith("[") or seen == "[]":
        raise SystemExit("%s served no disk of %s within 260 s; the watch there said: %s. See journalctl -u cephgate-agent." % (
            other, VICTIM, seen or "nothing"))
    times = [each - killed for each in json.loads(seen) if each > killed]
    print(json.dumps(dict(killed=VICTIM, disks=there, served=len(times), first=round(times[0], 1), median=round(times[len(times) // 2], 1),
                          last=round(times[-1], 1), ratio=round(times[-1] / times[0], 1))))
    return 0 if len(times) >= there and times[-1] <= 2 * times[0] else 1


if __name__ == "__main__":
    sys.exit(main())
