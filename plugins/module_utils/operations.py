# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations: the one description of a change.

A planner returns an ordered list of operations. Check mode, diff, C(changed), the returned
C(operations) and the writes themselves all come from that list, so they cannot disagree.
Nothing here imports Ansible: the same list is used by modules, by the command on a gateway
and by tests.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

MASK = '********'


class Refused(Exception):
    """The desired state, or the way to it, breaks a rule. Raised before anything is changed.

    The text names the object, the value found, the rule and what to do.
    """


class Operation(object):
    """One step: what it does to which object (for people), and how (for the machine).

    thing:   the object, in the field's words: C(device db01-3fa2c1)
    action:  what happens to it: C(create on /dev/rbd/rbd/db01)
    how:     C(write), C(run), C(file) or another verb that the performer knows
    target:  what the verb acts on: a path, or an argument list for C(run)
    data:    the text to write, or the standard input of a command
    secrets: texts that must never be shown; masked in everything that C(as_dict) returns
    """

    __slots__ = ('thing', 'action', 'how', 'target', 'data', 'secrets')

    def __init__(self, thing, action, how, target, data=None, secrets=()):
        self.thing = thing
        self.action = action
        self.how = how
        self.target = target
        self.data = data
        self.secrets = tuple(s for s in secrets if s) if secrets else ()

    def mask(self, text):
        # Longest first: a secret may contain another one.
        for secret in sorted(self.secrets, key=len, reverse=True):
            text = text.replace(secret, MASK)
        return text

    def line(self):
        """The operation as one line for a person."""
        return self.mask('%s: %s' % (self.thing, self.action))

    def as_dict(self, done):
        target = self.target
        if isinstance(target, (list, tuple)):
            target = [self.mask(word) for word in target]
        else:
            target = self.mask(target)
        result = dict(object=self.mask(self.thing), action=self.mask(self.action),
                      how=self.how, target=target, done=done)
        # The contents of whole files are left out: they are long and may be secret as such.
        if self.data is not None and self.how != 'file':
            result['data'] = self.mask(self.data)
        return result

    def __repr__(self):
        return '<%s>' % self.line()

    def __eq__(self, other):
        return isinstance(other, Operation) and all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    def __ne__(self, other):
        return not self == other

    __hash__ = None


class Failed(Exception):
    """One or more operations failed; those in C(done) were performed and stay.

    operation, reason: the first that failed, and why
    failures:          all that failed, as (operation, reason)
    """

    def __init__(self, failures, done):
        super(Failed, self).__init__('; '.join(
            '%s: failed: %s' % (operation.line(), operation.mask(str(reason)).rstrip('.')) for operation, reason in failures))
        self.failures = failures
        self.operation, self.reason = failures[0]
        self.done = done


def perform(operations, performer, apart=None):
    """Carry out operations in order with C(performer(operation)).

    apart: a function from an operation to the object that it belongs to, for objects that do not depend on each other. After
           a failure the rest of the same object's operations is left out and the other objects' are carried out. Without
           it the first failure is the end.
    Returns the operations that were performed. Raises Failed with those done.
    """
    done, failures, left_out = [], [], set()
    for operation in operations:
        if failures and apart(operation) in left_out:
            continue
        try:
            performer(operation)
        except (EnvironmentError, Refused) as error:
            failures.append((operation, error))
            if apart is None:
                break
            left_out.add(apart(operation))
        else:
            done.append(operation)
    if failures:
        raise Failed(failures, done)
    return done


def report(operations, done, check_mode):
    """What a module returns: C(changed), C(diff) and C(operations), all from the same list.

    done: the operations that were carried out, or how many of the first ones were.
    """
    if isinstance(done, int):
        done = operations[:done]
    carried_out = set(id(operation) for operation in done)
    return dict(
        changed=bool(operations if check_mode else done),
        diff=dict(prepared=''.join(op.line() + '\n' for op in operations)),
        operations=[op.as_dict(done=id(op) in carried_out) for op in operations],
    )
