# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests of a gateway's own recovery do to the lab: its daemon, its VM, its Ceph, a playbook that is killed."""
import json
import os
import signal
import subprocess
import sys
import time

from labsite import STATE, TOP, on, play_command

sys.path.insert(0, str(TOP / "molecule/shared/lab"))

import accel  # noqa: E402
import ceph  # noqa: E402
import cluster  # noqa: E402
import config  # noqa: E402
import proc  # noqa: E402
import proof  # noqa: E402
import scst  # noqa: E402
import ssh  # noqa: E402
import topology  # noqa: E402
from fiolog import longest_pause  # noqa: E402
from progress import Progress  # noqa: E402
from vm import READY, Vm  # noqa: E402

__all__ = ["longest_pause", "proof", "ceph"]

TREE = os.environ.get("CEPHGATE_LAB_SYSFS_ROOT", "/run/scst_tgt")
# What plays the part of iscsi-scstd: all targets vanish with it.
DAEMON = "iscsi-scstd.service" if TREE.startswith("/sys") else "scst-emulator.service"
TARGET = "%s/targets/iscsi/iqn.2026-11.com.example.cephgate:" % TREE

# On the gateway, where the clock is: kills the daemon; seconds until the target was gone, until a daemon
# answers again, until the target is in service again.
KILL = """
import json, os, signal, subprocess, sys, time
unit, driver, target = sys.argv[1:]
pid = int(subprocess.check_output(["systemctl", "show", "-p", "MainPID", "--value", unit]))
began = time.time()
os.kill(pid, signal.SIGKILL)
found = {"at": began}
def enabled(path):
    try:
        with open(path + "/enabled") as f:
            return f.read(1) == "1"
    except OSError:
        return False
for name, reached in (("gone", lambda: not enabled(target)), ("daemon", lambda: os.path.exists(driver + "/enabled")), ("served", lambda: enabled(target))):
    while not reached():
        if time.time() - began > 150:
            print(json.dumps(dict(found, never=name))); sys.exit(1)
        time.sleep(0.05)
    found[name] = round(time.time() - began, 2)
print(json.dumps(found))
"""


def kill_daemon(gateway):
    done = subprocess.run(["ssh", "-F", str(STATE / "ssh_config"), gateway, "python3 - %s %s %s" % (
        DAEMON, TREE + "/targets/iscsi", TARGET + gateway)], input=KILL, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr + on(gateway, "journalctl -b --no-pager -n 40 -u cephgate -u %s" % DAEMON)
    return json.loads(done.stdout)


def status(gateway):
    """What `cephgate status --json` says: (exit code, answer)."""
    out = on(gateway, "cephgate --json status; echo $?").splitlines()
    return int(out[-1]), json.loads(out[0])


def wait(what, reached, seconds, gateway="gw1", every=1.0):
    """Until reached() is true; returns how many seconds that took."""
    began = time.monotonic()
    while True:
        if reached():
            return time.monotonic() - began
        if time.monotonic() - began > seconds:
            raise AssertionError("%s: not within %d s\n%s" % (what, seconds, on(
                gateway, "cephgate status; journalctl -b --no-pager -n 60 -u cephgate")))
        time.sleep(every)


def all_paths():
    """Until the client has every path to every LUN, and I/O goes where it was declared; returns the seconds."""
    def problems():
        luns = topology.join(topology.ask())
        for lun in luns:
            if lun.maps and not lun.map["active"]:
                proof.touch(lun)  # dm-multipath chooses at the first I/O
        return [problem for lun in luns for problem in lun.problems()]
    began = time.monotonic()
    while True:
        left = problems()
        if not left:
            return time.monotonic() - began
        assert time.monotonic() - began < 180, left
        time.sleep(1)


def reboot(gateway, meanwhile=None):
    """An orderly restart from inside; C(meanwhile) is called when the guest is down. Returns when ssh answers again."""
    vm = Vm(config.HOSTS[gateway])
    before = vm.console.read_bytes().count(READY)
    ssh.call(vm.host, "systemctl reboot", "rebooting", check=False)
    ssh.forget(vm.host)
    if meanwhile:
        meanwhile()
    end = time.monotonic() + 240
    while vm.console.read_bytes().count(READY) <= before:
        assert vm.pid() and time.monotonic() < end, "%s did not come back: %s" % (gateway, vm.console)
        time.sleep(0.3)


def power_cut(gateway):
    vm = Vm(config.HOSTS[gateway])
    vm.kill()
    ssh.forget(vm.host)


def power_on(gateway):
    """Until ssh answers."""
    progress = Progress()
    made = cluster.choose_image(progress)
    # not cluster.up, which would bring up Ceph, too
    cluster.bring(progress, Vm(config.HOSTS[gateway]), made, accel.choose(made, progress))


def another_machine(gateway):
    """In place of one without power: the same name and addresses, an empty disk. SCST is there, as on a new machine of the lab."""
    Vm(config.HOSTS[gateway]).disk.unlink()
    power_on(gateway)
    scst.provide(Progress(), config.HOSTS[gateway])


def stop_ceph():
    for daemon in ("osd.0", "mon.a"):
        proc.stop(ceph.pid(daemon), patience=3)


def start_ceph():
    ceph.up(cluster.choose_image(Progress()))


def kill_play_at(task, variables):
    """Start the site playbook and kill it, as by a power cut of the controller, when that task has begun on a host."""
    command, environment = play_command(variables=variables)
    environment.update(ANSIBLE_STDOUT_CALLBACK="default", PYTHONUNBUFFERED="1")
    process = subprocess.Popen(command, cwd=TOP, env=environment, stdin=subprocess.DEVNULL, text=True, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, start_new_session=True)
    seen = []
    try:
        for line in process.stdout:
            seen.append(line)
            if line.startswith("TASK [") and task in line:
                return
        raise AssertionError("the playbook ended before the task %s:\n%s" % (task, "".join(seen[-30:])))
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.stdout.close()
        process.wait()
