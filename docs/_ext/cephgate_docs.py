# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sphinx directives that make tables of the project's own data, so that no table is kept by hand.

    ```{site-variables}
    ```{role-variables} gateway
    ```{survey} add_lun
    ```{scst-kernels}
"""
import os
import pathlib
import re

import yaml
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

TOP = pathlib.Path(os.environ.get('CEPHGATE_TOP') or pathlib.Path(__file__).resolve().parents[2])
ROLES = ('gateway', 'ceph_client', 'scst_build', 'linux_client', 'windows_client')
# What a default says about which variable of the site it takes.
_SITE = re.compile(r'\b(cephgate_\w+|scst_version)\b')
_MARKUP = re.compile(r'(?:[CVPIB]|[OM])\(((?:[^()]|\([^()]*\))*)\)')


def load(path):
    return yaml.safe_load((TOP / path).read_text(encoding='utf-8'))


def options(role):
    """{variable: its argument specification}"""
    return load('roles/%s/meta/argument_specs.yml' % role)['argument_specs']['main']['options']


def defaults(role):
    return load('roles/%s/defaults/main.yml' % role) or {}


def site_variables():
    """{variable of the site: [(role, the role's variable, its specification)]}, from what the roles' defaults refer to."""
    found = {}
    for role in ROLES:
        spec = options(role)
        for name, value in defaults(role).items():
            for used in sorted(set(_SITE.findall(str(value)))):
                found.setdefault(used, []).append((role, name, spec[name]))
        for name in spec:
            if name.startswith('cephgate_'):
                found.setdefault(name, []).append((role, name, spec[name]))
    return found


def text_of(description):
    lines = [description] if isinstance(description, str) else description or []
    return ' '.join(str(line).strip() for line in lines)


def rows_of(spec, prefix=''):
    """(name, type, default, description) of every option, suboptions after their option."""
    for name, option in spec.items():
        kind = option.get('type', 'str')
        if option.get('elements'):
            kind += ' of ' + option['elements']
        if option.get('choices'):
            kind += ': ' + ', '.join(repr(choice) if choice == '' else str(choice) for choice in option['choices'])
        default = 'required' if option.get('required') else option.get('default', '')
        yield prefix + name, kind, default, text_of(option.get('description'))
        yield from rows_of(option.get('options') or {}, prefix + name + '.')


def scst_rows():
    for release in load('roles/scst_build/vars/main.yml')['scst_build_releases']:
        yield release['version'], release['kernel_min'], release['kernel_max'], 'one' if release['serial'] else 'several'


def survey(name):
    """The survey of a job template: a list of questions."""
    return load('playbooks/surveys/%s.yml' % name)['spec']


class Table(SphinxDirective):
    """A table whose cells hold plain text, with what stands in markup of Ansible's documentation as code."""
    optional_arguments = 1
    has_content = False

    def table(self, head, rows):
        rows = [[str(cell) for cell in row] for row in rows]
        if not rows:
            raise self.error('the table is empty')
        group = nodes.tgroup(cols=len(head))
        for _cell in head:
            group += nodes.colspec(colwidth=1)
        group += nodes.thead('', self.row(head))
        group += nodes.tbody('', *[self.row(row) for row in rows])
        return [nodes.table('', group)]

    @staticmethod
    def row(cells):
        return nodes.row('', *[nodes.entry('', nodes.paragraph('', '', *inline(cell))) for cell in cells])


def inline(text):
    """Text with C(code) and its kin as nodes."""
    last = 0
    for match in _MARKUP.finditer(text):
        yield nodes.Text(text[last:match.start()])
        yield nodes.literal('', match.group(1).split('#')[0] if '.' in match.group(1) and '#' in match.group(1) else match.group(1))
        last = match.end()
    yield nodes.Text(text[last:])


class RoleVariables(Table):
    required_arguments = 1
    optional_arguments = 0

    def run(self):
        role = self.arguments[0]
        given = defaults(role)

        def shown(name, default):
            value = given.get(name, default)
            if default == 'required':
                return 'required' if name not in given else 'C(%s)' % ' '.join(str(value).split())
            return 'C(%s)' % yaml.safe_dump(value, default_flow_style=True, width=10000).replace('\n...', '').strip() if name in given else default
        return self.table(['variable', 'type', 'default', 'meaning'], [
            ('C(%s)' % name, kind, shown(name, default), description) for name, kind, default, description in rows_of(options(role))])


class SiteVariables(Table):
    optional_arguments = 0

    def run(self):
        return self.table(['variable', 'type', 'meaning', 'taken by'], [
            ('C(%s)' % name, users[0][2].get('type', 'str'), text_of(users[0][2]['description']),
             ', '.join(dict.fromkeys(role for role, _variable, _spec in users)))
            for name, users in sorted(site_variables().items())])


class Survey(Table):
    required_arguments = 1
    optional_arguments = 0

    def run(self):
        return self.table(['variable', 'type', 'default', 'question'], [
            ('C(%s)' % question['variable'], question['type'] + (
                ': ' + ', '.join(question['choices']) if question.get('choices') else ''),
             'required' if question['required'] else question.get('default', ''),
             ' '.join(filter(None, [question['question_name'] + '.', question.get('question_description')])))
            for question in survey(self.arguments[0])])


class ScstKernels(Table):
    optional_arguments = 0

    def run(self):
        return self.table(['SCST', 'oldest Linux', 'newest Linux', 'make jobs'], scst_rows())


def setup(app):
    app.add_directive('role-variables', RoleVariables)
    app.add_directive('site-variables', SiteVariables)
    app.add_directive('survey', Survey)
    app.add_directive('scst-kernels', ScstKernels)
    return {'parallel_read_safe': True, 'parallel_write_safe': True}
