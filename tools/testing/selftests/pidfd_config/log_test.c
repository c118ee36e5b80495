// SPDX-License-Identifier: GPL-2.0
/*
 * read(2) on a builder: what went wrong, in words.
 */
#include "pidfd_config_util.h"
#include "kselftest_harness.h"

#define MESSAGES	16

static int read_log(int fd, char *text, size_t size)
{
	ssize_t n = read(fd, text, size - 1);

	if (n < 0)
		return -errno;
	text[n] = '\0';
	return n;
}

/* The messages there are, until ENODATA. */
static int drain(int fd)
{
	char text[1024];
	int count = 0, ret;

	while ((ret = read_log(fd, text, sizeof(text))) > 0)
		count++;
	return ret == -ENODATA ? count : ret;
}

/* There is nothing to read at first, nor after what succeeded. */
TEST(empty)
{
	char text[1024];
	int fd = empty_open();

	ASSERT_GE(fd, 0);
	EXPECT_EQ(-ENODATA, read_log(fd, text, sizeof(text)));
	EXPECT_EQ(0, set_string(fd, "arg", "x"));
	EXPECT_EQ(0, set_path(fd, "cwd", "/"));
	EXPECT_EQ(-ENODATA, read_log(fd, text, sizeof(text)));
	/* PIDFD_NONBLOCK does not make that another error. */
	EXPECT_EQ(0, fcntl(fd, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-ENODATA, read_log(fd, text, sizeof(text)));
}

/* An error names its key; one message a read, without newline or NUL. */
TEST(error)
{
	char text[1024];
	int fd, n;

	ASSERT_EQ(0, scratch());
	fd = empty_open();
	ASSERT_GE(fd, 0);
	EXPECT_EQ(-ENOENT, set_path(fd, "cwd", "/tmp/missing"));
	EXPECT_EQ(-ENOENT, set_path(fd, "exec", "/tmp/missing"));
	memset(text, 'x', sizeof(text));
	n = read_log(fd, text, sizeof(text));
	ASSERT_GT(n, 0);
	EXPECT_EQ(n, strlen(text));
	EXPECT_EQ(NULL, strchr(text, '\n'));
	EXPECT_EQ(0, strncmp(text, "e cwd: ", 7))
		TH_LOG("'%s'", text);
	EXPECT_GT(n, 7);
	n = read_log(fd, text, sizeof(text));
	ASSERT_GT(n, 0);
	EXPECT_EQ(0, strncmp(text, "e exec: ", 8))
		TH_LOG("'%s'", text);
	EXPECT_EQ(-ENODATA, read_log(fd, text, sizeof(text)));
}

/* A key that fails tells so, whichever it is. */
TEST(every_key)
{
	static const struct pidfd_config_close_range wrong_range = {
		.first = 2, .last = 1,
	};
	static const struct pidfd_config_open no_path = { .target = 1 };
	static const struct pidfd_config_fd no_fd = { .fd = -1 };
	static const __u32 wrong_umask = 01000;
	static const __u64 kill_set = 1ULL << (SIGKILL - 1);
	static const struct {
		unsigned int cmd;
		const char *key;
		const void *value;
		int aux;
		int error;
	} steps[] = {
		{ PIDFD_CONFIG_SET_PATH, "exec", "/dev/null/x", AT_FDCWD,
		  ENOTDIR },
		{ PIDFD_CONFIG_SET_FD, "exec", NULL, 999, EBADF },
		{ PIDFD_CONFIG_SET_PATH, "cwd", "/dev/null", AT_FDCWD,
		  ENOTDIR },
		{ PIDFD_CONFIG_SET_PATH, "root", "/dev/null", AT_FDCWD,
		  ENOTDIR },
		{ PIDFD_CONFIG_SET_FD, "close", NULL, 7, EBADF },
		{ PIDFD_CONFIG_SET_BINARY, "close-range", &wrong_range,
		  sizeof(wrong_range), EINVAL },
		{ PIDFD_CONFIG_SET_BINARY, "open", &no_path, sizeof(no_path),
		  EFAULT },
		{ PIDFD_CONFIG_SET_BINARY, "fds", &no_fd, sizeof(no_fd),
		  EBADF },
		{ PIDFD_CONFIG_SET_BINARY, "umask", &wrong_umask,
		  sizeof(wrong_umask), EINVAL },
		{ PIDFD_CONFIG_SET_BINARY, "sigignore", &kill_set,
		  sizeof(kill_set), EINVAL },
	};
	char text[1024], want[64];
	int fd = empty_open();
	int i;

	ASSERT_GE(fd, 0);
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		EXPECT_EQ(-steps[i].error,
			  config(fd, steps[i].cmd, steps[i].key,
				 steps[i].value, steps[i].aux))
			TH_LOG("%s", steps[i].key);
		snprintf(want, sizeof(want), "e %s: ", steps[i].key);
		text[0] = '\0';
		EXPECT_GT(read_log(fd, text, sizeof(text)), 0);
		EXPECT_EQ(0, strncmp(text, want, strlen(want)))
			TH_LOG("%s: '%s'", steps[i].key, text);
		EXPECT_EQ(-ENODATA, read_log(fd, text, sizeof(text)));
	}
}

/* A buffer that is too small is EMSGSIZE and takes nothing away. */
TEST(small_buffer)
{
	char text[1024], small[4];
	int fd = empty_open();
	int n;

	ASSERT_GE(fd, 0);
	EXPECT_EQ(-EBADF, set_fd(fd, "close", 7));
	EXPECT_EQ(-1, read(fd, small, sizeof(small)));
	EXPECT_EQ(EMSGSIZE, errno);
	EXPECT_EQ(-1, read(fd, small, 1));
	EXPECT_EQ(EMSGSIZE, errno);
	n = read_log(fd, text, sizeof(text));
	ASSERT_GT(n, 0);
	EXPECT_EQ(0, strncmp(text, "e close: ", 9));

	/* A buffer of exactly its length is enough. */
	EXPECT_EQ(-EBADF, set_fd(fd, "close", 7));
	EXPECT_EQ(-1, read(fd, text, n - 1));
	EXPECT_EQ(EMSGSIZE, errno);
	EXPECT_EQ(n, read(fd, text, n));
	EXPECT_EQ(-ENODATA, read_log(fd, text, sizeof(text)));
}

/* A buffer that cannot be written is EFAULT. */
TEST(bad_buffer)
{
	int fd = empty_open();

	ASSERT_GE(fd, 0);
	EXPECT_EQ(-EBADF, set_fd(fd, "close", 7));
	EXPECT_EQ(-1, syscall(SYS_read, fd, 8, 1024));
	EXPECT_EQ(EFAULT, errno);
}

/* The newest 16 messages are kept. */
TEST(overflow)
{
	char text[1024];
	int fd = empty_open();
	int i;

	ASSERT_GE(fd, 0);
	for (i = 0; i < 5; i++)
		EXPECT_EQ(-EBADF, set_fd(fd, "close", 7));
	for (i = 0; i < MESSAGES; i++)
		EXPECT_EQ(-EBADF, set_fd(fd, "cwd", 999));
	for (i = 0; i < MESSAGES; i++) {
		ASSERT_GT(read_log(fd, text, sizeof(text)), 0);
		EXPECT_EQ(0, strncmp(text, "e cwd: ", 7))
			TH_LOG("'%s'", text);
	}
	EXPECT_EQ(-ENODATA, read_log(fd, text, sizeof(text)));

	for (i = 0; i < 3; i++)
		EXPECT_EQ(-EBADF, set_fd(fd, "cwd", 999));
	EXPECT_EQ(3, drain(fd));
	/* The ring goes round more than once. */
	for (i = 0; i < 10 * MESSAGES; i++)
		EXPECT_EQ(-EBADF, set_fd(fd, "cwd", 999));
	EXPECT_EQ(MESSAGES, drain(fd));
}

/* dup(2)ed descriptors read from one log. */
TEST(shared)
{
	char text[1024];
	int fd = empty_open();
	int other;

	ASSERT_GE(fd, 0);
	other = dup(fd);
	EXPECT_EQ(-EBADF, set_fd(fd, "close", 7));
	EXPECT_GT(read_log(other, text, sizeof(text)), 0);
	EXPECT_EQ(-ENODATA, read_log(fd, text, sizeof(text)));
}

/* Why a commit failed is in the log as well. */
TEST(commit_error)
{
	char text[1024];
	int fd;

	ASSERT_EQ(0, scratch());
	ASSERT_EQ(0, make_file("/tmp/text", "no program\n", 0755));
	fd = empty_open();
	ASSERT_GE(fd, 0);
	EXPECT_EQ(-EINVAL, commit(fd));
	EXPECT_EQ(1, drain(fd));
	EXPECT_EQ(0, set_path(fd, "exec", "/tmp/text"));
	EXPECT_EQ(-ENOEXEC, commit(fd));
	ASSERT_GT(read_log(fd, text, sizeof(text)), 2);
	EXPECT_EQ(0, strncmp(text, "e ", 2))
		TH_LOG("'%s'", text);
	EXPECT_EQ(-ENODATA, read_log(fd, text, sizeof(text)));
}

/* With PIDFD_COMMIT_NOWAIT that is where to look, after the end as well. */
TEST(nowait_error)
{
	char text[1024];
	int fd;

	ASSERT_EQ(0, scratch());
	ASSERT_EQ(0, make_file("/tmp/text", "no program\n", 0755));
	fd = empty_open();
	ASSERT_GE(fd, 0);
	EXPECT_EQ(0, set_path(fd, "exec", "/tmp/text"));
	EXPECT_EQ(0, commit_flags(fd, PIDFD_COMMIT_NOWAIT));
	EXPECT_EQ(127, wait_pidfd(fd));
	ASSERT_GT(read_log(fd, text, sizeof(text)), 2);
	EXPECT_EQ(0, strncmp(text, "e ", 2))
		TH_LOG("'%s'", text);
}

/* Messages can still be read when the embryo is dead. */
TEST(dead)
{
	char text[1024];
	int fd = empty_open();

	ASSERT_GE(fd, 0);
	EXPECT_EQ(-EBADF, set_fd(fd, "close", 7));
	EXPECT_EQ(0, send_signal(fd, SIGKILL));
	EXPECT_EQ(POLLIN | POLLHUP, wait_gone(fd));
	ASSERT_GT(read_log(fd, text, sizeof(text)), 0);
	EXPECT_EQ(0, strncmp(text, "e close: ", 9));
}

/* An ordinary pidfd has no log, that of an embryo neither. */
TEST(ordinary_pidfd)
{
	char text[64];
	int fd, other;

	other = sys_pidfd_open(getpid(), 0);
	ASSERT_GE(other, 0);
	EXPECT_EQ(-EINVAL, read_log(other, text, sizeof(text)));
	fd = empty_open();
	ASSERT_GE(fd, 0);
	other = sys_pidfd_open(pidfd_pid(fd), 0);
	ASSERT_GE(other, 0);
	EXPECT_EQ(-EINVAL, read_log(other, text, sizeof(text)));
	/* And no one writes to a builder. */
	EXPECT_EQ(-1, write(fd, "x", 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(0, set_string(fd, "arg", "x"));
}

TEST_HARNESS_MAIN
