# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a client's run costs where nothing is to be done, on a host of files: 4 sessions, 4 paths to each LUN.

    python tests/bench/client.py [NUMBER_OF_LUNS ...]

Shown are seconds of process time of one look and one plan of each module, and the commands they call. Ends with an error
when there was something to do, when a module calls a command for each LUN, or when 200 LUNs cost more than 2 s in all.
"""
import importlib.util
import pathlib
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
subprocess.run([TOP / 'tests/tools/link-collection.sh'], check=True)
sys.path.insert(0, str(TOP / 'build/collections'))

from ansible_collections.cephgate.iscsi.plugins.module_utils import multipath_luns  # noqa: E402
from ansible_collections.cephgate.iscsi.plugins.module_utils.client_site import maps, targets  # noqa: E402
from ansible_collections.cephgate.iscsi.plugins.module_utils.disks import Disks  # noqa: E402
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm import Iscsiadm  # noqa: E402
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_plan import (  # noqa: E402
    by_key, plan_present, unwanted, wanted_portals)
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_records import Records  # noqa: E402
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_sysfs import sessions  # noqa: E402
from ansible_collections.cephgate.iscsi.plugins.module_utils.multipathd import Multipathd  # noqa: E402

SPEC = importlib.util.spec_from_file_location('hosts', TOP / 'tests/unit/plugins/conftest.py')
HOSTS = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(HOSTS)

PREFIX = 'iqn.2026-11.com.example'
GATEWAYS = {'gw1': dict(portals=['10.0.0.1', '10.0.1.1']), 'gw2': dict(portals=['10.0.0.2', '10.0.1.2'])}
SETTINGS = {'node.conn[0].timeo.noop_out_interval': 5, 'node.startup': 'manual', 'node.conn[0].startup': 'manual'}
SIZE = 1 << 30


def build(folder, count):
    host = HOSTS.Host(folder)
    portals = [('%s:%s' % (PREFIX, name), portal) for name in sorted(GATEWAYS) for portal in GATEWAYS[name]['portals']]
    for sid, (target, portal) in enumerate(portals, 1):
        host.record(target, portal)
        host.session(sid, target, portal)
    for number in range(count):
        names = ['sd%s%04d' % ('abcd'[path], number) for path in range(4)]
        for sid, name in enumerate(names, 1):
            host.disk(name, sid, serial='s%d' % number, size=SIZE, lun=number)
        host.map('dm-%d' % number, names, name='m%d' % number, size=SIZE)
    return host


def timed(action):
    start = time.process_time()
    result = action()
    return time.process_time() - start, result


def measure(count):
    calls = []
    luns = [dict(image='i%d' % number, hosts={'db': number}) for number in range(count)]
    exports = {name: {lun['image']: dict(serial='s%d' % number, size=SIZE) for number, lun in enumerate(luns)} for name in GATEWAYS}
    with tempfile.TemporaryDirectory() as folder:
        host = build(folder, count)
        disks, records = Disks(str(host.sysfs), str(host.proc)), Records(str(host.nodes))
        tool = Iscsiadm(calls.append)

        def session_plan():
            known = {record.key: (record, record.settings()) for record in records.all()}
            now = by_key(sessions(str(host.sysfs)))
            wanted = wanted_portals(targets(PREFIX, GATEWAYS), SETTINGS, startup='manual')
            return plan_present(tool, wanted, known, now) + unwanted({item.key for item in wanted}, known, now, [PREFIX])

        def map_plan():
            found = multipath_luns.look(disks, declared)
            return [lun for lun in found if multipath_luns.missing(lun)] or (
                multipath_luns.plan_scan(found, sessions(str(host.sysfs))) + multipath_luns.plan_claims(found, Multipathd)
                + multipath_luns.plan_sizes(found, Multipathd.resize))

        now = [session.as_dict() for session in sessions(str(host.sysfs))]
        view, declared = timed(lambda: maps(luns, 'db', PREFIX, exports, now))
        login, first = timed(session_plan)
        look, second = timed(map_plan)
    if first or second or len(declared) != count or any(entry['paths'] != 4 for entry in declared):
        sys.exit('%d LUNs: there was something to do: %s' % (count, (first + second)[:3]))
    if calls:
        sys.exit('%d LUNs: commands were called: %s' % (count, calls[:3]))
    print('%5d LUNs   site %.3f s   iscsi_session %.3f s   multipath_map %.3f s   commands %d' % (count, view, login, look, len(calls)))
    return view + login + look


def main(counts):
    for count in counts:
        seconds = measure(count)
        if count <= 200 and seconds > 2:
            sys.exit('%d LUNs: %.1f s, more than 2 s' % (count, seconds))


if __name__ == '__main__':
    main([int(text) for text in sys.argv[1:]] or [3, 200, 1000])
