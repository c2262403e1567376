#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

# The work is done on the controller, by the action plugin of the same name.

DOCUMENTATION = r"""
module: status_report
short_description: Say how the site does, as a table, a page and a file
version_added: "0.1.0"
description:
  - Turns the declaration, and what the playbook C(cephgate.iscsi.status) has gathered from the hosts, into one report. It shows a table,
    and writes an HTML page and a JSON file on the control node when asked.
  - Of each gateway, image, host and disk it says whether it is healthy, degraded, broken or not known, why, and what to do.
  - Nothing is changed on any host. In check mode no file is written either.
options:
  html:
    description: File for the page, on the control node. It needs no other file and no network.
    type: path
  json:
    description: File for the whole report as JSON, on the control node.
    type: path
  fail_on:
    description:
      - When to fail. V(broken) when a host has lost a disk or an image is served by nobody, V(degraded) when anything is not as
        declared, too, V(never) not at all.
    type: str
    choices: [broken, degraded, never]
    default: broken
  gateways_group:
    description: Inventory group of the gateways.
    type: str
    default: gateways
  linux_clients_group:
    description: Inventory group of the Linux clients.
    type: str
    default: linux_clients
  windows_clients_group:
    description: Inventory group of the Windows clients.
    type: str
    default: windows_clients
extends_documentation_fragment:
  - cephgate.iscsi.attributes.info
author:
  - the cephgate contributors (@cephgate)
"""

EXAMPLES = r"""
# The playbook cephgate.iscsi.status gathers what this reports on.
- name: Say how the site does
  cephgate.iscsi.status_report:
    html: /var/www/html/storage.html
    json: /var/lib/cephgate/status.json
    fail_on: never
  run_once: true
"""

RETURN = r"""
health:
  description: The whole site in one word.
  returned: always
  type: str
  sample: degraded
headline:
  description: The same in a sentence.
  returned: always
  type: str
  sample: gw2 is out of service. Every disk works.
summary:
  description: How many C(gateways), C(images), C(hosts), C(disks), sessions (C(links)) and C(paths) there are, and how many are well.
  returned: always
  type: dict
problems:
  description: What is wrong, worst first, with C(kind), C(health), C(what), C(objects) and C(remedy). The JSON file has the reasons.
  returned: always
  type: list
  elements: dict
"""
