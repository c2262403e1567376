# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands for SCST on the gateways: the emulator by default, real modules when SCST_SOURCE is set."""
from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import urllib.request
from pathlib import Path

import config
import ssh
from proc import run
from progress import LabError

EMULATOR_HOME = "/opt/scst-emulator"
UNIT = "scst-emulator.service"


def sysfs_root():
    return "/sys/kernel/scst_tgt" if config.scst_source() else "/run/scst_tgt"


def local(source):
    """The source as a path here: a folder, or an archive (a URL is downloaded once into the cache)."""
    if "://" not in source:
        path = Path(source).expanduser().resolve()
        if not path.exists():
            raise LabError("image", "reading SCST_SOURCE", "%s does not exist" % path, "give an archive, a folder or a URL of SCST's source")
        return path
    name = re.sub("/download/?$", "", source).rsplit("/", 1)[1]
    path = config.cache() / "downloads" / ("%s-%s" % (hashlib.sha256(source.encode()).hexdigest()[:12], name))
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        try:
            with urllib.request.urlopen(source, timeout=60) as answer, open(part, "wb") as f:
                shutil.copyfileobj(answer, f)
        except OSError as e:
            raise LabError("image", "downloading %s" % source, e, "check the URL in SCST_SOURCE") from None
        os.replace(part, path)
    return path


def fingerprint(source):
    """Changes with the source's contents and with the role that builds it."""
    h = hashlib.sha256()
    role = config.CHECKOUT / "roles" / "scst_build"
    for top in (role, config.SHARED / "scst.yml", local(source)):
        for path in sorted(p for p in ([top] if top.is_file() else top.rglob("*")) if p.is_file() and ".git" not in p.parts):
            h.update(b"%s\0" % str(path.relative_to(top)).encode() + hashlib.sha256(path.read_bytes()).digest())
    return h.hexdigest()


def build(source, root, release, log):
    """Build and install SCST in the tree ROOT for kernel RELEASE, by the role that does it on real gateways.

    Compiling in an emulated guest takes ten times as long as here. The role needs /proc and /dev in the tree: they are
    mounted in a mount namespace that ends with Ansible.
    """
    python = config.CHECKOUT / ".venv" / "bin" / "python"
    if not python.exists():
        raise LabError("image", "building SCST", "no Ansible in %s" % python.parent, "run make venv")
    variables = dict(ansible_connection="community.general.chroot", ansible_host=str(root), ansible_python_interpreter="/usr/bin/python3",
                     scst_build_kernel=release, scst_build_source=str(local(source)), scst_version="auto", cephgate_scst_install=True)
    inventory = root.parent / "inventory.json"
    inventory.write_text(json.dumps(dict(all=dict(hosts=dict(image=variables)))))
    playbook = [python.parent / "ansible-playbook", "-i", inventory, config.SHARED / "scst.yml"]
    script = 'for d in proc dev sys; do mount --bind /$d "$0/$d"; done; exec "$@"'
    env = dict(os.environ, ANSIBLE_COLLECTIONS_PATH=str(config.CHECKOUT / "build" / "collections"), ANSIBLE_NOCOLOR="1",
               PATH="%s:%s" % (python.parent, os.environ["PATH"]))
    run(["unshare", "-m", "sh", "-ec", script, root] + playbook, "image", "building SCST (role scst_build)", timeout=1500, log=log, env=env)
    inventory.unlink()
    # a gateway needs the modules, not what they were made of
    shutil.rmtree(root / "usr/src/cephgate-scst", ignore_errors=True)


def provide(progress, host):
    """Have SCST's interface up on a gateway."""
    if config.scst_source():
        return
    if not (config.EMULATOR / UNIT).exists():
        progress.say("note: no %s yet, %s is without SCST's interface" % (config.EMULATOR / UNIT, host.name))
        return
    ready = "test -e %s/targets/iscsi/mgmt" % sysfs_root()
    if not ssh.call(host, "systemctl is-active -q %s && %s" % (UNIT, ready), "asking for the emulator", check=False).returncode:
        return
    with progress.phase("up: SCST emulator on %s" % host.name):
        ssh.copy_tree(host, config.EMULATOR, EMULATOR_HOME, "copying the SCST emulator")
        ssh.call(host, "cp {home}/{unit} /etc/systemd/system/ && systemctl daemon-reload && systemctl enable --now -q {unit} && "
                 "for i in $(seq 60); do {ready} && exit 0; sleep 0.5; done; journalctl -u {unit} -n 20 --no-pager >&2; exit 1".format(
                     home=EMULATOR_HOME, unit=UNIT, ready=ready), "starting the SCST emulator", timeout=120)
