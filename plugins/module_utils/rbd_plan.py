# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans for images and mappings: pure functions of what there is and what is wanted."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Operation, Refused
from ansible_collections.cephgate.iscsi.plugins.module_utils.rbd import check_image_name

# rbd takes sizes in bytes with the suffix B since 10.2; M is understood by all and by older ones too.
_MIB = 1024 * 1024

# rbd(8), "Striping": a power of two from 4 KiB to 32 MiB.
OBJECT_SIZES = [4096 << step for step in range(14)]

WAYS = ('trash', 'forever')


def human(size):
    """Bytes as text for people: the largest unit that divides it."""
    for unit, name in ((1 << 40, 'TiB'), (1 << 30, 'GiB'), (1 << 20, 'MiB'), (1 << 10, 'KiB')):
        if size >= unit and size % unit == 0:
            return '%d %s' % (size // unit, name)
    return '%d bytes' % size


def unique(images):
    """Refuse a list that names one image twice: the second entry would contradict the first."""
    seen = set()
    for entry in images:
        check_image_name(entry['image'])
        if entry['image'] in seen:
            raise Refused('image %s is listed twice. Keep one entry.' % entry['image'])
        seen.add(entry['image'])
    return images


def plan_images(rbd, current, desired, features=(), uses=None, lacks=None):
    """Create what is absent, grow what is smaller, delete what is to be absent and says how. Never shrinks.

    current: {image: {size, image_id} or None}; desired: [{image, size or None (bytes), state, delete, data_pool, object_size}].
    uses: callable(image) -> what keeps an image from being deleted, as texts.
    lacks: callable(image, what is known of it) -> features that it must have and does not, sorted.
    All refusals come before the first operation is returned.
    """
    operations = []
    for entry in unique(desired):
        image, size = entry['image'], entry.get('size')
        found = current.get(image)
        thing = 'image %s' % image
        if entry.get('state', 'present') == 'absent':
            operations += _delete(rbd, thing, entry, found, uses)
            continue
        if entry.get('delete'):
            raise Refused('%s: delete is given, but state is not absent. Say both, or neither.' % thing)
        if size is not None and (size <= 0 or size % _MIB):
            raise Refused('%s: size %d bytes is not a positive multiple of 1 MiB, the unit of rbd. Correct the size.'
                          % (thing, size))
        if found is None:
            if size is None:
                raise Refused('%s does not exist in Ceph and no size is given, so it cannot be created. Correct the '
                              'name, or give it a size.' % thing)
            operations.append(_create(rbd, thing, entry, features))
            continue
        missing = lacks(image, found) if lacks else []
        if missing:
            raise Refused('%s lacks %s, which every image here must have. Give it that: rbd feature enable %s %s.' % (
                thing, ', '.join(missing), image, ' '.join(missing)))
        if size is not None and size > found['size']:
            operations.append(Operation(thing, 'grow from %s to %s' % (human(found['size']), human(size)), 'run',
                                        rbd.argv('resize', '--no-progress', '--size', '%dM' % (size // _MIB), image)))
        elif size is not None and size < found['size']:
            raise Refused('%s has %s and %s are declared: shrinking would destroy what lies behind. Declare at least '
                          'its present size.' % (thing, human(found['size']), human(size)))
    return operations


def _create(rbd, thing, entry, features):
    words, note = ['create', '--no-progress', '--size', '%dM' % (entry['size'] // _MIB)], ''
    for feature in features:
        words.extend(['--image-feature', feature])
    if entry.get('data_pool'):
        words.extend(['--data-pool', entry['data_pool']])
        note += ', its data in pool %s' % entry['data_pool']
    if entry.get('object_size'):
        if entry['object_size'] not in OBJECT_SIZES:
            raise Refused('%s: object_size %d bytes is not a power of two from 4 KiB to 32 MiB, which rbd takes. Correct it.' % (
                thing, entry['object_size']))
        words.extend(['--object-size', '%dK' % (entry['object_size'] >> 10)])
        note += ', in objects of %s' % human(entry['object_size'])
    return Operation(thing, 'create with %s%s' % (human(entry['size']), note), 'run', rbd.argv(*(words + [entry['image']])))


def _delete(rbd, thing, entry, found, uses):
    way = entry.get('delete')
    if way not in WAYS:
        raise Refused('%s: state is absent, which would destroy its data, and delete does not say how. Set delete to trash (it can be '
                      'restored) or to forever.' % thing)
    if found is None:
        return []
    used = uses(entry['image'])
    if used:
        raise Refused('%s is not deleted: %s. Let go of it first.' % (thing, '; '.join(used)))
    if way == 'trash':
        return [Operation(thing, 'move into the trash of its pool (id %s)' % found['image_id'], 'run',
                          rbd.argv('trash', 'mv', entry['image']))]
    return [Operation(thing, 'delete for ever, with %s' % human(found['size']), 'run',
                      rbd.argv('rm', '--no-progress', entry['image']))]


def lacks_of(rbd, required):
    """A C(lacks) for plan_images. A listing tells no features, and asking for each image costs the start of a Ceph client."""
    def lacks(image, known):
        # Who has the exclusive lock could not have it without the feature; in service every image is somebody's.
        if not set(required) - (set(['exclusive-lock']) if known.get('locked') else set()):
            return []
        asked = known if 'features' in known else rbd.info(image)
        # None: deleted while we looked, which what follows will meet.
        return sorted(set(required) - set(asked['features'])) if asked else []

    return lacks


def users_of(rbd, mapped_here):
    """Who has an image open, as texts, by C(users(image)).

    mapped_here: the mappings of this host, which also shows those that Ceph does not (read-only ones).
    """
    def users(image):
        found = []
        if image in mapped_here:
            found.append('this host has it mapped as %s' % mapped_here[image]['path'])
        watchers = rbd.watchers(image)
        if watchers:
            found.append('clients have it open, such as a gateway that has it mapped: %s' % ', '.join(watchers))
        return found

    return users


def uses_of(rbd, mapped_here):
    """A C(uses) for plan_images: who has the image open, clones, snapshots."""
    users = users_of(rbd, mapped_here)

    def uses(image):
        found = users(image)
        children = rbd.children(image)
        if children:
            found.append('clones depend on it: %s' % ', '.join(children))
        snapshots = rbd.snapshots(image) or {}
        if snapshots:
            found.append('it has snapshots, which would be lost: %s' % ', '.join(sorted(snapshots)))
        return found

    return uses


def plan_snapshots(rbd, current, desired, changed, users):
    """Create, protect, unprotect, remove snapshots, roll an image back.

    current: {image: {name: protected} or None}; desired: [{image, name, state, protected}]
    changed: callable(image, name) -> whether the image differs from the snapshot
    users:   callable(image) -> who has the image open, as texts
    """
    operations, seen = [], set()
    for entry in desired:
        image, name = entry['image'], entry['name']
        check_image_name(image)
        where = '%s@%s' % (image, name)
        thing = 'snapshot %s' % where
        if not name or '@' in name or '/' in name or name != name.strip():
            raise Refused('image %s: "%s" is no name for a snapshot: it must not be empty nor hold "@" or "/". Correct it.' % (image, name))
        if where in seen:
            raise Refused('%s is listed twice. Keep one entry.' % thing)
        seen.add(where)
        state, protected = entry.get('state') or 'present', entry.get('protected')
        if protected is not None and (state == 'rolled_back' or state == 'absent' and protected):
            raise Refused('%s: protected is %s beside state %s; it goes with state present, and as false with state absent. Leave it out, or make '
                          'two entries in two tasks.' % (thing, 'true' if protected else 'false', state))
        if current[image] is None:
            raise Refused('image %s does not exist in Ceph, so it has no snapshots. Correct the name.' % image)
        operations += _SNAPSHOT[state](rbd, thing, where, entry, current[image], changed, users)
    return operations


def _keep_snapshot(rbd, thing, where, entry, found, _changed, _users):
    operations, protected = [], entry.get('protected')
    if entry['name'] not in found:
        operations.append(Operation(thing, 'create', 'run', rbd.argv('snap', 'create', where)))
    if protected is not None and protected != found.get(entry['name'], False):
        verb = 'protect' if protected else 'unprotect'
        operations.append(Operation(thing, verb, 'run', rbd.argv('snap', verb, where)))
    return operations


def _remove_snapshot(rbd, thing, where, entry, found, _changed, _users):
    if entry['name'] not in found:
        return []
    if found[entry['name']]:
        if entry.get('protected') is not False:
            raise Refused('%s is protected and not removed. Set protected to false beside state absent, if it may go.' % thing)
        return [Operation(thing, 'unprotect', 'run', rbd.argv('snap', 'unprotect', where)),
                Operation(thing, 'remove', 'run', rbd.argv('snap', 'rm', where))]
    return [Operation(thing, 'remove', 'run', rbd.argv('snap', 'rm', where))]


def _roll_back(rbd, thing, where, entry, found, changed, users):
    if entry['name'] not in found:
        raise Refused('%s does not exist, so image %s cannot be rolled back to it. It has: %s. Correct the name.' % (
            thing, entry['image'], ', '.join(sorted(found)) or 'none'))
    if not changed(entry['image'], entry['name']):
        return []
    used = users(entry['image'])
    if used:
        # Hosts keep what they have read: data that changes below them is corruption.
        raise Refused('image %s is not rolled back to %s: %s. Remove its LUN and unmap it on every gateway first.' % (
            entry['image'], entry['name'], '; '.join(used)))
    return [Operation('image %s' % entry['image'], 'roll back to snapshot %s' % entry['name'], 'run',
                      rbd.argv('snap', 'rollback', '--no-progress', where))]


_SNAPSHOT = dict(present=_keep_snapshot, absent=_remove_snapshot, rolled_back=_roll_back)


def plan_mappings(rbd, current, desired, holders, dead=None):
    """Map what is wanted and not mapped; unmap what is not wanted; map anew what is dead and unused.

    current: what rbd.mapped() returns; desired: [{image, state, options}].
    holders: callable(entry of current) -> list of what uses the mapping (an SCST device, a mount).
    dead:    {number of a mapping: why} of those that refuse to be read.
    """
    operations, dead = [], dead or {}
    for entry in unique(desired):
        image = entry['image']
        thing = 'image %s' % image
        there = _mappings(current.get(image))
        if entry.get('state', 'present') == 'present':
            # What is dead beside the one that serves is left to whoever mapped it.
            going = [each for each in there if each['number'] in dead] if there and there[0]['number'] in dead else []
            operations += _unmap(rbd, thing, going, holders, dead, _DEAD)
            if len(going) == len(there):
                words = ['map'] + (['--options', entry['options']] if entry.get('options') else []) + [image]
                operations.append(Operation(thing, 'map', 'run', rbd.argv(*words)))
        else:
            operations += _unmap(rbd, thing, there, holders, dead, _USED)
    return operations


def _mappings(found):
    """Every mapping of an image, which somebody may have mapped more than once: whichever stayed would be the one that is found next."""
    return [] if found is None else [found] + [dict(found, number=number, path='/dev/rbd%d' % number) for number in found.get('also', ())]


_USED = '{thing} is mapped as {path} and in use by {used}: it is not unmapped. Remove that use first.'
_DEAD = ('{thing} is mapped as {path}, but that mapping is dead ({why}): Ceph has probably fenced this host. It is in use by {used}, so it '
         'cannot be replaced under it. Take this gateway out of service (cephgate drain), then run again.')


def _unmap(rbd, thing, mappings, holders, dead, refusal):
    operations = []
    for each in mappings:
        path, used, why = each['path'], holders(each), dead.get(each['number'])
        if used:
            raise Refused(refusal.format(thing=thing, path=path, why=why, used=', '.join(used)))
        # Forced, because what a dead one holds cannot be written any more, whoever waits.
        action, force = ('unmap the dead mapping %s', ['--options', 'force']) if why else ('unmap from %s', [])
        operations.append(Operation(thing, action % path, 'run', rbd.argv(*(['unmap'] + force + ['/dev/rbd%d' % each['number']]))))
    return operations
