# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module's documentation says is what its action plugin takes: ansible-test compares the two for modules only."""
import importlib

import pytest
import yaml

MODULES = ['win_disk', 'win_info', 'win_iscsi_session', 'win_mpio', 'win_restart']
BASE = 'ansible_collections.cephgate.iscsi.plugins.'


def described(options):
    found = {}
    for name, option in (options or {}).items():
        found[name] = dict((key, option[key]) for key in ('type', 'elements', 'default', 'choices', 'required') if key in option)
        if 'suboptions' in option:
            found[name]['options'] = described(option['suboptions'])
    return found


def specified(spec):
    found = {}
    for name, option in spec.items():
        found[name] = dict((key, option[key]) for key in ('type', 'elements', 'default', 'choices', 'required') if key in option)
        if 'options' in option:
            found[name]['options'] = specified(option['options'])
    return found


@pytest.mark.parametrize('module', MODULES)
def test_the_documentation_is_the_specification(module):
    documentation = yaml.safe_load(importlib.import_module(BASE + 'modules.' + module).DOCUMENTATION)
    assert documentation['module'] == module
    assert described(documentation['options']) == specified(importlib.import_module(BASE + 'action.' + module).ActionModule.ARGUMENT_SPEC)


def test_every_secret_is_marked():
    chap = importlib.import_module(BASE + 'action.win_iscsi_session').ActionModule.ARGUMENT_SPEC['chap']['options']
    assert [name for name, option in chap.items() if option.get('no_log')] == ['secret', 'mutual_secret']
