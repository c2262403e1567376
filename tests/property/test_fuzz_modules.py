# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same through the modules' own entry points: arguments come in as JSON, a result or a clean failure goes out."""
import contextlib
import copy
import io
import json
import tempfile
from unittest import mock

import hypothesis
import pytest
import test_fuzz
import world
from ansible.module_utils import basic
from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_device as scst_device_util
from ansible_collections.cephgate.iscsi.plugins.modules import scst_alua, scst_device, scst_info, scst_lun, scst_target
from hypothesis import given
from hypothesis import strategies as st

MODULES = {'scst_device': (scst_device, ['devices']), 'scst_target': (scst_target, ['targets', 'driver']),
           'scst_lun': (scst_lun, ['luns']), 'scst_alua': (scst_alua, ['device_groups'])}


def run(module, tree, options, check_mode=False):
    """The result of main() as Ansible gets it. Whatever else than an exit leaves main() is the test's failure."""
    arguments = dict(options, _ansible_check_mode=check_mode, _ansible_remote_tmp=tempfile.gettempdir(), _ansible_keep_remote_files=False)
    output = io.StringIO()
    text = json.dumps({'ANSIBLE_MODULE_ARGS': arguments}).encode()
    snapshot = scst_device_util.snapshot
    with mock.patch.object(basic, '_ANSIBLE_ARGS', text), mock.patch.object(basic, '_ANSIBLE_PROFILE', 'legacy', create=True), \
            mock.patch.object(module, 'Sysfs', lambda root: tree), contextlib.redirect_stdout(output), \
            mock.patch.object(scst_device_util, 'snapshot', lambda *args, **more: snapshot(*args, size_of=world.size_of(tree), **more)):
        with pytest.raises(SystemExit):
            module.main()
    assert 'Traceback' not in output.getvalue()
    return json.loads(output.getvalue().strip().splitlines()[-1])


def before(name):
    """A tree with all that comes before this module."""
    tree = world.emulator()
    for other, (module, parts) in MODULES.items():
        if other == name:
            return tree
        result = run(module, tree, {part: test_fuzz.GOOD[part] for part in parts})
        assert not result.get('failed'), result
    return tree


@pytest.mark.parametrize('name', sorted(MODULES))
@hypothesis.settings(max_examples=60)
@given(data=st.data())
def test_a_spoilt_task_fails_cleanly_or_is_done(name, data):
    module, parts = MODULES[name]
    path = data.draw(st.sampled_from([path for path in test_fuzz.PLACES if path[0] in parts]))
    value = data.draw(test_fuzz.nasty)
    hypothesis.assume(storable(value))
    declared = test_fuzz.spoilt(path, value, data.draw(st.booleans()))
    options = {part: declared[part] for part in parts}
    tree = before(name)
    state = tree.tree()
    tree.reset_counters()
    checked = run(module, tree, options, check_mode=True)
    assert tree.writes == 0
    result = run(module, tree, options)
    if result.get('failed'):
        assert result['msg'] and len(result['msg']) < 12000
        done = [operation for operation in result.get('operations', ()) if operation['done']]
        if done:  # how many processors a mask may name depends on the host
            assert 'cpu_mask' in result['msg']
        else:
            assert tree.tree() == dict(state, last_sysfs_mgmt_res=tree.tree()['last_sysfs_mgmt_res'])
        return
    assert not checked.get('failed')
    again = run(module, tree, options)
    assert (again.get('failed', False), again['operations']) == (False, [])


@hypothesis.settings(max_examples=60)
@given(data=st.data())
def test_a_spoilt_configuration_is_rendered_or_fails_cleanly(data):
    value = data.draw(test_fuzz.nasty)
    hypothesis.assume(storable(value))
    declared = test_fuzz.spoilt(data.draw(st.sampled_from(test_fuzz.PLACES)), value, data.draw(st.booleans()))
    result = run(scst_info, None, dict(render=copy.deepcopy(declared)))
    assert result.get('failed') and result['msg'] or isinstance(result['rendered'], str)


def storable(value):
    """Whether it can come in as JSON at all."""
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True


@pytest.mark.parametrize('name', sorted(MODULES))
def test_the_task_that_is_spoilt_is_a_good_one(name):
    module, parts = MODULES[name]
    tree = before(name)
    options = {part: test_fuzz.GOOD[part] for part in parts}
    result = run(module, tree, options)
    assert not result.get('failed') and result['changed'], result
    assert run(module, tree, options)['operations'] == []
