# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every example in the documentation is tried."""
import functools
import json
import pathlib
import re
import shlex
import subprocess

import pytest
import yaml
from ansible_collections.cephgate.iscsi.plugins.module_utils import gateway_cli

import blocks as documentation
import known

TOP = pathlib.Path(__file__).resolve().parents[2]
BLOCKS = documentation.every()
# What examples may ask of hosts. Those of a gateway, a client and of Ceph are held to known commands here, not run.
ON_HOSTS = {
    'ceph': {'ceph', 'rados', 'rbd'},
    'gateway': {'cat', 'cephgate', 'dmesg', 'journalctl', 'rbd', 'systemctl', 'uname'},
    'client': {'cat', 'iscsiadm', 'lsblk', 'multipath'},
}


def name_of(block):
    return '%s:%d' % (block.path, block.line)


def of(*kinds):
    return pytest.mark.parametrize('block', [block for block in BLOCKS if block.kind in kinds], ids=name_of)


def test_every_block_says_how_it_is_tested():
    assert not [name_of(block) for block in BLOCKS if block.kind not in documentation.KINDS]
    assert len(BLOCKS) > 20


# Inventories

def inventories():
    made = {}
    for block in BLOCKS:
        if block.kind == 'inventory':
            name, path = block.words
            assert path not in made.setdefault(name, {}), 'two blocks are %s of %s' % (path, name)
            made[name][path] = block.text
    return made


def write(name, folder):
    for path, text in inventories()[name].items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text('---\n' + text)
    return folder


def listing(run, folder):
    code, printed = run(['ansible-inventory', '-i', folder, '--list'], TOP)
    assert code == 0, printed
    return json.loads(printed[printed.index('{\n'):])


@pytest.mark.parametrize('name', sorted(inventories()))
def test_an_inventory_is_a_site(name, run, tmp_path):
    folder = write(name, tmp_path)
    assert list(known.inventory_problems(listing(run, folder))) == []
    code, printed = run(['ansible-playbook', '--syntax-check', '-i', folder, 'cephgate.iscsi.site'], TOP)
    assert code == 0, printed


@pytest.mark.parametrize('folder', sorted(path for path in (TOP / 'inventories').iterdir() if path.name != 'lab'), ids=lambda path: path.name)
def test_the_example_inventories_are_sites(folder, run):
    assert list(known.inventory_problems(listing(run, folder))) == []
    code, printed = run(['ansible-playbook', '--syntax-check', '-i', folder, 'cephgate.iscsi.site'], TOP)
    assert code == 0, printed


def test_a_wrong_inventory_is_noticed(run, tmp_path):
    """The checks above can fail: a number twice, a type, a name that is no variable, something that is missing."""
    folder = write('quickstart', tmp_path)
    hosts = (folder / 'hosts.yml').read_text()
    (folder / 'hosts.yml').write_text(hosts.replace('cephgate_gateway_id: 2', 'cephgate_gateway_id: 1'))
    assert 'both have cephgate_gateway_id 1' in ' '.join(known.inventory_problems(listing(run, folder)))
    (folder / 'hosts.yml').write_text(hosts.replace('cephgate_gateway_id: 2', 'cephgate_gatewayid: 2'))
    found = ' '.join(known.inventory_problems(listing(run, folder)))
    assert 'cephgate_gatewayid is no variable' in found and 'gw2: cephgate_gateway_id is missing' in found
    (folder / 'hosts.yml').write_text(hosts + '  vars: {gateway_complete: perhaps}\n')
    assert 'perhaps' in ' '.join(known.inventory_problems(listing(run, folder)))


@pytest.fixture(scope='session')
def example(run):
    return listing(run, TOP / 'inventories/example')


@of('vars')
def test_variables_fit_into_a_site(block, example):
    variables = yaml.safe_load(block.text)
    assert list(known.problems(variables)) == []
    site = json.loads(json.dumps(example))
    groups = dict(linux_client_mounts='linux_clients', windows_client_disks='windows_clients')
    for name, values in site['_meta']['hostvars'].items():
        values['cephgate_hosts'] = dict(values['cephgate_hosts'], **variables.get('cephgate_hosts', {}))
        if 'cephgate_luns' in variables:
            # The disks of the example inventory are others.
            values.pop('windows_client_disks', None)
        values.update({key: value for key, value in variables.items()
                       if key != 'cephgate_hosts' and name in site[groups.get(key, 'gateways')]['hosts']})
    assert list(known.inventory_problems(site)) == []


@of('controller')
def test_variables_of_the_controller_are_those_of_the_playbook(block):
    playbook = (TOP / 'playbooks/controller.yml').read_text(encoding='utf-8')
    head = playbook[:playbook.index('- name:')]
    given = yaml.safe_load(block.text)
    needed = yaml.safe_load(playbook)[0]['vars']['controller_required']
    assert not [name for name in given if name not in head] and not [name for name in needed if name not in given]


@of('tasks')
def test_tasks_are_tasks(block, run, tmp_path):
    (tmp_path / 'play.yml').write_text(yaml.safe_dump([dict(hosts='localhost', tasks=yaml.safe_load(block.text))]))
    code, printed = run(['ansible-playbook', '--syntax-check', '-i', 'localhost,', 'play.yml'], tmp_path)
    assert code == 0, printed


# Commands

@of('env')
def test_settings_of_the_environment(block):
    assert all(line.startswith('export ') for line in documentation.commands(block.text))
    subprocess.run(['bash', '-n', '-c', '\n'.join(documentation.commands(block.text))], check=True)


@of('host')
def test_commands_on_hosts_are_known_there(block):
    for line in documentation.commands(block.text):
        subprocess.run(['bash', '-n', '-c', line], check=True)
        words = shlex.split(line)
        assert words[0] in ON_HOSTS[block.words[0]], line
        if words[0] == 'cephgate':
            # Words that it does not know would end in SystemExit; a state file that is not there is a plain 2.
            assert gateway_cli.main(['--state', '/nonexistent/state.json'] + words[1:]) == 2


@pytest.fixture
def site(tmp_path):
    """A folder with the inventory my-site and whatever else the examples name."""
    write('quickstart', tmp_path / 'my-site')
    (tmp_path / 'controller.yml').write_text('{}')
    (tmp_path / 'password').write_text('of-the-vault')
    return tmp_path


@of('run')
def test_commands_on_the_control_node(block, run, site):
    for line in documentation.commands(block.text):
        words = shlex.split(line, comments=True)
        assert words[0] in RUNNERS, '%s is no command that is tested' % words[0]
        RUNNERS[words[0]](words, run, site)


# Playbooks whose syntax was checked with the inventory of the quick start.
CHECKED = set()


@functools.cache
def variables_of(playbook):
    """Names in a playbook and in what it imports from its folder."""
    text = (TOP / 'playbooks' / (playbook + '.yml')).read_text(encoding='utf-8')
    names = set(re.findall(r'\b[a-z]\w+\b', text))
    for part in re.findall(r'tasks/\w+\.yml', text):
        names |= set(re.findall(r'\b[a-z]\w+\b', (TOP / 'playbooks' / part).read_text(encoding='utf-8')))
    return names


def playbook(words, run, site):
    name = next(word for word in words if word.startswith('cephgate.iscsi.')).rsplit('.', 1)[1]
    given = [name for i, word in enumerate(words) if word == '-e' and not words[i + 1].startswith('@')
             for name in (yaml.safe_load(words[i + 1]) if words[i + 1].startswith('{') else [words[i + 1]])]
    wrong = [each for each in given if each.split('=')[0] not in variables_of(name) | set(known.specifications())]
    assert not wrong, '%s: %s is nothing that the playbook names' % (name, wrong)
    if name not in CHECKED:
        code, printed = run(words + ['--syntax-check'], site)
        assert code == 0, printed
        CHECKED.add(name)


def vault(words, run, site):
    code, printed = run(words + ['--vault-password-file', 'password'], site)
    assert code == 0 and (site / words[-1]).read_text().startswith('$ANSIBLE_VAULT;'), printed


def galaxy(words, run, site):
    """Really done, in a copy: what is built has all that is tracked."""
    clone = site / 'clone'
    if not clone.exists():
        subprocess.run([TOP / 'tests/tools/tracked.sh', clone], check=True)
    more = ['--offline', '--no-deps', '-p', site / 'installed'] if 'install' in words else []
    code, printed = run(words + more, clone, ANSIBLE_COLLECTIONS_PATH=str(site / 'installed'))
    assert code == 0, printed
    if 'install' in words:
        assert (site / 'installed/ansible_collections/cephgate/iscsi/MANIFEST.json').exists()


def make(words, run, site):
    code, printed = run(['make', '-n'] + words[1:], TOP)
    assert code == 0, printed


def builder(words, run, site):
    assert words[1] == 'build'
    definition = words[words.index('--file') + 1]
    code, printed = run(['ansible-builder', 'create', '--file', TOP / definition, '--context', site / 'context'], TOP)
    assert code == 0, printed
    # Containerfile or Dockerfile, by the program that would build it.
    made = ''.join(path.read_text() for path in (site / 'context').glob('*file'))
    assert 'ansible-core>=2.16' in made and 'registry.fedoraproject.org/fedora' in made, printed


RUNNERS = {'ansible-playbook': playbook, 'ansible-vault': vault, 'ansible-galaxy': galaxy, 'make': make, 'ansible-builder': builder}
