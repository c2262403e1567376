# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab consists of and where its things lie. No side effects."""
from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

SHARED = Path(__file__).resolve().parent.parent
CHECKOUT = SHARED.parent.parent
GUEST_FILES = SHARED / "guest"
EMULATOR = CHECKOUT / "tests" / "emulator"

STATE = CHECKOUT / "build" / "lab"
LOG = STATE / "log"
TIMES = STATE / "phases.json"
SSH_CONFIG = STATE / "ssh_config"

# One name per checkout, so that two clones on one machine never meet.
CHECKOUT_ID = hashlib.sha256(str(CHECKOUT).encode()).hexdigest()[:8]
NETNS = "cephgate-" + CHECKOUT_ID
# Sockets (a UNIX socket's path may have 107 bytes, and a checkout may lie deep), pid files and Ceph's mounts: somebody
# who removes build/ with rm -rf while the lab is up must neither reach /dev through a mount nor lose track of processes.
RUN = Path("/run/cephgate-lab") / CHECKOUT_ID

SUITE = "bookworm"

# Network N is 10.99.N.0/24 on bridge brN: 0 carries management and Ceph, 1 and 2 carry iSCSI.
NETWORKS = (0, 1, 2)
CEPH_ADDRESS = "10.99.0.1"


@dataclass(frozen=True)
class Host:
    """A VM: its name, its last address byte on every network, its memory in MiB, whether it is a gateway, its processors,
    and MiB of translated code where it is emulated."""
    name: str
    number: int
    memory: int
    gateway: bool
    processors: int = 1
    code: int = 128

    @property
    def address(self):
        return "10.99.0.%d" % self.number

    def mac(self, net):
        return "52:54:00:99:%02x:%02x" % (net, self.number)

    def tap(self, net):
        return "%s.%d" % (self.name, net)


MEMORY = int(os.environ.get("CEPHGATE_LAB_MEMORY") or 512)
PROCESSORS = int(os.environ.get("CEPHGATE_LAB_PROCESSORS") or 1)

HOSTS = {h.name: h for h in (
    Host("gw1", 11, MEMORY, True, PROCESSORS),
    Host("gw2", 12, MEMORY, True, PROCESSORS),
    Host("client1", 21, MEMORY, False, PROCESSORS),
)}

# Not of the site: a VM with an image and two kernels of its own, for the role that builds SCST.
# With 128 MiB the compiler is translated again and again, which costs a fifth more processor time.
BUILDER = Host("builder", 31, 1024, True, processors=2, code=512)
ALL = dict(HOSTS, builder=BUILDER)


def cache():
    """Folder of what outlives a clone: guest images, downloaded packages, the answer of the KVM probe."""
    own = os.environ.get("CEPHGATE_LAB_CACHE")
    if own:
        return Path(own).expanduser().resolve()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser().resolve() / "cephgate-lab"


def scst_source():
    """SCST_SOURCE as given, or None: then the gateways run the emulator."""
    return os.environ.get("SCST_SOURCE") or None


def ceph_store():
    """Object store of the one OSD: bluestore (data outlives the daemon) or memstore (lighter, lost when it is killed)."""
    return os.environ.get("CEPHGATE_LAB_STORE", "bluestore")
