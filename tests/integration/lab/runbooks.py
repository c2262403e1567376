# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests of the runbooks share: an inventory that operations may write to, a load that loses nothing, what a refusal is."""
import shutil
import time

import yaml

import gatewaylab as lab
from labsite import TOP, disk, on, play_site

# Measured under emulation: a planned move is a login on another path and one command that is sent again.
PLANNED = 20


class Inventory:
    """A copy of inventories/lab, as deep in the checkout as that: it finds the lab from where it is."""

    def __init__(self, source=TOP / "inventories/lab", name="operations"):
        self.source, self.folder = source, TOP / "build" / name
        self.reset()
        self.site, self.hosts = self.folder / "group_vars/all.yml", self.folder / "hosts.yml"

    def reset(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(self.source, self.folder)

    def play(self, name, *arguments, **variables):
        began = time.monotonic()
        run = play_site(*arguments, variables=variables, playbook="cephgate.iscsi." + name, inventory=self.folder)
        print("%s: %.0f s" % (name, time.monotonic() - began))
        return run

    def good(self, name, *arguments, **variables):
        run = self.play(name, *arguments, **variables)
        assert run.code == 0, run.error
        return run

    def idle(self, name, **variables):
        """It has nothing to do."""
        run = self.good(name, **variables)
        assert not any(run.changed.values()), (run.changed, run.operations)

    def refused(self, name, *words, **variables):
        """It changes nothing, and its reason has these words."""
        run = self.play(name, **variables)
        assert run.code != 0 and not any(run.changed.values()), (run.changed, run.error)
        for word in words:
            assert word in run.error, run.error

    def declared(self):
        return yaml.safe_load(self.site.read_text())

    def edit(self, old, new, file=None):
        """As an operator does, with an editor."""
        path = file or self.site
        text = path.read_text()
        assert text.count(old) == 1, (old, text)
        path.write_text(text.replace(old, new))


class Load:
    """Generations written to LUN 0, each acknowledged one read back at the end."""

    def __enter__(self):
        device = disk(0)
        on("client1", "rm -rf %s && mkdir -p %s" % (lab.proof.WORK, lab.proof.WORK))
        self.writer = lab.proof.Writer(device, int(on("client1", "blockdev --getsize64 " + device)) - lab.proof.TAIL)
        self.writer.start()
        time.sleep(3)
        return self

    def __exit__(self, kind, *_what):
        if kind:
            self.writer.stop()
            return
        result = self.writer.finish()
        self.writer.check()
        self.longest = max([pause for pause, _at in result["pauses"]] or [0])
        print("%d writes acknowledged, longest pause %.1f s, none lost, none reverted" % (result["writes"], self.longest))


def sessions(gateway):
    """Names of the client's sessions at a gateway."""
    return [line for line in on(gateway, "ls %s/sessions 2>/dev/null || true" % (lab.TARGET + gateway)).split() if "client1" in line]


def mapped(gateway):
    """Images that a gateway's kernel has."""
    return on(gateway, "cat /sys/bus/rbd/devices/*/name 2>/dev/null || true").split()


def served(*gateways):
    """That they serve all that they are to, to a client with both portals."""
    for gateway in gateways:
        code, found = lab.status(gateway)
        assert code == 0 and len(sessions(gateway)) == 2, (found, sessions(gateway))
