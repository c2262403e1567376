# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The site playbook on the VM lab, and what its hosts say."""
import json
import os
import pathlib
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[3]
STATE = TOP / "build/lab"
BIN = pathlib.Path(sys.executable).parent


class Run:
    """What one run of the playbook said: exit code, per-host counts, every operation, every error."""

    def __init__(self, code, report):
        self.code = code
        self.stats = report["stats"]
        self.operations = []
        self.errors = []
        for play in report["plays"]:
            for task in play["tasks"]:
                for host, result in task["hosts"].items():
                    for operation in result.get("operations") or []:
                        self.operations.append(dict(operation, host=host, task=task["task"]["name"]))
                    if result.get("failed") or result.get("unreachable"):
                        self.errors.append("%s" % result.get("msg"))

    @property
    def changed(self):
        return {host: counts["changed"] for host, counts in self.stats.items()}

    @property
    def error(self):
        return "\n".join(self.errors)


def play_command(*arguments, variables=None, limit=None, playbook="cephgate.iscsi.site", inventory=TOP / "inventories/lab"):
    """A playbook on an inventory: (command, environment)."""
    command = [str(BIN / "ansible-playbook"), "-i", str(inventory), playbook, *arguments]
    if variables:
        command += ["--extra-vars", json.dumps(variables)]
    if limit:
        command += ["--limit", limit]
    return command, dict(os.environ, ANSIBLE_STDOUT_CALLBACK="ansible.posix.json", ANSIBLE_PIPELINING="1",
                         ANSIBLE_COLLECTIONS_PATH=str(TOP / "build/collections"), ANSIBLE_NOCOLOR="1",
                         PATH="%s:%s" % (BIN, os.environ["PATH"]))


def play_site(*arguments, timeout=900, **what):
    """Run a playbook, that of the site on inventories/lab unless told otherwise (see play_command); returns a Run. timeout: in seconds"""
    command, environment = play_command(*arguments, **what)
    done = subprocess.run(command, cwd=TOP, env=environment, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout, check=False)
    start = done.stdout.find("{\n")
    if start < 0:
        raise AssertionError("the playbook said nothing that can be read:\n%s\n%s" % (done.stdout, done.stderr))
    return Run(done.returncode, json.JSONDecoder().raw_decode(done.stdout[start:])[0])


def on(host, command, timeout=120):
    """Run a shell command on a VM; returns what it printed. Fails the test when it fails."""
    done = subprocess.run(["ssh", "-F", str(STATE / "ssh_config"), host, command], stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout, check=False)
    assert done.returncode == 0, "%s: %s: %s%s" % (host, command, done.stdout, done.stderr)
    return done.stdout


def fingerprint():
    """What the site playbook could have changed, of every host."""
    look = ("cat /sys/bus/rbd/devices/*/name 2>/dev/null; ls -l --time-style=full-iso /etc/ceph/ /etc/iscsi/ /etc/cephgate/"
            " /etc/multipath.conf 2>&1; for tree in /run/scst_tgt /sys/kernel/scst_tgt; do"
            " if [ -d $tree ]; then find $tree -maxdepth 6 | grep -v -e sessions -e copy_manager | sort; fi; done;"
            " ls -d /sys/class/iscsi_session/* 2>&1 || true")
    return {host: on(host, look) for host in ("gw1", "gw2", "client1")}


def disks():
    """{LUN: its multipath device} on the client."""
    # A multipathd that is busy answers with the one word timeout.
    shown = on("client1", "for try in 1 2 3; do multipathd show paths raw format '%i|%m' | grep -F '|' && exit; sleep 2; done; exit 1")
    pairs = [[word.strip() for word in line.split("|")] for line in shown.splitlines()]
    return {int(where.rsplit(":", 1)[1]): "/dev/mapper/" + name for where, name in pairs if name not in ("", "[orphan]")}


def disk(lun):
    """The multipath device of a LUN on the client."""
    found = disks()
    assert lun in found, "the client has no multipath device for LUN %d" % lun
    return found[lun]


def serial(lun):
    """The serial number (VPD page 80h) of a LUN, as the client reads it."""
    return on("client1", "tail -c +5 /sys/block/$(ls /sys/block/$(basename $(readlink -f %s))/slaves | head -n 1)/device/vpd_pg80"
              % disk(lun)).strip(" \n\0")


class Pulse:
    """Steady writes to a disk of the client, at its end, while something else happens; `longest` is the longest pause in s."""

    def __init__(self, device):
        size = int(on("client1", "blockdev --getsize64 " + device))
        script = (pathlib.Path(__file__).parent / "pulse.py").read_text()
        # Another pulse may just be about to read it.
        on("client1", "cat > /run/pulse.new <<'PULSE'\n%s\nPULSE\nmv /run/pulse.new /run/pulse.py" % script)
        self.command = ["ssh", "-F", str(STATE / "ssh_config"), "client1", "python3 /run/pulse.py %s %d" % (device, size - (1 << 20))]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *_what):
        out, dummy = self.process.communicate("stop\n", timeout=120)
        result = json.loads(out)
        self.writes, self.longest = result["writes"], result["longest"]
        print("pulse on %s: %d writes, longest pause %.2f s" % (self.command[-1].split()[2], self.writes, self.longest))
