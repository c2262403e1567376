# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many disks on a gateway that is killed: when the first and when the last one is served by the other gateway. Mode fenced, on the lab that is up.

usage: failover_many.py [NUMBER]; 100 unless told otherwise. Prints seconds after the kill, by the other gateway's clock.
"""
import json
import sys
import time

import failover
import gatewaylab as lab
from labsite import TOP, on, play_site

import yaml

# On the gateway that takes over. Its own clock only; a device is served when it is open.
WATCH = """
import glob, json, sys, time
root, wanted, began, served = sys.argv[1], int(sys.argv[2]), time.time(), {}
while len(served) < wanted and time.time() - began < 240:
    for path in glob.glob(root + '/devices/*/active'):
        if path not in served:
            with open(path) as handle:
                if handle.read(1) == '1':
                    served[path] = round(time.time() - began, 2)
    time.sleep(0.1)
print(json.dumps(sorted(served.values())))
"""


def main():
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    declared = yaml.safe_load((TOP / "inventories/lab/group_vars/all.yml").read_text())["cephgate_luns"]
    # The lab's client sees three of them: what is measured is the gateways.
    luns = declared + [dict(image="rbd/many%03d" % each, size="8M", gateway="gw1", hosts=dict(backup=each))
                       for each in range(len(declared), number)]
    began = time.time()
    run = play_site(variables=dict(cephgate_ha_mode="fenced", cephgate_luns=luns))
    if run.code:
        raise SystemExit("the site with %d LUNs: %s" % (number, run.error))
    print("site with %d LUNs: %.0f s" % (number, time.time() - began), flush=True)
    failover.healthy(600)
    there = {gateway: sum(entry["owner"] == gateway for entry in failover.answer(gateway)["images"]) for gateway in failover.GATEWAYS}
    victim = max(failover.GATEWAYS, key=lambda gateway: there[gateway])
    other = next(gateway for gateway in failover.GATEWAYS if gateway != victim)
    on(other, "cat > /run/watch.py <<'WATCH'\n%s\nWATCH\n(python3 /run/watch.py %s %d > /run/watch.json 2>&1 &)" % (WATCH, lab.TREE, number))
    time.sleep(2)  # so that it runs; subtracted below
    lab.power_cut(victim)
    time.sleep(5)
    end = time.monotonic() + 260
    while not on(other, "cat /run/watch.json").strip() and time.monotonic() < end:
        time.sleep(3)
    times = [each - 2 for each in json.loads(on(other, "cat /run/watch.json")) if each > 2]
    lab.power_on(victim)
    print(json.dumps(dict(killed=victim, disks=there[victim], served=len(times), first=round(times[0], 1), median=round(times[len(times) // 2], 1),
                          last=round(times[-1], 1), ratio=round(times[-1] / times[0], 1))))
    return 0 if len(times) >= there[victim] else 1


if __name__ == "__main__":
    sys.exit(main())
