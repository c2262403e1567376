# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One VM: start, wait for, kill, freeze. Its disk is an overlay over the image, kept until `down`."""
from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import time
from pathlib import Path

import accel
import config
import network
import proc
from proc import run
from progress import LabError, tail

READY = b"lab: ready"
BOOT_SECONDS = 300

APPEND = ("root=/dev/vda rw console=ttyS0 quiet loglevel=4 mitigations=off net.ifnames=0 panic=10"
          # self-tests and random seeding cost seconds of emulated processor time
          " cryptomgr.notests random.trust_cpu=on nowatchdog"
          " audit=0 apparmor=0 selinux=0 fsck.mode=skip systemd.show_status=0")


class Vm:
    def __init__(self, host):
        self.host = host
        self.disk = config.STATE / (host.name + ".qcow2")
        self.pidfile = config.RUN / (host.name + ".pid")
        self.console = config.LOG / (host.name + ".console")
        self.qemu_log = config.LOG / (host.name + ".qemu")

    @property
    def mark(self):
        """What only this VM's QEMU has on its command line."""
        return "file=%s," % self.disk

    def pid(self):
        return proc.read_pid(self.pidfile, self.mark)

    def state(self):
        pid = self.pid()
        if pid is None:
            return "killed" if self.disk.exists() else "absent"
        with open("/proc/%d/stat" % pid) as f:
            return "frozen" if f.read().rsplit(")", 1)[1].split()[0] == "T" else "running"

    def rss_mib(self):
        pid = self.pid()
        with open("/proc/%d/status" % pid) as f:
            return [int(line.split()[1]) // 1024 for line in f if line.startswith("VmRSS")][0]

    def start(self, image, options):
        """Start QEMU on the kept overlay, or on a new one; a running VM is left alone."""
        if self.pid():
            return False
        name = self.host.name
        if not self.disk.exists():
            run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", image.disk, self.disk], name, "making the VM's disk")
        # a restart begins a new console log; the one before it stays beside it
        if self.console.exists():
            os.replace(self.console, str(self.console) + ".before")
        self.pidfile.unlink(missing_ok=True)
        argv = [accel.QEMU, "-name", name, "-M", "q35", *accel.arguments(options, self.host.code), "-m", self.host.memory, "-smp", str(self.host.processors),
                "-display", "none", "-nodefaults", "-no-user-config", "-pidfile", self.pidfile,
                "-kernel", image.kernel, "-initrd", image.initrd,
                "-append", "%s%s lab.host=%s lab.n=%d systemd.machine_id=%s%s" % (
                    APPEND, accel.append(options), name, self.host.number, machine_id(name), "" if self.host.gateway else " systemd.mask=iscsi-scstd.service"),
                # the host's page cache outlives a killed QEMU; only a crash of the host itself could lose data
                "-drive", self.mark + "if=virtio,cache=unsafe,discard=unmap",
                "-device", "virtio-rng-pci",
                "-serial", "file:%s" % self.console]
        for net in config.NETWORKS:
            argv += ["-netdev", "tap,id=n%d,ifname=%s,script=no,downscript=no" % (net, self.host.tap(net)),
                     "-device", "virtio-net-pci,netdev=n%d,romfile=,mac=%s" % (net, self.host.mac(net))]
        with open(self.qemu_log, "wb") as log:
            # its own session: a Ctrl-C at make's terminal must not take the VMs down
            process = subprocess.Popen(network.inside(str(a) for a in argv), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                       start_new_session=True)
        for _unused in range(100):
            if self.pid():
                return True
            if process.poll() is not None:
                break
            time.sleep(0.1)
        raise LabError(name, "starting QEMU", "it ended at once", "see the log; a full disk or little memory is the usual cause", self.qemu_log)

    def backing(self):
        """The image's disk that this VM's overlay lies over, or None before its first start."""
        if not self.disk.exists():
            return None
        info = run(["qemu-img", "info", "-U", "--output=json", self.disk], self.host.name, "reading the VM's disk")
        return Path(json.loads(info.stdout)["backing-filename"])

    def booted(self):
        try:
            return READY in self.console.read_bytes()
        except OSError:
            return False

    def wait(self, seconds=BOOT_SECONDS):
        """Until the guest says through its console that ssh answers."""
        end = time.monotonic() + seconds
        while not self.booted():
            if not self.pid():
                raise LabError(self.host.name, "booting", "QEMU ended", "run make lab again", self.console if tail(self.console, 1) else self.qemu_log)
            if time.monotonic() > end:
                raise LabError(self.host.name, "booting", "not ready after %d s" % seconds, "run make lab again; a busy machine needs longer", self.console)
            time.sleep(0.3)

    def doing(self):
        """A few words for the progress line."""
        last = tail(self.console, 1)
        return "%s: %s" % (self.host.name, last[0][-60:] if last else "kernel starting")

    def kill(self):
        """As a power cut: SIGKILL."""
        pid = self.pid()
        if pid is None:
            raise LabError(self.host.name, "killing the VM", "it does not run")
        os.kill(pid, signal.SIGKILL)
        while proc.alive(pid):
            time.sleep(0.02)
        self.pidfile.unlink(missing_ok=True)

    def freeze(self):
        """Stop the whole VM while the world's time goes on; it resumes in the middle of what it did."""
        os.kill(self.need(), signal.SIGSTOP)

    def thaw(self):
        os.kill(self.need(), signal.SIGCONT)

    def need(self):
        pid = self.pid()
        if pid is None:
            raise LabError(self.host.name, "reaching the VM", "it does not run", "start it: lab start %s" % self.host.name)
        return pid

    def remove(self):
        pid = self.pid()
        if pid:
            proc.stop(pid)
        for path in (self.pidfile, self.disk):
            path.unlink(missing_ok=True)


def machine_id(name):
    return hashlib.sha256((config.CHECKOUT_ID + name).encode()).hexdigest()[:32]
