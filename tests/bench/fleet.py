# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run of the role gateway costs the control node, on a fleet of emulated gateways without a data plane on this machine.

    python tests/bench/fleet.py [--gateways 4] [--luns 100] [--hosts 25] [--forks 4]

Images are there and mapped (Ceph is not measured), and everything shares the processors of this machine: emulated SCST, modules and
Ansible. So wall time is that of one machine that does the work of all. Processor time is that of Ansible and of the modules on all gateways,
memory that of ansible-playbook and its workers. Shown are the first run and a second one, that changes nothing.

Ends with an error when a run fails, when the second one changes something, or when the number of tasks is not that of a site with one LUN.
"""
import argparse
import json
import os
import pathlib
import re
import resource
import subprocess
import sys
import tempfile
import threading
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / 'tests/emulator'))

from gateways import Gateways  # noqa: E402

PLAY = """
- hosts: gateways
  gather_facts: false
  roles: [cephgate.iscsi.gateway]
"""

# On a gateway: maps every image of the stand-in cluster at once, as its rbd command would one after the other.
MAP = r"""
import json, os, sys
cluster, sizes = sys.argv[1:]
for number, name in enumerate(sorted(each for each in os.listdir(cluster) if not each.endswith('.data'))):
    top = '/sys/bus/rbd/devices/%d/' % number
    os.mkdir(top)
    pool, image = name.split('%')
    for key, data in dict(pool=pool, pool_ns='', name=image, current_snap='-', image_id=json.load(open(os.path.join(cluster, name)))['id'],
                          cluster_fsid='00000000-0000-4000-8000-000000000000', client_addr='192.0.2.1:0/1').items():
        open(top + key, 'w').write(data + '\n')
    os.symlink(os.path.join(sizes, name), top + 'size')
    os.symlink(os.path.join(cluster, name) + '.data', '/dev/rbd%d' % number)
"""


def site(gateways, luns, hosts):
    """The inventory: LUN n is seen by host n modulo hosts, without a preferred gateway."""
    return dict(gateways=dict(
        vars=dict(
            cephgate_iqn_prefix='iqn.2026-11.com.example.fleet',
            cephgate_luns=[dict(image='rbd/i%05d' % n, size='64M', hosts={'h%d' % (n % hosts): n // hosts}) for n in range(luns)],
            cephgate_hosts={'h%d' % n: dict(initiators=['iqn.1993-08.org.debian:01:h%d' % n]) for n in range(hosts)}),
        hosts={name: dict(gateways.hostvars(name), cephgate_gateway_id=number) for number, name in enumerate(gateways.portals, 1)}))


def images(pool, luns):
    for number in range(luns):
        name = 'rbd%%i%05d' % number
        (pool.folder / name).write_text(json.dumps(dict(size=64 << 20, id='%012x' % number)))
        (pool.sizes / name).write_text('%d\n' % (64 << 20))
        with open(pool.folder / (name + '.data'), 'wb') as handle:
            handle.truncate(64 << 20)


def memory_of(pid):
    """(resident KiB of ansible-playbook, proportional KiB of it and its workers). Modules, behind nsenter, do not count."""
    tree, found = [pid], []
    while tree:
        each = tree.pop()
        try:
            if b'ansible-playbook' in pathlib.Path('/proc/%d/cmdline' % each).read_bytes():
                found.append(int(re.search(r'^Pss: +(\d+)', pathlib.Path('/proc/%d/smaps_rollup' % each).read_text(), re.M).group(1)))
            tree += [int(child) for child in pathlib.Path('/proc/%d/task/%d/children' % (each, each)).read_text().split()]
        except (OSError, AttributeError):
            continue
    try:
        own = int(re.search(r'^VmRSS:\s+(\d+)', pathlib.Path('/proc/%d/status' % pid).read_text(), re.M).group(1))
    except (OSError, AttributeError):
        own = 0
    return own, sum(found)


def run(folder, inventory, forks):
    """What a run cost."""
    (folder / 'hosts.json').write_text(json.dumps(inventory))
    (folder / 'play.yml').write_text(PLAY)
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    process = subprocess.Popen(
        [pathlib.Path(sys.executable).parent / 'ansible-playbook', '-i', folder / 'hosts.json', folder / 'play.yml', '--forks', str(forks)], cwd=folder,
        text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=dict(
            os.environ, ANSIBLE_COLLECTIONS_PATH=str(TOP / 'build/collections'), ANSIBLE_HOME=str(folder / 'home'), ANSIBLE_NOCOLOR='1'))
    most = [0, 0]

    def watch():
        while process.poll() is None:
            most[:] = [max(pair) for pair in zip(most, memory_of(process.pid))]
            time.sleep(0.5)
    watcher = threading.Thread(target=watch)
    watcher.start()
    printed = process.communicate()[0]
    watcher.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        raise SystemExit(printed[-6000:])
    return dict(
        seconds=time.monotonic() - start, cpu=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, own=most[0] / 1024,
        all=most[1] / 1024, tasks=len(re.findall(r'^TASK \[', printed, re.M)), changed=sum(int(n) for n in re.findall(r'changed=(\d+)', printed)))


def fleet(count, luns, hosts, forks):
    """[(name of the case, what it cost)]"""
    with tempfile.TemporaryDirectory(prefix='cephgate-fleet-') as name:
        folder = pathlib.Path(name)
        portals = {'gw%02d' % n: ['192.0.2.%d' % n] for n in range(1, count + 1)}
        with Gateways(folder / 'hosts', portals) as gateways:
            images(gateways.pool, luns)
            for gateway in portals:
                gateways.run(gateway, sys.executable, '-c', MAP, gateways.pool.folder, gateways.pool.sizes)
            inventory = site(gateways, luns, hosts)
            size = len(json.dumps(inventory)) / 1024
            return size, [(case, run(folder, inventory, forks)) for case in ('first', 'second')]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for option, default in (('gateways', 4), ('luns', 100), ('hosts', 25), ('forks', 4)):
        parser.add_argument('--' + option, type=int, default=default)
    options = parser.parse_args()
    subprocess.run([TOP / 'tests/tools/link-collection.sh'], check=True)
    _size, [(_case, smallest), _second] = fleet(1, 1, 1, 1)
    size, cases = fleet(options.gateways, options.luns, options.hosts, options.forks)
    print('%d gateways x %d LUNs x %d hosts, %d forks, %d processors; declaration %d KiB' % (
        options.gateways, options.luns, options.hosts, options.forks, os.cpu_count(), size))
    print('%-8s %9s %9s %12s %14s %14s %6s %8s' % ('run', 'seconds', 'cpu s', 's/gateway', 'MiB (main)', 'MiB (all)', 'tasks', 'changed'))
    for case, cost in cases:
        print('%-8s %9.1f %9.1f %12.1f %14.0f %14.0f %6d %8d' % (
            case, cost['seconds'], cost['cpu'], cost['seconds'] / options.gateways, cost['own'], cost['all'], cost['tasks'], cost['changed']))
    if cases[1][1]['changed']:
        raise SystemExit('the second run changed something')
    if cases[0][1]['tasks'] != smallest['tasks']:
        raise SystemExit('%d tasks for %d LUNs and %d for one: tasks grow with the site' % (cases[0][1]['tasks'], options.luns, smallest['tasks']))


if __name__ == '__main__':
    main()
