# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of this project about its own files, which no general linter knows."""
import ast
import pathlib
import re
import subprocess

import pytest
import yaml

TOP = pathlib.Path(__file__).resolve().parents[2]
FILES = subprocess.check_output([TOP / 'tests/tools/tracked.sh'], text=True).splitlines()
ROLES = sorted({pathlib.Path(name).parts[1] for name in FILES if name.startswith('roles/')})
MODULES = sorted(pathlib.Path(name).stem for name in FILES if re.match(r'plugins/modules/\w+\.py$', name))
# Brackets keep this file from matching itself.
FORBIDDEN = re.compile(r'/wor[k]/|/far[m]/|/opt/(?:pyp[i]|wheel[s])|pyp[i]\.org|pythonhosted\.or[g]|deb\.debian\.or[g]'
                       r'|snapshot\.debian\.or[g]|archive\.debian\.or[g]|galaxy\.ansible\.co[m]|docker\.i[o]\b|quay\.i[o]\b')
LONGEST = 500


def text(name):
    return (TOP / name).read_text(encoding='utf-8', errors='replace')


def load(name):
    return yaml.safe_load(text(name))


def sources(*suffixes):
    return [name for name in FILES if name.endswith(suffixes) and not name.startswith('tests/recordings/')]


def is_shell(name):
    return (TOP / name).is_file() and re.match(rb'#!(/bin/|/usr/bin/env )(ba)?sh\b', (TOP / name).read_bytes()[:40])


def test_no_file_names_a_machine_or_a_package_host():
    """Where packages come from is the business of the machine that runs this."""
    found = ['%s: %s' % (name, match.group()) for name in FILES if (TOP / name).is_file()
             for match in FORBIDDEN.finditer(text(name))]
    assert not found


def test_files_are_small():
    found = {name: text(name).count('\n') for name in sources('.py', '.sh', '.yml', '.yaml', '.j2', '.mk')}
    assert not {name: lines for name, lines in found.items() if lines > LONGEST}


def test_programs_name_their_licence():
    names = [name for name in FILES if name.endswith('.py') or is_shell(name)]
    assert not [name for name in names if text(name).strip() and 'SPDX-License-' + 'Identifier: GPL-3.0-or-later' not in text(name)]


def test_the_engine_does_not_know_ansible():
    """It also runs without Ansible: in the command on a gateway. Only glue.py is Ansible's."""
    found = []
    for name in FILES:
        if re.match(r'plugins/module_utils/.*\.py$', name) and not name.endswith('/glue.py'):
            for node in ast.walk(ast.parse(text(name))):
                imported = [alias.name for alias in node.names] if isinstance(node, ast.Import) else \
                    [node.module or ''] if isinstance(node, ast.ImportFrom) else []
                found += ['%s: %s' % (name, module) for module in imported if module.split('.')[0] == 'ansible']
    assert not found


def test_the_action_group_has_every_module():
    assert load('meta/runtime.yml')['action_groups']['all'] == MODULES


@pytest.mark.parametrize('module', MODULES)
def test_a_module_has_unit_tests(module):
    wanted = [name for name in FILES if name.startswith('tests/unit/') and re.search(r'\b%s\b' % module, text(name))]
    assert wanted, 'no file in tests/unit names %s' % module


@pytest.mark.parametrize('role', ROLES)
def test_every_variable_of_a_role_is_specified(role):
    """defaults/main.yml is the manual of a role, meta/argument_specs.yml enforces it."""
    options = load('roles/%s/meta/argument_specs.yml' % role)['argument_specs']['main']['options']
    defaults = load('roles/%s/defaults/main.yml' % role) or {}
    assert not set(defaults) - set(options), 'defaults without a specification'
    assert not {name for name, option in options.items() if not option.get('description')}, 'without a description'


@pytest.mark.parametrize('role', ROLES)
def test_a_role_does_not_loop_over_luns(role):
    """One call of a module for a whole list: the number of tasks does not grow with the site."""
    found = []
    for name in FILES:
        if re.match(r'roles/%s/tasks/.*\.yml$' % role, name):
            for task in tasks(load(name)):
                for key in task:
                    if key == 'loop' or key.startswith('with_'):
                        if re.search(r'luns|devices|images|exports', str(task[key])):
                            found.append('%s: %s' % (name, task.get('name')))
    assert not found


def tasks(items):
    for item in items or []:
        yield item
        for part in ('block', 'rescue', 'always'):
            yield from tasks(item.get(part))


def test_nothing_is_excused_from_sanity_tests():
    for name in FILES:
        if re.match(r'tests/sanity/ignore-.*\.txt$', name):
            assert not text(name).strip(), name


def test_every_scenario_has_tests():
    scenarios = [pathlib.Path(name).parent for name in FILES if re.match(r'molecule/\w+/molecule\.yml$', name)]
    assert scenarios
    assert not [scenario for scenario in scenarios if not list((TOP / scenario / 'tests').glob('test_*.py'))]


def test_every_playbook_of_a_scenario_is_there():
    """Molecule calls a scenario a success that it has left steps out of: those without a playbook, and all side effects, also those
    that name their file, when playbooks.side_effect is not there."""
    missing = []
    for name in FILES:
        if re.match(r'molecule/\w+/molecule\.yml$', name):
            scenario = load(name)
            for action, *files in {tuple(step.split()) for sequence in scenario['scenario'].values() for step in sequence}:
                if action in ('create', 'prepare', 'converge', 'side_effect', 'cleanup', 'destroy'):
                    files.append(scenario['ansible']['playbooks'].get(action, action + '.yml'))
                    missing += ['%s: %s: %s' % (name, action, file) for file in files if not (TOP / name).parent.joinpath(file).is_file()]
    assert not missing


def test_the_readme_names_targets_that_exist():
    makefiles = text('Makefile') + ''.join(text(name) for name in FILES if name.endswith('.mk'))
    targets = {target for line in re.findall(r'^([a-z0-9 .-]+):(?!=)', makefiles, re.MULTILINE) for target in line.split()}
    named = set(re.findall(r'\bmake ([a-z][a-z0-9-]*)', ''.join(re.findall(r'`[^`]+`|^    .*$', text('README.md'), re.MULTILINE))))
    assert named and not named - targets


def test_python_packages_are_pinned():
    for name in ('tests/requirements.txt', 'tests/requirements-2.16.txt', 'tests/requirements-galaxy.txt'):
        lines = [line for line in text(name).splitlines() if line and not line.startswith('#')]
        assert not [line for line in lines if not re.match(r'[a-z0-9.-]+==[a-z0-9.]+$', line)], name


def test_the_public_ci_runs_what_ours_runs():
    jobs = load('.github/workflows/ci.yml')['jobs']
    assert all(any('.ci/run' in step.get('run', '') and 'make check' in step['run'] for step in job['steps']) for job in jobs.values())
    assert 'exec make test' in text('.ci/run')
