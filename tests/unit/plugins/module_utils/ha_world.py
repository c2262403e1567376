# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gateways with real agents around one Ceph that is imagined: SCST emulated, the kernel's mappings and device-mapper as data.

Time is turned by hand. What would hang hangs: the calls are made in threads, and a round is over when every thread has ended or
hangs. After every round `judge` looks for what must never be.
"""
import errno
import json
import pathlib
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / 'emulator'))

from scst_emulator import login  # noqa: E402
from scst_emulator.environment import Fake  # noqa: E402
from scst_emulator.face import Emulator  # noqa: E402

from ansible_collections.cephgate.iscsi.plugins.filter.gateway_view import gateway_view  # noqa: E402
from ansible_collections.cephgate.iscsi.plugins.module_utils import ha_agent, ha_guard  # noqa: E402
from ansible_collections.cephgate.iscsi.plugins.module_utils.gateway_fenced import FencedGateway  # noqa: E402
from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_hands import Hands  # noqa: E402
from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_loop import Agent  # noqa: E402
from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_scst import Paths  # noqa: E402
from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_watch import Watch, Watchdog  # noqa: E402
from ansible_collections.cephgate.iscsi.plugins.module_utils.rbd import Rbd  # noqa: E402

PREFIX = 'iqn.2026-11.com.example.cephgate'
HOSTS = {'db': dict(initiators=['iqn.1993-08.org.debian:01:db1']), 'web': dict(initiators=['iqn.1993-08.org.debian:01:web1'])}
STEP = 0.25
SIZE = 1 << 30


class Killed(BaseException):
    """A thread of an agent that is dead."""


class Threads:
    """Counts those that neither ended nor hang."""

    def __init__(self):
        self.busy = 0
        self.change = threading.Condition()
        self.morning, self.asleep = threading.Event(), 0

    def start(self, function):
        def body():
            try:
                function()
            except Killed:
                pass
            finally:
                self._count(-1)
        self._count(1)
        threading.Thread(target=body, daemon=True).start()

    def _count(self, number):
        with self.change:
            self.busy += number
            self.change.notify_all()

    def sleep(self, _seconds):
        """Until the next round."""
        with self.change:
            self.busy -= 1
            self.asleep += 1
            morning = self.morning
            self.change.notify_all()
        morning.wait()

    def awake(self):
        with self.change:
            self.busy, self.asleep = self.busy + self.asleep, 0
            morning, self.morning = self.morning, threading.Event()
        morning.set()

    def settle(self):
        with self.change:
            assert self.change.wait_for(lambda: self.busy == 0, 120), 'a thread neither ends nor hangs as it should'


class Link:
    """A gateway's way to Ceph. Whoever waits for it counts as busy again from the moment when it is there, not from when its thread happens to wake."""

    def __init__(self, threads):
        self.threads = threads
        self.waiting = 0
        self.gate = None  # while there is no way

    def is_set(self):
        return self.gate is None

    def clear(self):
        self.gate = self.gate or threading.Event()

    def set(self):
        with self.threads.change:
            gate, self.gate = self.gate, None
            self.threads.busy += self.waiting
            self.waiting = 0
        if gate is not None:
            gate.set()

    def wait(self):
        with self.threads.change:
            gate = self.gate
            if gate is None:
                return
            self.waiting += 1
            self.threads.busy -= 1
            self.threads.change.notify_all()
        gate.wait()


class Turn:
    """A lock; whoever waits for it, waits in rounds."""

    def __init__(self, threads):
        self.threads = threads
        self.lock = threading.Lock()

    def __enter__(self):
        while not self.lock.acquire(False):
            self.threads.sleep(0)

    def __exit__(self, *_error):
        self.lock.release()


class Ceph:
    """What is true for all gateways."""

    def __init__(self, images):
        self.ids = {image: 'id-' + image for image in images}
        self.table, self.locks, self.listed = {}, {}, {}
        self.epoch, self.clients = 1, 0
        self.fences = []  # (who, client)

    def fence(self, who, address):
        self.fences.append((who, address))
        if address not in self.listed:
            self.epoch += 1
            self.listed[address] = '2027'


class Node:
    """One host."""

    def __init__(self, world, name, number):
        self.world = world
        self.name = name
        self.host = '10.99.0.1%d' % number
        self.connected = Link(world.threads)
        self.agent = None
        self.frozen = False
        self.journal = []
        self.actions = []        # (kind, key) as they were begun
        self.interfere = None    # called with (moment, action): may kill the agent
        self.orders = dict(drain=False, wants=[])
        self.sees = set(HOSTS)   # initiators that have a network to this gateway
        self.boot()

    def boot(self):
        self.mappings, self.files, self.guards, self.failed = {}, {}, {}, set()
        self.client, self.knows = None, 0
        self.scst = Emulator('3.10', Fake(self.files))
        self.sessions = {}
        self.life = None
        self.off = False

    # -- the world around the agent

    def ask(self, life=None):
        """Every call that needs Ceph goes through here."""
        self.connected.wait()
        if life is not None and life is not self.life:
            raise Killed()

    def exchange(self, record):
        life = self.life
        self.ask(life)
        if record is not None:
            self.world.ceph.table[self.name] = json.loads(json.dumps(record))
        return json.loads(json.dumps(self.world.ceph.table))

    def holder(self, image, image_id=None):
        self.ask(self.life)
        return self.world.ceph.locks.get(image)

    def fence(self, address):
        self.ask(self.life)
        self.world.ceph.fence(self.name, address)
        return '2027'

    def free(self, image, _image_id, fenced, own):
        self.ask(self.life)
        assert image not in self.mapped(), 'the lock of a mapping that is there'
        if self.world.ceph.locks.get(image) in fenced | own:
            assert self.world.ceph.locks[image] in set(self.world.ceph.listed) | own, 'a lock was taken from a client that can still write'
            del self.world.ceph.locks[image]

    def listed(self, address):
        self.ask(self.life)
        return address in self.world.ceph.listed

    def epoch(self):
        self.ask(self.life)
        return self.world.ceph.epoch

    def refused(self):
        return self.client in self.world.ceph.listed

    def rbd(self, argv, stdin):
        self.ask()
        verb, last, ceph = argv[3], argv[-1], self.world.ceph
        if verb == 'map':
            assert 'exclusive' in argv[argv.index('--options') + 1].split(',')
            holder = ceph.locks.get(last)
            if holder and holder not in ceph.listed:
                return errno.EROFS, '', 'rbd: map failed: (30) Read-only file system\n'
            if self.client is None:
                ceph.clients += 1
                self.client = '%s:0/%d' % (self.host, ceph.clients)
            if self.refused():
                return errno.ESHUTDOWN, '', 'rbd: map failed\n'
            self.knows = ceph.epoch
            ceph.locks[last] = self.client
            number = min(set(range(999)) - {entry['number'] for entry in self.mappings.values()})
            self.mappings[last] = dict(number=number, image_id=ceph.ids[last], size=SIZE, client=self.client, fsid='F', path='/dev/rbd%d' % number,
                                       options=argv[argv.index('--options') + 1].split(','))
            return 0, '/dev/rbd%d\n' % number, ''
        assert verb == 'unmap'
        image = next(image for image, entry in self.mappings.items() if last == '/dev/rbd%d' % entry['number'])
        if any('253:%d' % self.mappings[image]['number'] in table for table in self.guards.values()):
            return errno.EBUSY, '', 'rbd: sysfs write failed\n'
        del self.mappings[image]
        if ceph.locks.get(image) == self.client and not self.refused():
            del ceph.locks[image]
        if not self.mappings:
            self.client = None
        return 0, '', ''

    def dm(self):
        return ha_guard.Guards(self.dmsetup, lambda device: 0, lambda device: ha_guard.PREFIX + device in self.guards)

    def dmsetup(self, argv):
        if argv[1:3] == ['status', '--target']:
            return 0, ''.join('%s: 0 %s multipath 2 0 0 0 1 1 A 0 1 0 %s %s 0\n' % (
                name, text.split()[1], text.split()[-2], 'F' if name in self.failed else 'A')
                for name, text in sorted(self.guards.items()) if ' multipath ' in text), ''
        if argv[1:] == ['table']:
            return 0, ''.join('%s: %s\n' % each for each in sorted(self.guards.items())) or 'No devices found\n', ''
        verb, name = argv[1], argv[2] if argv[2][0] != '-' else next(word for word in argv[2:] if word.startswith(ha_guard.PREFIX))
        path = '/dev/mapper/' + name
        if verb == 'create':
            self.guards[name] = argv[argv.index('--table') + 1]
            self.files[path] = dict(size=int(self.guards[name].split()[1]) * 512, block=True)
        elif name not in self.guards:
            return 1, '', 'Device %s not found\n' % name
        elif verb == 'remove':
            if path in self.scst.core.env.opened:
                return 1, '', 'device-mapper: remove ioctl on %s failed: Device or resource busy\n' % name
            del self.guards[name], self.files[path]
        elif verb == 'load':
            self.guards[name] = argv[argv.index('--table') + 1]
            self.files[path]['size'] = int(self.guards[name].split()[1]) * 512
        elif verb == 'message' and argv[4].startswith('reinstate_path'):
            self.failed.discard(name)
        elif verb == 'message':
            if self.is_open() and self.sessions:
                self.world.broken.append('%s: the guard lets go while initiators are connected' % self.name)
        return 0, self.guards.get(name, '') + '\n', ''

    def mapped(self):
        return {image: dict(entry) for image, entry in self.mappings.items()}

    def read(self, path, page):
        self.ask()
        image = next((image for image, entry in self.mappings.items() if entry['path'] == path), None)
        if image is None:
            raise OSError(errno.ENXIO, 'No such device')
        if self.refused():
            raise OSError(errno.EIO, 'Input/output error')
        self.knows = self.world.ceph.epoch

    # -- its software

    def gateway(self):
        return FencedGateway(self.world.states[self.name], Rbd(self.rbd, 'igw'), self.scst, self.mapped, self.dm(),
                             lambda path: self.files.get(path, {}).get('size'))

    def start(self):
        """The agent, and the service that puts everything in place for it."""
        state = self.world.states[self.name]
        self.gateway().export()
        self.life = life = object()
        hands = Hands(state, self, Rbd(self.rbd, 'igw'), Paths(self.scst, self.name, '%s:%s' % (PREFIX, self.name), 'standby', sleep=lambda s: None),
                      self.dm(), self.mapped, self.journal.append, epoch=lambda entry: self.knows,
                      number=lambda entry: '253:%d' % entry['number'], options=lambda entry: entry['options'],
                      clock=self.world.clock, sleep=self.world.threads.sleep)
        hands._settling = Turn(self.world.threads)
        perform = hands.perform

        def watched(action):
            self.actions.append((action.kind, action.key))
            if self.interfere:
                self.interfere('before', action)
            if self.life is not life:
                raise Killed()
            outcome = perform(action)
            if self.interfere:
                self.interfere('after', action)
            if self.life is not life:
                raise Killed()
            return outcome

        hands.perform = watched
        watchdog = Watchdog(lambda run: None, lambda path, client: Watch(  # a round reads them all
            path, client, self.listed, self.journal.append, read=self.read, clock=self.world.clock), self.world.clock)
        self.agent = Agent(ha_agent.site_of(state, self.host), hands, self.exchange, lambda: dict(self.orders), watchdog,
                           self.world.threads.start, self.journal.append, self.world.clock)

    def kill_agent(self):
        self.agent = self.life = None

    def power_cut(self):
        self.kill_agent()
        self.boot()
        self.off = True

    def is_open(self):
        try:
            return self.scst.read('targets/iscsi/%s:%s/enabled' % (PREFIX, self.name))[:1] == '1'
        except OSError:
            return False

    def value(self, path):
        return self.scst.read(path).split('\n')[0]

    def serves(self, device):
        return not self.off and self.is_open() and self.value('device_groups/%s/target_groups/%s/state' % (device, self.name)) == 'active' \
            and self.value('devices/%s/active' % device) == '1'

    def under(self, device):
        """The image whose mapping is below a guard."""
        disk = next(word for word in self.guards[ha_guard.PREFIX + device].split() if word.startswith('253:'))
        return next((image for image, entry in self.mappings.items() if disk == '253:%d' % entry['number']), None)

    def round(self):
        if self.off or self.frozen:
            return
        self._log_in()
        for watch in self.agent.watchdog.watches() if self.agent else ():
            if not watch.ended():
                self.world.threads.start(watch.look)
        if self.agent:
            self.agent.tick()

    def _log_in(self):
        """Initiators come back as soon as they can."""
        for host in sorted(HOSTS):
            session = self.sessions.get(host)
            if session is not None and (host not in self.sees or not self.scst.listdir('targets/iscsi/%s:%s/sessions' % (PREFIX, self.name))):
                if host not in self.sees:
                    session.close()
                del self.sessions[host]
            if self.is_open() and host in self.sees and host not in self.sessions:
                self.sessions[host] = login(self.scst.core.targets.find('%s:%s' % (PREFIX, self.name)), HOSTS[host]['initiators'][0],
                                            client='10.0.0.9', portal=self.host.replace('10.99.0', '10.99.1'))


class World:
    def __init__(self, gateways=2, disks=1):
        names = ['gw%d' % (number + 1) for number in range(gateways)]
        images = ['rbd/%s' % letter for letter in ('abcdefgh'[:disks] if disks <= 8 else range(disks))]
        self.time = 1000.0
        self.broken = []
        self.threads = Threads()
        self.ceph = Ceph(images)
        luns = [dict(image=image, size='1G', gateway=names[number % gateways], hosts={'db': number, 'web': number})
                for number, image in enumerate(images)]
        found = {image: dict(image_id='id-' + image, size=SIZE) for image in images}
        declared = {name: dict(number=number + 1, portals=['10.99.1.1%d' % (number + 1)]) for number, name in enumerate(names)}
        self.site = dict(iqn_prefix=PREFIX, luns=luns, hosts=HOSTS, gateways=declared)
        self.states = {name: gateway_view(luns, name, HOSTS, declared, PREFIX, found, 'igw', 'osdkeepalive=2', '/sys', 'fenced', fsid='F')['state']
                       for name in names}
        self.images = {device['name']: device['image'] for device in self.states['gw1']['devices']}
        self.devices = list(self.images)
        self.nodes = {name: Node(self, name, number + 1) for number, name in enumerate(names)}
        for name, node in self.nodes.items():
            setattr(self, name, node)

    def clock(self):
        return self.time

    def round(self):
        for node in self.nodes.values():
            node.round()
        self.threads.settle()
        self.threads.awake()
        self.threads.settle()
        # what ended is told to the agents, which go on without waiting for the next look
        for node in self.nodes.values():
            if node.agent and not node.off and not node.frozen:
                node.agent.tick()
        self.threads.settle()
        self.judge()
        self.time += STEP

    def run(self, seconds, until=None):
        """Returns how long it took."""
        began = self.time
        while self.time < began + seconds:
            self.round()
            if until and until():
                return self.time - began
        assert until is None, 'not within %d s:\n%s' % (seconds, '\n'.join(
            '%s: %s' % (name, line) for name, node in self.nodes.items() for line in node.journal[-8:]))
        return seconds

    def start(self):
        """A new site: initiators come when it serves. (One that is there already gets disks where it logged in first.)"""
        for node in self.nodes.values():
            node.sees = set()
            node.start()
        self.run(60, until=self.all_served)
        for node in self.nodes.values():
            node.sees = set(HOSTS)
        self.run(3)
        return self

    def owners(self, device):
        return [name for name, node in self.nodes.items() if node.serves(device) and not node.refused() and not node.frozen]

    def all_served(self):
        return all(len(self.owners(device)) == 1 for device in self.devices)

    def judge(self):
        for device in self.devices:
            owners = [name for name, node in self.nodes.items() if node.serves(device) and not node.refused()]
            if len(owners) > 1:
                self.broken.append('%s is served by %s' % (device, owners))
            for name, node in self.nodes.items():
                if node.serves(device) and ha_guard.PREFIX + device not in node.guards:
                    self.broken.append('%s: %s takes commands without a guard' % (name, device))
                elif node.serves(device) and not node.refused() and node.under(device) != self.images[device]:
                    self.broken.append('%s: %s takes commands over %s' % (name, device, node.under(device)))
        assert not self.broken, self.broken
