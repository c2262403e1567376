# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent as a service: made of the state file, told to end by systemd, watched by it."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json
import os
import signal
import socket
import subprocess
import threading
import time

from ansible_collections.cephgate.iscsi.plugins.module_utils import gateway_state, ha_mapper, ha_rados
from ansible_collections.cephgate.iscsi.plugins.module_utils.ceph_conf import monitors
from ansible_collections.cephgate.iscsi.plugins.module_utils.gateway_mapper import clock
from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_ceph import Ceph
from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_guard import Guards
from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_hands import Hands
from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_loop import Agent, Threads
from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_scst import Paths
from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_types import LIMITS, Site, host_of
from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_watch import Watch, Watchdog
from ansible_collections.cephgate.iscsi.plugins.module_utils.kernel_writer import Writer
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused
from ansible_collections.cephgate.iscsi.plugins.module_utils.rbd import bounded_run, clients, mapped, mapping
from ansible_collections.cephgate.iscsi.plugins.module_utils.rbd_kernel import KernelRbd
from ansible_collections.cephgate.iscsi.plugins.module_utils.sysfs import Sysfs

TICK, SHORT = 0.25, 0.01  # seconds for which the loop rests at most, and at least, when nothing wakes it
# A step that took longer than QUICK, or that many actions are under way beside, is followed by a rest of SPARE times what it took (more), but no more
# than REST. With FEW disks only one of EASY is: each of the steps of a planned move is waited for by initiators.
QUICK, SPARE, REST = 0.05, 3, 0.1
FEW, EASY = 16, 0.2
DEBUGFS = '/sys/kernel/debug'
REPORT_EVERY = 1.0
ASK = 4        # seconds that a command of Ceph may take
CHANGE = 25    # the same for rbd map and unmap; longer than limits.claim, by which another gateway may try
LEAVING = 25   # seconds for giving everything away before the host goes down
STILL = 15     # seconds for which the loop may stand still
# Seconds between signs of life for systemd, which waits for 120: each wakes it, and is a socket (measured, emulated: 26 ms, one at each step was a third of
# what the loop had to do).
ALIVE = 10


def own_address(addresses, make=socket.socket):
    """The address from which this host speaks to one of these. Nothing is sent for it."""
    for host, port in addresses:
        try:
            family, kind, dummy, dummy2, address = socket.getaddrinfo(host, port, 0, socket.SOCK_DGRAM)[0]
            channel = make(family, kind)
        except EnvironmentError:
            continue
        try:
            channel.connect(address)
            return channel.getsockname()[0]
        except EnvironmentError:
            continue
        finally:
            channel.close()
    return None


def site_of(state, host):
    ha = state['ha']
    return Site(ha['me'], host, tuple(ha['gateways']), dict((name, tuple(order)) for name, order in ha['order'].items()), LIMITS)


def host_address(state, current):
    """As the kernel's Ceph client would have it; an existing one says it itself."""
    for entry in current.values():
        if entry.get('client'):
            return host_of(entry['client'])
    with open('/etc/ceph/%s.conf' % state['cluster']) as handle:
        found = own_address([(host, port) for dummy, host, port in monitors(handle.read())])
    if found is None:
        raise Refused('/etc/ceph/%s.conf: no monitor in mon_host to which this host has a route, so it is not known from which address its '
                      'Ceph client speaks.' % state['cluster'])
    return found


def ceph_of(state):
    """With ha_mode shared there are no records, so no pool for them."""
    pool = (state.get('ha') or {}).get('pool')
    found = ha_rados.bindings()
    if found:
        return ha_rados.Rados(found, pool, state['client'], state['cluster'])
    return Ceph(bounded_run(ASK), pool, state['client'], state['cluster'])


def filled(path):
    """Whether a folder holds anything; a mounted debugfs always does."""
    try:
        return bool(os.listdir(path))
    except EnvironmentError:
        return False


def show_debugfs(mounted=filled, run=subprocess.Popen):
    """The kernel tells its osdmap in debugfs alone, and not every host mounts that at boot."""
    if mounted(DEBUGFS):
        return
    process = run(['mount', '-t', 'debugfs', 'debugfs', DEBUGFS], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, close_fds=True)
    said = process.communicate()[0].decode('utf-8', 'replace').strip()
    if process.returncode and not mounted(DEBUGFS):
        raise Refused('%s cannot be mounted (%s). It tells which osdmap the kernel has, which must be known before a disk is taken over. A kernel that is '
                      'locked down has none: set ha_mode to shared, and read there what it risks.' % (DEBUGFS, said or process.returncode))


def guards():
    library = ha_mapper.load() if ha_mapper.ordinary() else None
    return Guards(mapper=ha_mapper.Mapper(library) if library else None)


def check(state):
    gateway_state.check(state)
    if not state.get('ha'):
        raise Refused('the state file says nothing of ha_mode fenced, so there is nothing for an agent to do.')


class Keeper(object):
    """The agent of this host, and what it needs from outside the protocol.

    load: () -> the state; orders: () -> {drain, wants}; say: called with lines for the journal; where: path of the report
    """

    def __init__(self, load, stamp, orders, say, where):
        self.load = load
        self.stamp = stamp
        self.where = where
        self.say = say
        state = load()
        check(state)
        show_debugfs()
        ceph = ceph_of(state)
        rbd = KernelRbd(bounded_run(CHANGE), Writer(CHANGE), client=state['client'], cluster=state['cluster'])
        rbd.load()
        known = {}
        hands = Hands(state, ceph, rbd,
                      Paths(Sysfs(state['sysfs_root']), state['ha']['me'], state['targets'][0]['name'], state['ha']['passive']),
                      guards(), lambda: mapped(known=known), say, lambda image: mapping(image, known),
                      lambda: clients(known))
        me, threaded = state['ha']['me'], Threads()
        watchdog = Watchdog(threaded, lambda path, client: Watch(path, client, ceph.listed, say))
        self.agent = Agent(site_of(state, host_address(state, mapped())), hands, lambda record: ceph.exchange(me, record), orders, watchdog,
                           threaded, say, clock)
        self._stamp = stamp()
        self._reported = None
        self._spent = 0
        say('agent of gateway %s, among %s, at %s; Ceph is asked through %s' % (
            me, ', '.join(state['ha']['gateways']), self.agent.site.host, 'its commands' if isinstance(ceph, Ceph) else 'librados'))

    def tick(self):
        began = clock()
        self.agent.tick()
        now = clock()
        self._spent = now - began
        if self._reported is None or now >= self._reported + REPORT_EVERY * (SPARE if self.agent.crowded() else 1):
            self._reported = now
            self._reload()
            self.report()

    def _reload(self):
        try:
            stamp = self.stamp()
            if stamp != self._stamp:
                state = self.load()
                check(state)
                self._stamp = stamp
                self.agent.take(site_of(state, self.agent.site.host), state)
                self.say('the state file is another one: %d disks' % len(self.agent.site.order))
        except (EnvironmentError, Refused) as error:
            # What was known is still true: disks are served on.
            self._stamp = stamp
            self.say(str(error))

    def report(self):
        with open(self.where + '.new', 'w') as handle:
            handle.write(json.dumps(self.agent.report(), sort_keys=True))  # json.dump encodes in Python, with a hundred disks ten times as long
        os.rename(self.where + '.new', self.where)

    def wait(self, sleep=time.sleep):
        # Every end of an action wakes the loop. While many disks are under way at once, one step is to see many ends: the steps would
        # take the processor that the actions wait for.
        quick = EASY if len(self.agent.site.order) <= FEW else QUICK
        sleep(min(SPARE * max(0, self._spent - (0 if self.agent.working() else quick)), REST))
        self.agent.wake.wait(max(SHORT, min(TICK, self.agent.rest())))
        self.agent.wake.clear()


def going_down(run=subprocess.Popen):
    """Whether the host is on its way down, and not only this service."""
    try:
        out = run(['systemctl', 'is-system-running'], stdout=subprocess.PIPE, stderr=subprocess.PIPE, close_fds=True).communicate()[0]
    except EnvironmentError:
        return False
    return out.strip() == b'stopping'


def notify(text, environment=None):
    """sd_notify(3); nothing when systemd does not listen."""
    address = (os.environ if environment is None else environment).get('NOTIFY_SOCKET')
    if not address:
        return
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        channel.connect('\0' + address[1:] if address.startswith('@') else address)
        channel.send(text.encode('ascii'))
    except EnvironmentError:
        pass  # its own time limit will tell
    finally:
        channel.close()


class Beat(object):
    """Ends an agent whose loop stands still, for one that hangs is no better than none; systemd starts the next one.

    The seconds are counted one by one, so those in which the whole host was frozen are none. systemd, which goes by the clock, ended agents that had
    just woken, and for the 10 s until the next one looked the guards held what initiators sent to the paths of a gateway that was refused
    (measured, emulated): so its own time limit is a long one, for an interpreter that stands still with all its threads.
    """

    def __init__(self, say, sleep=time.sleep, end=os._exit):
        self.number = 0
        self.over = False
        self._say = say
        self._sleep = sleep
        self._end = end

    def watch(self):
        seen, still = None, 0
        while still < STILL:
            self._sleep(1)
            if self.over:
                return
            still = still + 1 if self.number == seen else 0
            seen = self.number
        self._say('the loop has stood still for %d s, so this agent ends' % still)
        self._end(1)

    def start(self):
        thread = threading.Thread(target=self.watch)
        thread.daemon = True
        thread.start()


def run(keeper, renewed):
    """For ever; until systemd says stop (SIGTERM), or C(renewed()) says that a newer version was installed: then True."""
    agent, asked = keeper.agent, []
    signal.signal(signal.SIGTERM, lambda *dummy: (asked.append(clock()), agent.wake.set()))
    notify('READY=1')
    beat = Beat(keeper.say)
    beat.start()
    again, told = False, None
    while not agent.over:
        keeper.tick()
        beat.number += 1
        if told is None or clock() >= told + ALIVE:
            told = clock()
            notify('WATCHDOG=1')
        if asked and not agent.leaving:
            agent.leave('gone' if going_down() else 'away')
            keeper.say('leaving: %s' % ('the host goes down; giving the disks away' if agent.leaving == 'gone' else
                                        'the disks are served on, and others wait for the next agent'))
        elif not agent.leaving and renewed():
            again = True
            asked.append(clock())
            agent.leave('away')
        if asked and clock() > asked[0] + LEAVING:
            keeper.say('leaving although not everything is done')
            break
        keeper.wait()
    beat.over = True
    keeper.report()
    return again
