/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A fixture with an embryo, its PID, and room for what it reports. Included
 * after kselftest_harness.h.
 */
#ifndef EMBRYO_FIXTURE_H
#define EMBRYO_FIXTURE_H

#include "pidfd_config_util.h"

FIXTURE(embryo) {
	int fd;
	pid_t pid;
	char *text;
};

FIXTURE_SETUP(embryo)
{
	self->text = NULL;
	ASSERT_EQ(0, scratch());
	self->fd = empty_open();
	ASSERT_GE(self->fd, 0);
	self->pid = pidfd_pid(self->fd);
	ASSERT_GT(self->pid, 0);
}

FIXTURE_TEARDOWN(embryo)
{
	free(self->text);
	close(self->fd);
}

#endif
