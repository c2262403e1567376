# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A newcomer's path: what README says about installing and using, in a clone, with nothing of this checkout in reach."""
import pathlib
import subprocess

import blocks as documentation

TOP = pathlib.Path(__file__).resolve().parents[2]


def test_install_and_first_commands_of_the_readme_work_in_a_clone(run, tmp_path):
    clone, home = tmp_path / 'clone', tmp_path / 'home'
    subprocess.run([TOP / 'tests/tools/tracked.sh', clone], check=True)
    # Nothing but what is installed below home: no link to this checkout.
    here = dict(HOME=str(home), ANSIBLE_HOME=str(home / '.ansible'), ANSIBLE_COLLECTIONS_PATH=str(home / '.ansible/collections'))
    code, printed = run(['ansible-playbook', '--syntax-check', '-i', 'inventories/example', 'cephgate.iscsi.site'], clone, **here)
    assert code, 'the playbook is there before it is installed: ' + printed
    lines = [line for block in documentation.blocks(TOP / 'README.md') if block.kind == 'run' for line in documentation.commands(block.text)]
    install = [line for line in lines if line.startswith('ansible-galaxy')]
    assert len(install) == 2
    for line in install:
        # Dependencies come with the ansible package: Galaxy is not asked.
        code, printed = run(line.split() + (['--offline', '--no-deps'] if ' install ' in line else []), clone, **here)
        assert code == 0, printed
    uses = [line for line in lines if line.startswith('ansible-playbook')]
    assert len(uses) >= 3
    for playbook in sorted({word for line in uses for word in line.split() if word.startswith('cephgate.')}):
        for inventory in ('example', 'example4'):
            code, printed = run(['ansible-playbook', '--syntax-check', '-i', 'inventories/' + inventory, playbook], clone, **here)
            assert code == 0, printed
    code, printed = run(['ansible-doc', '-t', 'role', 'cephgate.iscsi.gateway'], clone, **here)
    assert code == 0 and 'gateway_luns' in printed
    for line in lines:
        if line.startswith('make '):
            assert run(['make', '-n'] + line.split()[1:], clone, **here)[0] == 0, line
