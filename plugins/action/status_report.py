# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json
import os
import time

from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.text.converters import to_bytes, to_native
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.cephgate.iscsi.plugins.plugin_utils import status_document, status_facts, status_page, status_text

display = Display()


class ActionModule(ActionBase):

    TRANSFERS_FILES = False
    _requires_connection = False
    ARGUMENT_SPEC = dict(
        gateways_group=dict(type='str', default='gateways'),
        linux_clients_group=dict(type='str', default='linux_clients'),
        windows_clients_group=dict(type='str', default='windows_clients'),
        html=dict(type='path'),
        json=dict(type='path'),
        fail_on=dict(type='str', choices=['broken', 'degraded', 'never'], default='broken'),
    )

    def run(self, tmp=None, task_vars=None):
        result = super(ActionModule, self).run(tmp, task_vars)
        dummy, params = self.validate_argument_spec(argument_spec=self.ARGUMENT_SPEC)
        names = dict((kind, params[option]) for kind, option in (
            ('gateways', 'gateways_group'), ('linux', 'linux_clients_group'), ('windows', 'windows_clients_group')))
        document = status_document.build(status_facts.facts(task_vars['groups'], task_vars['hostvars'], names, time.time()))
        for line in [''] + status_text.lines(document) + ['']:
            display.display(line)
        if not self._task.check_mode:
            if params['html']:
                write(params['html'], status_page.page(document))
            if params['json']:
                write(params['json'], json.dumps(document, indent=1, sort_keys=True) + '\n')
        result.update(changed=False, health=document['health'], headline=document['headline'], summary=document['summary'],
                      problems=[dict((key, problem[key]) for key in ('kind', 'health', 'what', 'objects', 'remedy'))
                                for problem in document['problems']])
        if status_document.fails(document, params['fail_on']):
            result.update(failed=True, msg='%s: %s' % (document['health'], document['headline']))
        return result


def write(path, text):
    """Replace a file on the control node in one step: somebody may be looking at the last report."""
    path = os.path.abspath(os.path.expanduser(path))
    new = path + '.new'
    try:
        with open(new, 'wb') as handle:
            handle.write(to_bytes(text))
        os.rename(new, path)
    except EnvironmentError as error:
        raise AnsibleActionFail('the report cannot be written to %s: %s. Give a file in a folder that exists on the control node.'
                                % (path, to_native(error.strerror)))
