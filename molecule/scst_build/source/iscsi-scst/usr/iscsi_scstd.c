// SPDX-License-Identifier: GPL-3.0-or-later
// Copyright (c) 2026, the cephgate contributors
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "iscsi_scst.h"
#include "scst_const.h"

/* Holds the control device open: for as long, the driver says that it is usable. */
int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "--version")) {
		printf("iscsi-scstd version %s\n", SCST_VERSION_NAME);
		return 0;
	}
	if (open("/dev/" ISCSI_CTL_NAME, O_RDWR) < 0) {
		perror("iscsi-scstd: /dev/" ISCSI_CTL_NAME);
		return 1;
	}
	if (argc < 2 || strcmp(argv[1], "-f"))
		return daemon(0, 0);
	for (;;)
		pause();
}
