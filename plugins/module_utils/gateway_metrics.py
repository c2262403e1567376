# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A gateway's numbers in Prometheus' text format. docs/monitoring.md says what they are for.

SCST counts I/O per session and not per LUN; the I/O of a LUN is that of its mapping, /sys/block/rbdN/stat
(Documentation/block/stat.rst), all hosts together. Restarts of iscsi-scstd are seen by its start time: no counter that a reboot resets
has to be kept.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import time

from ansible_collections.cephgate.iscsi.plugins.module_utils import gateway_ha, gateway_state, scst_lun
from ansible_collections.cephgate.iscsi.plugins.module_utils.gateway_look import Look
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused
from ansible_collections.cephgate.iscsi.plugins.module_utils.rbd import mapped as read_mapped
from ansible_collections.cephgate.iscsi.plugins.module_utils.sysfs import ROOT, Sysfs, to_bytes, to_text

PREFIX = 'cephgate_'

# name: (type, help). What is exported is in here, and what is in here is exported (of a gateway that serves).
METRICS = dict(
    info=('gauge', 'Always 1; releases of SCST and of the kernel are labels.'),
    collect_errors=('gauge', 'Parts of the gateway that could not be read, by part.'),
    collect_duration_seconds=('gauge', 'How long it took to read all this.'),
    daemon_running=('gauge', 'Whether iscsi-scstd runs.'),
    daemon_start_time_seconds=('gauge', 'When iscsi-scstd was started; a change is a restart, which took all sessions down.'),
    service_running=('gauge', 'Whether the service cephgate keeps the gateway as declared.'),
    drained=('gauge', 'Whether an operator took the gateway out of service.'),
    unfinished=('gauge', 'Whether a playbook is under way, or was stopped before its end.'),
    state_changed_timestamp_seconds=('gauge', 'When a playbook last changed what this gateway is to serve.'),
    target_enabled=('gauge', 'Whether the target is in service.'),
    images=('gauge', 'Images that are to be served.'),
    images_served=('gauge', 'Images that are served.'),
    luns=('gauge', 'LUNs that are to be there.'),
    luns_missing=('gauge', 'LUNs that are not there.'),
    image_served=('gauge', 'Whether an image is served here: mapped, with a device, in all its LUNs.'),
    image_mapped=('gauge', 'Whether the image is mapped.'),
    image_size_bytes=('gauge', 'Size of the mapped image.'),
    image_access_state=('gauge', 'Always 1; the ALUA state of this gateway for the image is a label.'),
    image_reads_completed_total=('counter', 'Reads of the mapping that ended.'),
    image_read_bytes_total=('counter', 'Bytes read from the mapping.'),
    image_read_time_seconds_total=('counter', 'Time that reads took, added up.'),
    image_writes_completed_total=('counter', 'Writes to the mapping that ended.'),
    image_written_bytes_total=('counter', 'Bytes written to the mapping.'),
    image_write_time_seconds_total=('counter', 'Time that writes took, added up.'),
    image_io_time_seconds_total=('counter', 'Time in which the mapping had I/O to do.'),
    image_io_in_flight=('gauge', 'I/O under way. With none that ends, Ceph does not answer.'),
    agent_running=('gauge', 'Whether the agent of the mode fenced runs and answers.'),
    agent_answer_age_seconds=('gauge', 'How long ago Ceph answered the agent; +Inf: never.'),
    agent_fenced=('gauge', 'Clients of this gateway that Ceph refuses: another gateway took over, and this one is leaving service.'),
    agent_draining=('gauge', 'Images that a drained gateway still has.'),
    agent_troubles=('gauge', 'What fails to the agent, such as its exchange with Ceph.'),
    image_owned=('gauge', 'Whether this gateway has the image, in the mode fenced.'),
    image_moving=('gauge', 'Whether this gateway is taking the image over or giving it away.'),
    image_unfit=('gauge', 'Whether this gateway could not take the image over, and does not try again for a while.'),
    image_takeovers_total=('counter', 'How often this gateway has taken the image over since its agent was started.'),
    image_takeover_pause_seconds=('gauge', 'How long no gateway served the image before the last take-over by this one, as its agent saw it.'),
    sessions=('gauge', 'Sessions of a host at a target.'),
    session_read_commands_total=('counter', 'Read commands of a session since its login.'),
    session_write_commands_total=('counter', 'Write commands of a session since its login.'),
    session_read_bytes_total=('counter', 'Bytes that a session read since its login.'),
    session_written_bytes_total=('counter', 'Bytes that a session wrote since its login.'),
    session_commands_active=('gauge', 'Commands of a session under way.'),
)

SECTOR = 512
DISK = (('image_reads_completed_total', 0, 1), ('image_read_bytes_total', 2, SECTOR), ('image_read_time_seconds_total', 3, 0.001),
        ('image_writes_completed_total', 4, 1), ('image_written_bytes_total', 6, SECTOR), ('image_write_time_seconds_total', 7, 0.001),
        ('image_io_in_flight', 8, 1), ('image_io_time_seconds_total', 9, 0.001))
SESSION = (('session_read_commands_total', 'read_cmd_count', 1), ('session_write_commands_total', 'write_cmd_count', 1),
           ('session_read_bytes_total', 'read_io_count_kb', 1024), ('session_written_bytes_total', 'write_io_count_kb', 1024))


class Samples(object):
    """[(name, labels, value)] in the order in which they were added."""

    def __init__(self):
        self.all = []

    def add(self, name, value, **labels):
        if value is not None:
            self.all.append((name, labels, value))

    def text(self):
        lines = []
        for name in sorted(METRICS):
            mine = [(labels, value) for found, labels, value in self.all if found == name]
            if mine:
                lines.append('# HELP %s%s %s' % (PREFIX, name, METRICS[name][1]))
                lines.append('# TYPE %s%s %s' % (PREFIX, name, METRICS[name][0]))
                lines += ['%s%s%s %s' % (PREFIX, name, _labels(labels), _number(value)) for labels, value in mine]
        return ''.join(line + '\n' for line in lines)


def _labels(labels):
    if not labels:
        return ''
    return '{%s}' % ','.join('%s="%s"' % (key, to_text(labels[key]).replace('\\', '\\\\').replace('"', '\\"').replace('\n', '\\n'))
                             for key in sorted(labels))


def _number(value):
    if isinstance(value, bool):
        return '1' if value else '0'
    if value == float('inf'):
        return '+Inf'
    return '%d' % value if isinstance(value, int) or value == int(value) else repr(round(value, 6))


def samples(seen, state, here, disk, daemon):
    """Samples of what Look.all() saw.

    state:  the state file, or None; here: () -> whether a LUN of it is there
    disk:   (number of a mapping) -> the numbers of its stat file, or None
    daemon: when iscsi-scstd was started (seconds since 1970), or None
    """
    found = Samples()
    scst = seen['scst'] or {}
    found.add('info', 1, scst=scst.get('version') or '', kernel=seen['kernel'])
    for part in ('scst', 'daemon', 'state', 'images', 'mapped', 'orders'):
        found.add('collect_errors', part in seen['errors'], part=part)
    found.add('daemon_running', bool(seen['daemon']))
    found.add('daemon_start_time_seconds', daemon)
    found.add('service_running', bool(seen['service']))
    found.add('drained', bool(seen['drained']))
    if seen['state'] is not None:
        found.add('unfinished', seen['state']['unfinished'])
        found.add('state_changed_timestamp_seconds', seen['state']['written'])
        found.add('images', len(seen['state']['images']))
        found.add('images_served', len([image for image in seen['state']['images'] if image['served']]))
        for image in seen['state']['images']:
            found.add('image_served', image['served'], image=image['image'])
            found.add('image_mapped', image['image'] in seen['mapped'], image=image['image'])
    if 'agent' in seen:
        _agent(found, seen['agent'])
    enabled = dict((target['name'], target['enabled']) for target in scst.get('targets') or [])
    if state is not None:
        for target in state['targets']:
            found.add('target_enabled', bool(enabled.get(target['name'])), target=target['name'])
        found.add('luns', len(state['luns']))
        found.add('luns_missing', len([lun for lun in state['luns'] if not here(lun)]))
        _access(found, state, scst)
    for image in sorted(seen['mapped']):
        entry = seen['mapped'][image]
        found.add('image_size_bytes', entry['size'], image=image)
        numbers = disk(entry['number'])
        for name, place, unit in DISK if numbers else ():
            found.add(name, numbers[place] * unit, image=image)
    _sessions(found, scst)
    return found


def _agent(found, agent):
    found.add('agent_running', agent is not None)
    if agent is None:
        return
    found.add('agent_answer_age_seconds', float('inf') if agent['ceph'] is None else agent['ceph'])
    found.add('agent_fenced', len(agent['refused']))
    found.add('agent_draining', len(gateway_ha.still_here(agent)) if agent['drain'] else 0)
    found.add('agent_troubles', len(agent['trouble']))
    for device in sorted(agent['disks']):
        disk = agent['disks'][device]
        found.add('image_owned', disk['here'] == 'active', image=disk['image'])
        found.add('image_moving', disk['doing'] is not None, image=disk['image'])
        found.add('image_unfit', disk['unfit'], image=disk['image'])
        # An agent that was there before this version does not tell.
        found.add('image_takeovers_total', disk.get('taken', 0), image=disk['image'])
        found.add('image_takeover_pause_seconds', disk.get('pause'), image=disk['image'])


def _access(found, state, scst):
    """What this gateway tells initiators of each image: the state of the target group that its own target is in."""
    image_of = dict((device['name'], device['image']) for device in state['devices'])
    own = set(target['name'] for target in state['targets'])
    for group in (scst.get('gathered') or {}).get('device_groups') or []:
        for ports in group['target_groups']:
            if own & set(port['name'] for port in ports['targets']):
                for device in group['devices']:
                    if device in image_of:
                        found.add('image_access_state', 1, image=image_of[device], state=ports['state'])


def _sessions(found, scst):
    counts = {}
    for target in scst.get('targets') or []:
        for group in target['groups']:
            counts[target['name'], group['name']] = 0
    for session in scst.get('sessions') or []:
        place = session['target'], session['group'] or ''
        counts[place] = counts.get(place, 0) + 1
        labels = dict(target=place[0], host=place[1], session=session['session'])
        for name, counter, unit in SESSION:
            if counter in session['counters']:
                found.add(name, session['counters'][counter] * unit, **labels)
        found.add('session_commands_active', sum(lun['active_commands'] for lun in session['luns']), **labels)
    for target, host in sorted(counts):
        found.add('sessions', counts[target, host], target=target, host=host)


def disk_numbers(number, sysfs='/sys'):
    """The numbers in a mapping's stat file; None when it has none that can be read."""
    try:
        with open(os.path.join(sysfs, 'block', 'rbd%d' % number, 'stat')) as handle:
            numbers = [int(word) for word in handle.read().split()]
    except (EnvironmentError, ValueError):
        return None
    return numbers if len(numbers) > 9 else None


def started(name, proc='/proc'):
    """When the oldest process of this name was started, in seconds since 1970; None when there is none (proc(5))."""
    ticks = []
    try:
        with open(os.path.join(proc, 'stat')) as handle:
            boot = [int(line.split()[1]) for line in handle if line.startswith('btime ')][0]
        for entry in os.listdir(proc):
            if entry.isdigit():
                try:
                    with open(os.path.join(proc, entry, 'stat')) as handle:
                        text = handle.read()
                except EnvironmentError:
                    continue  # ended while we looked
                if text[text.index('(') + 1:text.rindex(')')] == name:
                    ticks.append(int(text[text.rindex(')') + 1:].split()[19]))
    except (EnvironmentError, ValueError, IndexError):
        return None
    return boot + min(ticks) // os.sysconf('SC_CLK_TCK') if ticks else None


def collect(path, run, sysfs_of=Sysfs, mapped=read_mapped, disk=disk_numbers, daemon=lambda: started('iscsi-scstd'), clock=time.time):
    """Samples of this host. path: the state file; run: folder of locks."""
    begin = clock()
    try:
        state = gateway_state.load(path)
    except (Refused, EnvironmentError, ValueError):
        state = None  # Look names the reason
    sysfs = sysfs_of(state['sysfs_root'] if state else ROOT)
    seen = Look(sysfs, path, run, mapped).all()
    found = samples(seen, state, lambda lun: sysfs.exists('%s/%d' % (scst_lun.folder(lun['target'], lun['group']), lun['lun'])), disk, daemon())
    found.add('collect_duration_seconds', clock() - begin)
    return found


def write(path, text):
    """For node_exporter's textfile collector, which reads *.prom whenever it likes: replaced in one step, and readable by all."""
    new = path + '.new'
    try:
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    except EnvironmentError as error:
        raise Refused('output file %s: it cannot be written (%s). It must be in a folder that is there, that of node_exporter\'s textfile '
                      'collector. Make the folder, or name another file with --output.' % (path, error.strerror))
    try:
        os.fchmod(handle, 0o644)
        os.write(handle, to_bytes(text))
    finally:
        os.close(handle)
    os.rename(new, path)
