# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A WinRM server that behaves like Windows Server hosts with an iSCSI initiator and MPIO, and the gateways that they log in to."""
