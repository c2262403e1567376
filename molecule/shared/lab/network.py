# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's networks: bridges and taps inside one network namespace. The host's own network is never touched."""
from __future__ import annotations

import os

import config
from proc import run
from progress import LabError

# Not "ip netns exec": that one also gives the process a mount namespace, which would hide Ceph's mounts from it.
INSIDE = ["nsenter", "--net=/run/netns/" + config.NETNS]


def inside(argv):
    return INSIDE + list(argv)


def exists():
    return os.path.exists("/run/netns/" + config.NETNS)


def ip(*args, check=True):
    return run(inside(["ip"] + list(args)), "network", "ip " + " ".join(args), timeout=30, check=check)


def up():
    """Make what is missing of the namespace, its bridges and taps."""
    if not exists():
        run(["ip", "netns", "add", config.NETNS], "network", "making network namespace %s" % config.NETNS)
        ip("link", "set", "lo", "up")
    present = links()
    for net in config.NETWORKS:
        bridge = "br%d" % net
        if bridge not in present:
            made = ip("link", "add", bridge, "type", "bridge", check=False)
            if made.returncode:
                raise LabError("network", "making bridge %s" % bridge, made.stderr, "this kernel needs bridge and tun support (modprobe bridge tun)")
        ip("addr", "replace", "10.99.%d.1/24" % net, "dev", bridge)
        ip("link", "set", bridge, "up")
    for host in config.ALL.values():
        for net in config.NETWORKS:
            tap = host.tap(net)
            if tap not in present:
                ip("tuntap", "add", "dev", tap, "mode", "tap")
                ip("link", "set", tap, "master", "br%d" % net, "up")


def links():
    out = ip("-o", "link").stdout
    return {line.split(":")[1].strip().split("@")[0] for line in out.splitlines() if ":" in line}


def cut(host, net):
    """Drop every frame between HOST and network NET; the guest still sees its link up, as with a failed switch further on."""
    ip("link", "set", host.tap(net), "down")


def mend(host, net):
    ip("link", "set", host.tap(net), "up")


def is_cut(host, net):
    return "state DOWN" in ip("-o", "link", "show", host.tap(net), check=False).stdout and \
        ",UP" not in ip("-o", "link", "show", host.tap(net), check=False).stdout


def down():
    if exists():
        run(["ip", "netns", "del", config.NETNS], "network", "deleting network namespace %s" % config.NETNS)
