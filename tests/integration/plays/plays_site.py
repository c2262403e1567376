# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A site whose gateways are namespaces of this machine, and its playbooks."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

from surveys import answers

TOP = pathlib.Path(__file__).resolve().parents[3]
BIN = pathlib.Path(sys.executable).parent
HERE = pathlib.Path(__file__).resolve().parent
PREFIX = 'iqn.2026-11.com.example.cephgate'
DB, WEB = 'iqn.1993-08.org.debian:01:db1', 'iqn.1993-08.org.debian:01:web1'
LUNS = [dict(image='rbd/a', size='64M', gateway='gw1', hosts={'db': 0}),
        dict(image='rbd/b', size='64M', gateway='gw2', hosts={'db': 1, 'web': 0}),
        dict(image='rbd/c', size='64M', hosts={'db': 2})]
HOSTS = {'db': {'initiators': [DB]}, 'web': {'initiators': [WEB]}}

BINDINGS = HERE / 'stand_ins/bindings'
# For all that runs on a gateway.
ENVIRONMENT = dict(PYTHONPATH='%s:%s' % (BINDINGS, TOP / 'tests/tools/bytecode'), CEPHGATE_BYTECODE=str(TOP / 'build/bytecode'))

# Stands for the package manager: this machine's packages are none of a test's business.
PACKAGES = '''#!/usr/bin/python
from ansible.module_utils.basic import AnsibleModule

AnsibleModule(dict(name=dict(type='list', elements='str'), state=dict(type='str'))).exit_json(changed=False)
'''


class Gateway:
    """One gateway: its process, its initiators, a shell in it."""

    def __init__(self, top, number):
        self.name, self.number = 'gw%d' % number, number
        self.folder = top / self.name
        self.folder.mkdir()
        self.portals = ['10.99.1.1%d' % number, 'fd00:99:2::1%d' % number]
        self.log_in()
        # One mount namespace for one gateway; what it mounts ends with the process.
        self.process = subprocess.Popen(
            ['unshare', '--mount', '--net', sys.executable, HERE / 'gateway_host.py', self.folder, self.portals[0] + '/24', self.portals[1] + '/64'],
            stdout=open(self.folder / 'log', 'w'), stderr=subprocess.STDOUT)
        self.python = self.folder / 'python'
        self.inside = 'nsenter --mount=/proc/%d/ns/mnt --net=/proc/%d/ns/net --' % (self.process.pid, self.process.pid)
        self.python.write_text('#!/bin/sh\nexport %s\nexec %s %s "$@"\n' % (
            ' '.join("%s='%s'" % each for each in ENVIRONMENT.items()), self.inside, sys.executable))
        self.python.chmod(0o755)
        end = time.monotonic() + 20
        while self.sh('cat /run/scst_tgt/version', check=False).returncode:
            assert time.monotonic() < end and self.process.poll() is None, (self.folder / 'log').read_text()
            time.sleep(0.1)

    def log_in(self, *names, portals=(0, 1)):
        """These initiators, through these portals, and no others."""
        text = json.dumps([dict(name=name, address='10.99.1.%d' % (20 + index), portal=self.portals[portal])
                           for index, name in enumerate(names) for portal in portals])
        (self.folder / 'initiators.new').write_text(text)
        (self.folder / 'initiators.new').rename(self.folder / 'initiators.json')

    def sh(self, command, check=True):
        done = subprocess.run(self.inside.split() + ['sh', '-c', command], text=True, check=False, capture_output=True, timeout=60,
                              env=dict(os.environ, **ENVIRONMENT))
        assert not check or done.returncode == 0, (command, done.stdout, done.stderr)
        return done

    def sessions(self):
        return sorted(self.sh('ls /run/scst_tgt/targets/iscsi/%s:%s/sessions 2>/dev/null || true' % (PREFIX, self.name)).stdout.split())

    def luns(self, group='db'):
        listed = self.sh('ls /run/scst_tgt/targets/iscsi/%s:%s/ini_groups/%s/luns 2>/dev/null || true' % (PREFIX, self.name, group)).stdout
        return sorted(int(word) for word in listed.split() if word.isdigit())

    def enabled(self):
        return self.sh('cat /run/scst_tgt/targets/iscsi/%s:%s/enabled' % (PREFIX, self.name), check=False).stdout[:1] == '1'

    def status(self):
        return json.loads(self.sh('/usr/local/sbin/cephgate --json status', check=False).stdout)

    def cephgate(self, *words):
        """(exit code, what it answers) of the command."""
        done = self.sh('/usr/local/sbin/cephgate --json %s' % ' '.join(words), check=False)
        assert 'Traceback' not in done.stderr, done.stderr
        return done.returncode, json.loads(done.stdout)

    def value(self, path):
        """First line of a file of SCST's tree; None when it is not there."""
        return (self.sh('cat /run/scst_tgt/' + path, check=False).stdout.splitlines() or [None])[0]

    def names(self, path):
        return self.sh('ls /run/scst_tgt/%s 2>/dev/null || true' % path).stdout.split()

    def mapped(self):
        return sorted(self.sh('cat /sys/bus/rbd/devices/*/name 2>/dev/null || true').stdout.split())

    def guards(self):
        return sorted(self.sh('ls /run/guards').stdout.split())

    def active(self):
        """Images whose path is active and whose device is open here."""
        return sorted(entry['image'] for entry in self.status()['images'] if entry.get('here') == 'active')

    def end(self):
        self.sh('systemctl stop cephgate-agent cephgate', check=False)
        # The emulator unmounts itself on SIGTERM; unshare without --fork is the process itself.
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)


class Site:

    def __init__(self, top, count=2, **variables):
        self.top = top
        self.variables = variables
        (top / 'ceph/images').mkdir(parents=True)
        (top / 'ceph/ids').mkdir()
        (top / 'library').mkdir()
        (top / 'library/no_packages.py').write_text(PACKAGES)
        (top / 'ceph/osdmap').write_text('epoch 1 barrier 0 flags 0x0\n')
        self.gateways = {'gw%d' % number: Gateway(top, number) for number in range(1, count + 1)}
        self.dead = set()

    def inventory(self):
        hosts = {name: dict(cephgate_gateway_id=one.number, cephgate_portals=one.portals, ansible_python_interpreter=str(one.python))
                 for name, one in self.gateways.items()}
        for name in self.dead:
            hosts[name].update(ansible_connection='ssh', ansible_host='127.0.0.1', ansible_port=9, ansible_ssh_timeout=2)
        return dict(all=dict(vars=dict(dict(
            ansible_connection='local', ansible_package_use='ansible.legacy.no_packages', cephgate_iqn_prefix=PREFIX, cephgate_luns=LUNS, cephgate_hosts=HOSTS,
            cephgate_sysfs_root='/run/scst_tgt', cephgate_scst_install=False, gateway_service=False, gateway_init='systemd', cephgate_ceph_client='igw',
            cephgate_ceph_key='AQ==', cephgate_ceph_fsid='a7f64266-0894-4f1e-a635-d0aeaca0e993', cephgate_ceph_mon_host='10.0.0.1',
            gateway_drain_tries=3), **self.variables)), gateways=dict(hosts=hosts))

    def play(self, name, *arguments, **variables):
        """(exit code, {host: changed}, errors as one text, tasks by host in order)"""
        (self.top / 'hosts.json').write_text(json.dumps(self.inventory()))
        done = subprocess.run(
            [BIN / 'ansible-playbook', '-i', self.top / 'hosts.json', 'cephgate.iscsi.' + name, '--extra-vars', json.dumps(variables), *arguments],
            cwd=TOP, text=True, check=False, capture_output=True, stdin=subprocess.DEVNULL, timeout=600, env=dict(
                os.environ, ANSIBLE_STDOUT_CALLBACK='ansible.posix.json', ANSIBLE_NOCOLOR='1', ANSIBLE_PIPELINING='1',
                ANSIBLE_LIBRARY=str(self.top / 'library'), ANSIBLE_COLLECTIONS_PATH=str(TOP / 'build/collections'),
                ANSIBLE_REMOTE_TMP=str(self.top / 'tmp'), PATH='%s:%s' % (BIN, os.environ['PATH'])))
        start = done.stdout.find('{\n')
        assert start >= 0, done.stdout + done.stderr
        return Played(done.returncode, json.JSONDecoder().raw_decode(done.stdout[start:])[0], done.stderr)

    def job(self, name, **given):
        """The same with these answers to the survey of the playbook's job template."""
        return self.play(name, **answers(name, given))


class Played:

    def __init__(self, code, report, stderr):
        self.code, self.stderr = code, stderr
        self.changed = {host: counts['changed'] for host, counts in report['stats'].items()}
        self.errors, self.said, self.tasks = [], [], []
        for play in report['plays']:
            for task in play['tasks']:
                for host, result in task['hosts'].items():
                    self.tasks.append((host, task['task']['name'].split(' : ')[-1], result.get('changed', False)))
                    if result.get('failed') or result.get('unreachable'):
                        self.errors.append('%s: %s' % (host, result.get('msg')))
                    elif result.get('msg') and 'debug' in str(result.get('action', task['task'].get('name'))):
                        self.said.append(str(result['msg']))
                    elif isinstance(result.get('msg'), str):
                        self.said.append(result['msg'])

    @property
    def error(self):
        return '\n'.join(self.errors) + self.stderr

    def did(self, task):
        return [host for host, name, dummy in self.tasks if name == task]
