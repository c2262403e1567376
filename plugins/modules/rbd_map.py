#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: rbd_map
short_description: Map Ceph block images as block devices of this host
version_added: "0.1.0"
description:
  - Maps images with the kernel's rbd client and reports what each mapping is.
  - An image that is in use (open, mounted, below another block device, exported) is never unmapped. SCST before 3.8 does not claim what
    it exports, so its devices are looked at in C(/sys/kernel/scst_tgt).
  - A mapping that Ceph has fenced (blocklisted) stays listed and refuses everything. It is found by reading the device itself, and
    replaced, unless something uses it.
  - Map options and, when an image cannot be mapped, its features are checked against what this kernel knows.
  - A mapping does not survive a reboot by itself. On a gateway the service C(cephgate) brings it back, from the state file
    that M(cephgate.iscsi.gateway_state) writes.
  - State is read from the kernel (C(/sys/bus/rbd)); the C(rbd) command is called only where something changes.
options:
  images:
    description: The images.
    type: list
    elements: dict
    required: true
    suboptions:
      image:
        description: The image as C(pool/image) or C(pool/namespace/image).
        type: str
        required: true
      state:
        description: Whether the image is to be mapped on this host. With V(absent) all its mappings go, or none when one of them is in use.
        type: str
        choices: [present, absent]
        default: present
      options:
        description:
          - Map options as in rbd(8), comma separated, for example V(osdkeepalive=2).
          - They hold for mappings that this module makes. An image that is mapped already keeps its options.
        type: str
      size:
        description:
          - Wait until the kernel sees at least this size, in bytes or with a unit of 1024. Ceph tells the kernel of a
            grown image a moment after the growth.
        type: bytes
  check_health:
    description:
      - Whether mappings are read to see that they work, a block of each, all at once and past the page cache. One that
        does not answer within 5 seconds is left alone, as a slow Ceph is no fence.
    type: bool
    default: true
  timeout:
    description: Longest wait for O(images[].size), in seconds.
    type: int
    default: 30
extends_documentation_fragment:
  - cephgate.iscsi.attributes
  - cephgate.iscsi.ceph
seealso:
  - module: cephgate.iscsi.rbd_image
  - module: cephgate.iscsi.scst_device
author:
  - the cephgate contributors (@cephgate)
"""

EXAMPLES = r"""
- name: Map two images
  cephgate.iscsi.rbd_map:
    client: igw
    images:
      - image: rbd/db01
        size: 100G
      - image: rbd/archive
        options: osdkeepalive=2
  register: mapped

- name: Unmap an image, unless something uses it
  cephgate.iscsi.rbd_map:
    client: igw
    images:
      - image: rbd/archive
        state: absent
"""

RETURN = r"""
operations:
  description: What was done, or would be done in check mode, in order.
  returned: always
  type: list
  elements: dict
  sample:
    - {object: image rbd/db01, action: map, how: run, done: true, target: [rbd, --id, igw, map, rbd/db01]}
mapped:
  description: The mappings of the listed images that exist now. An image that is not mapped is left out.
  returned: success
  type: dict
  contains:
    path:
      description: Block device; C(/dev/rbd/pool/image) where udev made that name, else C(/dev/rbdN).
      type: str
    number:
      description: The N of C(/dev/rbdN).
      type: int
    image_id:
      description: Internal id of the image. A re-created image has another one.
      type: str
    fsid:
      description: The Ceph cluster's id.
      type: str
    size:
      description: Size in bytes.
      type: int
    health:
      description: Whether it answers a read. V(works), V(dead) when it refuses, V(silent) when nothing was answered; null when not asked.
      type: str
  sample:
    rbd/db01:
      path: /dev/rbd/rbd/db01
      number: 0
      image_id: 1037c2a4b7f1
      fsid: a7f64266-0894-4f1e-a635-d0aeaca0e993
      size: 107374182400
      health: works
"""

import os
import time

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.cephgate.iscsi.plugins.module_utils import krbd, lock
from ansible_collections.cephgate.iscsi.plugins.module_utils.ceph import ceph_argument_spec, conf_fsid, rbd_of
from ansible_collections.cephgate.iscsi.plugins.module_utils.glue import plan_and_apply
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused
from ansible_collections.cephgate.iscsi.plugins.module_utils.rbd import MAP_TIMEOUT, holders, mapped, numbers
from ansible_collections.cephgate.iscsi.plugins.module_utils.rbd_health import DEAD, health
from ansible_collections.cephgate.iscsi.plugins.module_utils.rbd_plan import human, plan_mappings


def wait_for_sizes(images, timeout):
    """The mappings once every image has its declared size; Refused when that takes too long."""
    end = time.time() + timeout
    while True:
        found = mapped()
        small = [entry for entry in images if entry.get('size') and entry['image'] in found
                 and found[entry['image']]['size'] < entry['size']]
        if not small:
            return found
        if time.time() > end:
            raise Refused('image %s: the kernel still sees %s after %d s, not %s. Has the image been grown '
                          '(rbd info), and does this host reach Ceph?' % (
                              small[0]['image'], human(found[small[0]['image']]['size']), timeout,
                              human(small[0]['size'])))
        time.sleep(0.1)


def main():
    module = AnsibleModule(
        argument_spec=dict(
            ceph_argument_spec(),
            images=dict(type='list', elements='dict', required=True, options=dict(
                image=dict(type='str', required=True),
                state=dict(type='str', choices=['present', 'absent'], default='present'),
                options=dict(type='str'),
                size=dict(type='bytes'),
            )),
            check_health=dict(type='bool', default=True),
            timeout=dict(type='int', default=30),
        ),
        supports_check_mode=True,
    )
    images = module.params['images']
    rbd = rbd_of(module, MAP_TIMEOUT)

    def healths(found):
        """{number of a mapping: (its health, why)} of all that the listed images have."""
        if not module.params['check_health']:
            return {}
        listed = [number for entry in images if entry['image'] in found for number in numbers(found[entry['image']])]
        answers = health(['/dev/rbd%d' % number for number in listed])
        return dict((number, answers['/dev/rbd%d' % number]) for number in listed)

    def plan():
        for entry in images:
            problems = krbd.option_problems(entry['options'], os.uname()[2]) if entry['state'] == 'present' else []
            if problems:
                raise Refused('image %s: %s' % (entry['image'], ' '.join(problems)))
        found = mapped()
        dead = dict((number, why) for number, (state, why) in healths(found).items() if state == DEAD)
        return plan_mappings(rbd, found, images, holders, dead)

    def facts():
        found = mapped() if module.check_mode else wait_for_sizes(images, module.params['timeout'])
        listed = dict((entry['image'], found[entry['image']]) for entry in images if entry['image'] in found)
        states = healths(listed)
        for image, entry in sorted(listed.items()):
            entry['health'] = states.get(entry['number'], (None, None))[0]
            entry['fsid'] = entry['fsid'] or conf_fsid(module.params['cluster'])
            if not entry['fsid']:
                raise Refused('image %s: neither this kernel nor ceph.conf tells the cluster\'s fsid, from which its identity is '
                              'derived. Add "fsid = ..." to /etc/ceph/%s.conf.' % (image, module.params['cluster']))
        return dict(mapped=listed)

    plan_and_apply(module, plan, rbd.perform, facts,
                   lock=lock.rbd([entry['image'] for entry in images], 'module rbd_map'))


if __name__ == '__main__':
    main()
