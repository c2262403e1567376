# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the plays of the playbook status have left in the hosts' variables, in the shape that status_document takes."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible.errors import AnsibleActionFail

# What the roles' status tasks register.
LINUX = dict(seen='linux_client_seen', sessions='linux_client_sessions', disks='linux_client_disks')
WINDOWS = dict(seen='windows_client_seen', sessions='windows_client_sessions', disks='windows_client_found')


def facts(groups, hostvars, names, now):
    """groups, hostvars: as in a play; names: {gateways, linux, windows}: inventory groups; now: seconds since 1970"""
    gateways = list(groups.get(names['gateways']) or [])
    if not gateways:
        raise AnsibleActionFail('the inventory group %s has no hosts, so there is no site to report on. Give the inventory of the site (-i).'
                                % names['gateways'])
    # Declared once for all; the first gateway stands for them.
    first = hostvars[gateways[0]]
    lacking = [name for name in ('cephgate_iqn_prefix', 'cephgate_luns', 'cephgate_hosts') if first.get(name) is None]
    if lacking:
        raise AnsibleActionFail('gateway %s has no %s, so it is not known what the site should be. Declare it in group_vars/all.yml of the '
                                'inventory.' % (gateways[0], ', '.join(lacking)))
    site = dict(iqn_prefix=first['cephgate_iqn_prefix'], luns=first['cephgate_luns'], hosts=first['cephgate_hosts'],
                gateways=dict((name, dict(number=hostvars[name].get('cephgate_gateway_id'),
                                          portals=hostvars[name].get('cephgate_portals'))) for name in gateways))
    return dict(
        site=site, now=now,
        gateways=dict((name, dict(seen=hostvars[name].get('gateway_status_seen'), planned=ran(hostvars[name].get('gateway_status_planned'))))
                      for name in gateways),
        linux=_clients(groups, hostvars, names['linux'], LINUX), windows=_clients(groups, hostvars, names['windows'], WINDOWS))


def _clients(groups, hostvars, group, registered):
    found = {}
    for name in groups.get(group) or []:
        found[name] = dict(host=hostvars[name].get('cephgate_host'), initiator_name=hostvars[name].get('cephgate_initiator_name'))
        for part in registered:
            found[name][part] = ran(hostvars[name].get(registered[part]))
        if not found[name]['seen']:
            found[name].update(seen={}, sessions={}, disks={})
    return found


def ran(result):
    """A registered result; empty when the task did not run on the host."""
    return {} if not result or result.get('skipped') else result
