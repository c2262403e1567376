# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The loop of an agent: sees, asks the core (ha_decide), has done what it says.

C(tick) itself never waits. Whatever may hang, be it Ceph, the kernel or SCST, is called in a thread: the exchange of records, the look
at this gateway, each action. What hangs is missing from the view, which the core understands; the rest goes on.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import collections
import threading

try:
    from _thread import start_new_thread  # novm
except ImportError:  # Python 2
    from thread import start_new_thread

from ansible_collections.cephgate.iscsi.plugins.module_utils import ha_decide, ha_patience, ha_seen, ha_take
from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_lease import described, silence
from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_pace import BEAT, Pace, news
from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_types import is_record, new_memory

LOOK = 0.25     # seconds between looks at this gateway, at least
# Times what one at all disks takes, until the next one at all of them, but no more seconds: what actions have changed is looked at by itself.
RARE, MOST = 9, 3.0
FOLLOW = 5.0    # seconds between looks at guards
# A fenced gateway's sessions wait for commands that the guard holds back, so some go only when it lets go. By then their
# connections must be down: SCST shuts them at once, LIO stops sending.
CUTTING = 3.0
# Actions at a time, by what they need. Of Ceph: each may be a process and a Ceph client of its own. Here: they take the processor more than they wait;
# with all at once none of them ends early, and the exchange of records, which has to end in time for anything to be begun, waits behind them
# (measured with a hundred disks: for 3 s). Of leaving service: with a hundred at once the loop came to nothing for 15 s, and systemd ended the agent;
# they never wait behind what hangs in Ceph.
AT_ONCE = {'Ceph': 16, 'here': 4, 'leaving': 16}
NEEDS = {'look': 'Ceph', 'map': 'Ceph', 'unmap': 'Ceph', 'settle': 'here', 'raise': 'here', 'clear': 'leaving'}
# Seconds for which others are told that disks are about to be given away, before they are: they hear of it with their next exchange, and look again
# more often from then on. Initiators wait for nothing yet.
NOTICE = 0.75
# Seconds for which the path of a disk that another gateway is to take has its initiators ask again; they do so six times, for half a second each.
MOVE = 3.0
# Seconds that a disk is left to others after its device was missing in SCST, for each place in its order: gateways are made ready one
# after the other, and the first one in SCST should not get all new disks.
UNMADE = 2.0
# What is not seen of a disk.
ABSENT = dict(client=None, path='passive', sessions=False, health=None)


class Agent(object):
    """One gateway's agent.

    hands:    ha_hands.Hands
    exchange: record or None -> {gateway: record}; raises EnvironmentError
    orders:   () -> {drain, wants}
    watchdog: ha_watch.Watchdog
    start:    (function) runs it in a thread
    """

    def __init__(self, site, hands, exchange, orders, watchdog, start, say, clock):
        self.site = site
        self.hands = hands
        self.exchange = exchange
        self.orders = orders
        self.watchdog = watchdog
        self.start = start
        self.say = say
        self.clock = clock
        self.wake = threading.Event()
        watchdog.news = self.wake.set
        self.memory = new_memory()
        self.leaving = None      # 'away': the agent restarts; 'gone': the host goes down, so give everything away first
        self.over = False
        self.orphans = {}        # {device: image} of LUNs that are not declared any more
        self._adopted = False    # whether those are known that an earlier agent has left
        self._lock = threading.Lock()
        self._queue = []         # actions that wait for their turn
        self._running = dict.fromkeys(AT_ONCE, 0)
        self._ended = []         # (when, kind, key, outcome, whether all that it has changed is known)
        self._left = {}          # {device: [(when, what an action has left of it)]}, until a look that began later
        self._seen = None
        self._looking = self._exchanging = False
        self._looked = self._whole = self._beaten = self._followed = None
        self._cost = self._whole_cost = 0  # seconds that the last look took, and the last one at all disks
        self._table = self._told = None
        self._fresh = self._wrote = self._asked = False
        self._born = clock()
        self._last = None
        self._closing = None
        self.pace = Pace(site.me)
        self._trouble = {}
        self._complaints = {}    # of the core, as they were told last
        self._served = {}        # {device: when it was last known to be served, here or by a gateway that lived}
        self._moving = {}        # {device: since when its path says that it is about to change}
        self._pointed = {}       # {device: the gateway of which this one tells initiators that it serves it}
        self._pointing = False
        self._stepped, self._unmade = (None, None), ()  # (look, site) of the last step; the disks that SCST lacks
        self._drain = None       # when the order to give everything away was first seen
        self._taken = {}         # {device: (how often this agent took it over, seconds without a gateway before the last time)}

    # -- called in threads

    def _look(self, began, devices):
        """devices: only these, and what belongs to no disk; None: all."""
        try:
            seen = dict(self.hands.see(devices), orders=self.orders(), began=began)
            for found in seen['luns'].values():
                found['health'] = None  # of a mapping the watchdog knows it, at each step
            if devices is not None:
                seen = ha_seen.with_others(seen, self._seen)
            self._tell('look', None)
        except Exception as error:  # pylint: disable=broad-except # a look that failed must not be the last one
            seen = None
            self._tell('look', 'looking at this gateway: %s' % error)
        with self._lock:
            self._looking = False
            self._looked = self.clock()
            self._cost = self._looked - began
            if devices is None:
                self._whole, self._whole_cost = self._looked, self._cost
            before = self._seen
            if seen is not None:
                self._take_seen(seen)
            # With many disks a step is long, so one that has nothing new to go by can wait.
            wake = bool(self._ended) or seen is not None and ha_seen.news(self._seen, before)
        if wake:
            self.wake.set()

    def _take_seen(self, seen):
        self._left = ha_seen.later(self._left, seen)
        self._seen = ha_seen.with_left(seen, self._left)

    def _exchange(self, record, began):
        try:
            table = self.exchange(record)
            odd = sorted(name for name in table if not is_record(table[name]))
            table = dict((name, value) for name, value in table.items() if name not in odd)
            self._tell('exchange', 'what lies in Ceph as the record of %s is none, so it counts as nothing. Its agent writes a new one; does it run?' % (
                ', '.join(odd)) if odd else None)
        except Exception as error:  # pylint: disable=broad-except
            table = None
            self._tell('exchange', 'exchanging records: %s' % error)
        ended = self.clock()
        with self._lock:
            self._exchanging, self._asked = False, True
            self.pace.ended(record, table is not None, ended - began)
            wake = table is not None and news(table, self._table)
            # An answer that was long under way tells of long ago: this host may have been frozen.
            if table is not None and ended - began <= self.site.limits.gap:
                self._table, self._told, self._fresh = table, ended, True
            self._wrote = self._wrote or table is not None and record is not None  # which shows that I live, however late
        if wake:
            self.wake.set()

    def _act(self, action):
        """Perform an action, and then what has waited for it to end."""
        while action is not None:
            outcome = self.hands.perform(action)
            with self._lock:
                ended = self.clock()
                # Of many ends at once a look tells for less: what is known is put together anew at each.
                left = None if self._seen is None or self.crowded() else ha_seen.left_by(action, outcome)
                self._ended.append((ended, action.kind, action.key, outcome, left is not None or action.kind not in ha_seen.CHANGING))
                if left is not None:
                    self._left.setdefault(action.key, []).append((ended, left))
                    self._take_seen(self._seen)
                self._count(action, -1)
                action = next((each for each in self._queue if self._may_begin(each)), None)
                if action is not None:
                    self._queue.remove(action)
                    self._count(action, 1)
            self.wake.set()

    def _follow(self, mappings):
        try:
            self.hands.follow(mappings)
            self._tell('guards', None)
        except Exception as error:  # pylint: disable=broad-except
            self._tell('guards', 'looking after guards: %s' % error)
        if not self._adopted:
            try:
                self.orphans.update(self.hands.undeclared())
                self._adopted = True
            except Exception as error:  # pylint: disable=broad-except
                self._tell('undeclared', 'looking for guards of undeclared LUNs: %s' % error)
        for device, image in sorted(self.orphans.items()):
            try:
                self.hands.forget(device, image)
                self.orphans.pop(device, None)
            except Exception as error:  # pylint: disable=broad-except
                self._tell('guard ' + device, 'letting go of %s: %s' % (image, error))

    def _tell(self, what, text):
        if self._trouble.get(what) != text:
            self._trouble[what] = text
            self.say(text or '%s: works again' % what)

    # -- the loop

    def tick(self):
        now = self.clock()
        self.watchdog.tend()
        with self._lock:
            look, devices = self._due(now)
            self._looking = self._looking or look
            seen, ended = self._seen, list(self._ended)  # what has ended is in what is seen
            idle = not self._exchanging  # one that ends during the step has not been counted by it
        if seen is not None:
            self._step(seen, ended, now)
        if look:
            self.start(lambda: self._look(now, devices))
        with self._lock:  # after the step, which may have something to say that others wait for
            beat = idle and (self._beaten is None or now >= self._beaten + self._pause())
            self._exchanging = self._exchanging or beat
        if beat:
            self._beaten = now
            record = self.pace.to_write(self._notice(), now)
            self.start(lambda: self._exchange(record, now))
        self._run_queue()
        if seen is not None and (self._followed is None or now >= self._followed + FOLLOW):
            self._followed = now
            active = set(device for device in seen['mappings'] if seen['luns'][device]['path'] == 'active' and self.watchdog.health(device) == 'good')
            self.start(lambda: self._follow(active))
        self.over = self._is_over(seen)

    def _due(self, now):
        """(whether to look at this gateway, at which disks or None for all). A look at all that takes long, as with many disks on a slow
        processor, is made less often; what actions have changed meanwhile is looked at by itself, and so is what belongs to no disk."""
        if self._looking:
            return False, None
        if self._whole is None or now >= self._whole + max(LOOK, min(RARE * self._whole_cost, MOST)):
            return True, None
        if self._seen is None:
            return False, None
        changed = [each[2] for each in self._ended if not each[4]]
        # The end of an action counts once a look began after it, so none may leave out its disk.
        rest = LOOK if not changed else min(LOOK, self._cost) if self.working() else 0
        return now >= self._looked + rest, set(key for key in changed if key is not None)

    def crowded(self):
        """Whether so much is under way at once that it waits for the processor."""
        return len(self.memory['busy']) >= self.site.limits.load

    def working(self):
        """The same, without what has ended and waits for the next step."""
        return len(self.memory['busy']) - len(self._ended) >= self.site.limits.load

    def _notice(self):
        """The record to write, in which others are asked to hurry when disks are about to be given away."""
        record = self.memory['record']
        return dict(record, hurry=True) if record and record['luns'] and self._drain is not None else record

    def _draining(self, ordered, now):
        """Whether everything is to be given away now."""
        self._drain = None if not ordered else now if self._drain is None else self._drain
        return ordered and (now >= self._drain + NOTICE or not self.memory['claims'])

    def rest(self):
        """Seconds until the next exchange, for which nothing wakes the loop; its end does."""
        return BEAT if self._exchanging or self._beaten is None else max(0, self._beaten + self._pause() - self.clock())

    def _pause(self):
        """Seconds from the beginning of an exchange to that of the next."""
        return min(self.pace.seconds(self.memory['record'], self._table or {}, bool(self._moving), self.crowded()), self.pace.until_written(self._beaten))

    def _step(self, seen, ended, now):
        news = seen is not self._stepped[0] or self.site is not self._stepped[1]
        if news:
            # Not at each step, of which there are many between two looks while actions end.
            self._stepped = seen, self.site
            self.watchdog.follow(dict((device, ('/dev/rbd%d' % entry['number'], entry['client'])) for device, entry in seen['mappings'].items()))
            self._unmade = [device for device in self.site.order if not seen['luns'].get(device, {}).get('made')]
        # The state file names a new disk before SCST has it, and at boot all of them: taking it would fail, and not be tried again for a while.
        for device in self._unmade:
            left = UNMADE * (1 + self.site.order[device].index(self.site.me))
            self.memory['unfit'][device] = max(self.memory['unfit'].get(device, 0), left)
        elapsed = 0 if self._last is None else max(0, now - self._last)
        self._last = now
        self.memory, actions = ha_decide.decide(self.site, self.memory, self._view(seen, ended, now, news), elapsed)
        for action in actions:
            if action.kind == 'close':
                self._closing = now
        complaints = ha_take.complaints(self.hands.images, self.memory)
        for what in sorted(set(complaints) | set(self._complaints)):
            self._tell(what, complaints.get(what))
        self._complaints = complaints
        with self._lock:
            self._queue += actions

    def _view(self, seen, ended, now, news):
        """news: whether this gateway was looked at since the last step"""
        with self._lock:
            done = [each for each in ended if each[4] or each[0] < seen['began']]
            self._ended = [each for each in self._ended if each not in done]
            fresh, wrote, self._fresh, self._wrote = self._fresh, self._wrote, False, False
            table = self._table if self._told is not None and now - self._told <= self.site.limits.gap else None
        drain = self._draining(seen['orders']['drain'] or self.leaving == 'gone', now)
        if news or fresh or done or self._moving:
            serving = self._serving(table)
            self._follow_moves(seen, serving, now)
            self._follow_owners(seen, serving)
            self._follow_service(seen, table, [(each[0], each[2]) for each in done if each[1] == 'raise' and each[3] == 'ok'], now)
        luns = {}
        for device in self.site.order:
            found = seen['luns'].get(device, ABSENT)
            luns[device] = dict(found, health=self.watchdog.health(device)) if found['client'] else found
        # On a busy host the first exchange ends some seconds after the first step, and what is served is served on until then.
        asked = self._asked or now >= self._born + self.site.limits.boot
        return dict(table=table, fresh=fresh and table is not None, wrote=wrote, asked=asked, luns=luns, open=self._is_open(seen, now),
                    orders=dict(drain=drain, away=self.leaving == 'away',
                                wants=[lun for lun in seen['orders']['wants'] if lun in self.site.order]),
                    done=[each[1:4] for each in done])

    def _serving(self, table):
        """{device: the other living gateway that serves it}; of one that was not seen to beat the record may be of before a power cut."""
        found = {}
        for name, record in (table or {}).items():
            for device in record.get('serves', ()) if self._other_lives(name) and self.memory['peers'][name]['seen'] else ():
                if device not in found or record['luns'].get(device, 0) > table[found[device]]['luns'].get(device, 0):
                    found[device] = name
        return found

    def _follow_moves(self, seen, serving, now):
        """Paths that were lowered for another gateway say so until that one serves: then initiators turn to it at once, and not with their next
        look at its paths. The protocol takes such a path for a passive one."""
        self._moving = dict((device, self._moving.get(device, now)) for device, found in seen['luns'].items() if found.get('moving'))
        for device, since in self._moving.items():
            if device in serving or now >= since + MOVE or now < since:
                self.start(lambda device=device: self._end_move(device, serving.get(device)))

    def _follow_owners(self, seen, serving):
        """What this gateway tells initiators of the others' paths (see ha_scst.Paths.point): who serves. While nobody does, what it told last: the path
        itself tells better, and who takes the disk has no time to lose."""
        wanted = {}
        for device, found in seen['luns'].items():
            if found['path'] == 'active' or found.get('moving') or not found['made'] or ('raise', device) in self.memory['busy']:
                self._pointed.pop(device, None)
            elif device in serving and self._pointed.get(device) != serving[device]:
                wanted[device] = serving[device]
        if wanted and not self._pointing:
            self._pointing = True
            self.start(lambda: self._point(wanted))

    def _point(self, wanted):
        try:
            self.hands.point(wanted)
            self._pointed.update(wanted)
            self._tell('others', None)
        except Exception as error:  # pylint: disable=broad-except
            self._tell('others', 'telling initiators of the other gateways: %s' % error)
        self._pointing = False

    def _other_lives(self, name):
        """Whether what it claims holds: for as long as the protocol waits for one that was seen to beat."""
        known, limits = self.memory['peers'].get(name), self.site.limits
        if name == self.site.me or not known:
            return False
        return known['still'] < (silence((self._table or {}).get(name), known, limits) if known['seen'] else limits.dead)

    def _end_move(self, device, gateway):
        try:
            self.hands.end_move(device, gateway)
            self._tell('move of ' + device, None)
        except Exception as error:  # pylint: disable=broad-except
            self._tell('move of ' + device, 'ending the move of %s: %s' % (device, error))

    def _follow_service(self, seen, table, raised, now):
        """How long disks were without a gateway, for those who look at numbers. The protocol needs none of it."""
        for when, device in raised:
            count = self._taken.get(device, (0, None))[0] + 1
            self._taken[device] = (count, round(max(0, when - self._served[device]), 2) if device in self._served else None)
            self._served[device] = when
        for device, found in seen['luns'].items():
            if found['path'] == 'active':
                self._served[device] = max(self._served.get(device, 0), seen['began'])
        for name, record in (table or {}).items():
            known = self.memory['peers'].get(name)
            for device in record['luns'] if known and known['seen'] else ():
                self._served[device] = max(self._served.get(device, 0), now - known['still'])

    def _is_open(self, seen, now):
        """Open is also a target whose sessions have just been cut and are not all gone."""
        if ('close', None) not in self.memory['busy'] or self._closing is None:
            return seen['open']
        if now >= self._closing + CUTTING:
            return False  # even if the look hangs behind the same sessions
        return seen['open'] or seen['sessions'] > 0

    def _may_begin(self, action):
        need = NEEDS.get(action.kind)
        return need is None or self._running[need] < AT_ONCE[need]

    def _count(self, action, number):
        if action.kind in NEEDS:
            self._running[NEEDS[action.kind]] += number

    def _run_queue(self):
        with self._lock:
            ready = []
            for action in list(self._queue):
                if self._may_begin(action):
                    self._queue.remove(action)
                    self._count(action, 1)
                    ready.append(action)
        for action in ready:
            self.start(lambda action=action: self._act(action))

    # -- from outside

    def take(self, site, state):
        """The state file says something new."""
        old = dict(self.hands.images)
        self.hands.take(state)
        self._pointed.clear()  # target groups may be new
        gone = set(self.site.order) - set(site.order)
        for device in set(site.order) & set(self.orphans):
            self.orphans.pop(device, None)
        for device in gone:
            self.orphans[device] = old.get(device)
            for part in ('claims', 'taking', 'releasing', 'settled', 'unfit', 'stay', 'strangers', 'blind', 'turn'):
                self.memory[part].pop(device, None)
        self.memory['busy'] = tuple(each for each in self.memory['busy'] if each[1] not in gone)
        self.memory['former'] = tuple(each for each in self.memory['former'] if each not in gone)
        self.memory['peers'] = dict((name, known) for name, known in self.memory['peers'].items() if name in site.gateways)
        self.site = site

    def leave(self, how):
        self.leaving = how
        self.wake.set()

    def _is_over(self, seen):
        """Whether what has to be known before this agent may end has landed in Ceph."""
        if not self.leaving or seen is None:
            return False
        record = self.pace.landed
        if self.leaving == 'away':
            return bool(record and record['away'])
        return bool(record and record['drain'] and not record['luns'] and not seen['mappings'])

    def report(self):
        """What the command status shows: {gateways: {name: how it is}, disks: {device: {owner, here, health, doing}}, ...}."""
        seen, table, memory = self._seen, self._table or {}, self.memory
        claims = {}
        for name, record in table.items():
            if self._other_lives(name):
                for device, number in record['luns'].items():
                    claims.setdefault(device, []).append((number, name))
        disks = {}
        for device, image in sorted(self.hands.images.items()):
            found = (seen or dict(luns={}))['luns'].get(device) or {}
            owner = self.site.me if found.get('path') == 'active' else max(claims[device])[1] if device in claims else None
            disks[device] = dict(
                image=image, owner=owner, here=found.get('path'), mapped=found.get('client'),
                health=self.watchdog.health(device), sessions=found.get('sessions'),
                doing=(memory['taking'].get(device) or {}).get('stage') or ('giving away' if device in memory['releasing'] else None),
                unfit=device in memory['unfit'], taken=self._taken.get(device, (0, None))[0], pause=self._taken.get(device, (0, None))[1])
        gateways = dict((name, 'me' if name == self.site.me else described(table.get(name), memory['peers'].get(name), self.site.limits))
                        for name in self.site.gateways)
        return dict(gateways=gateways, disks=disks, refused=list(memory['refused']), leaving=self.leaving, drain=bool(seen and seen['orders']['drain']),
                    ceph=None if self._told is None else round(max(0, self.clock() - self._told), 1),
                    trouble=sorted(text for text in self._trouble.values() if text) + ha_patience.complaints(self.site, memory))


class Threads(object):
    """Runs functions in threads, which are used again and keep nobody from ending.

    Not threading.Thread: its start waits until the new thread runs, and with many that begin at once the loop stood still for a
    second while each did the first part of its work.
    """

    def __init__(self):
        self._change = threading.Condition()
        self._work = collections.deque()
        self._idle = 0

    def __call__(self, function):
        with self._change:
            self._work.append(function)
            enough = self._idle >= len(self._work)
            if enough:
                self._change.notify()
        if not enough:
            start_new_thread(self._run, ())

    def _run(self):
        while True:
            with self._change:
                while not self._work:
                    self._idle += 1
                    self._change.wait()
                    self._idle -= 1
                function = self._work.popleft()
            function()
