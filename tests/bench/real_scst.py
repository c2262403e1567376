# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine against scstadmin, on real SCST in a gateway VM of the lab.

    make bench-real SCST_SOURCE=<SCST's source> [BENCH="--luns 200 --luns 1000 ..."]

For each number of LUNs, in 8 groups, each time from an SCST without configuration:
  engine     first apply, no change, one LUN more: one Python process that does what the modules do
  loop       the same writes, bare
  scstadmin  -config FILE -force -noprompt, then -config FILE with no change, then with one LUN more
  playbook   the modules through ansible-playbook: first apply, no change
scstadmin gets two files: the text that this collection renders ("rendered"), and the same with the section copy_manager that
scstadmin itself writes into every file that it saves ("as saved"). After each of them the state must be the one
that the engine has made, and the engine must find nothing left to do.

Ends with an error when a promise is broken: the engine's first apply is FASTER times faster than scstadmin with the file as
it would have saved it. The results go to build/bench-real.json too.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
subprocess.run([TOP / 'tests/tools/link-collection.sh'], check=True)
sys.path.insert(0, str(TOP / 'build/collections'))

from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_conf  # noqa: E402

STATE = TOP / 'build/lab'
HOME = '/run/cephgate-bench'
PREFIX = 'iqn.2026-11.com.example.cephgate:'
GROUPS = ['host%d' % number for number in range(8)]
FASTER = {200: 5, 1000: 50}
SIZE = 100 << 20


def site(count, handler):
    """The declaration of a gateway that exports this many images."""
    numbers = range(count)
    names = ['image%d-%06x' % (number, number) for number in numbers]
    devices = []
    for number, name in zip(numbers, names):
        attributes = dict(t10_vend_id='CEPHGATE', prod_id='RBD', usn='%020x' % number, t10_dev_id='%08x-%s' % (number, name),
                          vend_specific_id='%08x' % number, rotational='0')
        device = dict(name=name, handler=handler, attributes=attributes, attributes_if_offered=dict(naa_id='0x3%015x' % number))
        if handler == 'vdisk_nullio':
            attributes['size'] = str(SIZE)
        else:
            device['filename'] = '/dev/nullb%d' % number
        devices.append(device)
    targets = [dict(name=PREFIX + 'gw1', rel_tgt_id=1, enabled=True, allowed_portals=['10.99.1.11', '10.99.2.11'],
                    groups=[dict(name=group, initiators=['iqn.1993-08.org.debian:01:' + group]) for group in GROUPS],
                    exclusive=['allowed_portals', 'groups', 'initiators'])]
    luns = [dict(target=PREFIX + 'gw1', group=GROUPS[number % 8], lun=number // 8, device=name) for number, name in zip(numbers, names)]
    groups = [dict(name=owner, devices=[name for number, name in zip(numbers, names) if number % 2 == side],
                   exclusive=['devices', 'target_groups', 'targets'], target_groups=[
                       dict(name='gw%d' % gateway, group_id=gateway, state='active' if gateway == side + 1 else 'nonoptimized',
                            preferred=gateway == side + 1, targets=[dict(name='%sgw%d' % (PREFIX, gateway), **(
                                dict(rel_tgt_id=gateway) if gateway != 1 else {}))])
                       for gateway in (1, 2)]) for side, owner in enumerate(['gw1', 'gw2'])]
    return dict(devices=devices, targets=targets, luns=luns, device_groups=groups, driver=dict(enabled=True),
                exclusive=[dict(target=PREFIX + 'gw1')])


def rendered(wanted):
    return scst_conf.render({part: wanted[part] for part in ('devices', 'targets', 'driver', 'luns', 'device_groups')})


def as_saved(wanted):
    """SCST makes every device a LUN of its copy manager, and scstadmin -write_config saves those."""
    luns = ''.join('\t\tLUN %d %s\n' % (number, device['name']) for number, device in enumerate(wanted['devices']))
    return rendered(wanted) + '\nTARGET_DRIVER copy_manager {\n\tTARGET copy_manager_tgt {\n%s\t}\n}\n' % luns


class Gateway:
    def __init__(self, name):
        self.name = name
        self.ssh = ['ssh', '-F', str(STATE / 'ssh_config'), name]

    def run(self, command, data=None, timeout=1800):
        done = subprocess.run(self.ssh + [command], input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout, check=False)
        if done.returncode:
            raise SystemExit('%s: %s failed:\n%s' % (self.name, command, (done.stdout + done.stderr).decode('utf-8', 'replace')[-3000:]))
        return done.stdout.decode()

    def put(self, name, text):
        self.run('cat > %s/%s' % (HOME, name), text.encode())

    def call(self, *words):
        """One command of real_gateway.py."""
        return json.loads(self.run("python3 %s/real_gateway.py %s" % (HOME, ' '.join("'%s'" % word for word in words))))

    def prepare(self):
        if not (STATE / 'ssh_config').exists():
            raise SystemExit('No gateway VM is up. make bench-real SCST_SOURCE=<archive, folder or URL of SCST\'s source> makes one.')
        if not self.run('test -e /sys/kernel/scst_tgt/version && command -v scstadmin || true').strip():
            raise SystemExit('%s has no real SCST with scstadmin: the lab runs the emulator. Run make lab-down, then make bench-real '
                             'SCST_SOURCE=<archive, folder or URL of SCST\'s source>.' % self.name)
        packed = subprocess.run(['tar', '-C', TOP, '--exclude=__pycache__', '--transform=s,^plugins,ansible_collections/cephgate/iscsi/plugins,',
                                 '--transform=s,^tests/bench/,,', '-czf', '-', 'plugins/module_utils', 'tests/bench/real_gateway.py'],
                                stdout=subprocess.PIPE, check=True).stdout
        self.run('rm -rf %s; mkdir -p -m 700 %s; tar -C %s -xzf -' % (HOME, HOME, HOME), packed)
        self.call('gathered')  # compiles what it imports, which happens once on a gateway
        return ' / '.join(self.run('head -n 1 /sys/kernel/scst_tgt/version; uname -r; nproc; grep MemTotal /proc/meminfo').split('\n')).strip(' /')

    def scstadmin(self, limit, name, *options):
        return self.call('timed', limit, 'scstadmin', '-config', '%s/%s' % (HOME, name), *options)


def play(wanted):
    """Seconds of ansible-playbook, and its count of changed tasks."""
    targets = wanted['targets']
    bench = dict(wanted, targets_before=[{key: value for key, value in target.items() if key != 'enabled'} for target in targets],
                 targets_after=[dict(name=target['name'], enabled=True) for target in targets])
    variables = TOP / 'build/bench-real-site.json'
    variables.write_text(json.dumps(dict(bench=bench)))
    binaries = pathlib.Path(sys.executable).parent
    environment = dict(os.environ, ANSIBLE_COLLECTIONS_PATH=str(TOP / 'build/collections'), ANSIBLE_NOCOLOR='1', ANSIBLE_PIPELINING='1',
                       ANSIBLE_STDOUT_CALLBACK='ansible.posix.json', PATH='%s:%s' % (binaries, os.environ['PATH']))
    began = time.monotonic()
    done = subprocess.run([binaries / 'ansible-playbook', '-i', TOP / 'inventories/lab', TOP / 'tests/bench/real_site.yml', '-e', '@%s' % variables],
                          cwd=TOP, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    took = time.monotonic() - began
    if done.returncode:
        raise SystemExit('ansible-playbook failed:\n%s\n%s' % (done.stdout[-3000:], done.stderr[-3000:]))
    report = json.JSONDecoder().raw_decode(done.stdout[done.stdout.find('{\n'):])[0]
    return dict(seconds=took, changed=report['stats']['gw1']['changed'])


class Bench:
    def __init__(self, gateway, limit):
        self.gateway, self.limit = gateway, limit
        self.rows, self.broken = [], []

    def row(self, count, what, result, note=''):
        self.rows.append(dict(luns=count, what=what, seconds=result['seconds'], over=result.get('over', False), load=os.getloadavg()[0], note=note))
        print('%6d  %-44s %s%9.2f %9.1f  %s' % (count, what, 'over ' if result.get('over') else '     ', result['seconds'], os.getloadavg()[0], note),
              flush=True)
        return result

    def check(self, count, what, good, found):
        if not good:
            self.broken.append('%d LUNs: %s: %s' % (count, what, found))
            print('BROKEN: ' + self.broken[-1][:2000], flush=True)

    def engine(self, count, title):
        """One run of the engine; what it did."""
        done = self.gateway.call('apply', HOME + '/site.json', '%s/writes.json' % HOME)
        return self.row(count, 'engine: ' + title, done, '%(files)d files, %(names)d names read, %(writes)d writes' % done)

    def declare(self, wanted):
        self.gateway.put('site.json', json.dumps(wanted))

    def same(self, count, what, state):
        """scstadmin has made what the engine makes."""
        left = self.gateway.call('left', HOME + '/site.json')['left']
        self.check(count, what, not left, 'the engine still wants %d operations: %s' % (len(left), left[:5]))
        now = {part: value for part, value in self.gateway.call('gathered').items() if part != 'seconds'}
        for part in sorted(set(state) | set(now)):
            self.check(count, what, state.get(part) == now.get(part), 'gathered %s differ: %s' % (part, first_difference(state.get(part), now.get(part))))

    def run(self, count, handler, playbook):
        tool, wanted, more = self.gateway, site(count, handler), site(count + 1, handler)
        if handler == 'vdisk_blockio':
            tool.run('modprobe -r null_blk; modprobe null_blk nr_devices=%d gb=1 queue_mode=0 && udevadm settle -t 300' % (count + 1))
        tool.call('reset')
        self.declare(wanted)
        first = self.engine(count, 'first apply')
        tool.run('cp %s/writes.json %s/first.json' % (HOME, HOME))
        state = {part: value for part, value in tool.call('gathered').items() if part != 'seconds'}
        again = self.engine(count, 'no change')
        self.check(count, 'engine: no change', not again['writes'], 'writes: %d' % again['writes'])
        self.declare(more)
        self.engine(count, 'one LUN more')
        if playbook:
            tool.call('reset')
            for title in ('first apply', 'no change'):
                done = self.row(count, 'ansible-playbook with the modules: ' + title, play(wanted))
                self.check(count, 'ansible-playbook', bool(done['changed']) == (title == 'first apply'), 'changed: %d' % done['changed'])
        tool.call('reset')
        loop = tool.call('loop', HOME + '/first.json')
        kinds = ', '.join('%s %d in %.2f s' % (kind, *loop['kinds'][kind]) for kind in sorted(loop['kinds']))
        self.row(count, 'bare loop of the same writes', dict(seconds=loop['loop']),
                 'first apply takes %.2f times as long; %s' % (first['seconds'] / loop['loop'], kinds))
        for kind, make in (('rendered', rendered), ('as saved', as_saved)):
            # What the machine does besides changes by the minute: what is compared runs one after the other.
            tool.call('reset')
            self.declare(wanted)
            first = self.engine(count, 'first apply, once more')
            tool.call('reset')
            tool.put('scst.conf', make(wanted))
            done = tool.scstadmin(self.limit, 'scst.conf', '-force', '-noprompt')
            ratio = done['seconds'] / first['seconds']
            self.row(count, 'scstadmin -force, from empty, %s' % kind, done, 'exit %s, %s%.1f times the engine' % (
                done['code'], 'over ' if done['over'] else '', ratio))
            if kind == 'as saved':
                self.check(count, 'engine against scstadmin', ratio >= FASTER.get(count, 0), 'only %.1f times faster' % ratio)
            if done['over']:
                continue
            self.check(count, 'scstadmin, ' + kind, done['code'] == 0, done['text'])
            self.same(count, 'after scstadmin, ' + kind, state)
            done = self.row(count, 'scstadmin, no change, %s' % kind, tool.scstadmin(self.limit, 'scst.conf', '-noprompt'))
            self.check(count, 'scstadmin again, ' + kind, done['code'] == 0, done['text'])
            tool.put('more.conf', make(more))
            done = self.row(count, 'scstadmin, one LUN more, %s' % kind, tool.scstadmin(self.limit, 'more.conf', '-noprompt'))
            self.check(count, 'scstadmin, one more, ' + kind, done['code'] == 0, done['text'])
        tool.call('reset')


def first_difference(one, other):
    if isinstance(one, list) and isinstance(other, list):
        for left, right in zip(one, other):
            if left != right:
                return '%s / %s' % (left, right)
        return 'lengths %d and %d' % (len(one), len(other))
    return '%s / %s' % (one, other)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split('\n', 1)[0])
    parser.add_argument('--luns', type=int, action='append', help='how many; several are possible (200 and 1000)')
    parser.add_argument('--handler', default='vdisk_nullio', choices=['vdisk_nullio', 'vdisk_blockio'])
    parser.add_argument('--limit', type=int, default=900, metavar='SECONDS', help='for one run of scstadmin (900)')
    parser.add_argument('--no-playbook', action='store_true')
    options = parser.parse_args(arguments)
    gateway = Gateway('gw1')
    print('SCST on the gateway: %s' % gateway.prepare())
    print('%6s  %-44s %14s %9s' % ('LUNs', 'what', 'seconds', 'host load'), flush=True)
    bench = Bench(gateway, options.limit)
    for count in options.luns or [200, 1000]:
        bench.run(count, options.handler, not options.no_playbook)
    (TOP / 'build/bench-real.json').write_text(json.dumps(dict(handler=options.handler, rows=bench.rows, broken=bench.broken), indent=1))
    return 1 if bench.broken else 0


if __name__ == '__main__':
    sys.exit(main())
