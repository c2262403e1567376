#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: gateway_state
short_description: Let a gateway serve without a controller
version_added: "0.1.0"
description:
  - Installs the command C(cephgate) with the engine that this collection's modules use, and the state file from which
    the command restores the gateway at boot and after a restart of C(iscsi-scstd).
  - The state file may hold CHAP secrets and is readable by root only.
  - It is called twice, before the modules that change SCST and after them, so that a gateway which restarts in between, or
    after the playbook was killed, is rebuilt as it is to be, and not as it was.
options:
  state:
    description: The state, as P(cephgate.iscsi.gateway_view#filter) gives it.
    type: dict
    required: true
  secrets:
    description: CHAP secrets by user name, for the users that O(state) names.
    type: dict
    default: {}
  phase:
    description:
      - V(begin), before anything is changed, writes down what is to be served and marks it as unfinished. The service
        then leaves the work to the playbook, for 5 minutes or until the targets vanish.
      - V(end) takes the mark away.
    type: str
    choices: [begin, end]
    default: end
  complete:
    description:
      - Whether O(state) is all that its targets are to serve. Then what the state file had besides is forgotten, and
        with O(phase=begin) it is an error if live sessions use something of the target that is not in O(state).
      - Otherwise what the state file has besides stays in it, as the SCST modules leave alone what they are not given.
    type: bool
    default: false
  removed:
    description:
      - LUNs, each with C(target), C(group) and C(lun), that the state file must not keep, as they are about to be removed.
      - With O(phase=begin) it is an error if live sessions use one of them.
    type: list
    elements: dict
    default: []
  new_disks:
    description:
      - Images that may become other disks than they were. With O(phase=begin) any other image is refused that has another
        internal id, or whose device shows another serial number, than what is exported or was when the gateway went down.
    type: list
    elements: str
    default: []
  disrupt_sessions:
    description: Accept removals under live sessions.
    type: bool
    default: false
  path:
    description: The state file.
    type: path
    default: /etc/cephgate/state.json
  command:
    description: The command.
    type: path
    default: /usr/local/sbin/cephgate
  library:
    description: Folder for the engine's files.
    type: path
    default: /usr/local/lib/cephgate
extends_documentation_fragment:
  - cephgate.iscsi.attributes
author:
  - the cephgate contributors (@cephgate)
"""

EXAMPLES = r"""
- name: Write down what this gateway is to serve
  cephgate.iscsi.gateway_state:
    state: "{{ view.state }}"
    secrets: "{{ view.secrets }}"
    phase: begin

- name: Note that it does
  cephgate.iscsi.gateway_state:
    state: "{{ view.state }}"
    secrets: "{{ view.secrets }}"
"""

RETURN = r"""
operations:
  description: What was done, or would be done in check mode, in order. The contents of files are left out.
  returned: always
  type: list
  elements: dict
  sample:
    - {object: file /etc/cephgate/state.json, action: write, how: file, done: true, target: /etc/cephgate/state.json}
drained:
  description: Whether C(cephgate drain) took the gateway out of service. Then its target is not to be enabled.
  returned: success
  type: bool
  sample: false
"""

import hashlib
import json
import os
import sys

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.cephgate.iscsi.plugins.module_utils import gateway_cli, gateway_identity, gateway_intent, gateway_state, lasting, lock
from ansible_collections.cephgate.iscsi.plugins.module_utils.gateway_orders import Orders
from ansible_collections.cephgate.iscsi.plugins.module_utils.glue import plan_and_apply
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Operation, Refused
from ansible_collections.cephgate.iscsi.plugins.module_utils.rbd import mapped
from ansible_collections.cephgate.iscsi.plugins.module_utils.site import users, with_secrets
from ansible_collections.cephgate.iscsi.plugins.module_utils.sysfs import Sysfs, to_bytes

PACKAGE = 'ansible_collections.cephgate.iscsi.plugins.module_utils.'

LAUNCHER = """#!{python}
# Written by cephgate.iscsi.gateway_state. Engine {version}: a service that sees this file change starts again with it.
import sys

sys.path.insert(0, {library!r})
from {package}gateway_cli import main

raise SystemExit(main())
"""


def engine(library):
    """The engine's files as {path: text}: those that the command has loaded, from this very module's package."""
    files = {}
    for name, loaded in list(sys.modules.items()):
        if not name.startswith(PACKAGE) or loaded is None or name == PACKAGE + 'glue':
            continue
        files[os.path.join(library, *name.split('.')) + '.py'] = loaded.__loader__.get_source(name)
    folder = library
    for part in PACKAGE.strip('.').split('.'):
        folder = os.path.join(folder, part)
        # Python 2 knows no namespace packages.
        files[os.path.join(folder, '__init__.py')] = ''
    return files


def current(path):
    """What the state file holds, or None when there is none that this version can read."""
    try:
        return gateway_state.load(path)
    except (EnvironmentError, Refused):
        return None


def to_write(path, text, mode):
    """The operation that gives a file its content and mode, if it lacks either."""
    try:
        with open(path, 'rb') as handle:
            same = handle.read() == to_bytes(text)
        same = same and os.stat(path).st_mode & 0o7777 == mode
    except EnvironmentError:
        same = False
    return [] if same else [Operation('file %s' % path, 'write', 'file', path, (text, mode))]


def write(operation):
    """Perform one."""
    text, mode = operation.data
    folder = os.path.dirname(operation.target)
    if not os.path.isdir(folder):
        os.makedirs(folder, 0o755)
    lasting.write(operation.target, text, mode)


def main():
    module = AnsibleModule(
        argument_spec=dict(
            state=dict(type='dict', required=True),
            secrets=dict(type='dict', default={}, no_log=True),
            path=dict(type='path', default=gateway_cli.STATE),
            command=dict(type='path', default='/usr/local/sbin/cephgate'),
            library=dict(type='path', default='/usr/local/lib/cephgate'),
            phase=dict(type='str', choices=['begin', 'end'], default='end'),
            complete=dict(type='bool', default=False),
            removed=dict(type='list', elements='dict', default=[]),
            new_disks=dict(type='list', elements='str', default=[]),
            disrupt_sessions=dict(type='bool', default=False),
        ),
        supports_check_mode=True,
    )
    params = module.params

    def plan():
        gateway_state.check(params['state'])
        unknown = [user['name'] for target in params['state']['targets'] for user in users(target)
                   if user['name'] not in params['secrets']]
        if unknown:
            raise Refused('CHAP user %s: it is in the state, but has no entry in secrets. Give both from one '
                          'gateway_view.' % ', '.join(sorted(unknown)))
        old = current(params['path'])
        if params['phase'] == 'begin':
            gateway_identity.check(Sysfs(params['state']['sysfs_root']), old, params['state'], params['new_disks'])
        if params['phase'] == 'begin' and not params['disrupt_sessions']:
            here = gateway_state.Gateway(params['state'], None, Sysfs(params['state']['sysfs_root']), mapped)
            here.check_removals(params['complete'], params['removed'])
        operations = []
        files = sorted(engine(params['library']).items())
        for path, text in files:
            operations += to_write(path, text, 0o644)
        version = hashlib.sha256(b''.join(to_bytes(path + text) for path, text in files)).hexdigest()[:12]
        operations += to_write(params['command'], LAUNCHER.format(
            python=sys.executable, library=params['library'], package=PACKAGE, version=version), 0o755)
        new = with_secrets(params['state'], params['secrets'])
        state = gateway_intent.intended(old, new, params['complete'], params['removed'])
        if params['phase'] == 'begin' and not gateway_intent.reached(old, state):
            state[gateway_intent.MARK] = True
        return operations + to_write(params['path'], json.dumps(state, indent=1, sort_keys=True) + '\n', 0o600)

    plan_and_apply(module, plan, write, lambda: dict(drained=Orders(params['path']).drained()), lock=lock.scst('module gateway_state'))


if __name__ == '__main__':
    main()
