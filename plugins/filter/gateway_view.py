# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
name: gateway_view
short_description: What one gateway has to serve, derived from the site
version_added: "0.1.0"
author: the cephgate contributors (@cephgate)
description:
  - Turns the declaration of the site and the facts of its images into the lists that the SCST modules take.
  - The result depends on no list order, and what two gateways must agree on (identity, numbers, access states) comes
    out alike on both.
positional: _input, gateway, hosts, gateways, iqn_prefix, mapped, client, map_options, sysfs_root, ha_mode, ha_pool, ha_passive, fsid
options:
  _input:
    description: The declared LUNs (V(cephgate_luns)).
    type: list
    elements: dict
    required: true
  gateway:
    description: Name of the gateway.
    type: str
    required: true
  hosts:
    description: The declared hosts (V(cephgate_hosts)).
    type: dict
    required: true
  gateways:
    description: All gateways, as P(cephgate.iscsi.gateways#filter) gives them.
    type: dict
    required: true
  iqn_prefix:
    description: The prefix of all target names (V(cephgate_iqn_prefix)).
    type: str
    required: true
  mapped:
    description: RV(cephgate.iscsi.rbd_map#module:mapped) of this gateway. Without an entry an image has no identity yet.
    type: dict
    required: true
  client:
    description: Ceph client name, for C(state).
    type: str
    default: admin
  map_options:
    description: Map options of rbd(8), for C(state).
    type: str
    default: ''
  sysfs_root:
    description: Root of SCST's management interface, for C(state).
    type: str
    default: /sys/kernel/scst_tgt
  ha_mode:
    description: How the gateways share the images, V(shared) or V(fenced).
    type: str
    choices: [shared, fenced]
    default: shared
  ha_pool:
    description: With V(fenced), the pool that holds the gateways' records. Defaults to that of the first image.
    type: str
    default: ''
  ha_passive:
    description: With V(fenced), the ALUA state of a path whose disk another gateway has.
    type: str
    choices: [standby, nonoptimized, unavailable]
    default: standby
  fsid:
    description: With V(fenced), the id of the Ceph cluster, as images are not mapped when the state is written.
    type: str
    default: ''
"""

EXAMPLES = r"""
- name: Devices of this gateway
  cephgate.iscsi.scst_device:
    devices: "{{ view.devices }}"
  vars:
    view: >-
      {{ cephgate_luns | cephgate.iscsi.gateway_view(inventory_hostname, cephgate_hosts,
         groups['gateways'] | cephgate.iscsi.gateways(hostvars), cephgate_iqn_prefix, mapped.mapped) }}
"""

RETURN = r"""
_value:
  description:
    - Lists C(images), C(made) (the same, with what counts when they are created),
      C(devices), C(targets), C(luns) and C(device_groups) for the modules that take them.
    - C(exports), for each image C(serial), C(size) in bytes, C(device), C(gateway) and C(hosts), is what clients need.
    - C(removed), with C(luns), C(devices), C(device_groups) and C(images), is what the modules that take them have to remove, for LUNs that are
      declared with C(state=absent).
    - C(state) and C(secrets) are what M(cephgate.iscsi.gateway_state) takes.
  type: dict
"""

from ansible_collections.cephgate.iscsi.plugins.module_utils import site


def gateway_view(luns, gateway, hosts, gateways, iqn_prefix, mapped, client='admin', map_options='',
                 sysfs_root='/sys/kernel/scst_tgt', ha_mode='shared', ha_pool='', ha_passive='standby', fsid=''):
    declared, luns = luns, site.present(luns)
    numbers = dict((name, gateways[name]['number']) for name in gateways)
    if ha_mode == 'fenced':
        mapped = site.unmapped(mapped, fsid)
    views = dict(
        devices=site.devices(luns, mapped),
        targets=[site.target(iqn_prefix, gateway, numbers[gateway], gateways[gateway]['portals'], hosts,
                             site.WATCHFUL if ha_mode == 'fenced' else None)],
        luns=site.target_luns(iqn_prefix, gateway, luns),
        device_groups=site.device_groups(iqn_prefix, luns, numbers) if ha_mode != 'fenced' else
        site.fenced_groups(iqn_prefix, luns, numbers, ha_passive),
    )
    ha = site.take_over(luns, mapped, gateway, gateways, ha_pool, ha_passive) if ha_mode == 'fenced' else None
    return dict(
        views,
        images=[dict((key, lun[key]) for key in ('image', 'size') if key in lun) for lun in luns],
        made=[dict((key, lun[key]) for key in ('image', 'size', 'data_pool', 'object_size') if key in lun) for lun in luns],
        # What is to go is still exported; clients let go of it by its serial number.
        exports=site.exports(declared, mapped, sorted(gateways)),
        removed=site.removed(iqn_prefix, gateway, declared, ha_mode == 'fenced'),
        state=site.state(luns, mapped, map_options, client, sysfs_root, views, ha),
        secrets=site.secrets(views['targets']),
    )


class FilterModule(object):

    def filters(self):
        return dict(gateway_view=gateway_view)
