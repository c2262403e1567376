# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of the root directory."""
import errno

from .text import KEY, c_string, fail, keyed, kstrtol, kstrtoul, lexem
from .tree import Attr

CLUSTER_NAME_MAX = 63     # DLM_LOCKSPACE_LEN
TRACE_HELP = ('\n\n\nUsage:\n\techo "all|none|default" >trace_level\n\techo "value DEC|0xHEX|0OCT" >trace_level\n'
              '\techo "add|del TOKEN" >trace_level\n\nwhere TOKEN is one of [%s]\n')


def value(name, default, parse, check=lambda number: True, worked=False):
    """A number in Scst.values; default may be a function of Scst."""
    def show(core):
        usual = default(core) if callable(default) else default
        number = core.values.get(name, usual)
        return keyed(number, number != usual)

    def store(core, text):
        number = parse(text)
        if not check(number):
            fail(errno.EINVAL)
        if worked:
            core.work(core.values.__setitem__, name, number)
        else:
            core.values[name] = number
    return Attr(0o644, show, store)


def _setup_id_show(core):
    tail = '\n' if core.personality.blank_tail else ''
    return '0x%x\n' % core.setup_id + (KEY if core.setup_id else tail)


def _setup_id_store(core, text):
    core.setup_id = kstrtoul(text) & 0xffffffff


def _tasklet_show(core):
    number = core.values.get('max_tasklet_cmd', 10)
    tail = '\n' if core.personality.blank_tail else ''
    return '%d\n' % number + (KEY if number != 10 else tail)


def _tasklet_store(core, text):
    core.values['max_tasklet_cmd'] = kstrtoul(text)


def _suspend_store(core, text):
    if kstrtol(text) >= 0:
        core.suspended += 1
    else:
        core.suspended = max(0, core.suspended - 1)


def _cluster_store(core, text):
    name = c_string(text)
    name = name[:-1] if name.endswith('\n') else name
    if len(name) > CLUSTER_NAME_MAX:
        fail(errno.EINVAL)
    core.values['cluster_name'] = name


def _cluster_show(core):
    name = core.values.get('cluster_name')
    return keyed(name, True) if name else ''


def _latency_store(core, text):
    core.values['measure_latency'] = int(kstrtol(text) != 0)


def _version(core):
    lines = ''.join(line + '\n' for line in core.personality.version_lines)
    return lines % core.env.kernel if '%s' in lines else lines


def trace_attr(personality, part):
    """A trace_level file. Levels are names; "value N" is taken without telling the names."""
    default = personality.trace[part].split(' | ')
    state = {'names': default}
    tokens = personality.trace_tokens.replace(',', ' ').split()

    def show(_owner):
        return ' | '.join(state['names']) + TRACE_HELP % personality.trace_tokens

    def store(_owner, text):
        action, rest = lexem(c_string(text))
        word = lexem(rest)[0].lower()
        action = action.lower()
        if action == 'all':
            state['names'] = tokens
        elif action in ('none', 'null'):
            state['names'] = []
        elif action == 'default':
            state['names'] = default
        elif action in ('add', 'del') and word in tokens:
            names = [name for name in state['names'] if name != word]
            state['names'] = names + ([word] if action == 'add' else [])
        elif action == 'value':
            kstrtoul(word)
        else:
            fail(errno.EINVAL)
    return Attr(0o644, show, store)


ROOT_ATTRS = {
    'threads': value('threads', lambda core: core.env.threads, kstrtol, lambda number: number > 0, worked=True),
    'setup_id': Attr(0o644, _setup_id_show, _setup_id_store),
    'max_tasklet_cmd': Attr(0o644, _tasklet_show, _tasklet_store),
    'poll_us': value('poll_us', 0, kstrtoul),
    'force_global_sgv_pool': value('force_global_sgv_pool', 0, kstrtoul),
    'measure_latency': Attr(0o644, lambda core: '%d\n' % core.values.get('measure_latency', 0), _latency_store),
    'suspend': Attr(0o644, lambda core: '%d\n' % core.suspended, _suspend_store),
    'cluster_name': Attr(0o644, _cluster_show, _cluster_store),
    'trace_cmds': Attr(0o444, lambda core: ''),
    'trace_mcmds': Attr(0o444, lambda core: ''),
    'version': Attr(0o444, _version),
    'last_sysfs_mgmt_res': Attr(0o444, lambda core: '%d\n' % core.last_result),
}
