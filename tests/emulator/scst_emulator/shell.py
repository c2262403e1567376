# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The few shell commands that scenarios use to change the world around SCST.

A command line is cut into simple commands; each has an effect on the emulator, its fake files
or its initiator, or only looks, or is unknown and then named in Shell.unknown.
"""
import re
import shlex

from .initiator import Initiator

LOOKERS = frozenset('''lsblk ls grep tail echo true sg_inq sg_vpd sg_turs sg_readcap sg_rtpg scsi_id blockdev dd
    multipath udevadm ss pidof sleep sed systemctl cut head cat mkdir exec test'''.split())
KEYWORDS = frozenset(('do', 'done', 'for', 'then', 'fi', 'if'))
UNITS = {'': 1, 'K': 1 << 10, 'M': 1 << 20, 'G': 1 << 30}


def simple_commands(line):
    """[(words, separator before)]: separators are ; && || |. Command substitutions stay one word."""
    inner = []

    def keep(match):
        inner.append(match.group(1))
        return '@%d@' % (len(inner) - 1)
    line = re.sub(r'\$\(([^()]*)\)', keep, line)
    lexer = shlex.shlex(line, posix=True, punctuation_chars=';&|<>')
    lexer.whitespace_split = True
    commands, words, before, skip = [], [], ';', False
    for word in lexer:
        if word in (';', '&&', '||', '|', ';;', '&'):
            commands.append((words, before))
            words, before = [], word
        elif re.fullmatch('[<>&]+', word):
            skip = True                   # a redirection and its file
        elif skip:
            skip = False
        else:
            words.append(re.sub(r'@(\d+)@', lambda match: '$(%s)' % inner[int(match.group(1))], word))
    commands.append((words, before))
    return [(words, before) for words, before in commands if words]


class Shell:
    """run(line) -> exit status, or None when it cannot be told."""

    def __init__(self, emulator):
        self.core = emulator.core
        self.files = emulator.core.env.files
        self.initiator = Initiator(emulator.core)
        self.unknown = []

    def run(self, line):
        status = saved = 0
        for words, before in simple_commands(line):
            if before == '&&' and status or before == '||' and not status:
                continue
            while words and (words[0] in KEYWORDS or words[0] == 'timeout'):
                drop = 2 if words[0] == 'timeout' else len(words) if words[0] == 'for' else 1
                words = words[drop:]
            if not words:
                continue
            if words[0] == 'exit':
                return saved if words[1:] == ['$rc'] else int(words[1]) if words[1:] else status
            if words[0] == 'rc=$?':
                saved = status
            else:
                status = self._command(words)
        return status

    def _command(self, words):
        name = words[0].rsplit('/', 1)[-1].replace('-', '_')
        method = getattr(self, '_' + name, None)
        if method:
            return method(words[1:])
        if name not in LOOKERS and '=' not in words[0] and not words[0].startswith('$'):
            self.unknown.append(' '.join(words))
        return 0 if name in ('true', 'sleep', 'echo') else None

    # -- modules and the daemon ---------------------------------------------

    def _modprobe(self, words):
        self.core.load(words[0])
        return 0

    def _rmmod(self, words):
        try:
            self.core.unload(words[0])
        except OSError:
            return 1
        return 0

    def _iscsi_scstd(self, _words):
        self.core.start_daemon()
        return 0

    def _kill(self, words):
        if words[-1] == '$(pidof iscsi-scstd)':
            self.core.stop_daemon()
            return 0
        self.unknown.append('kill ' + ' '.join(words))
        return None

    def _scst_reset(self, words):
        self.initiator.forget()
        if words[:1] != ['start']:
            self.core.stop_daemon()
            for module in ('iscsi_scst', 'scst_vdisk', 'scst'):
                if self.core.root is not None:
                    self.core.unload(module)
        if words[:1] != ['stop']:
            self.core.start()
        return 0

    # -- files and loop devices ---------------------------------------------

    def _truncate(self, words):
        size = words[words.index('-s') + 1]
        number = int(re.match('[0-9]+', size).group()) * UNITS[size.lstrip('0123456789')]
        for path in words[words.index('-s') + 2:]:
            self.files.setdefault(path, {})['size'] = number
        return 0

    def _losetup(self, words):
        if words[0] == '-d':
            self.files.pop(words[1], None)
        elif words[0] == '-c':
            device = self.files[words[1]]
            device['size'] = self.files[device['loop']]['size']
        elif len(words) == 2:
            self.files[words[0]] = dict(block=True, loop=words[1], size=self.files[words[1]]['size'])
        return 0

    def _rm(self, words):
        for path in words:
            self.files.pop(path, None)
        return 0

    # -- the initiator ------------------------------------------------------

    def _iscsiadm(self, words):
        return self.initiator.run(words)
