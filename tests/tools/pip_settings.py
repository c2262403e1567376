# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print how pip is configured here, files and PIP_ variables together, as a pip.conf, but quiet."""
import ast
import subprocess
import sys

settings = {('global', 'quiet'): '2'}
# Lines such as global.index-url='...', then :env:.index-url='...', which wins: rising precedence.
for line in sorted(subprocess.check_output([sys.executable, '-m', 'pip', 'config', 'list'], text=True).splitlines(),
                   key=lambda line: line.startswith(':env:.')):
    name, value = line.split('=', 1)
    section, key = name.rsplit('.', 1)
    settings['global' if section == ':env:' else section, key] = ast.literal_eval(value)
for section in sorted({section for section, key in settings}):
    print('[%s]' % section)
    for key in sorted(key for other, key in settings if other == section):
        print('%s = %s' % (key, settings[section, key].replace('\n', '\n    ')))
