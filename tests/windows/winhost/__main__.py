# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m winhost INVENTORY PIDFILE: the gateways and Windows hosts of an Ansible inventory, until killed.

Group gateways: cephgate_portals. Group windows_clients: ansible_host, ansible_port, ansible_user, ansible_password, and winhost_host,
the arguments of Host. The site's variables are those of the group all. Tests ask at winhost_control: GET /state, POST /lose_session/HOST.
"""
import http.server
import json
import os
import pathlib
import sys

import yaml

from .host import Host
from .server import WinRM, clock
from .target import Gateway


def gateways(inventory):
    site = inventory['all']['vars']
    hosts = site['cephgate_hosts'].values()
    for name, own in inventory['all']['children']['gateways']['hosts'].items():
        exports = own['gateway_exports']
        yield name, Gateway(
            '%s:%s' % (site['cephgate_iqn_prefix'], name),
            [(portal.rpartition(':')[0] or portal, int(portal.rpartition(':')[2]) if ':' in portal else 3260) for portal in own['cephgate_portals']],
            users={host['chap']['user']: host['chap']['secret'] for host in hosts if host.get('chap')},
            initiators=[initiator for host in hosts for initiator in host['initiators']],
            luns=[dict(serial=export['serial'], naa=export['serial'][:16], size=export['size']) for export in exports.values()]).start()


def windows(inventory):
    group = inventory['all']['children']['windows_clients']
    for name, own in group['hosts'].items():
        own = dict(group.get('vars') or {}, **own)
        host = Host(clock=clock, **own['winhost_host'])
        yield name, WinRM(host, (own['ansible_host'], own['ansible_port']), own['ansible_user'], own['ansible_password'],
                          basic=own['ansible_winrm_transport'] == 'basic')


def state(host):
    host.iscsi.refresh()
    return dict(
        version=host.personality.name, language=host.language, writes=len(host.writes), reboots=host.reboots, unknown=host.unknown,
        sessions=sorted('%s %s:%d' % (session.wish.target, *session.wish.portal) for session in host.iscsi.sessions),
        persistent=sorted('%s %s:%d' % (entry.target, *entry.portal) for entry in host.iscsi.persistent),
        drives=[dict(serial=lun['serial'], paths=len(sessions), multipath=multipath)
                for lun, sessions, multipath in host.iscsi.drives().values()],
        media=host.disks)


class Control(http.server.BaseHTTPRequestHandler):
    hosts = {}

    def log_message(self, *arguments):
        pass

    def answer(self, value):
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        found = {}
        for name, winrm in self.hosts.items():
            with winrm.lock:
                found[name] = state(winrm.host)
        self.answer(found)

    def do_POST(self):
        dummy, verb, name = self.path.split('/')
        winrm = self.hosts[name]
        with winrm.lock:
            if verb == 'lose_session':
                winrm.host.iscsi.log_out(winrm.host.iscsi.sessions[0])
        self.answer({})


def main():
    inventory = yaml.safe_load(pathlib.Path(sys.argv[1]).read_text(encoding='utf-8'))
    serving = dict(gateways(inventory))
    Control.hosts = dict(windows(inventory))
    address, port = inventory['all']['vars']['winhost_control'].split(':')
    server = http.server.ThreadingHTTPServer((address, int(port)), Control)
    pathlib.Path(sys.argv[2]).write_text('%d\n' % os.getpid(), encoding='ascii')
    print('%d gateways, %d hosts' % (len(serving), len(Control.hosts)), flush=True)
    server.serve_forever()


if __name__ == '__main__':
    main()
