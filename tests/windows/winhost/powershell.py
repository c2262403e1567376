# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of PowerShell that is understood: strings, one program per line with quoted arguments, and a few expressions by heart.

Anything else is an error, as a misspelt line would be on a host.
"""
import re

from . import cmdlets

STRING = r"'(?:[^']|'')*'"
WORD = r'(?:%s|"\$env:TEMP\\[\w.-]+")' % STRING


def unquote(word):
    return word[1:-1].replace("''", "'").replace('$env:TEMP', '%TEMP%')


def run(host, script):
    """(rc, stdout, stderr)"""
    out, err, code = [], [], None
    for line in script.splitlines():
        line = line.strip()
        leaving = re.match(r'^exit (\d+)$', line)
        if leaving:
            return int(leaving.group(1)), crlf(out), crlf(err)
        if line == '$global:LASTEXITCODE = $null':
            code = None
        elif re.match(r'^%s$' % STRING, line):
            out.append(unquote(line))
        elif re.match(r'^%s \+ \$LASTEXITCODE$' % STRING, line):
            # [0] 4: WinRM and .NET may show 32-bit codes signed.
            shown = '' if code is None else '%d' % (code - 2 ** 32 if code >= 2 ** 31 else code)
            out.append(unquote(line[:line.rindex("'") + 1]) + shown)
        else:
            found = re.match(r"^(?:(%s) \| )?& (%s(?: %s)*)$" % (STRING, STRING, WORD), line)
            if found:
                words = [unquote(word) for word in re.findall(WORD, found.group(2))]
                # An empty argument never arrives [0] 5.
                answer = host.program([word for word in words if word], unquote(found.group(1)) if found.group(1) else None)
                if answer is None:
                    err.append(host.say("The term '%s' is not recognized as the name of a cmdlet, function, script file, or operable program.")
                               % words[0])
                else:
                    code = answer[0] % 2 ** 32
                    out.append(answer[1].rstrip('\n'))
                continue
            host.exit_code = None
            printed, known = cmdlets.evaluate(host, line)
            code = code if host.exit_code is None else host.exit_code % 2 ** 32
            (out if known else err).append(printed)
            if not known:
                host.unknown.append(line)
    return 0, crlf(out), crlf(err)


def crlf(lines):
    return ''.join(line.replace('\n', '\r\n') + '\r\n' for line in lines)
