# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The harness itself: run_module reports what Ansible would be told, under every ansible-core."""
import types

import pytest
from ansible.module_utils.basic import AnsibleModule


def main():
    module = AnsibleModule(
        argument_spec=dict(name=dict(type='str', required=True), secret=dict(type='str', no_log=True)),
        supports_check_mode=True)
    if module.params['name'] == 'bad':
        module.fail_json(msg='bad: refused')
    if module.params['name'] == 'crash':
        raise KeyError('crash')
    module.exit_json(changed=not module.check_mode, said=module.params['secret'], diff=module._diff)


MODULE = types.SimpleNamespace(main=main)


def test_success_is_the_printed_result(run_module):
    result = run_module(MODULE, name='x')
    assert (result['changed'], result['failed'], result['diff']) == (True, False, False)


def test_check_and_diff_mode_are_passed_on(run_module):
    result = run_module(MODULE, check_mode=True, diff=True, name='x')
    assert (result['changed'], result['diff']) == (False, True)


def test_secrets_are_masked(run_module):
    assert 'xyzzy' not in str(run_module(MODULE, name='x', secret='xyzzy'))


def test_failure_is_a_result(run_module):
    result = run_module(MODULE, name='bad')
    assert (result['failed'], result['msg']) == (True, 'bad: refused')


def test_a_wrong_argument_is_a_failure(run_module):
    result = run_module(MODULE, name='x', nme='y')
    assert result['failed'] and 'nme' in result['msg']


def test_a_crash_is_not_a_result(run_module):
    with pytest.raises(KeyError):
        run_module(MODULE, name='crash')


def test_the_collection_is_importable():
    from ansible_collections.cephgate.iscsi.plugins.module_utils import operations
    assert operations.Operation('disk a', 'create', 'write', 'x').line() == 'disk a: create'
