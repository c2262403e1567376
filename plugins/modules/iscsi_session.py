#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: iscsi_session
short_description: Keep this host logged in to iSCSI targets through all their portals
version_added: "0.1.0"
description:
  - Makes node records for targets and portals that are known by name, without discovery, keeps their settings and
    CHAP credentials as declared, and logs in where there is no session. Many targets and portals at once.
  - Sessions are read from sysfs and records from their files; C(iscsiadm) is only called where something changes.
  - CHAP secrets are written into the record file, which only root can read. They never appear in the arguments of a
    process, in the result or in a log.
  - A portal that cannot be reached stops no other one. See O(require) for when the module fails.
  - Logging out is refused when it would take away the last working path of a disk that is in use.
options:
  targets:
    description: The targets.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: iSCSI name of the target.
        type: str
        required: true
      portals:
        description:
          - Addresses of the target, such as V(10.0.0.1), V(10.0.0.1:3261), V(fd00::1) or V([fd00::1]:3260). Host names
            are not taken.
          - With O(state=absent) and no portals, all of them are meant.
          - A target portal group tag may follow after a comma. Without one the target's answer decides.
        type: list
        elements: str
        default: []
      settings:
        description: Settings of this target, in addition to O(settings) and before them.
        type: dict
        default: {}
      chap:
        description: CHAP of this target, in place of O(chap).
        type: dict
        suboptions: &chap
          user:
            description: User name for one-way CHAP. Without it CHAP is turned off.
            type: str
          secret:
            description: Secret of that user. Windows and SCST want 12 to 16 characters.
            type: str
          mutual_user:
            description: User name by which the target proves itself (mutual CHAP).
            type: str
          mutual_secret:
            description: Secret of the target. Must differ from O(targets[].chap.secret).
            type: str
  state:
    description:
      - V(present) makes records and sessions for O(targets).
      - V(absent) ends their sessions and deletes their records.
    type: str
    choices: [present, absent]
    default: present
  settings:
    description:
      - Node settings by their full names, such as C(node.session.timeo.replacement_timeout).
      - Settings that are not listed stay as they are. A changed setting takes effect at the next login, see
        RV(pending).
    type: dict
    default: {}
  chap:
    description: CHAP for all targets. When it is left out, the credentials in existing records stay as they are.
    type: dict
    suboptions: *chap
  startup:
    description: Whether the sessions are made at boot too.
    type: str
    choices: [automatic, manual, onboot]
    default: automatic
  ifaces:
    description:
      - Names of open-iscsi interfaces (below C(/etc/iscsi/ifaces)) to bind each portal to; one session each.
      - V(default) is no binding, the kernel routes.
    type: list
    elements: str
    default: [default]
  exclusive:
    description:
      - Prefixes of target names that belong to this site, such as V(iqn.2026-11.com.example.cephgate).
      - Sessions and records of targets below them that O(targets) does not list, and portals that it does not list,
        are removed. Names that only begin with the same letters are somebody else's and stay.
      - Only with O(state=present).
    type: list
    elements: str
    default: []
  rescan:
    description:
      - Look for new LUNs and sizes in the sessions that were there already. That sends commands to every disk, so use
        it only where something is known to be new; M(cephgate.iscsi.multipath_map) asks by itself where a disk is
        missing. Reported as a change when there was one. Not done in check mode.
    type: bool
    default: false
  require:
    description:
      - When to fail for portals without a working session, after all were tried.
      - V(all) when one of them has none, V(any) when none of them has one, V(none) never.
    type: str
    choices: [all, any, none]
    default: all
  connect_timeout:
    description: Seconds to wait for a portal to accept a TCP connection before it counts as unreachable.
    type: int
    default: 5
extends_documentation_fragment:
  - cephgate.iscsi.attributes
seealso:
  - module: cephgate.iscsi.multipath_conf
  - module: cephgate.iscsi.multipath_map
requirements:
  - open-iscsi, with iscsid running or started by its socket.
author:
  - the cephgate contributors (@cephgate)
"""

EXAMPLES = r"""
- name: Log in to both gateways through both networks
  cephgate.iscsi.iscsi_session:
    targets:
      - name: iqn.2026-11.com.example.cephgate:gw1
        portals: [10.99.1.11, 10.99.2.11]
      - name: iqn.2026-11.com.example.cephgate:gw2
        portals: [10.99.1.12, "[fd00:99::12]:3260"]
    exclusive: [iqn.2026-11.com.example.cephgate]
    settings:
      node.conn[0].timeo.noop_out_interval: 2
      node.conn[0].timeo.noop_out_timeout: 2
    chap:
      user: db
      secret: "{{ vault_db_chap }}"
    require: any

- name: Leave a gateway that is taken away
  cephgate.iscsi.iscsi_session:
    state: absent
    targets:
      - name: iqn.2026-11.com.example.cephgate:gw3
"""

RETURN = r"""
operations:
  description: What was done, or would be done in check mode, in order. Those that failed are not C(done).
  returned: always
  type: list
  elements: dict
sessions:
  description: Sessions of the targets that were asked for, as they are at the end.
  returned: success
  type: list
  elements: dict
  contains:
    sid:
      description: Number of the session.
      type: int
    target:
      description: Name of the target.
      type: str
    portal:
      description: Address and port.
      type: str
    iface:
      description: open-iscsi interface.
      type: str
    state:
      description: V(LOGGED_IN), or V(FAILED) while iscsid tries to connect again.
      type: str
    disks:
      description: Names of the disks that came with it.
      type: list
      elements: str
failed_portals:
  description: Declared portals without a working session, with the reason.
  returned: always
  type: list
  elements: dict
  sample:
    - {target: "iqn.2026-11.com.example.cephgate:gw2", portal: "10.99.1.12:3260", reason: "10.99.1.12:3260 no answer"}
pending:
  description: Sessions whose settings changed while they were logged in; they hold from the next login on.
  returned: always
  type: list
  elements: str
rescanned:
  description: Disks that O(rescan) brought, took away or resized.
  returned: when O(rescan) is set
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.cephgate.iscsi.plugins.module_utils.disk_guard import refuse_if_used
from ansible_collections.cephgate.iscsi.plugins.module_utils.disks import Disks
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm import Iscsiadm
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_plan import (
    absent, by_key, plan_absent, plan_present, unwanted, wanted_portals)
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_records import Records
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_run import Run
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_sysfs import sessions as read_sessions
from ansible_collections.cephgate.iscsi.plugins.module_utils.multipathd import Multipathd
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused

CHAP_SPEC = dict(type='dict', options=dict(
    user=dict(type='str'), secret=dict(type='str', no_log=True),
    mutual_user=dict(type='str'), mutual_secret=dict(type='str', no_log=True)))


def plan(params, tool, multipathd, disks, records, sessions):
    """(steps, wanted) for the options of the module."""
    if params['state'] == 'absent':
        wanted, steps = [], []
        going = absent(params['targets'], records, sessions,
                       None if params['ifaces'] == ['default'] else params['ifaces'])
    else:
        for target in params['targets']:
            if not target['portals']:
                raise Refused('target %s has no portals, so there is nowhere to log in. List its addresses.'
                              % target['name'])
        wanted = wanted_portals(params['targets'], params['settings'], params['chap'], params['startup'],
                                params['ifaces'])
        steps = plan_present(tool, wanted, records, sessions)
        going = unwanted(set(item.key for item in wanted), records, sessions, params['exclusive'])
    closing = [disk for key in going if key in sessions for disk in sessions[key].disks]
    names = ', '.join(sorted(set(key[0] for key in going)))
    maps = refuse_if_used(disks, closing, multipathd.opened, 'logging out of %s' % names)
    return steps + plan_absent(tool, going, records, sessions, [(name, multipathd.flush(name)) for name in maps]), wanted


def main():
    module = AnsibleModule(
        argument_spec=dict(
            targets=dict(type='list', elements='dict', default=[], options=dict(
                name=dict(type='str', required=True),
                portals=dict(type='list', elements='str', default=[]),
                settings=dict(type='dict', default={}),
                chap=CHAP_SPEC,
            )),
            state=dict(type='str', choices=['present', 'absent'], default='present'),
            settings=dict(type='dict', default={}),
            chap=CHAP_SPEC,
            startup=dict(type='str', choices=['automatic', 'manual', 'onboot'], default='automatic'),
            ifaces=dict(type='list', elements='str', default=['default']),
            exclusive=dict(type='list', elements='str', default=[]),
            rescan=dict(type='bool', default=False),
            require=dict(type='str', choices=['all', 'any', 'none'], default='all'),
            connect_timeout=dict(type='int', default=5),
        ),
        supports_check_mode=True,
    )
    params = module.params
    tool = Iscsiadm(module.run_command, params['connect_timeout'])
    multipathd = Multipathd(module.run_command)
    database = Records()
    disks = Disks()
    try:
        records = dict((record.key, (record, record.settings())) for record in database.all())
        sessions = by_key(read_sessions())
        steps, wanted = plan(params, tool, multipathd, disks, records, sessions)
    except (Refused, EnvironmentError) as error:
        module.fail_json(msg=str(error), changed=False)
    run = Run(tool, database, module.check_mode, read_sessions, disks)
    run.steps(steps)
    result = run.result(wanted, sessions)
    if params['rescan'] and params['state'] == 'present':
        result['rescanned'] = [] if module.check_mode else run.rescan(wanted, sessions)
        result['changed'] = result['changed'] or bool(result['rescanned'])
    problem = run.problem(wanted, params['require'], result)
    if problem:
        module.fail_json(msg=problem, **result)
    module.exit_json(**result)


if __name__ == '__main__':
    main()
