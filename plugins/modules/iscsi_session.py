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
  - Makes node records for targets and portals that are known by name, or that O(discovery) finds, keeps their settings
    and CHAP credentials as declared, and logs in where there is no session. Many targets and portals at once.
  - Sessions are read from sysfs and records from their files; C(iscsiadm) is only called where something changes.
  - CHAP secrets are written into the record file, which only root can read. They never appear in the arguments of a
    process, in the result or in a log.
  - A portal that cannot be reached stops no other one. See O(require) for when the module fails.
  - Logging out is refused when it would take away the last working path of a disk that is in use. A path works when its SCSI
    device is running and multipathd, if it answers, does not call it failed.
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
      - What O(startup), O(chap), O(interfaces) and a target's name and portals say cannot be set here.
      - Settings that are not listed stay as they are. In a new record they have the values built into open-iscsi, not
        those of C(iscsid.conf), which C(iscsiadm) only reads for records that a discovery makes.
      - A changed setting takes effect at the next login, see RV(pending) and O(relogin).
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
      - Portals in the networks of one of O(interfaces) are bound to that one instead.
      - With O(state=absent) only the records and sessions of these, unless it is just V(default).
    type: list
    elements: str
    default: [default]
  interfaces:
    description:
      - open-iscsi interfaces to make and keep as declared. They tie sessions to a network device, so that two separate
        networks stay separate whatever the routes are.
      - Where both devices have an address in one IPv4 network, the kernel must accept answers on the device that was
        asked (C(net.ipv4.conf.DEVICE.rp_filter=2)).
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the interface, also of its file.
        type: str
        required: true
      device:
        description: Network device, such as V(eth1). It must exist, except in check mode.
        type: str
      hwaddress:
        description: Hardware address of the network device, instead of its name.
        type: str
      initiator_name:
        description: Initiator name for logins through this interface, instead of that of the host.
        type: str
      networks:
        description: Networks such as V(10.0.1.0/24) or V(fd00:1::/64) whose portals are reached through this interface.
        type: list
        elements: str
        default: []
      state:
        description: V(absent) removes the interface; refused while a record or session uses it.
        type: str
        choices: [present, absent]
        default: present
  discovery:
    description:
      - Ask portals which targets there are (SendTargets), and treat the answer as if it had been listed in O(targets).
      - Nothing that the answer holds is stored beside what is then logged in to.
      - With O(state=absent) the discovery records of these portals are deleted, and nothing is asked.
      - In check mode a portal is only asked when its discovery record is already as declared.
    type: dict
    suboptions:
      portals:
        description: Addresses to ask, as in O(targets[].portals). All are asked.
        type: list
        elements: str
        required: true
      targets:
        description: Prefixes of target names to take from the answer, as in O(exclusive). Without any, all are taken.
        type: list
        elements: str
        default: []
      networks:
        description:
          - Take only portals in these networks. A target tells of all its portals, also of those that this host cannot
            reach.
        type: list
        elements: str
        default: []
      chap:
        description: CHAP of the discovery, which is another one than that of the targets.
        type: dict
        suboptions: *chap
  exclusive:
    description:
      - Prefixes of target names that belong to this site, such as V(iqn.2026-11.com.example.cephgate).
      - Sessions and records of targets below them that O(targets) does not list, and portals that it does not list,
        are removed. Names that only begin with the same letters are somebody else's and stay.
      - A prefix covers whole parts, C(prefix:...) and C(prefix....). One that is written with its colon covers C(prefix:...) alone.
      - Refused when it does not say whose names are meant (date and domain), or when nothing is declared beside it.
      - Only with O(state=present). Nothing is removed when a portal of O(discovery) did not answer, since then it is not
        known what there should be.
    type: list
    elements: str
    default: []
  relogin:
    description:
      - Log sessions with RV(pending) settings out and in again, one after the other. The next one is only touched when
        every disk of the one before is a working path of its map again; otherwise the module fails and the rest stays
        as it is.
      - Refused for a session that is the last working path of a disk in use.
    type: bool
    default: false
  rescan:
    description:
      - Look for new LUNs and sizes in the sessions that were there already. That sends commands to every disk, so use
        it only where something is known to be new; M(cephgate.iscsi.multipath_map) asks by itself where a disk is
        missing. Reported as a change when there was one. Not done in check mode.
    type: bool
    default: false
  require:
    description:
      - When to fail for portals without a working session, and for portals of O(discovery) without an answer, after all
        were tried.
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

- name: Log in to what an array tells of, each network through its own device
  cephgate.iscsi.iscsi_session:
    discovery:
      portals: [10.99.1.11, 10.99.2.11]
      targets: [iqn.2026-11.com.example.cephgate]
      networks: [10.99.1.0/24, 10.99.2.0/24]
      chap:
        user: discover
        secret: "{{ vault_discovery_chap }}"
    interfaces:
      - name: san1
        device: eth1
        networks: [10.99.1.0/24]
      - name: san2
        device: eth2
        networks: [10.99.2.0/24]

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
      description:
        - V(LOGGED_IN); V(FAILED) when its connection broke, and V(FREE) when that is longer ago than the session's recovery
          time-out. In both iscsid tries to connect again.
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
failed_discovery:
  description: Portals of O(discovery) that did not answer, with the reason.
  returned: when O(discovery) is set
  type: list
  elements: dict
discovered:
  description: What O(discovery) found and took.
  returned: when O(discovery) is set
  type: list
  elements: dict
  sample:
    - {target: "iqn.2026-11.com.example.cephgate:gw1", portal: "10.99.1.11:3260"}
pending:
  description:
    - Sessions that do not have what their records say, and the settings that hold from their next login on.
    - What the kernel shows of a session is compared (NOP-Out times, digests, error timeouts, CHAP), so these settings are
      listed until they hold. Others are listed in the run that changed them.
  returned: always
  type: list
  elements: dict
  sample:
    - target: iqn.2026-11.com.example.cephgate:gw1
      portal: 10.99.1.11:3260
      iface: default
      settings: ["node.conn[0].timeo.noop_out_interval"]
rescanned:
  description: Disks that O(rescan) brought, took away or resized.
  returned: when O(rescan) is set
  type: list
  elements: str
"""

import os

from ansible_collections.cephgate.iscsi.plugins.module_utils.disk_guard import refuse_if_used
from ansible_collections.cephgate.iscsi.plugins.module_utils.disks import Disks
from ansible_collections.cephgate.iscsi.plugins.module_utils.glue import DeclaredModule
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm import Iscsiadm
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_discovery import Discovery, DiscoveryRecords, merged
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_ifaces import (
    Ifaces, plan_ifaces, plan_removal)
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_names import format_portal
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_plan import (
    Step, absent, by_key, plan_absent, plan_present, unwanted, wanted_portals)
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_records import Records
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_relogin import Relogin
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_rules import check_options
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_run import Run
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_sysfs import sessions as read_sessions
from ansible_collections.cephgate.iscsi.plugins.module_utils.multipathd import Multipathd
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused, report


def network_devices():
    return os.listdir('/sys/class/net') if os.path.isdir('/sys/class/net') else None


def declared(params, targets):
    """The portals to log in to."""
    return wanted_portals(targets, params['settings'], params['chap'], params['startup'], params['ifaces'],
                          params['interfaces'])


def check_declaration(params, check_mode, ifaces):
    check_options(params, None if check_mode else network_devices(), None if check_mode else ifaces.names())
    if params['state'] == 'present':
        declared(params, params['targets'])


def plan(params, targets, exclusive, tool, multipathd, disks, ifaces, records, sessions):
    """(steps, wanted) for the options of the module."""
    steps = [Step(('interface', name), 'iface', operation)
             for name, operation in (plan_ifaces(ifaces, params['interfaces']) if params['state'] == 'present' else [])]
    if params['state'] == 'absent':
        wanted = []
        going = absent(targets, records, sessions, None if params['ifaces'] == ['default'] else params['ifaces'])
    else:
        wanted = declared(params, targets)
        steps += plan_present(tool, wanted, records, sessions)
        going = unwanted(set(item.key for item in wanted), records, sessions, exclusive)
    closing = [disk for key in going if key in sessions for disk in sessions[key].disks]
    names = ', '.join(sorted(set(key[0] for key in going)))
    maps = refuse_if_used(disks, closing, multipathd, 'logging out of %s' % names)
    steps += plan_absent(tool, going, records, sessions, [(name, multipathd.flush(name)) for name in maps])
    staying = (set(records) | set(sessions) | set(item.key for item in wanted)) - set(going)
    steps += [Step(('interface', name), 'remove iface', operation)
              for name, operation in plan_removal(ifaces, params['interfaces'], staying)]
    return steps, wanted


def discover(module, tool, result):
    """(targets, prefixes to clean up below) after asking the portals of the option discovery."""
    params = module.params
    if not params['discovery']:
        return params['targets'], params['exclusive']
    asking = Discovery(tool, DiscoveryRecords(), params['discovery'], module.check_mode)
    found = []
    try:
        if params['state'] == 'present':
            found = asking.ask()
        else:
            asking.forget()
    finally:
        result['discovery'] = asking
    result['failed_discovery'] = asking.failed
    result['discovered'] = [dict(target=name, portal=format_portal(portal.address, portal.port)) for name, portal in found]
    unsure = asking.failed or asking.unknown
    if unsure and params['exclusive'] and params['state'] == 'present':
        module.warn('Nothing is removed below %s: not every portal of the discovery has answered, so it is not known what '
                    'there should be.' % ', '.join(params['exclusive']))
    if params['state'] == 'absent':
        return params['targets'], []
    targets = merged(params['targets'], found)
    return [target for target in targets if target['portals']], [] if unsure else params['exclusive']


def main():
    chap = dict(type='dict', options=dict(
        user=dict(type='str'), secret=dict(type='str', no_log=True),
        mutual_user=dict(type='str'), mutual_secret=dict(type='str', no_log=True)))
    module = DeclaredModule(
        argument_spec=dict(
            targets=dict(type='list', elements='dict', default=[], options=dict(
                name=dict(type='str', required=True),
                portals=dict(type='list', elements='str', default=[]),
                settings=dict(type='dict', default={}),
                chap=chap,
            )),
            state=dict(type='str', choices=['present', 'absent'], default='present'),
            settings=dict(type='dict', default={}),
            chap=chap,
            startup=dict(type='str', choices=['automatic', 'manual', 'onboot'], default='automatic'),
            ifaces=dict(type='list', elements='str', default=['default']),
            interfaces=dict(type='list', elements='dict', default=[], options=dict(
                name=dict(type='str', required=True),
                device=dict(type='str'),
                hwaddress=dict(type='str'),
                initiator_name=dict(type='str'),
                networks=dict(type='list', elements='str', default=[]),
                state=dict(type='str', choices=['present', 'absent'], default='present'),
            )),
            discovery=dict(type='dict', options=dict(
                portals=dict(type='list', elements='str', required=True),
                targets=dict(type='list', elements='str', default=[]),
                networks=dict(type='list', elements='str', default=[]),
                chap=chap,
            )),
            exclusive=dict(type='list', elements='str', default=[]),
            relogin=dict(type='bool', default=False),
            rescan=dict(type='bool', default=False),
            require=dict(type='str', choices=['all', 'any', 'none'], default='all'),
            connect_timeout=dict(type='int', default=5),
        ),
        supports_check_mode=True,
    )
    params = module.params
    tool = Iscsiadm(module.run_command, params['connect_timeout'])
    multipathd = Multipathd(module.run_command)
    database, ifaces, disks = Records(), Ifaces(), Disks()
    run = Run(tool, database, ifaces, module.check_mode, read_sessions, disks)
    extra = {}
    try:
        check_declaration(params, module.check_mode, ifaces)
        targets, exclusive = discover(module, tool, extra)
        records = dict((record.key, (record, record.settings())) for record in database.all())
        sessions = by_key(read_sessions())
        steps, wanted = plan(params, targets, exclusive, tool, multipathd, disks, ifaces, records, sessions)
    except (Refused, EnvironmentError) as error:
        module.fail_json(msg=str(error), **with_discovery(run.result([], {}), extra, module.check_mode))
    run.steps(steps)
    rescanned = None
    if params['state'] == 'present':
        if params['rescan']:
            rescanned = [] if module.check_mode else run.rescan(wanted, sessions)
        if params['relogin']:
            run.relogin(Relogin(tool, disks, multipathd, read_sessions, run.login), wanted, sessions)
    result = with_discovery(run.result(wanted, sessions), extra, module.check_mode)
    if rescanned is not None:
        result['rescanned'] = rescanned
        result['changed'] = result['changed'] or bool(rescanned)
    problem = run.problem(wanted, params['require'], result)
    if problem:
        module.fail_json(msg=problem, **result)
    module.exit_json(**result)


def with_discovery(result, extra, check_mode):
    """The result with what the discovery did before everything else."""
    asking = extra.pop('discovery', None)
    if asking:
        first = report(asking.operations, 0, check_mode)
        for entry, done in zip(first['operations'], asking.done):
            entry['done'] = done
        result['operations'] = first['operations'] + result['operations']
        result['diff']['prepared'] = first['diff']['prepared'] + result['diff']['prepared']
        result['changed'] = result['changed'] or any(asking.done) or (check_mode and bool(asking.operations))
    return dict(result, **extra)


if __name__ == '__main__':
    main()
