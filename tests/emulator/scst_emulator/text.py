# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the kernel and its daemon cut and read what is written to an attribute.

Everything inside the emulator is a "kernel string": a str with one character per byte
(latin-1), so that lengths, truncation and the byte 0xa0 behave as they do in the kernel,
whose ctype counts 0xa0 as a blank.
"""
import errno
import os
import re

KERNEL_BLANKS = ' \t\n\v\f\r\xa0'
C_BLANKS = ' \t\n\v\f\r'
KEY = '[key]\n'

U64 = 1 << 64
S64 = 1 << 63


def fail(number, why=''):
    """Raise the OSError that write(2) or read(2) returns."""
    raise OSError(number, why or os.strerror(number))


def to_kernel(data):
    """Text or bytes of user space as a kernel string."""
    if isinstance(data, str):
        if data.isascii():
            return data
        data = data.encode('utf-8', 'surrogateescape')
    return bytes(data).decode('latin-1')


def to_user(text):
    """A kernel string as text of user space; bytes that are no UTF-8 become surrogates."""
    return text if text.isascii() else text.encode('latin-1').decode('utf-8', 'surrogateescape')


def c_string(text):
    """What a %s sees: everything before the first NUL."""
    return text.split('\0', 1)[0]


def lexem(text, blanks=KERNEL_BLANKS):
    """The next word and the rest; blanks and '=' separate words (scst_get_next_lexem)."""
    start = 0
    while start < len(text) and (text[start] in blanks or text[start] == '='):
        start += 1
    end = start
    while end < len(text) and text[end] not in blanks and text[end] != '=':
        end += 1
    return text[start:end], text[end + 1:]


def words(text, blanks=KERNEL_BLANKS):
    """All words of a command."""
    found = []
    while True:
        word, text = lexem(text, blanks)
        if not word:
            return found
        found.append(word)


def token(text):
    """The next parameter up to ';' or a newline, and the rest; None when the text is used up.

    A parameter list that begins with a separator ends there, as in the kernel.
    """
    for end, char in enumerate(text):
        if char in '\n;':
            break
    else:
        end = len(text)
    if end == 0:
        return None, text
    return text[:end], text[end + 1:]


def _integer(text):
    """Magnitude of an unsigned number in any base, as kstrtoull(..., 0, ...) reads it."""
    if text.startswith('+'):
        text = text[1:]
    if text.endswith('\n'):
        text = text[:-1]
    if re.fullmatch(r'0[xX][0-9a-fA-F]+', text):
        value = int(text[2:], 16)
    elif re.fullmatch(r'0[0-7]*', text):
        value = int(text, 8)
    elif re.fullmatch(r'[1-9][0-9]*', text):
        value = int(text)
    else:
        fail(errno.EINVAL)
    if value >= U64:
        fail(errno.ERANGE)
    return value


def kstrtoul(text):
    """Unsigned long in base 0; EINVAL for anything else, ERANGE beyond 64 bits."""
    return _integer(c_string(text))


def kstrtol(text):
    """Signed long in base 0."""
    text = c_string(text)
    if text.startswith('-'):
        value = -_integer(text[1:]) if not text.startswith('-+') else fail(errno.EINVAL)
        if value < -S64:
            fail(errno.ERANGE)
        return value
    value = _integer(text)
    if value >= S64:
        fail(errno.ERANGE)
    return value


def strtol(text):
    """The C library's strtol(text, NULL, 0): reads what it can, 0 when nothing."""
    match = re.match(r'[ \t\n\v\f\r]*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)', text)
    if not match:
        return 0
    digits = match.group(2)
    if digits[:2] in ('0x', '0X'):
        value = int(digits[2:], 16)
    elif digits.startswith('0'):
        value = int(digits, 8)
    else:
        value = int(digits)
    value = -value if match.group(1) == '-' else value
    return max(-S64, min(S64 - 1, value))


def same_word(first, second):
    """strcasecmp() == 0."""
    return first.lower() == second.lower()


def has_prefix(text, word):
    """strncasecmp(text, word, min(len(word), len(text))) == 0: a prefix of the word will do."""
    count = min(len(word), len(text))
    return text[:count].lower() == word[:count].lower()


def keyed(value, key):
    """A value line, and the mark that it must be saved."""
    return '%s\n%s' % (value, KEY if key else '')


def sysfs_name(name):
    """An object's name as a file name: the kernel replaces '/' in kobject names."""
    return name.replace('/', '!')
