// SPDX-License-Identifier: GPL-2.0-or-later
// Copyright (c) 2026, the cephgate contributors
#include <linux/kobject.h>
#include <linux/module.h>
#include "scst_const.h"

static int __init vdisk_init(void)
{
	return scst_targets() ? 0 : -ENODEV;
}

static void __exit vdisk_exit(void)
{
}

module_init(vdisk_init);
module_exit(vdisk_exit);
MODULE_LICENSE("GPL");
MODULE_VERSION(SCST_VERSION_NAME);
MODULE_DESCRIPTION("stands for SCST's virtual disks in tests");
