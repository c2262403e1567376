# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The failure matrix: every case of failover_cases.yml on the lab that is up, under writes whose every generation is checked.

usage: failover.py [--mode shared|fenced] [--case TEXT ...] [--times N] [--no-site]; without a mode both, one after the other. Prints a line
for each case and writes build/log/failover.json. Exit 1 when something was lost, stale, an error or took too long.
"""
import argparse
import json
import sys
import time

import yaml

import gatewaylab as lab
from labsite import TOP, disk, on, play_site

import network  # noqa: E402 # of molecule/shared/lab, which gatewaylab has put on the path
from vm import Vm  # noqa: E402

CASES = TOP / "tests/integration/lab/failover_cases.yml"
RESULT = TOP / "build/log/failover.json"
LUN, IMAGE = 0, "rbd/shared"
GATEWAYS = ("gw1", "gw2")
HOSTS = lab.config.HOSTS
MARK = "cephgate: a case of the failure matrix begins"  # in the client's kernel log
# With shared there is no agent; systemctl given both would kill the one and then say that it failed.
KILL_SERVICES = "killed=; for unit in cephgate-agent cephgate; do if systemctl is-active -q $unit; then " \
    "systemctl kill -s KILL --kill-whom=main $unit; killed=1; fi; done; test $killed"
NOTED = 0.5  # seconds of a pause that is told of besides the longest one


class Load(lab.proof.Writer):
    """The writer of generations, judged by counting."""

    def end(self):
        lab.ssh.call(HOSTS["client1"], "rm -f %s/generations.run" % lab.proof.WORK, "stopping the writer")
        self.thread.join()
        return self._result(self.done)

    def again(self):
        return self._result(self.run("check", "reading generations again"))

    @staticmethod
    def _result(done):
        if done.returncode:
            raise SystemExit("the writer: exit %d: %s" % (done.returncode, done.stderr[-800:]))
        return json.loads(done.stdout)


def answer(gateway):
    """What a gateway's status says, or None while it cannot be asked."""
    try:
        return json.loads(on(gateway, "cephgate --json status || true", timeout=20).splitlines()[0])
    except Exception:  # noqa: BLE001 # whatever it is: ask again
        return None


def owner(mode, image=IMAGE):
    for gateway in GATEWAYS:
        found = answer(gateway) or {}
        for entry in found.get("images", []):
            if mode == "fenced" and entry["image"] == image and entry.get("owner"):
                return entry["owner"]
    if mode == "shared":
        lun = next(one for one in lab.topology.join(lab.topology.ask()) if one.image == image)
        return (lun.active_gateways() or ["gw1"])[0]
    raise SystemExit("no gateway says who has %s" % image)


def healthy(seconds=240):
    """Until both gateways serve all they are to."""
    end = time.monotonic() + seconds
    while True:
        found = {gateway: answer(gateway) for gateway in GATEWAYS}
        if all(one and one.get("enabled") and all(entry["served"] for entry in one["images"]) for one in found.values()):
            return
        if time.monotonic() > end:
            raise SystemExit("not healthy after %d s: %s" % (seconds, json.dumps(found)[:3000]))
        time.sleep(2)


def victims(case, mode):
    return {"owner": lambda: [owner(mode)], "both": lambda: list(GATEWAYS), "client": lambda: ["client1"], "ceph": lambda: []}[case["to"]]()


def begin(case, hosts):
    for name in hosts:
        if case["do"] == "power":
            lab.power_cut(name)
        elif case["do"] == "freeze":
            Vm(HOSTS[name]).freeze()
        elif case["do"] == "cut":
            for number in case["networks"]:
                network.cut(HOSTS[name], number)
        elif case["do"] == "daemon":
            on(name, "systemctl kill -s KILL --kill-whom=main %s" % lab.DAEMON)
        elif case["do"] == "agent":
            on(name, KILL_SERVICES)
        elif case["do"] == "drain":
            on(name, "cephgate --json --wait 60 drain")
    if case["do"] == "osd":
        lab.proc.stop(lab.ceph.pid("osd.0"), patience=3)


def undo(case, hosts):
    for name in hosts:
        if case["do"] == "power":
            lab.power_on(name)
        elif case["do"] == "freeze":
            Vm(HOSTS[name]).thaw()
        elif case["do"] == "cut":
            for number in case["networks"]:
                network.mend(HOSTS[name], number)
        elif case["do"] == "drain":
            on(name, "cephgate --json undrain")
    if case["do"] == "osd":
        lab.start_ceph()


def play(case, mode, run):
    """One case: a row of the matrix."""
    healthy()
    hosts = victims(case, mode)
    device = disk(LUN)
    size = int(on("client1", "blockdev --getsize64 " + device))
    on("client1", "rm -rf %s && mkdir -p %s" % (lab.proof.WORK, lab.proof.WORK))
    on("client1", "echo '%s' > /dev/kmsg" % MARK)
    load = Load(device, size - lab.proof.TAIL)
    load.start()
    time.sleep(6)
    began = time.time()
    begin(case, hosts)
    time.sleep(max(0, case["hold"] - (time.time() - began)))
    undo(case, hosts)
    time.sleep(8)
    found = load.end()
    healthy()
    time.sleep(5)
    later = load.again()
    pause, at = found["pauses"][0]
    row = dict(case=case["name"], mode=mode, run=run, victim=" ".join(hosts) or "osd.0", pause=pause, pause_after=round(at - began, 1),
               others=[other for other, dummy in found["pauses"][1:] if other >= NOTED], writes=found["writes"],
               errors=len(found["errors"]), lost=len(found["wrong"]), stale=len(set(later["wrong"]) - set(found["wrong"])),
               medium_errors=medium_errors(), first_error=(found["errors"] or [None])[0], allowed=case.get(mode))
    row["good"] = not (row["errors"] or row["lost"] or row["stale"]) and (row["allowed"] is None or pause <= row["allowed"])
    return row


def told(row):
    return "%(mode)-7s %(case)-36s %(victim)-8s pause %(pause)6.2f s%(more)s, %(errors)d errors, %(lost)d lost, %(stale)d stale, " \
           "%(medium_errors)d medium errors%(verdict)s" % dict(row, more="".join(" and %.2f" % other for other in row["others"]),
                                                               verdict="" if row["good"] else "   <-- not as it should be")


def medium_errors():
    """What the client's kernel has said of errors in the data itself since this case began; if its log has forgotten when that was, all that it has."""
    lines = on("client1", "dmesg | grep -i -e 'medium error' -e 'Sense Key : Medium' -e '%s' || true" % MARK).splitlines()
    begin = max([place for place, line in enumerate(lines) if MARK in line], default=-1)
    return len(lines) - begin - 1


def fenced(gateway):
    """Whether a gateway is in this mode; None when it is no gateway yet."""
    found = on(gateway, "test -e /etc/cephgate/state.json || { echo none; exit; }; "
                        "grep -q '\"ha\"' /etc/cephgate/state.json && echo fenced || echo shared").strip()
    return None if found == "none" else found == "fenced"


def leave(mode):
    """Take gateways that are in another mode out of service, as the manual says. Whether there were any."""
    others = [gateway for gateway in GATEWAYS if fenced(gateway) not in (mode == "fenced", None)]
    for gateway in others:
        on(gateway, "systemctl disable --now cephgate-agent 2>/dev/null; systemctl stop cephgate; cephgate release", timeout=300)
    return bool(others)


def switch(mode, site):
    """Put both gateways into a mode; C(site): run the playbook although they are."""
    if leave(mode) or site:
        run = play_site(variables=dict(cephgate_ha_mode=mode))
        if run.code:
            raise SystemExit("the site, mode %s: %s" % (mode, run.error))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", 1)[0])
    parser.add_argument("--mode", choices=["shared", "fenced"], action="append")
    parser.add_argument("--case", action="append", help="part of a case's name; default: all")
    parser.add_argument("--times", type=int, default=1, help="run each case so often, one after the other; default: once")
    parser.add_argument("--no-site", action="store_true", help="the site is as it should be")
    options = parser.parse_args()
    rows = json.loads(RESULT.read_text()) if RESULT.exists() else []
    bad = False
    for mode in options.mode or ["shared", "fenced"]:
        switch(mode, not options.no_site)
        for case in yaml.safe_load(CASES.read_text()):
            if options.case and not any(text in case["name"] for text in options.case):
                continue
            for run in range(options.times):
                row = play(case, mode, run)
                rows = [one for one in rows if (one["case"], one["mode"], one.get("run", 0)) != (row["case"], mode, run)] + [row]
                RESULT.parent.mkdir(parents=True, exist_ok=True)
                RESULT.write_text(json.dumps(rows, indent=1, sort_keys=True))
                bad = bad or mode == "fenced" and not row["good"]
                print(told(row), flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
