# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One version everywhere, and a word in the documentation on every variable that a person may give a playbook."""
import pathlib
import re

import pytest
import yaml

import known

TOP = pathlib.Path(__file__).resolve().parents[2]
VERSION = yaml.safe_load((TOP / 'galaxy.yml').read_text())['version']
PLUGINS = sorted(path for kind in ('modules', 'filter', 'lookup') for path in (TOP / 'plugins' / kind).glob('*.py') if path.name != '__init__.py')
PAGES = [TOP / 'README.md'] + sorted((TOP / 'docs').rglob('*.md')) + sorted((TOP / 'execution-environment').iterdir())


@pytest.mark.parametrize('path', PAGES, ids=lambda path: str(path.relative_to(TOP)))
def test_the_version_that_is_named_is_that_of_the_collection(path):
    text = path.read_text(encoding='utf-8')
    assert set(re.findall(r'cephgate-iscsi-([0-9.]+)\.tar\.gz|cephgate-ee:([0-9.]+)|name: cephgate\.iscsi, version: ">=([0-9.]+)"', text)) <= {
        (VERSION, '', ''), ('', VERSION, ''), ('', '', VERSION)}


def numbers(version):
    return [int(part) for part in version.split('.')]


@pytest.mark.parametrize('path', PLUGINS, ids=lambda path: path.stem)
def test_nothing_was_added_after_this_version(path):
    added = re.findall(r'version_added: "?([0-9.]+)', path.read_text(encoding='utf-8'))
    assert added and all(numbers(one) <= numbers(VERSION) for one in added)


def asked():
    """[(playbook, variable)]: what playbooks take besides the declaration of the site, which is in the tables of docs/variables.md."""
    site = set(known.specifications())
    for path in sorted((TOP / 'playbooks').rglob('*.yml')):
        for name in sorted(set(re.findall(r'\bcephgate_\w+', path.read_text(encoding='utf-8')))):
            if name not in site and not name.endswith('_'):
                yield path.relative_to(TOP / 'playbooks'), name


def test_every_variable_of_a_playbook_is_documented():
    pages = ''.join(path.read_text(encoding='utf-8') for path in PAGES)
    # Pages show surveys as tables.
    shown = ''.join((TOP / 'playbooks/surveys' / (name + '.yml')).read_text(encoding='utf-8') for name in re.findall(r'```\{survey\} (\w+)', pages))
    pages = set(re.findall(r'\bcephgate_\w+', pages + shown))
    # The controller's are at the head of its playbook, which docs/controller.md refers to.
    assert 'at the head of `playbooks/controller.yml`' in (TOP / 'docs/controller.md').read_text()
    head = ''.join(re.findall(r'^#.*', (TOP / 'playbooks/controller.yml').read_text(), re.MULTILINE))
    pages |= set(re.findall(r'\bcephgate_\w+', head))
    groups = {'cephgate_gateways_left'}  # names of inventory groups that a playbook makes
    assert not [(str(path), name) for path, name in asked() if name not in pages | groups]
