# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The few lines that every module shares: plan, perform unless in check mode, exit."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Failed, Refused, perform, report


class NoLock(object):
    """For what nobody else works on, and for check mode, which changes nothing."""

    def __enter__(self):
        pass

    def __exit__(self, *_what):
        pass


def plan_and_apply(module, plan, performer, facts=None, apart=None, lock=None):
    """Run C(plan()) for the list of operations, perform it unless in check mode, and exit.

    plan:      returns the operations; may raise Refused before anything is changed
    performer: carries out one operation
    apart:     which object an operation belongs to, when objects do not depend on each other (see perform)
    facts:     called at the end, returns more keys of the result
    lock:      held while planning and performing (see lock)
    """
    done, failure = [], None
    try:
        with NoLock() if lock is None or module.check_mode else lock:
            operations = plan()
            if not module.check_mode:
                try:
                    done = perform(operations, performer, apart)
                except Failed as error:
                    done, failure = error.done, error
    except (Refused, EnvironmentError) as error:
        module.fail_json(msg=str(error), changed=False)
    result = report(operations, done, module.check_mode)
    if failure is not None:
        result['msg'] = '%s. %d of %d operations were done and stay; when the reason is gone, run again to finish.' % (
            failure, len(done), len(operations))
        module.fail_json(**result)
    if facts is not None:
        try:
            result.update(facts())
        except (Refused, EnvironmentError) as error:
            result['msg'] = str(error)
            module.fail_json(**result)
    module.exit_json(**result)
