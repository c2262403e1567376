# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""IP addresses as the daemon reads them."""
import socket


def is_address(text):
    """Whether inet_pton takes it, IPv4 or IPv6."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, text)
        except (OSError, UnicodeError, ValueError):
            continue
        return True
    return False


def split_port(text):
    """Address and port of "a", "a:port", "[a6]:port"; 3260 when none is given, 0 when it is no number."""
    where = text.find(':', text.rfind(']') + 1) if ']' in text else text.rfind(':')
    if where < 0:
        return text, 3260
    digits = text[where + 1:]
    return text[:where], int(digits) if digits.isascii() and digits.isdigit() else 0
