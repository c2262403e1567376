# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A gateway to which everything happens that may happen between two runs, in any order, and runs in between.

Whatever the state is, a run reaches what is declared, or refuses before it writes anything and names a reason that is
true. Each rule of the machine is one event; the promises about runs are kept in Run.
"""
import re

import observe
import world
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Failed, Refused, perform
from ansible_collections.cephgate.iscsi.plugins.module_utils.sysfs import performer

KINDS = [{'device'}, {'target'}, {'device group'}, {'lun'}, {'target', 'driver'}]  # what each of world.steps() may write to


def half_destroyed(tree, _declared):
    return any(None in observe.numbered(tree, folder, 'OutgoingUser')
               for folder in ['targets/iscsi'] + ['targets/iscsi/' + name for name in observe.target_names(tree)])


def unreadable(tree, _declared):
    for target in observe.target_names(tree):
        for group in observe.names(tree, 'targets/iscsi/%s/ini_groups' % target):
            try:
                tree.listdir('targets/iscsi/%s/ini_groups/%s/initiators' % (target, group))
            except OSError:
                return True
    return False


def image_away(tree, declared):
    files = tree.core.env.files
    return any(device.get('filename') and device['filename'] not in files for device in declared['devices'])


def in_other_hands(tree, declared):
    """A device that this collection does not manage has a declared name or identity."""
    others = set(observe.names(tree, 'devices')) - {name for handler in observe.HANDLERS for name in observe.names(tree, 'handlers/' + handler)}
    wanted = {device['name']: device['attributes'] for device in declared['devices']}
    shown = {observe.first_line(tree, 'devices/%s/%s' % (name, attribute)) for name in others for attribute in ('usn', 't10_dev_id')
             if tree.exists('devices/%s/%s' % (name, attribute))}
    return bool(others & set(wanted)) or any(attributes[attribute] in shown or attributes[attribute][:8] in {text[:8] for text in shown}
                                             for attributes in wanted.values() for attribute in ('usn', 't10_dev_id'))


def on_default_luns(tree, _declared):
    return any(place[0] is None for target in observe.target_names(tree) for place in observe.luns(tree, target))


def other_case(tree, declared):
    return bool({name.lower() for name in observe.target_names(tree)} & {target['name'].lower() for target in declared['targets']})


# words of a refusal, and what must then be so
REASONS = [
    ('iscsi-scstd does not run', lambda tree, declared: not tree.exists('targets/iscsi/enabled')),
    ('half destroyed', half_destroyed),
    ('cannot be read', unreadable),
    ('is made only when what is behind it is there', image_away),
    ('which this module does not manage|is on this node already', in_other_hands),
    ('no option to skip this', on_default_luns),
    ('takes them for the same', other_case),
]


def same_rel_tgt_id(tree, _declared):
    numbers = [observe.first_line(tree, 'targets/iscsi/%s/rel_tgt_id' % name) for name in observe.target_names(tree)]
    return len(set(numbers) - {'0'}) < len([number for number in numbers if number != '0'])


def same_file(tree, _declared):
    files = [observe.first_line(tree, 'devices/%s/filename' % name) for name in observe.names(tree, 'devices')
             if tree.exists('devices/%s/filename' % name)]
    return len(set(files)) < len(files)


def odd_portal(tree, _declared):
    return any('notanip' in observe.numbered(tree, 'targets/iscsi/' + name, 'allowed_portal') for name in observe.target_names(tree))


def strangers(tree):
    """A target that was put into a target group before it was made here stays a remote one: no declaration says that."""
    return any(name in observe.target_names(tree) and not observe.link(tree, path + '/' + name)
               for group in observe.names(tree, 'device_groups') for tg in observe.names(tree, 'device_groups/%s/target_groups' % group)
               for path in ['device_groups/%s/target_groups/%s' % (group, tg)] for name in observe.names(tree, path))


# what other hands can do to SCST that the modules do not take back as a declaration
NO_DECLARATION = [('half destroyed', half_destroyed), ('cannot be read', unreadable), ('rel_tgt_id', same_rel_tgt_id), ('filename', same_file),
                  ('notanip', odd_portal)]


class Interrupted(Exception):
    """The run was killed."""


class Hurt:
    """A tree whose write fails, or does not come back, after so many."""

    def __init__(self, tree, after, number):
        self.tree = tree
        self.left = after
        self.number = number

    def __getattr__(self, name):
        return getattr(self.tree, name)

    def write(self, path, data):
        if self.left == 0:
            if self.number is None:
                raise Interrupted
            raise OSError(self.number, 'as told', path)
        self.left -= 1
        return self.tree.write(path, data)


class Gateway:
    """The world of one machine, and the promises that every run in it keeps."""

    def __init__(self, personality):
        self.tree = world.emulator(personality)
        self.files = self.tree.core.env.files
        self.declared = self.earlier = None
        self.sessions = []

    # -- runs ---------------------------------------------------------------------------------------

    def check_mode(self, declared):
        """A run in check mode: no write reaches a file."""
        state = self.tree.tree()
        self.tree.reset_counters()
        for step in world.steps(declared):
            try:
                step(self.tree, assume=True)
            except Refused:
                break
        assert (self.tree.writes, self.tree.written) == (0, [])
        assert self.tree.tree() == state

    def run(self, declared, tree=None):
        """A whole run; each step writes to nothing that does not differ. False when it was refused for a reason that is true."""
        tree = tree or self.tree
        for step, kinds in zip(world.steps(declared), KINDS):
            differing = {key for key in observe.differing(self.tree, declared, self.files) if key[0] in kinds}
            self.tree.reset_counters()
            try:
                operations = step(tree)
            except Refused as error:
                assert self.tree.writes == 0
                assert any(re.search(words, str(error)) and true(self.tree, declared) for words, true in REASONS), str(error)
                return False
            assert self.tree.writes == 0  # planning writes nothing
            try:
                perform(operations, performer(tree))
            finally:
                touched = {observe.object_of(path, data) for path, data in self.tree.written}
                assert touched <= differing, (touched - differing, self.tree.written)
        self.declared, self.earlier = declared, self.declared
        return True

    def apply(self, declared):
        self.check_mode(declared)
        if not self.run(declared):
            return
        differing = observe.differing(self.tree, declared, self.files)
        assert differing == {}, differing
        self.tree.reset_counters()
        again = world.plan_all(self.tree, declared)
        assert again == [], again
        assert self.tree.writes == 0

    def gather(self):
        """What is gathered from the running state, taken as a declaration, leads to nothing."""
        self.tree.reset_counters()
        try:
            plans = list(world.gathered_plans(self.tree))
            if strangers(self.tree):
                plans = [operation for operation in plans if not operation.target.startswith('device_groups/')]
            assert plans == [], plans
        except Refused as error:
            assert any(words in str(error) and true(self.tree, None) for words, true in NO_DECLARATION), str(error)
        assert self.tree.writes == 0

    def hurt(self, declared, after, number):
        """A run that is killed (number None) or meets an error of the kernel after so many writes; what served it leaves serving."""
        served = self.serving(declared)
        hurt = Hurt(self.tree, after, number)
        try:
            self.run(declared, hurt)
        except (Interrupted, Failed):
            pass
        now = self.serving(declared)
        for place, disk in served.items():
            assert now.get(place) == disk, (place, disk, now.get(place))

    def serving(self, declared):
        """The LUNs that are declared as they are, on devices and targets that are, too: {place: what it shows}."""
        differing = observe.differing(self.tree, declared, self.files)
        found = {}
        for lun in declared['luns']:
            place = lun['target'], lun['group'], lun['lun']
            if ('lun',) + place in differing or ('device', lun['device']) in differing or ('target', lun['target']) in differing:
                continue
            folder = 'targets/iscsi/%s/%sluns/%d/device' % (lun['target'], 'ini_groups/%s/' % lun['group'] if lun['group'] else '', lun['lun'])
            found[place] = (observe.link(self.tree, folder), self.tree.read('targets/iscsi/%s/enabled' % lun['target']),
                            observe.first_line(self.tree, folder + '/size'))
        return found
