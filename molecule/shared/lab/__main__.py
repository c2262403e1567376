# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The VM lab: python3 molecule/shared/lab COMMAND. See molecule/shared/README.md."""
from __future__ import annotations

import argparse
import os
import subprocess
import sys

import builder
import cluster
import config
import image
import network
import proof
import ssh
from progress import LabError, Progress, load_times, print_table


def main(argv):
    options = parser().parse_args(argv)
    progress = Progress(config.TIMES)
    try:
        if os.geteuid() != 0 and options.command not in ("phases",):
            raise LabError("this machine", "starting", "not root", "run as root: network namespaces, taps and chroots need it")
        return options.call(options, progress) or 0
    except LabError as e:
        print("\n%s" % e, file=sys.stderr, flush=True)
        print("  logs: %s" % config.LOG, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def parser():
    top = argparse.ArgumentParser(prog="lab", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True)

    def add(name, call, text, *arguments):
        one = commands.add_parser(name, help=text, description=text)
        for flags, settings in arguments:
            one.add_argument(*flags, **settings)
        one.set_defaults(call=call)

    hosts = (["hosts"], dict(nargs="*", metavar="HOST"))
    host = (["host"], dict(metavar="HOST", choices=list(config.ALL)))
    net = (["net"], dict(metavar="NET", type=int, choices=config.NETWORKS))
    add("image", do_image, "make the guest image, or find it in the cache", (["--force"], dict(action="store_true", help="make it anew")))
    no_ceph = (["--no-ceph"], dict(action="store_true", help="only VMs: for work that needs no image"))
    add("up", do_up, "bring up Ceph and the VMs (or only those named), or what of them does not run", hosts, no_ceph)
    add("down", do_down, "remove all of the lab", (["--cache"], dict(action="store_true", help="and the cached images and packages")))
    add("status", do_status, "what is up; exit 1 when not all of it is")
    add("ssh", do_ssh, "a shell or a command on a VM", host, (["words"], dict(nargs=argparse.REMAINDER, metavar="COMMAND")))
    add("console", do_console, "follow a VM's console log", host)
    add("start", do_up, "start VMs on their kept disks", hosts, no_ceph)
    add("kill", do_kill, "as a power cut: SIGKILL the VM", host)
    add("freeze", do_vm("freeze"), "stop a VM in the middle of what it does", host)
    add("thaw", do_vm("thaw"), "let a frozen VM run on", host)
    add("cut", do_net("cut"), "drop all frames between a VM and a network", host, net)
    add("mend", do_net("mend"), "undo cut", host, net)
    add("builder", do_builder, "bring up the VM for the role that builds SCST, on its kept disk",
        (["--second"], dict(action="store_true", help="with its second kernel, which must be installed by then")))
    add("proof", do_proof, "prove the site: verified data through multipath while a gateway dies and returns; exit 1 when it is not so",
        (["--image"], dict(help="pool/image to overwrite; default: the largest that nothing uses")),
        (["--restore"], dict(metavar="COMMAND", help="shell command that sets up a restarted gateway, {host} stands for its name; "
                             "without it the gateway must come back by itself")))
    add("phase", do_phase, "run a command as a timed phase", (["name"], {}), (["words"], dict(nargs=argparse.REMAINDER, metavar="COMMAND")))
    add("phases", do_phases, "table of the phases' last times")
    return top


def do_image(options, progress):
    with cluster.locked():
        print(image.ensure(progress, options.force).folder)


def do_up(options, progress):
    with cluster.locked():
        cluster.up(progress, options.hosts, not options.no_ceph)
        cluster.status(progress.say)


def do_builder(options, progress):
    with cluster.locked():
        builder.up(progress, options.second)


def do_down(options, progress):
    with cluster.locked():
        cluster.down(progress, options.cache)


def do_status(options, progress):
    return 0 if cluster.status() else 1


def do_ssh(options, progress):
    if not config.SSH_CONFIG.exists():
        raise LabError(options.host, "opening ssh", "the lab is not up", "make lab, or: lab up")
    return subprocess.call(ssh.argv(config.ALL[options.host], *options.words))


def do_console(options, progress):
    return subprocess.call(["tail", "-n", "200", "-F", str(cluster.vms([options.host])[0].console)])


def do_kill(options, progress):
    with cluster.locked():
        vm = cluster.vms([options.host])[0]
        vm.kill()
        ssh.forget(vm.host)


def do_vm(verb):
    return lambda options, progress: getattr(cluster.vms([options.host])[0], verb)()


def do_net(verb):
    return lambda options, progress: getattr(network, verb)(config.HOSTS[options.host], options.net)


def do_proof(options, progress):
    with cluster.locked():
        proof.prove(progress, options.image, options.restore)


def do_phase(options, progress):
    with progress.phase(options.name):
        code = subprocess.call(options.words)
        if code:
            words = [w for w in options.words if "=" not in w and w != "env"]
            raise LabError("this machine", options.name, "exit %d from: %s" % (code, " ".join(words)), "see its output above")


def do_phases(options, progress):
    print_table(load_times(config.TIMES))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
