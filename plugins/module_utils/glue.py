# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What modules share: options, then plan, perform unless in check mode, exit."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.validation import check_type_dict

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


def declared(values, spec, where, strange):
    """The options among C(values) that C(spec) knows. strange: gets a sentence for each of the others, without what it holds."""
    unknown = sorted('%s' % key for key in values if key not in spec and not ('%s' % key).startswith('_ansible_'))
    if unknown:
        strange.append('%s: %s is none of its keys, which are %s. Correct it.' % (where or 'options', ', '.join(unknown), ', '.join(sorted(spec))))
    found = {}
    for key in values:
        if key in spec:
            found.update(_checked(key, values[key], spec[key], where + '.' + key if where else key, strange))
        elif ('%s' % key).startswith('_ansible_'):
            found[key] = values[key]
    return found


def _checked(key, value, option, where, strange):
    """{key: value}, for a value of a wrong kind {} or, when that is a list, one that is empty: it may be required."""
    if value is None or not option.get('options'):
        return {key: value}
    if option['type'] == 'dict':
        inner = _dictionary(value, option['options'], where, strange)
        return {} if inner is None else {key: inner}
    if not isinstance(value, (list, tuple)):
        strange.append('%s is no list of dictionaries with the keys %s. Write it as one.' % (where, ', '.join(sorted(option['options']))))
        return {key: []}
    entries = [_dictionary(entry, option['options'], '%s[%d]' % (where, number), strange) for number, entry in enumerate(value)]
    return {key: [entry for entry in entries if entry is not None]}


def _dictionary(value, spec, where, strange):
    try:
        # JSON or "key=value key=value" may be written for one.
        return declared(check_type_dict(value), spec, where, strange)
    except (TypeError, ValueError):
        strange.append('%s is no dictionary with the keys %s. Write it as one.' % (where, ', '.join(sorted(spec))))
        return None


class DeclaredModule(AnsibleModule):
    """An AnsibleModule for options with secrets: it fails for undeclared ones, at every depth, without showing what they hold.

    Ansible hides what stands under an option with no_log. It refuses a misspelt one too, but by then shows it, with its value, among the
    arguments of the module (-vvv, job events). So what is not declared is taken out before Ansible keeps it.
    """

    def __init__(self, argument_spec, **more):
        self._declared, self._strange = argument_spec, []
        super(DeclaredModule, self).__init__(argument_spec=argument_spec, **more)
        if self._strange:
            self.fail_json(msg=' '.join(self._strange), changed=False)

    def _load_params(self):
        super(DeclaredModule, self)._load_params()
        self.params = declared(self.params, self._declared, '', self._strange)
