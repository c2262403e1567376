# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A newcomer's path: what README says about installing and using, in a clone, with nothing of this checkout in reach.

The example inventory's preflight needs machines: tests/integration/lab/test_example.py (make lab-test).
"""
import pathlib
import shutil
import subprocess

import pytest
import yaml

import blocks as documentation

TOP = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = ('example', 'example4')


@pytest.fixture(scope='module')
def clone(run, tmp_path_factory):
    """(folder of the clone, environment, commands of the README), the collection installed as README says."""
    top = tmp_path_factory.mktemp('newcomer')
    folder, home = top / 'clone', top / 'home'
    subprocess.run([TOP / 'tests/tools/tracked.sh', folder], check=True)
    # Nothing but what is installed below home: no link to this checkout.
    here = dict(HOME=str(home), ANSIBLE_HOME=str(home / '.ansible'), ANSIBLE_COLLECTIONS_PATH=str(home / '.ansible/collections'))
    code, printed = run(['ansible-playbook', '--syntax-check', '-i', 'inventories/example', 'cephgate.iscsi.site'], folder, **here)
    assert code, 'the playbook is there before it is installed: ' + printed
    lines = [line for block in documentation.blocks(TOP / 'README.md') if block.kind == 'run' for line in documentation.commands(block.text)]
    install = [line for line in lines if line.startswith('ansible-galaxy')]
    assert len(install) == 2
    for line in install:
        # Dependencies come with the ansible package: Galaxy is not asked.
        code, printed = run(line.split() + (['--offline', '--no-deps'] if ' install ' in line else []), folder, **here)
        assert code == 0, printed
    return folder, here, lines


@pytest.fixture(scope='module')
def vaulted(run, clone, tmp_path_factory):
    """The examples with their vaults encrypted, as their comments say: (folder of the inventories, file of the password)."""
    top = tmp_path_factory.mktemp('vaulted')
    password = top / 'password'
    password.write_text('a newcomer\n')
    for name in EXAMPLES:
        shutil.copytree(clone[0] / 'inventories' / name, top / name)
        code, printed = run(['ansible-vault', 'encrypt', '--vault-password-file', password, 'group_vars/all/vault.yml'], top / name, **clone[1])
        assert code == 0, printed
    return top, password


def test_install_and_first_commands_of_the_readme_work_in_a_clone(run, clone):
    folder, here, lines = clone
    uses = [line for line in lines if line.startswith('ansible-playbook')]
    assert len(uses) >= 3
    for playbook in sorted({word for line in uses for word in line.split() if word.startswith('cephgate.')}):
        for inventory in EXAMPLES:
            code, printed = run(['ansible-playbook', '--syntax-check', '-i', 'inventories/' + inventory, playbook], folder, **here)
            assert code == 0, printed
    code, printed = run(['ansible-doc', '-t', 'role', 'cephgate.iscsi.gateway'], folder, **here)
    assert code == 0 and 'gateway_luns' in printed
    for line in lines:
        if line.startswith('make '):
            assert run(['make', '-n'] + line.split()[1:], folder, **here)[0] == 0, line


def specs(run, clone, vaulted, where, example, *options):
    """The installed roles without their tasks, on an example: (exit code, all that was printed)."""
    installed = pathlib.Path(clone[1]['ANSIBLE_COLLECTIONS_PATH']) / 'ansible_collections/cephgate/iscsi/roles'
    for role in installed.iterdir():
        for part in ('meta', 'defaults', 'vars'):
            if (role / part).exists():
                shutil.copytree(role / part, where / 'roles' / role.name / part, dirs_exist_ok=True)
    shutil.copy(TOP / 'tests/docs/specs.yml', where / 'specs.yml')
    top, password = vaulted
    return run(['ansible-playbook', '-i', top / example, '--vault-password-file', password, *options, 'specs.yml'], where, **clone[1])


@pytest.mark.parametrize('example', EXAMPLES)
def test_the_examples_are_what_the_roles_specify(run, clone, vaulted, tmp_path, example):
    code, printed = specs(run, clone, vaulted, tmp_path, example)
    assert code == 0, printed
    hosts = yaml.safe_load((TOP / 'inventories' / example / 'hosts.yml').read_text())['all']['children']
    expected = 3 * len(hosts['gateways']['hosts']) + len(hosts['linux_clients']['hosts']) + len(hosts['windows_clients']['hosts'])
    assert printed.count('ok: [') == expected and printed.count('Validating arguments against arg spec') == 5, printed


@pytest.mark.parametrize('wrong', ['cephgate_luns=5', 'cephgate_scst_install=perhaps', 'linux_client_mounts=/srv', 'windows_client_disks=E'])
def test_what_the_roles_do_not_specify_is_refused(run, clone, vaulted, tmp_path, wrong):
    """Else the test above would show nothing."""
    code, printed = specs(run, clone, vaulted, tmp_path, 'example', '-e', wrong)
    assert code != 0 and 'Validation of arguments failed' in printed, printed


def test_the_examples_need_the_password_of_their_vault(run, clone, vaulted):
    code, printed = run(['ansible-inventory', '-i', vaulted[0] / 'example', '--list'], vaulted[0], **clone[1])
    assert code != 0 and 'no vault secrets' in printed, printed
