# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recordings of real SCST: what a scenario did, operation by operation, and how two runs differ.

The rules for what counts are those of the recorder that made the recordings: content that
changes by itself is volatile, files that only some builds or hosts have are optional.
"""
import json
import re

# content that changes by itself; presence and mode still count
VOLATILE = re.compile(r"^sgv/.*stats$|^trace_m?cmds$|_cmd_count$|_count_kb$|/thread_pid$|/thread_index$"
                      r"|/active_commands$|/commands$|/sessions/.*/state$|/sid$|^last_sysfs_mgmt_res$|/latency/")
# not there on every build or host
OPTIONAL = re.compile(r"(^|/)trace_level$|^targets/copy_manager|^devices/\d+:\d+:\d+:\d+(/|$)|^sgv/|^poll_us$")


def ignored(path):
    return VOLATILE.search(path) or OPTIONAL.search(path)


def load(path):
    with open(path) as source:
        return json.load(source)


def tree_diff(before, after):
    """added, removed, changed between two trees, as a recording holds them."""
    return dict(
        added={k: after[k] for k in sorted(after) if k not in before},
        removed=sorted(k for k in before if k not in after),
        changed={k: dict(was=before[k], now=after[k]) for k in sorted(after)
                 if k in before and before[k] != after[k]})


def _trees(recording):
    """Every tree entry that a recording tells of: (path, entry)."""
    yield from recording['initial_tree'].items()
    for operation in recording['ops']:
        yield from operation.get('diff', {}).get('added', {}).items()


def first_content(recording, pattern):
    """Content of the first file whose path matches, or None."""
    for path, entry in _trees(recording):
        if re.search(pattern, path) and entry.get('c') not in (None, '<volatile>'):
            return entry['c']
    return None


def release(recording):
    """The emulator's personality for a recording."""
    return '3.0.1' if (first_content(recording, '^version$') or '').startswith('3.0.1') else '3.10'


def host_facts(recording):
    """What the recording tells of the host it was made on: facts of an Environment."""
    mask = (first_content(recording, '/cpu_mask$') or '1').split('\n')[0].replace(',', '')
    scsi = {}
    for path, entry in _trees(recording):
        match = re.fullmatch(r'devices/(\d+:\d+:\d+:\d+)/type', path)
        # A name of this form may also be a virtual disk made by the scenario.
        if match and path in recording['initial_tree']:
            scsi[match.group(1)] = entry['c'].strip()
    facts = dict(cpu_bits=int(mask, 16).bit_length(), scsi_devices=scsi,
                 kernel=recording.get('host', {}).get('kernel', ''))
    threads = first_content(recording, '^threads$')
    if threads:
        facts['threads'] = int(threads.split('\n')[0])
    return facts


def differences(expected, found):
    """Texts that say how one operation of a replay differs from the recording; empty when alike."""
    texts = []
    shell = expected['op']['op'] == 'sh'
    for name in ('rc',) if shell else ('ok', 'errno', 'content'):
        if shell and found.get('rc') is None:
            continue                      # not interpreted: only the tree counts
        if expected.get(name) != found.get(name):
            texts.append('%s: %r recorded, %r here' % (name, expected.get(name), found.get(name)))
    result = expected.get('res', {}).get('final')
    if result is not None and result != found.get('res', {}).get('final'):
        texts.append('last_sysfs_mgmt_res: %s recorded, %s here' % (result, found.get('res', {}).get('final')))
    if 'diff' in expected:
        texts += _tree_differences(expected['diff'], found.get('diff', {}))
    return texts


def _tree_differences(expected, found):
    texts = []
    for kind in ('added', 'changed'):
        wanted = {k: v for k, v in expected.get(kind, {}).items() if not ignored(k)}
        have = {k: v for k, v in found.get(kind, {}).items() if not ignored(k)}
        for path in sorted(set(wanted) | set(have)):
            if wanted.get(path) != have.get(path):
                texts.append('%s %s: %s recorded, %s here' % (kind, path, wanted.get(path), have.get(path)))
    wanted = {path for path in expected.get('removed', []) if not ignored(path)}
    have = {path for path in found.get('removed', []) if not ignored(path)}
    if wanted != have:
        texts.append('removed: only recorded %s, only here %s' % (sorted(wanted - have), sorted(have - wanted)))
    return texts
