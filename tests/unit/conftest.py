# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What unit tests need: the collection importable from a clone at any path, and `run_module`.

    from ansible_collections.cephgate.iscsi.plugins.modules import scst_device

    def test_a_new_device_is_created(run_module, root):
        result = run_module(scst_device, sysfs_root=root, devices=[...])
        assert result['changed']

    def test_check_mode_changes_nothing(run_module, root):
        result = run_module(scst_device, check_mode=True, ...)

    def test_a_dot_in_the_name_is_refused(run_module, root):
        result = run_module(scst_device, devices=[dict(name='a.b')], ...)
        assert result['failed'] and 'a.b' in result['msg']

`run_module` runs the module's main() in this process, with the arguments handed over and the
result printed and parsed as Ansible does it, so argument specs, no_log masking and serialization
are part of what is tested. Replace the outside world (a Sysfs, Rbd, Iscsiadm object) with
monkeypatch on the module.
"""
import json
import pathlib
import subprocess
import sys

import hypothesis
import pytest

# On a busy machine generated input is slow to come, which says nothing of what is tested.
hypothesis.settings.register_profile('busy', deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile('busy')

TOP = pathlib.Path(__file__).resolve().parents[2]
subprocess.run([TOP / 'tests/tools/link-collection.sh'], check=True)
if str(TOP / 'build/collections') not in sys.path:
    sys.path.insert(0, str(TOP / 'build/collections'))


@pytest.fixture(autouse=True)
def locks(monkeypatch, tmp_path_factory):
    """The folder of locks: not this machine's /run."""
    from ansible_collections.cephgate.iscsi.plugins.module_utils import lock
    folder = tmp_path_factory.mktemp('run')
    monkeypatch.setattr(lock, 'FOLDER', str(folder))
    return folder


@pytest.fixture
def run_module(capsys, monkeypatch, tmp_path):
    """A function (module, check_mode=False, diff=False, **options) that returns the result as a dict.

    `failed` is always in the result. An exception that leaves main() is the test's failure.
    """
    from ansible.module_utils import basic

    def run(module, check_mode=False, diff=False, **options):
        arguments = dict(options, _ansible_check_mode=check_mode, _ansible_diff=diff,
                         _ansible_remote_tmp=str(tmp_path), _ansible_keep_remote_files=False)
        monkeypatch.setattr(basic, '_ANSIBLE_ARGS', json.dumps({'ANSIBLE_MODULE_ARGS': arguments}).encode())
        # ansible-core 2.19 decodes arguments and encodes results by a named profile, set by its wrapper.
        monkeypatch.setattr(basic, '_ANSIBLE_PROFILE', 'legacy', raising=False)
        capsys.readouterr()
        with pytest.raises(SystemExit) as leaving:
            module.main()
        output = capsys.readouterr().out
        result = json.loads(output.strip().splitlines()[-1])
        result.setdefault('failed', False)
        assert bool(leaving.value.code) == result['failed'], output
        return result

    return run
