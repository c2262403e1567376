# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ssh into the VMs, through the network namespace, by one generated configuration that Ansible uses too."""
from __future__ import annotations

import os
import shutil

import config
import network
from proc import run

CONFIG = """\
# Written by the lab; a new `up` writes it again.
Host *
  User root
  IdentityFile {identity}
  IdentitiesOnly yes
  StrictHostKeyChecking no
  UserKnownHostsFile /dev/null
  LogLevel ERROR
  # under emulation the post-quantum exchange that OpenSSH prefers costs a second at each login
  KexAlgorithms curve25519-sha256
  Ciphers aes128-gcm@openssh.com
  Compression no
  PreferredAuthentications publickey
  ConnectTimeout 90
  # a master connection to a killed VM would hang for ever without these
  ServerAliveInterval 5
  ServerAliveCountMax 4
  ControlMaster auto
  ControlPath {sockets}/%n
  ControlPersist 600
  ProxyCommand {inside} nc %h %p
"""


def write_config(image):
    """Copy the key and write build/lab/ssh_config."""
    config.STATE.mkdir(parents=True, exist_ok=True)
    (config.RUN / "ssh").mkdir(parents=True, exist_ok=True)
    os.chmod(config.RUN, 0o700)
    identity = config.STATE / "id_ed25519"
    shutil.copy(image.identity, identity)
    os.chmod(identity, 0o600)
    text = CONFIG.format(identity='"%s"' % identity, sockets=config.RUN / "ssh", inside=" ".join(network.INSIDE))
    for host in config.ALL.values():
        text += "Host %s\n  HostName %s\n" % (host.name, host.address)
    config.SSH_CONFIG.write_text(text)


def argv(host, *command):
    return ["ssh", "-F", str(config.SSH_CONFIG), host.name] + list(command)


def call(host, command, step, timeout=120, check=True, stdin=None):
    """Run a shell COMMAND on HOST; stdout as text in the result."""
    return run(argv(host, command), host.name, step, timeout=timeout, check=check, stdin=stdin)


def copy_tree(host, source, target, step):
    """Copy the folder SOURCE (its tracked-looking files only) to TARGET on HOST."""
    packed = run(["tar", "-C", source, "--exclude=__pycache__", "-cz", "-f", "-", "."], host.name, step, timeout=60, binary=True)
    run(argv(host, "mkdir -p '%s' && tar -C '%s' -xz -f -" % (target, target)), host.name, step, stdin=packed.stdout, timeout=120, binary=True)


def forget(host):
    """Drop the shared connection of a VM that was killed or removed."""
    socket = config.RUN / "ssh" / host.name
    if socket.exists():
        run(["ssh", "-F", str(config.SSH_CONFIG), "-O", "exit", host.name], host.name, "closing ssh", timeout=10, check=False)
        socket.unlink(missing_ok=True)
