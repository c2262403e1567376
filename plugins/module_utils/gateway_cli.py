# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command cephgate on a gateway: apply, drain, failback, metrics, plan, release, serve, status, undrain.

Exit codes: 0 all that is declared is served (plan: nothing to do; drain, undrain, failback: done); 1 something is not served (plan: there is
something to do; release: something is still held); 2 it could not be told or done at all; 3 somebody else was at work for as long as --wait
allows; 75 drain, undrain or failback is not through yet, for the reason that the text gives: ask again. With 2 and 3 the text says why. README.md of the
role gateway has the table.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import argparse
import json
import os
import signal
import sys

from ansible_collections.cephgate.iscsi.plugins.module_utils import (
    gateway_drain, gateway_ha, gateway_metrics, gateway_refused, gateway_release, gateway_serve, gateway_state, ha_agent, lock)
from ansible_collections.cephgate.iscsi.plugins.module_utils.gateway_fenced import FencedGateway
from ansible_collections.cephgate.iscsi.plugins.module_utils.gateway_mapper import Mapper
from ansible_collections.cephgate.iscsi.plugins.module_utils.gateway_orders import Orders
from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_guard import Guards
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Failed, Refused
from ansible_collections.cephgate.iscsi.plugins.module_utils.rbd import Rbd, bounded_run, mapped
from ansible_collections.cephgate.iscsi.plugins.module_utils.sysfs import Sysfs

STATE = '/etc/cephgate/state.json'

ALL_SERVED, MISSING, IMPOSSIBLE, BUSY = 0, 1, 2, 3
TRY_AGAIN = 75  # EX_TEMPFAIL of sysexits.h


class Here(object):
    """This host, as the options say."""

    def __init__(self, options):
        self.options = options
        self._ceph = {}

    def orders(self):
        return Orders(self.options.state)

    def load(self):
        return gateway_state.load(self.options.state)

    def rbd(self, state):
        return Rbd(bounded_run(), client=state['client'], cluster=state['cluster'])

    def gateway(self, state):
        if state.get('ha'):
            return FencedGateway(state, self.rbd(state), Sysfs(state['sysfs_root']), mapped, Guards())
        return gateway_state.Gateway(state, self.rbd(state), Sysfs(state['sysfs_root']), mapped)

    def mapper(self):
        def take(image):
            return lock.rbd([image], 'cephgate %s' % self.options.verb, wait=0, folder=self.options.run)

        def wanted():
            state = self.load()
            return [] if state.get('ha') else state['images']  # the agent maps them
        return Mapper(wanted, mapped, lambda: self.rbd(self.load()), take)

    def lock(self, name='scst', wait=None):
        return lock.Lock(name, 'cephgate %s' % self.options.verb, wait=self.options.wait if wait is None else wait,
                         folder=self.options.run)

    def agent(self):
        """What the agent says of itself; None when it does not run, or hangs."""
        return gateway_ha.heard(self.options.run)

    def refuses(self, client):
        """Whether Ceph has this client in its blocklist; over a connection that is kept."""
        state = self.load()
        name = state['client'], state['cluster']
        if name not in self._ceph:
            self._ceph = {name: ha_agent.ceph_of(state)}
        return self._ceph[name].listed(client)

    def report_path(self):
        return os.path.join(self.options.run, 'cephgate-problems.json')

    def report(self):
        """What the service says of images that it cannot serve: {image: reason}; nothing when it does not run."""
        try:
            with open(self.report_path()) as handle:
                return json.load(handle)
        except (EnvironmentError, ValueError):
            return {}


def say(options, answer, lines):
    if options.json:
        lines = [json.dumps(answer, sort_keys=True)]
    sys.stdout.write(''.join(line + '\n' for line in lines))
    sys.stdout.flush()


def apply_state(options):
    here = Here(options)

    def export(known, enable):
        with here.lock():
            return here.gateway(here.load()).export(known, enable and not here.orders().drained())

    done, problems = gateway_serve.apply_once(here.mapper(), export)
    say(options, dict(operations=[operation.as_dict(True) for operation in done], problems=problems),
        [operation.line() for operation in done] +
        ['not served: %s: %s' % item for item in sorted(problems.items())])
    return MISSING if problems else ALL_SERVED


def plan(options):
    here = Here(options)
    operations, problems = here.gateway(here.load()).plan(not here.orders().drained())
    say(options, dict(operations=[operation.as_dict(False) for operation in operations], problems=problems),
        [operation.line() for operation in operations] +
        ['cannot be served: %s: %s' % item for item in sorted(problems.items())] or ['nothing to do'])
    return MISSING if operations or problems else ALL_SERVED


def status(options):
    here = Here(options)
    state = here.load()
    gateway = here.gateway(state)
    report = gateway.status()
    enabled = gateway.is_open()
    service = here.lock('serve').held()
    reasons = here.report() if service else {}
    for entry in report:
        entry['reason'] = None if entry['served'] else reasons.get(entry['image'])
    drained = here.orders().drained()
    agent = here.agent() if state.get('ha') else None
    if state.get('ha'):
        gateway_ha.status(report, agent)
    answer = dict(ha_mode='fenced' if state.get('ha') else 'shared', agent=agent, pool=(state.get('ha') or {}).get('pool'),
                  held=[word for word in (service, here.lock('agent').held()) if word] + gateway.held(),
                  images=report, enabled=enabled, service=service, unfinished=bool(state.get('unfinished')), drained=drained)
    lines = ['service: %s' % (service or 'does not run: nothing restores this gateway'),
             'target: %s' % ('enabled' if enabled else 'out of service: drained' if drained else 'missing or disabled')]
    lines += gateway_ha.lines(agent) if state.get('ha') else []
    if answer['unfinished']:
        lines.append('playbook: under way, or it was stopped before its end: then run it again')
    for entry in report:
        why = entry['missing'] + ([entry['reason']] if entry['reason'] else [])
        good = gateway_ha.place(entry) if state.get('ha') and entry['served'] else 'served'
        lines.append('%s: %s' % (entry['image'], good if entry['served'] else '; '.join(why)))
    say(options, answer, lines)
    return ALL_SERVED if enabled and all(entry['served'] for entry in report) else MISSING


def release(options):
    here = Here(options)
    for name, service in (('serve', 'cephgate'), ('agent', 'cephgate-agent')):
        keeper = here.lock(name).held()
        if keeper:
            raise Refused('%s would bring everything back at once. Stop it first: systemctl stop %s.' % (keeper, service))
    state = here.load()
    with here.lock():
        done, problems = gateway_release.release(here.gateway(state))
    if state.get('ha') and not problems:
        try:
            gateway_ha.farewell(ha_agent.ceph_of(state), state['ha']['me'])
        except EnvironmentError as error:
            problems['record'] = 'the other gateways wait some seconds before they take over: %s' % error
    say(options, dict(operations=[operation.as_dict(True) for operation in done], problems=problems),
        [operation.line() for operation in done] + ['still held: %s: %s' % item for item in sorted(problems.items())])
    return MISSING if problems else ALL_SERVED


def _ordered(options, act, done):
    here = Here(options)
    state = here.load()
    if state.get('ha'):
        answer = gateway_ha.drain(here.orders(), here.agent, options.wait) if act is gateway_drain.drain else \
            gateway_ha.undrain(here.orders(), here.agent)
    else:
        try:
            with here.lock():
                answer = act(here.gateway(state), here.orders())
        except lock.Busy as error:
            answer = dict(drained=None, changed=False, left=[str(error)])
    say(options, answer, ['not yet: ' + reason for reason in answer['left']] or [done])
    return TRY_AGAIN if answer['left'] else ALL_SERVED


def drain(options):
    """Out of service, until undrain: over restarts and runs of the playbook."""
    return _ordered(options, gateway_drain.drain, 'drained: out of service until cephgate undrain')


def undrain(options):
    return _ordered(options, gateway_drain.undrain, 'in service')


def failback(options):
    """Disks back to this gateway: those that are declared to be its own, or those that are named."""
    here = Here(options)
    state = here.load()
    if not state.get('ha'):
        raise Refused('cephgate failback: this gateway is in ha_mode shared, where hosts go back to the preferred path by themselves. There is '
                      'nothing to take back.')
    device_of = dict((device['image'], device['name']) for device in state['devices'])
    strange = [image for image in options.images if image not in device_of]
    if strange:
        raise Refused('cephgate failback: %s is no image that this gateway serves (%s). Correct the name, or run the site playbook first.' % (
            ', '.join(strange), ', '.join(sorted(device_of)) or 'none'))
    if here.orders().drained():
        raise Refused('cephgate failback: this gateway is drained, so it takes no disk. Put it back into service first: cephgate undrain.')
    devices = [device_of[image] for image in options.images] if options.images else gateway_ha.declared(state)
    # Whoever ends this command must not leave its order behind.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    answer = gateway_ha.failback(devices, here.orders(), here.agent, options.wait)
    say(options, answer, ['not yet: ' + reason for reason in answer['left']] or ['%d disks are here that are to be' % len(devices)])
    return MISSING if answer['failed'] else TRY_AGAIN if answer['left'] else ALL_SERVED


def journal(line):
    sys.stdout.write(line + '\n')
    sys.stdout.flush()


def start_again():
    """A newer version was installed. What is served stays while we start again with it."""
    os.execv(sys.executable, [sys.executable] + sys.argv)


def agent(options):
    """The agent of ha_mode fenced, for ever (docs/takeover.md)."""
    here = Here(options)
    command = os.stat(sys.argv[0]).st_mtime

    def stamp():
        found = os.stat(options.state)
        return found.st_mtime, found.st_size, found.st_ino

    with here.lock('agent', wait=10):
        keeper = ha_agent.Keeper(here.load, stamp, here.orders().read, journal, gateway_ha.report_path(options.run))
        again = ha_agent.run(keeper, lambda: os.stat(sys.argv[0]).st_mtime != command)
    if again:
        start_again()
    # Threads may hang in Ceph for ever; nothing of them matters any more.
    sys.stdout.flush()
    os._exit(ALL_SERVED)


def serve(options):
    """Keep the gateway as its state file says, for ever: at boot, after a restart of iscsi-scstd, when an image is back."""
    here = Here(options)
    command = os.stat(sys.argv[0]).st_mtime
    known = {}
    sentry = gateway_refused.Sentry(lambda: mapped(known=known), here.refuses, journal)
    with here.lock('serve', wait=10):
        keeper = gateway_serve.Keeper(
            options.state, here.gateway, here.mapper(), lambda: here.lock(wait=0),
            lambda problems: gateway_serve.write_report(here.report_path(), problems), journal,
            drained=here.orders().drained, sentry=sentry)
        while os.stat(sys.argv[0]).st_mtime == command:
            keeper.tick()
            sentry.wake.wait(gateway_serve.LOOK_EVERY)
    start_again()


def metrics(options):
    """The gateway's numbers for Prometheus. What cannot be read is one of them."""
    if options.state != STATE and not os.path.exists(options.state):
        Here(options).load()  # a host without the usual one is no gateway yet, but one that is named must be there
    found = gateway_metrics.collect(options.state, options.run)
    if options.output:
        gateway_metrics.write(options.output, found.text())
    else:
        say(options, dict(metrics=[dict(name=gateway_metrics.PREFIX + name, labels=labels, value=value) for name, labels, value in found.all]),
            found.text().splitlines())
    return ALL_SERVED


VERBS = dict(agent=agent, apply=apply_state, drain=drain, failback=failback, metrics=metrics, undrain=undrain, plan=plan, release=release,
             status=status, serve=serve)


def main(arguments=None):
    parser = argparse.ArgumentParser(prog='cephgate', description='The iSCSI gateway of this host.', epilog=__doc__.split('\n\n')[1])
    parser.add_argument('--state', default=STATE, help='state file (default: %(default)s)')
    parser.add_argument('--run', default=lock.FOLDER, help='folder for locks (default: %(default)s)')
    parser.add_argument('--wait', type=int, default=lock.WAIT, metavar='SECONDS',
                        help='how long to wait for somebody else who changes this gateway (default: %(default)s)')
    parser.add_argument('--json', action='store_true', help='answer in JSON, one object; an error is {"error": text}')
    parser.add_argument('--output', metavar='FILE', help='metrics: replace this file instead of printing')
    parser.add_argument('verb', choices=sorted(VERBS), help='apply: serve what the state file says; plan: say what apply would do; '
                        'release: take the targets out of service and unmap the images, as before a shutdown; '
                        'status: say what is served and what is missing; serve: apply whenever something is missing, for ever; '
                        'drain: take this gateway out of service and keep it so; undrain: back into service; '
                        'failback: with ha_mode fenced, fetch the disks that are declared to be this gateway\'s, or those that are named; '
                        'metrics: its numbers in Prometheus\' text format; '
                        'agent: with ha_mode fenced, take part in the take-over protocol, for ever')
    parser.add_argument('images', nargs='*', metavar='IMAGE', help='failback: only these, as pool/image')
    options = parser.parse_args(arguments)
    try:
        if options.output and options.verb != 'metrics':
            raise Refused('cephgate %s: --output %s is for metrics only. Leave it out.' % (options.verb, options.output))
        if options.images and options.verb != 'failback':
            raise Refused('cephgate %s: it takes no names, and "%s" was given. Only failback takes images. Leave it out.' % (
                options.verb, ' '.join(options.images)))
        return VERBS[options.verb](options)
    except (Refused, Failed, EnvironmentError) as error:
        sys.stderr.write('cephgate: %s\n' % error)
        if options.json:
            say(options, dict(error=str(error)), [])
        return BUSY if isinstance(error, lock.Busy) else IMPOSSIBLE
    except KeyboardInterrupt:
        return 130
