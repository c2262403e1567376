// SPDX-License-Identifier: GPL-2.0-or-later
// Copyright (c) 2026, the cephgate contributors
#ifndef SCST_CONST_H
#define SCST_CONST_H
#define SCST_VERSION_NAME	"@VERSION@"
struct kobject *scst_targets(void);
#endif
