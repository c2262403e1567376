# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command cephgate on a gateway: apply, plan, status, serve.

Exit codes: 0 all that is declared is served (plan: nothing to do); 1 something is missing (plan: something to
do); 2 it could not be told or done at all, and the text says why.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import argparse
import errno
import fcntl
import json
import os
import subprocess
import sys
import threading
import time

from ansible_collections.cephgate.iscsi.plugins.module_utils import gateway_state
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Failed, Refused
from ansible_collections.cephgate.iscsi.plugins.module_utils.rbd import Rbd, mapped
from ansible_collections.cephgate.iscsi.plugins.module_utils.sysfs import Sysfs

STATE = '/etc/cephgate/state.json'
LOCK = '/run/cephgate.lock'

# Ceph away at boot must not hold one image's turn for ever; rbd itself would wait for 5 minutes.
RBD_TIMEOUT = 60

LOOK_EVERY = 1  # seconds: a restarted iscsi-scstd has lost all targets, and initiators wait
RETRY_EVERY = 10  # seconds: for what could not be served


def run(argv, stdin):
    """Run a command: (exit code, stdout, stderr). One that takes too long is killed: exit code ETIMEDOUT."""
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               universal_newlines=True)
    late = []

    def stop():
        late.append(True)
        process.kill()

    timer = threading.Timer(RBD_TIMEOUT, stop)
    timer.start()
    try:
        out, err = process.communicate(stdin)
    finally:
        timer.cancel()
    return (errno.ETIMEDOUT if late else process.returncode), out, err


def gateway(path):
    state = gateway_state.load(path)
    rbd = Rbd(run, client=state['client'], cluster=state['cluster'])
    return gateway_state.Gateway(state, rbd, Sysfs(state['sysfs_root']), mapped)


class Lock(object):
    """One run of apply at a time."""

    def __enter__(self):
        self.handle = open(LOCK, 'w')
        fcntl.flock(self.handle, fcntl.LOCK_EX)

    def __exit__(self, *_what):
        self.handle.close()


def say(options, answer, lines):
    if options.json:
        lines = [json.dumps(answer, sort_keys=True)]
    sys.stdout.write(''.join(line + '\n' for line in lines))
    sys.stdout.flush()


def apply_state(options):
    with Lock():
        done, problems = gateway(options.state).apply()
    say(options, dict(operations=[operation.as_dict(True) for operation in done], problems=problems),
        [operation.line() for operation in done] +
        ['not served: %s: %s' % item for item in sorted(problems.items())])
    return 1 if problems else 0


def plan(options):
    operations, problems = gateway(options.state).plan()
    say(options, dict(operations=[operation.as_dict(False) for operation in operations], problems=problems),
        [operation.line() for operation in operations] +
        ['cannot be served: %s: %s' % item for item in sorted(problems.items())] or ['nothing to do'])
    return 1 if operations or problems else 0


def status(options):
    here = gateway(options.state)
    report = here.status()
    enabled = here.in_place()
    say(options, dict(images=report, enabled=enabled),
        ['target: %s' % ('enabled' if enabled else 'missing or disabled')] +
        ['%s: %s' % (entry['image'], 'served' if entry['served'] else '; '.join(entry['missing'])) for entry in report])
    return 0 if enabled and all(entry['served'] for entry in report) else 1


def serve(options):
    """Keep the gateway as its state file says, for ever: at boot, after a restart of iscsi-scstd, when an image is back."""
    known, again, said = None, 0, None
    while True:
        try:
            stamp = os.stat(options.state).st_mtime
            if stamp != known or time.time() >= again or not gateway(options.state).in_place():
                code = apply_state(options) if stamp == known or not _settled(options) else 0
                known = stamp
                again = time.time() + RETRY_EVERY if code else float('inf')
                said = None
        except (Refused, Failed, EnvironmentError) as error:
            time.sleep(RETRY_EVERY - LOOK_EVERY if said else 0)
            if str(error) != said:  # say it once, not every second
                said = str(error)
                sys.stderr.write(said + '\n')
        time.sleep(LOOK_EVERY)


def _settled(options):
    """Whether everything is as the state file says already, as right after the playbook wrote it."""
    operations, problems = gateway(options.state).plan()
    return not operations and not problems


VERBS = dict(apply=apply_state, plan=plan, status=status, serve=serve)


def main(arguments=None):
    parser = argparse.ArgumentParser(prog='cephgate', description='The iSCSI gateway of this host.', epilog=__doc__.split('\n\n')[1])
    parser.add_argument('--state', default=STATE, help='state file (default: %(default)s)')
    parser.add_argument('--json', action='store_true', help='answer in JSON, one object')
    parser.add_argument('verb', choices=sorted(VERBS), help='apply: serve what the state file says; plan: say what apply would do; '
                        'status: say what is served and what is missing; serve: apply whenever something is missing, for ever')
    options = parser.parse_args(arguments)
    try:
        return VERBS[options.verb](options)
    except (Refused, Failed, EnvironmentError) as error:
        sys.stderr.write('cephgate: %s\n' % error)
        return 2
    except KeyboardInterrupt:
        return 130
