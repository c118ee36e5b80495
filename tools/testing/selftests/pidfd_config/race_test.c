// SPDX-License-Identifier: GPL-2.0
/*
 * Two threads at one embryo: every outcome is one of the defined ones, and
 * nothing is left behind.
 */
#include <pthread.h>

#include "pidfd_config_util.h"
#include "kselftest_harness.h"

/* What the second thread does in every round, between two barriers. */
struct second {
	pthread_barrier_t barrier;
	int (*act)(int fd);
	int fd;		/* -1 ends the thread */
	int delay;
	int ret;
};

static void spin(int turns)
{
	while (turns--)
		asm volatile("" : : : "memory");
}

static void *second_thread(void *arg)
{
	struct second *s = arg;

	for (;;) {
		pthread_barrier_wait(&s->barrier);
		if (s->fd < 0)
			return NULL;
		spin(s->delay);
		s->ret = s->act(s->fd);
		pthread_barrier_wait(&s->barrier);
	}
}

FIXTURE(race) {
	struct second second;
	pthread_t thread;
	int fd;
};

FIXTURE_SETUP(race)
{
	ASSERT_EQ(0, scratch());
	ASSERT_EQ(0, pthread_barrier_init(&self->second.barrier, NULL, 2));
	ASSERT_EQ(0, pthread_create(&self->thread, NULL, second_thread,
				    &self->second));
}

FIXTURE_TEARDOWN(race)
{
}

static void end_second(struct second *second, pthread_t thread)
{
	second->fd = -1;
	pthread_barrier_wait(&second->barrier);
	pthread_join(thread, NULL);
}

static int new_embryo(void)
{
	int fd = empty_open();

	if (fd >= 0 && (set_path(fd, "exec", REPORT) ||
			set_mode(fd, "exit", "42")))
		return -1;
	return fd;
}

/* One after the other is as likely as at the same time. */
static int delay(int round)
{
	return round % 4 ? (round * 97) % 20000 : 0;
}

static int act_kill(int fd)
{
	return send_signal(fd, SIGKILL);
}

/*
 * commit and SIGKILL: 0 and a child to wait for, or ESRCH and none. 500 rounds.
 */
TEST_F(race, kill)
{
	int round, ret, ended, committed = 0;

	self->second.act = act_kill;
	for (round = 0; round < 500; round++) {
		self->fd = new_embryo();
		ASSERT_GE(self->fd, 0);
		self->second.fd = self->fd;
		self->second.delay = delay(round);
		pthread_barrier_wait(&self->second.barrier);
		ret = commit(self->fd);
		pthread_barrier_wait(&self->second.barrier);
		if (!ret) {
			committed++;
			ended = wait_pidfd(self->fd);
			if (ended != 42)
				ASSERT_EQ(KILLED(SIGKILL), ended);
			ASSERT_EQ(-EBUSY, commit(self->fd));
		} else {
			ASSERT_EQ(-ESRCH, ret);
			ASSERT_EQ(0, self->second.ret);
			ASSERT_EQ(POLLIN | POLLHUP, wait_gone(self->fd));
			ASSERT_EQ(-ESRCH, commit(self->fd));
		}
		ASSERT_EQ(-ECHILD, wait_any(__WALL | WNOHANG));
		ASSERT_EQ(0, close(self->fd));
	}
	TH_LOG("%d of %d were committed", committed, round);
	end_second(&self->second, self->thread);
}

static int act_commit(int fd)
{
	return commit(fd);
}

/* Two commits: one is 0, the other EBUSY, and one program runs. 200 rounds. */
TEST_F(race, commit)
{
	int round, ret;

	self->second.act = act_commit;
	for (round = 0; round < 200; round++) {
		self->fd = new_embryo();
		ASSERT_GE(self->fd, 0);
		self->second.fd = self->fd;
		self->second.delay = delay(round);
		pthread_barrier_wait(&self->second.barrier);
		ret = commit(self->fd);
		pthread_barrier_wait(&self->second.barrier);
		ASSERT_EQ(-EBUSY, ret + self->second.ret);
		ASSERT_TRUE(!ret || !self->second.ret);
		ASSERT_EQ(42, wait_pidfd(self->fd));
		ASSERT_EQ(-ECHILD, wait_any(__WALL | WNOHANG));
		ASSERT_EQ(0, close(self->fd));
	}
	end_second(&self->second, self->thread);
}

/* The same where exec fails: ENOEXEC for one, that or EBUSY for the other. */
TEST_F(race, failing_commit)
{
	int round, ret;

	ASSERT_EQ(0, make_file("/tmp/text", "no program\n", 0755));
	self->second.act = act_commit;
	self->fd = new_embryo();
	ASSERT_GE(self->fd, 0);
	EXPECT_EQ(0, set_path(self->fd, "exec", "/tmp/text"));
	for (round = 0; round < 200; round++) {
		self->second.fd = self->fd;
		self->second.delay = delay(round);
		pthread_barrier_wait(&self->second.barrier);
		ret = commit(self->fd);
		pthread_barrier_wait(&self->second.barrier);
		ASSERT_TRUE(ret == -ENOEXEC || self->second.ret == -ENOEXEC);
		if (ret != -ENOEXEC)
			ASSERT_EQ(-EBUSY, ret);
		if (self->second.ret != -ENOEXEC)
			ASSERT_EQ(-EBUSY, self->second.ret);
	}
	EXPECT_EQ(0, set_path(self->fd, "exec", REPORT));
	EXPECT_EQ(0, commit(self->fd));
	EXPECT_EQ(42, wait_pidfd(self->fd));
	end_second(&self->second, self->thread);
}

static int act_configure(int fd)
{
	return set_path(fd, "cwd", "/");
}

/* A step and commit: the step is done before, or EBUSY. */
TEST_F(race, configure)
{
	char *text;
	int round;

	self->second.act = act_configure;
	for (round = 0; round < 100; round++) {
		int p[2];

		self->fd = new_embryo();
		ASSERT_GE(self->fd, 0);
		ASSERT_EQ(0, set_strings(self->fd, "argv", NULL));
		ASSERT_EQ(0, pipe2(p, O_CLOEXEC));
		ASSERT_EQ(0, map_fd(self->fd, p[1], 1));
		close(p[1]);
		self->second.fd = self->fd;
		self->second.delay = delay(round);
		pthread_barrier_wait(&self->second.barrier);
		ASSERT_EQ(0, commit(self->fd));
		pthread_barrier_wait(&self->second.barrier);
		if (self->second.ret)
			ASSERT_EQ(-EBUSY, self->second.ret);
		text = read_all(p[0]);
		ASSERT_STREQ(self->second.ret ? "/tmp" : "/",
			     field(text, "cwd"));
		free(text);
		close(p[0]);
		ASSERT_EQ(0, wait_pidfd(self->fd));
		ASSERT_EQ(0, close(self->fd));
	}
	end_second(&self->second, self->thread);
}

/* A step and SIGKILL: 0 or ESRCH, and the embryo is gone. */
TEST_F(race, configure_kill)
{
	int round, ret;

	self->second.act = act_kill;
	for (round = 0; round < 300; round++) {
		self->fd = new_embryo();
		ASSERT_GE(self->fd, 0);
		self->second.fd = self->fd;
		self->second.delay = delay(round);
		pthread_barrier_wait(&self->second.barrier);
		ret = set_flag(self->fd, "inherit-fds");
		if (!ret)
			ret = set_path(self->fd, "cwd", "/");
		pthread_barrier_wait(&self->second.barrier);
		if (ret)
			ASSERT_EQ(-ESRCH, ret);
		ASSERT_EQ(POLLIN | POLLHUP, wait_gone(self->fd));
		ASSERT_EQ(-ESRCH, set_string(self->fd, "arg", "x"));
		ASSERT_EQ(-ECHILD, wait_any(__WALL | WNOHANG));
		ASSERT_EQ(0, close(self->fd));
	}
	end_second(&self->second, self->thread);
}

static int act_close(int fd)
{
	return close(fd) ? -errno : 0;
}

/* The last close while SIGKILL is on its way. */
TEST_F(race, close_kill)
{
	int round, other;

	self->second.act = act_close;
	for (round = 0; round < 300; round++) {
		self->fd = new_embryo();
		ASSERT_GE(self->fd, 0);
		other = sys_pidfd_open(pidfd_pid(self->fd), 0);
		ASSERT_GE(other, 0);
		self->second.fd = self->fd;
		self->second.delay = delay(round);
		pthread_barrier_wait(&self->second.barrier);
		send_signal(other, SIGKILL);
		pthread_barrier_wait(&self->second.barrier);
		ASSERT_EQ(0, self->second.ret);
		ASSERT_EQ(POLLIN | POLLHUP, wait_gone(other));
		ASSERT_EQ(-ECHILD, wait_any(__WALL | WNOHANG));
		close(other);
	}
	end_second(&self->second, self->thread);
}

/*
 * The last close during commit: the file lives until the call has returned,
 * so that the program runs.
 */
TEST_F(race, close_commit)
{
	int round, ret;

	self->second.act = act_close;
	for (round = 0; round < 200; round++) {
		self->fd = new_embryo();
		ASSERT_GE(self->fd, 0);
		self->second.fd = self->fd;
		self->second.delay = delay(round);
		pthread_barrier_wait(&self->second.barrier);
		ret = commit(self->fd);
		pthread_barrier_wait(&self->second.barrier);
		ASSERT_EQ(0, self->second.ret);
		ASSERT_EQ(ret ? -EBADF : 0, ret);
		if (!ret)
			ASSERT_EQ(42, wait_child(-1));
		/* Until an embryo that was only closed is gone. */
		ASSERT_EQ(-ECHILD, wait_any(__WALL));
	}
	end_second(&self->second, self->thread);
}

static int act_fds(int fd)
{
	const struct pidfd_config_fd map[] = {
		{ .fd = 3, .target = 4, .flags = PIDFD_CONFIG_FD_EMBRYO },
		{ .fd = 4, .target = 3, .flags = PIDFD_CONFIG_FD_EMBRYO },
	};
	int i, ret = 0;

	for (i = 0; i < 101 && !ret; i++)
		ret = set_binary(fd, "fds", map, sizeof(map));
	return ret;
}

/* Two threads swap the same two descriptors: each swap is whole. */
TEST_F(race, swap)
{
	pid_t pid;
	int i, p[2];

	ASSERT_EQ(0, pipe2(p, O_CLOEXEC));
	self->second.act = act_fds;
	self->second.delay = 0;
	self->fd = new_embryo();
	ASSERT_GE(self->fd, 0);
	pid = pidfd_pid(self->fd);
	ASSERT_EQ(0, map_fd(self->fd, p[0], 3));
	ASSERT_EQ(0, map_fd(self->fd, open("/dev/null", O_RDONLY), 4));
	for (i = 0; i < 20; i++) {
		self->second.fd = self->fd;
		pthread_barrier_wait(&self->second.barrier);
		ASSERT_EQ(0, act_fds(self->fd));
		pthread_barrier_wait(&self->second.barrier);
		ASSERT_EQ(0, self->second.ret);
		/* Twice an odd number of swaps. */
		ASSERT_TRUE(fd_is(pid, 3, p[0]));
		ASSERT_FALSE(fd_is(pid, 4, p[0]));
		ASSERT_EQ(2, fd_count(pid));
	}
	end_second(&self->second, self->thread);
}

TEST_HARNESS_MAIN
