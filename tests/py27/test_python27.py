# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Old hosts have Python 2.7: everything that runs on a host is run by a real one.

The last ansible-core that manages such hosts is 2.16, so its module_utils are used. Run by
`make py27`, which sets PYTHON27.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys

import ansible
import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
PLUGINS = TOP / 'plugins'
FILES = sorted(PLUGINS.glob('module_utils/*.py')) + sorted(PLUGINS.glob('modules/*.py'))
# Those for Windows hold documentation only; what runs there is PowerShell, and their other half runs on the controller.
MODULES = sorted(path.stem for path in PLUGINS.glob('modules/*.py') if '\ndef main(' in path.read_text())
PREFIX = 'ansible_collections.cephgate.iscsi.plugins.'


@pytest.fixture(scope='session')
def library(tmp_path_factory):
    """The two packages as a host gets them; Python 2.7 needs an __init__.py in every folder."""
    top = tmp_path_factory.mktemp('library')
    shutil.copytree(pathlib.Path(ansible.__file__).parent / 'module_utils', top / 'ansible/module_utils')
    (top / 'ansible/__init__.py').touch()
    plugins = top / 'ansible_collections/cephgate/iscsi/plugins'
    for folder in ('module_utils', 'modules'):
        shutil.copytree(PLUGINS / folder, plugins / folder, ignore=shutil.ignore_patterns('__pycache__'))
        (plugins / folder / '__init__.py').touch()
    for folder in (plugins, *list(plugins.parents)[:3]):
        (folder / '__init__.py').touch()
    return top


@pytest.fixture
def call(library):
    def run(name, calls, python=os.environ['PYTHON27']):
        return subprocess.run([python, TOP / 'tests/py27/call.py', library, PREFIX + name], input=json.dumps(calls),
                              capture_output=True, text=True, timeout=60, check=False)
    return run


def test_this_is_python_27():
    version = subprocess.check_output([os.environ['PYTHON27'], '-c', 'import sys; print(sys.version_info[:2])'])
    assert version == b'(2, 7)\n'


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.stem)
def test_it_can_be_imported(call, path):
    done = call('%s.%s' % (path.parent.name, path.stem), [])
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize('name', MODULES)
def test_a_module_checks_its_options(call, name):
    """The argument spec is built and used by the 2.7 of AnsibleModule."""
    done = call('modules.' + name, {'main': {'no_such_option': 1}})
    assert done.stderr == ''
    result = json.loads(done.stdout)
    # Missing options are reported before unknown ones.
    assert result['failed'] and ('no_such_option' in result['msg'] or 'missing required' in result['msg']), result


IMAGES = ['rbd/db01', 'rbd/ns/db.01', 'p/' + 'x' * 90, 'rbd/-', 'rbd/gr\u00f6\u00dfe']


def test_identity_does_not_depend_on_the_python(call):
    """Gateways may have different Pythons; their disks must have the same names and numbers."""
    calls = [['device_name', [image]] for image in IMAGES]
    calls += [['identity', ['0F3d1a6e-3f9b-4b1e-8a39-7c1b3f6f0a11', '10d6AE76d3c1']]]
    old = call('module_utils.identity', calls)
    new = call('module_utils.identity', calls, python=sys.executable)
    assert old.returncode == 0, old.stderr
    assert json.loads(old.stdout) == json.loads(new.stdout)
