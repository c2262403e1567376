# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries of the section overrides that take rules of the section devices out of force (multipath.conf(5), "overrides section")."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os

from ansible_collections.cephgate.iscsi.plugins.module_utils.multipath_document import Document
from ansible_collections.cephgate.iscsi.plugins.module_utils.multipath_edit import value_text

CONF_D = '/etc/multipath/conf.d'


def others(path, folder=CONF_D):
    """Files that multipath reads besides the main one, in its order."""
    if not os.path.isdir(folder) or os.path.dirname(path) == folder:
        return []
    return [os.path.join(folder, name) for name in sorted(os.listdir(folder)) if name.endswith('.conf')]


def beaten(devices, texts):
    """Sentences. devices: of the module multipath_conf; texts: [(path, text)] of all files that multipath reads."""
    wanted = [('%s %s' % (device['vendor'], device['product']), keyword, value_text(keyword, value))
              for device in devices if device['state'] == 'present' for keyword, value in sorted(device['entries'].items()) if value is not None]
    found = []
    for path, text in texts:
        for section in Document(text).sections('overrides'):
            for entry in section.entries:
                found += [
                    '%s line %d: "overrides" sets %s to %s for all disks, and that goes before %s %s of the rule for %s. Take it out there, or make '
                    'sure that you want it for these disks, too.' % (path, entry.line + 1, keyword, entry.value, keyword, value, rule)
                    for rule, keyword, value in wanted if keyword == entry.keyword and value != entry.value]
    return found
