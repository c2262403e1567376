// SPDX-License-Identifier: GPL-2.0-or-later
// Copyright (c) 2026, the cephgate contributors
#include <linux/fs.h>
#include <linux/kobject.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include "iscsi_scst.h"
#include "scst_const.h"

static struct kobject *iscsi, *target, *sessions, *session;

static ssize_t mgmt_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sprintf(buf, "Usage: echo login|logout\n");
}

static void logout(void)
{
	kobject_put(session);
	kobject_put(sessions);
	kobject_put(target);
	session = sessions = target = NULL;
}

/* One session, as a test wants it: folders where SCST has them. */
static ssize_t mgmt_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf, size_t count)
{
	if (session)
		logout();
	if (strncmp(buf, "login", 5))
		return count;
	target = kobject_create_and_add("iqn.2026-11.com.example:t", iscsi);
	sessions = target ? kobject_create_and_add("sessions", target) : NULL;
	session = sessions ? kobject_create_and_add("iqn.1993-08.org.debian:01:host", sessions) : NULL;
	return session ? count : -ENOMEM;
}

static ssize_t enabled_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sprintf(buf, "0\n");
}

static struct kobj_attribute mgmt = __ATTR(mgmt, 0644, mgmt_show, mgmt_store);
static struct kobj_attribute enabled = __ATTR_RO(enabled);

static int ctl_open(struct inode *inode, struct file *file)
{
	return sysfs_create_file(iscsi, &enabled.attr);
}

static int ctl_release(struct inode *inode, struct file *file)
{
	sysfs_remove_file(iscsi, &enabled.attr);
	return 0;
}

static const struct file_operations ctl_fops = {
	.owner = THIS_MODULE,
	.open = ctl_open,
	.release = ctl_release,
};

static struct miscdevice ctl = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = ISCSI_CTL_NAME,
	.fops = &ctl_fops,
};

static int __init iscsi_init(void)
{
	int err;

	iscsi = kobject_create_and_add("iscsi", scst_targets());
	if (!iscsi)
		return -ENOMEM;
	err = sysfs_create_file(iscsi, &mgmt.attr);
	if (!err)
		err = misc_register(&ctl);
	if (err)
		kobject_put(iscsi);
	return err;
}

static void __exit iscsi_exit(void)
{
	misc_deregister(&ctl);
	logout();
	kobject_put(iscsi);
}

module_init(iscsi_init);
module_exit(iscsi_exit);
MODULE_LICENSE("GPL");
MODULE_VERSION(SCST_VERSION_NAME);
MODULE_DESCRIPTION("stands for SCST's iSCSI target in tests");
