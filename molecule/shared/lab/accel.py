# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""KVM where a stock kernel really boots on it, else emulation (TCG)."""
from __future__ import annotations

import hashlib
import os
import platform
from pathlib import Path

import config
from proc import run

QEMU = "qemu-system-x86_64"
PROBE_SECONDS = 15

TCG = ["-accel", "tcg", "-cpu", "max"]
KVM = ["-accel", "kvm", "-cpu", "host"]

# The time stamp counter of an emulated processor is calibrated wrongly on a busy machine: guests' clocks ran at three
# times their speed, and with them every time-out.
TCG_APPEND = " tsc=unstable clocksource=hpet"


def choose(image, progress):
    """QEMU options for the accelerator.

    A /dev/kvm that opens says little: nested or filtered virtualisation hangs or resets a stock kernel early. So the
    guest's kernel is booted once into its initrd, which prints a line and powers off. CEPHGATE_LAB_ACCEL=kvm|tcg overrides.
    """
    wanted = os.environ.get("CEPHGATE_LAB_ACCEL")
    if wanted in ("kvm", "tcg"):
        return KVM if wanted == "kvm" else TCG
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return TCG
    answer = config.cache() / ("accel-" + machine())
    if not answer.exists():
        with progress.phase("up: does a stock kernel boot on KVM"):
            works = boots(image)
        answer.write_text("kvm" if works else "tcg")
        progress.say("accelerator: %s (remembered in %s)" % (answer.read_text(), answer))
    return KVM if answer.read_text().strip() == "kvm" else TCG


def arguments(options, code):
    """For QEMU. CODE: MiB that emulation may keep of the guest's translated code."""
    return ["-accel", "tcg,tb-size=%d" % code] + options[2:] if options == TCG else options


def append(options):
    """What the accelerator wants on the guest's kernel command line."""
    return TCG_APPEND if options == TCG else ""


def boots(image):
    done = run([QEMU, "-M", "q35", *KVM, "-m", "256", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
                "-kernel", image.kernel, "-initrd", image.initrd, "-append", "console=ttyS0 lab.probe panic=-1", "-serial", "stdio"],
               "accelerator", "booting a kernel on KVM", timeout=PROBE_SECONDS, check=False)
    return "lab: probe ok" in done.stdout


def machine():
    """The answer holds for this machine, kernel and QEMU."""
    version = run([QEMU, "--version"], "accelerator", "asking for QEMU's version").stdout
    try:
        ident = Path("/etc/machine-id").read_text()
    except OSError:
        ident = platform.node()
    return hashlib.sha256((version + ident + platform.release()).encode()).hexdigest()[:12]
