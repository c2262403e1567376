// SPDX-License-Identifier: GPL-2.0-or-later
// Copyright (c) 2026, the cephgate contributors
#define ISCSI_CTL_NAME "iscsi-scst-ctl"
