# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who takes a disk whose owner is gone: every gateway must come to the same answer by itself."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import hashlib


def ranking(image, gateways, declared=None):
    """All gateways in the order in which they take an image; the first is the preferred one (site.preferred_gateway).

    Rendezvous hashing: a gateway that comes or goes does not change the order of the others.
    """
    def score(name):
        return hashlib.sha256(('%s\n%s' % (image, name)).encode('utf-8')).hexdigest(), name

    return tuple(sorted(gateways, key=lambda name: (name == declared, score(name)), reverse=True))
