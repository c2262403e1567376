// SPDX-License-Identifier: GPL-2.0-or-later
// Copyright (c) 2026, the cephgate contributors
#include <linux/kobject.h>
#include <linux/module.h>
#include "scst_const.h"

static struct kobject *root, *targets;

struct kobject *scst_targets(void)
{
	return targets;
}
EXPORT_SYMBOL_GPL(scst_targets);

static int __init scst_init(void)
{
	root = kobject_create_and_add("scst_tgt", kernel_kobj);
	targets = root ? kobject_create_and_add("targets", root) : NULL;
	if (!targets) {
		kobject_put(root);
		return -ENOMEM;
	}
	return 0;
}

static void __exit scst_exit(void)
{
	kobject_put(targets);
	kobject_put(root);
}

module_init(scst_init);
module_exit(scst_exit);
MODULE_LICENSE("GPL");
MODULE_VERSION(SCST_VERSION_NAME);
MODULE_INFO(build_mode, BUILD_MODE);
MODULE_DESCRIPTION("stands for SCST's core in tests");
