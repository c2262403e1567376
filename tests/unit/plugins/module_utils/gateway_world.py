# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One gateway for tests: images in Ceph, the kernel's mappings, SCST emulated, the state file, a clock to turn."""
import json
import pathlib
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / 'emulator'))

from scst_emulator.environment import Fake  # noqa: E402
from scst_emulator.face import Emulator  # noqa: E402

from ansible_collections.cephgate.iscsi.plugins.filter.gateway_view import gateway_view  # noqa: E402
from ansible_collections.cephgate.iscsi.plugins.module_utils import gateway_serve, lock  # noqa: E402
from ansible_collections.cephgate.iscsi.plugins.module_utils.gateway_mapper import Mapper  # noqa: E402
from ansible_collections.cephgate.iscsi.plugins.module_utils.gateway_state import Gateway  # noqa: E402
from ansible_collections.cephgate.iscsi.plugins.module_utils.rbd import Rbd  # noqa: E402

PREFIX = 'iqn.2026-11.com.example.cephgate'
TARGET = 'targets/iscsi/%s:gw1' % PREFIX
HOST = 'iqn.1993-08.org.debian:01:db1'
LUNS = [dict(image='rbd/a', size='1G', gateway='gw1', hosts={'db': 0}),
        dict(image='rbd/b', size='1G', gateway='gw2', hosts={'db': 1}),
        dict(image='rbd/c', size='1G', gateway='gw1', hosts={'db': 2})]
HOSTS = {'db': dict(initiators=[HOST])}
GATEWAYS = {'gw1': dict(number=1, portals=['10.99.1.11']), 'gw2': dict(number=2, portals=['10.99.1.12'])}


class World:

    def __init__(self, personality='3.10', folder=None):
        self.personality = personality
        self.path = folder / 'state.json' if folder else None
        self.ids = {'rbd/' + name: 'id-' + name for name in 'abcd'}
        self.kernel = threading.Lock()  # maps one at a time
        self.broken = set()  # images that rbd does not find
        self.hanging = {}  # image: what its mapping waits for
        self.time = 1000.0
        self.journal, self.reports = [], []
        self.boot()
        self.state = self.declare(LUNS)

    def boot(self):
        """As after a power cut: nothing mapped, SCST empty, its daemon running."""
        self.mappings, self.files, self.calls = {}, {}, []
        self.clients = 0  # of Ceph, that the kernel has had: all mappings share one, and it goes with the last
        self.scst = Emulator(self.personality, Fake(self.files))

    def declare(self, luns):
        """The state that the role derives from LUNs whose images are all mapped."""
        return self.view(luns)['state']

    def view(self, luns):
        found = {image: dict(image_id=name, fsid='F', size=1 << 30, path='/dev/rbd/' + image) for image, name in self.ids.items()}
        return gateway_view(luns, 'gw1', HOSTS, GATEWAYS, PREFIX, found)

    def write(self, state=None):
        self.path.with_suffix('.new').write_text(json.dumps(state or self.state))
        self.path.with_suffix('.new').rename(self.path)

    def rbd(self, argv, stdin):
        self.calls.append(argv[3:])
        verb, image = argv[3], argv[-1]
        if verb == 'unmap':
            name = next(name for name, entry in self.mappings.items() if image == '/dev/rbd%d' % entry['number'])
            del self.mappings[name], self.files['/dev/rbd/' + name]
            return 0, '', ''
        if image in self.hanging:
            self.hanging[image].wait(30)
        if image not in self.ids or image in self.broken:
            return 2, '', 'rbd: error opening image: (2) No such file or directory\n'
        self.map(image)
        return 0, '', ''

    def map(self, image):
        with self.kernel:
            self.clients += not self.mappings
            numbers = [entry['number'] for entry in self.mappings.values()]
            self.files['/dev/rbd/' + image] = dict(size=1 << 30, block=True)
            self.mappings[image] = dict(number=max(numbers + [-1]) + 1, path='/dev/rbd/' + image, image_id=self.ids[image],
                                        fsid='F', size=1 << 30, client='10.99.0.11:0/%d' % self.clients)

    def map_all(self):
        for image in self.ids:
            self.map(image)

    def mapped(self):
        return {image: dict(entry) for image, entry in list(self.mappings.items())}

    def gateway(self, state=None):
        return Gateway(state or self.state, Rbd(self.rbd, 'igw'), self.scst, self.mapped,
                       lambda path: self.files.get(path, {}).get('size'))

    def clock(self):
        return self.time

    def current(self):
        return json.loads(self.path.read_text()) if self.path else self.state

    def mapper(self, **options):
        return Mapper(lambda: self.current()['images'], self.mapped, lambda: Rbd(self.rbd, 'igw'), **options)

    def apply(self):
        return gateway_serve.apply_once(self.mapper(), lambda known, enable: self.gateway(self.current()).export(known, enable))

    def keeper(self, **options):
        return gateway_serve.Keeper(
            str(self.path), self.gateway, self.mapper(clock=self.clock), lambda: lock.scst('cephgate serve', wait=0),
            self.reports.append, self.journal.append, clock=self.clock, **options)

    def run(self, keeper, seconds=3, until=None):
        """Let the keeper look once a second of its clock; the attempts that it starts end in real time."""
        for _second in range(seconds):
            keeper.tick()
            end = time.monotonic() + 5
            while any(not attempt.ended and image not in self.hanging
                      for image, attempt in list(keeper.mapper._running.items())) and time.monotonic() < end:
                time.sleep(0.002)
            if until and until():
                return
            self.time += 1
        assert until is None, 'not within %d s: %s' % (seconds, self.journal)

    def hang(self, image):
        self.hanging[image] = threading.Event()

    def answer(self, image):
        self.hanging.pop(image).set()

    def luns(self):
        try:
            return sorted(n for n in self.scst.listdir(TARGET + '/ini_groups/db/luns') if n != 'mgmt')
        except OSError:
            return []

    def enabled(self):
        try:
            return self.scst.read(TARGET + '/enabled')[:1] == '1'
        except OSError:
            return False
