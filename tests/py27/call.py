# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run by the Python under test (2.7 or 3): import a file of the collection, and call into it.

usage: call.py LIBRARY IMPORT < CALLS

LIBRARY: folder with the ansible and ansible_collections packages
IMPORT:  dotted name of the file
CALLS:   JSON; {"main": {option: value}} runs a module's main(); [[function, [argument, ...]], ...]
         calls functions and prints their results as JSON with sorted keys
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import importlib
import json
import sys


def native(value):
    """Texts as AnsibleModule hands them to modules: of the type str, which is bytes in Python 2."""
    if isinstance(value, list):
        return [native(item) for item in value]
    if isinstance(value, dict):
        return dict((native(key), native(item)) for key, item in value.items())
    return value if isinstance(value, (str, int, type(None))) else value.encode('utf-8')


sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
thing = importlib.import_module(sys.argv[2])
calls = json.loads(sys.stdin.read() or '[]')
if isinstance(calls, dict):
    from ansible.module_utils import basic
    basic._ANSIBLE_ARGS = json.dumps({'ANSIBLE_MODULE_ARGS': calls['main']}).encode('utf-8')
    thing.main()
else:
    print(json.dumps([getattr(thing, name)(*native(arguments)) for name, arguments in calls], sort_keys=True))
