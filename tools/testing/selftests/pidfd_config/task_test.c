// SPDX-License-Identifier: GPL-2.0
/*
 * An embryo is a task: what others do to tasks works on it, or fails, and is
 * there in the program; nothing of it hangs.
 */
#include <sys/ptrace.h>
#include <sys/uio.h>

#include "pidfd_config_util.h"
#include "kselftest_harness.h"
#include "embryo_fixture.h"

/* setpriority(2) acts at once, and in the program. */
TEST_F(embryo, nice)
{
	EXPECT_EQ(0, setpriority(PRIO_PROCESS, self->pid, 11));
	EXPECT_EQ(11, getpriority(PRIO_PROCESS, self->pid));
	EXPECT_STREQ("11", stat_field(self->pid, 19));
	EXPECT_EQ(0, run_default(self->fd, &self->text));
	EXPECT_STREQ("11", field(self->text, "nice"));
}

/* sched_setscheduler(2) too, to and fro. */
TEST_F(embryo, policy)
{
	struct sched_param param = { .sched_priority = 5 };

	EXPECT_EQ(0, sched_setscheduler(self->pid, SCHED_FIFO, &param));
	EXPECT_EQ(SCHED_FIFO, sched_getscheduler(self->pid));
	param.sched_priority = 0;
	EXPECT_EQ(0, sched_setscheduler(self->pid, SCHED_IDLE, &param));
	EXPECT_EQ(0, sched_setscheduler(self->pid, SCHED_BATCH, &param));
	EXPECT_EQ(0, run_default(self->fd, &self->text));
	EXPECT_EQ(SCHED_BATCH, atoi(field(self->text, "policy")));
}

/* sched_setaffinity(2): every CPU in turn, then all. */
TEST_F(embryo, affinity)
{
	cpu_set_t all, one, theirs;
	int cpu;

	ASSERT_EQ(0, sched_getaffinity(0, sizeof(all), &all));
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &all))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		EXPECT_EQ(0, sched_setaffinity(self->pid, sizeof(one), &one));
		EXPECT_EQ(0, sched_getaffinity(self->pid, sizeof(theirs),
					       &theirs));
		EXPECT_TRUE(CPU_EQUAL(&one, &theirs));
	}
	EXPECT_EQ(0, run_default(self->fd, &self->text));
}

/* prlimit(2) and oom_score_adj. */
TEST_F(embryo, limits)
{
	struct rlimit rlim = { .rlim_cur = 3 << 20, .rlim_max = RLIM_INFINITY };
	char name[64];

	EXPECT_EQ(0, prlimit(self->pid, RLIMIT_STACK, &rlim, NULL));
	snprintf(name, sizeof(name), "/proc/%d/oom_score_adj", self->pid);
	EXPECT_EQ(0, write_text(name, "123"));
	EXPECT_STREQ("123\n", file_text(name));
	EXPECT_EQ(0, run_default(self->fd, &self->text));
	EXPECT_STREQ("3145728", field(self->text, "stack"));
}

/* setpgid(2) by the parent, before there is a program. */
TEST_F(embryo, process_group)
{
	EXPECT_EQ(0, setpgid(self->pid, 0));
	EXPECT_EQ(self->pid, getpgid(self->pid));
	EXPECT_EQ(0, run_default(self->fd, &self->text));
	EXPECT_EQ(self->pid, atoi(field(self->text, "pgrp")));
}

/* pidfd_getfd(2) finds its descriptors. */
TEST_F(embryo, getfd)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int fd;

	EXPECT_EQ(-1, syscall(SYS_pidfd_getfd, self->fd, 5, 0));
	EXPECT_EQ(EBADF, errno);
	EXPECT_EQ(0, map_fd(self->fd, null, 5));
	fd = syscall(SYS_pidfd_getfd, self->fd, 5, 0);
	ASSERT_GE(fd, 0);
	EXPECT_STREQ(fd_id(null), fd_id(fd));
}

/* It has no memory to read or write. */
TEST_F(embryo, no_memory)
{
	char byte;
	struct iovec here = { .iov_base = &byte, .iov_len = 1 };
	struct iovec there = { .iov_base = &byte, .iov_len = 1 };

	EXPECT_EQ(-1, process_vm_readv(self->pid, &here, 1, &there, 1, 0));
	EXPECT_EQ(-1, process_vm_writev(self->pid, &here, 1, &there, 1, 0));
	EXPECT_EQ(0, poll_now(self->fd));
	EXPECT_EQ(0, run_default(self->fd, &self->text));
}

/* Reads all files below a directory of /proc, once. */
static int read_tree(const char *path, int depth)
{
	char name[PATH_MAX], block[65536];
	struct dirent *entry;
	int fd, count = 0;
	DIR *dir;

	dir = opendir(path);
	if (!dir)
		return 0;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		if (entry->d_type == DT_DIR && depth)
			count += read_tree(name, depth - 1);
		if (entry->d_type == DT_LNK &&
		    readlink(name, block, sizeof(block)) >= 0)
			count++;
		if (entry->d_type != DT_REG)
			continue;
		fd = open(name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (read(fd, block, sizeof(block)) >= 0)
			count++;
		close(fd);
	}
	closedir(dir);
	return count;
}

/* Every file of /proc/PID can be read, or gives an error, and returns. */
TEST_F(embryo, proc)
{
	char path[64];

	EXPECT_EQ(0, map_fd(self->fd, open("/dev/null", O_RDONLY), 5));
	snprintf(path, sizeof(path), "/proc/%d", self->pid);
	EXPECT_GT(read_tree(path, 3), 20);
	EXPECT_EQ(0, poll_now(self->fd));
	EXPECT_STREQ("0", status(self->pid, "voluntary_ctxt_switches"));
	EXPECT_EQ(0, run_default(self->fd, &self->text));
}

/* Someone who reads them does not keep it from being destroyed. */
TEST_F(embryo, proc_open)
{
	char path[64];
	int dir, file, other = sys_pidfd_open(self->pid, 0);

	snprintf(path, sizeof(path), "/proc/%d", self->pid);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ASSERT_GE(dir, 0);
	file = openat(dir, "status", O_RDONLY | O_CLOEXEC);
	ASSERT_GE(file, 0);
	EXPECT_EQ(0, close(self->fd));
	EXPECT_EQ(POLLIN | POLLHUP, wait_gone(other));
	EXPECT_EQ(-1, read(file, path, sizeof(path)));
	EXPECT_EQ(ESRCH, errno);
}

/*
 * A debugger: attaching succeeds or is refused, but returns; and whichever it
 * is, the embryo can be destroyed. There is nothing to wait for afterwards but
 * what a tracer waits for.
 */
FIXTURE(trace) {
	int fd;
	int other;
	pid_t pid;
};

FIXTURE_VARIANT(trace) {
	int request;
	bool kill;
};

FIXTURE_VARIANT_ADD(trace, seize_close) {
	.request = PTRACE_SEIZE,
};

FIXTURE_VARIANT_ADD(trace, seize_kill) {
	.request = PTRACE_SEIZE,
	.kill = true,
};

FIXTURE_VARIANT_ADD(trace, attach_close) {
	.request = PTRACE_ATTACH,
};

FIXTURE_VARIANT_ADD(trace, attach_kill) {
	.request = PTRACE_ATTACH,
	.kill = true,
};

FIXTURE_SETUP(trace)
{
	self->fd = empty_open();
	ASSERT_GE(self->fd, 0);
	self->pid = pidfd_pid(self->fd);
	self->other = sys_pidfd_open(self->pid, 0);
	ASSERT_GE(self->other, 0);
}

FIXTURE_TEARDOWN(trace)
{
}

TEST_F(trace, attach)
{
	int ret;

	ret = ptrace(variant->request, self->pid, 0, 0);
	if (ret)
		EXPECT_EQ(EPERM, errno);
	ret = variant->kill ? send_signal(self->fd, SIGKILL) : close(self->fd);
	EXPECT_EQ(0, ret);
	while (waitpid(self->pid, NULL, __WALL) == self->pid)
		;
	EXPECT_EQ(ECHILD, errno);
	EXPECT_EQ(POLLIN | POLLHUP, wait_gone(self->other));
}

/* Many at once: PIDs, descriptors and memory come back. */
TEST(many)
{
	int fds[300], round, i;

	for (round = 0; round < 3; round++) {
		for (i = 0; i < ARRAY_SIZE(fds); i++) {
			fds[i] = empty_open();
			ASSERT_GE(fds[i], 0)
				TH_LOG("embryo %d", i);
		}
		for (i = 0; i < ARRAY_SIZE(fds); i++)
			ASSERT_EQ(0, close(fds[i]));
		/* Until they are gone. */
		ASSERT_EQ(-ECHILD, wait_any(__WALL));
	}
}

TEST_HARNESS_MAIN
