// SPDX-License-Identifier: GPL-2.0
/*
 * pidfd_config(2): every combination of command, key, value and aux that is
 * not defined, and the order in which the arguments are looked at:
 *
 *	shape, key, descriptor, authority, state, the step's own error
 */
#include "pidfd_config_util.h"
#include "kselftest_harness.h"

#define PAGE		4096

/* Bits of the commands. */
enum {
	FLAG = 1U << PIDFD_CONFIG_SET_FLAG,
	STRING = 1U << PIDFD_CONFIG_SET_STRING,
	BINARY = 1U << PIDFD_CONFIG_SET_BINARY,
	PATH = 1U << PIDFD_CONFIG_SET_PATH,
	PATH_EMPTY = 1U << PIDFD_CONFIG_SET_PATH_EMPTY,
	FD = 1U << PIDFD_CONFIG_SET_FD,
	STRINGS = 1U << PIDFD_CONFIG_SET_STRINGS,
};

static const struct {
	const char *key;
	unsigned int cmds;
} keys[] = {
	{ "exec",		PATH | PATH_EMPTY | FD },
	{ "argv",		STRINGS },
	{ "envp",		STRINGS },
	{ "arg",		STRING },
	{ "env",		STRING },
	{ "argv0",		STRING },
	{ "fds",		BINARY },
	{ "open",		BINARY },
	{ "close",		FD },
	{ "close-range",	BINARY },
	{ "inherit-fds",	FLAG },
	{ "cwd",		PATH | PATH_EMPTY | FD },
	{ "root",		PATH | PATH_EMPTY | FD },
	{ "umask",		BINARY },
	{ "sigmask",		BINARY },
	{ "sigdefault",		BINARY },
	{ "sigignore",		BINARY },
};

/* For every command with a key, arguments of the right shape. */
static const char *const no_strings[] = { NULL };
static const char block[64];

static const struct shape {
	unsigned int cmd;
	const void *value;
	int aux;
} shapes[] = {
	{ PIDFD_CONFIG_SET_FLAG,	NULL,		0 },
	{ PIDFD_CONFIG_SET_STRING,	"x",		0 },
	{ PIDFD_CONFIG_SET_BINARY,	block,		sizeof(block) },
	{ PIDFD_CONFIG_SET_PATH,	"x",		AT_FDCWD },
	{ PIDFD_CONFIG_SET_PATH_EMPTY,	"x",		AT_FDCWD },
	{ PIDFD_CONFIG_SET_FD,		NULL,		0 },
	{ PIDFD_CONFIG_SET_STRINGS,	no_strings,	0 },
};

/* Wrong shapes of the commands that are defined, with a key that takes them. */
static const struct wrong {
	unsigned int cmd;
	const char *key;
	const void *value;
	int aux;
	int error;
} wrongs[] = {
	{ PIDFD_CONFIG_SET_FLAG, NULL, NULL, 0, EINVAL },
	{ PIDFD_CONFIG_SET_FLAG, "inherit-fds", "x", 0, EINVAL },
	{ PIDFD_CONFIG_SET_FLAG, "inherit-fds", NULL, 1, EINVAL },
	{ PIDFD_CONFIG_SET_FLAG, "inherit-fds", NULL, -1, EINVAL },
	{ PIDFD_CONFIG_SET_FLAG, "inherit-fds", NULL, AT_FDCWD, EINVAL },

	{ PIDFD_CONFIG_SET_STRING, NULL, "x", 0, EINVAL },
	{ PIDFD_CONFIG_SET_STRING, "arg", NULL, 0, EINVAL },
	{ PIDFD_CONFIG_SET_STRING, "arg", "x", 1, EINVAL },
	{ PIDFD_CONFIG_SET_STRING, "arg", "x", -1, EINVAL },
	{ PIDFD_CONFIG_SET_STRING, "arg", "x", AT_FDCWD, EINVAL },
	{ PIDFD_CONFIG_SET_STRING, "arg", "x", INT_MIN, EINVAL },

	{ PIDFD_CONFIG_SET_BINARY, NULL, block, 8, EINVAL },
	{ PIDFD_CONFIG_SET_BINARY, "sigmask", NULL, 8, EINVAL },
	{ PIDFD_CONFIG_SET_BINARY, "sigmask", NULL, 0, EINVAL },
	{ PIDFD_CONFIG_SET_BINARY, "sigmask", block, 0, EINVAL },
	{ PIDFD_CONFIG_SET_BINARY, "sigmask", block, -1, EINVAL },
	{ PIDFD_CONFIG_SET_BINARY, "sigmask", block, -8, EINVAL },
	{ PIDFD_CONFIG_SET_BINARY, "fds", block, INT_MIN, EINVAL },
	{ PIDFD_CONFIG_SET_BINARY, "fds", block, (1 << 20) + 1, E2BIG },
	{ PIDFD_CONFIG_SET_BINARY, "fds", block, (1 << 20) + 16, E2BIG },
	{ PIDFD_CONFIG_SET_BINARY, "fds", block, INT_MAX, E2BIG },
	{ PIDFD_CONFIG_SET_BINARY, "open", block, INT_MAX, E2BIG },

	{ PIDFD_CONFIG_SET_PATH, NULL, "/", AT_FDCWD, EINVAL },
	{ PIDFD_CONFIG_SET_PATH, "cwd", NULL, AT_FDCWD, EINVAL },
	{ PIDFD_CONFIG_SET_PATH, "cwd", NULL, 0, EINVAL },
	{ PIDFD_CONFIG_SET_PATH, "cwd", "/", -1, EINVAL },
	{ PIDFD_CONFIG_SET_PATH, "cwd", "/", AT_FDCWD - 1, EINVAL },
	{ PIDFD_CONFIG_SET_PATH, "cwd", "/", AT_FDCWD + 1, EINVAL },
	{ PIDFD_CONFIG_SET_PATH, "cwd", "/", INT_MIN, EINVAL },

	{ PIDFD_CONFIG_SET_PATH_EMPTY, NULL, "/", AT_FDCWD, EINVAL },
	{ PIDFD_CONFIG_SET_PATH_EMPTY, "cwd", NULL, AT_FDCWD, EINVAL },
	{ PIDFD_CONFIG_SET_PATH_EMPTY, "cwd", NULL, 0, EINVAL },
	{ PIDFD_CONFIG_SET_PATH_EMPTY, "cwd", "", -1, EINVAL },
	{ PIDFD_CONFIG_SET_PATH_EMPTY, "cwd", "/", AT_FDCWD + 1, EINVAL },
	{ PIDFD_CONFIG_SET_PATH_EMPTY, "cwd", "/", INT_MIN, EINVAL },

	{ PIDFD_CONFIG_SET_FD, NULL, NULL, 0, EINVAL },
	{ PIDFD_CONFIG_SET_FD, "cwd", "x", 0, EINVAL },
	{ PIDFD_CONFIG_SET_FD, "cwd", NULL, -1, EINVAL },
	{ PIDFD_CONFIG_SET_FD, "cwd", NULL, AT_FDCWD, EINVAL },
	{ PIDFD_CONFIG_SET_FD, "close", NULL, INT_MIN, EINVAL },

	{ PIDFD_CONFIG_SET_STRINGS, NULL, no_strings, 0, EINVAL },
	{ PIDFD_CONFIG_SET_STRINGS, NULL, NULL, 0, EINVAL },
	{ PIDFD_CONFIG_SET_STRINGS, "argv", no_strings, 1, EINVAL },
	{ PIDFD_CONFIG_SET_STRINGS, "argv", no_strings, -1, EINVAL },
	{ PIDFD_CONFIG_SET_STRINGS, "argv", NULL, 8, EINVAL },

	{ PIDFD_CONFIG_CMD_COMMIT, "exec", NULL, 0, EINVAL },
	{ PIDFD_CONFIG_CMD_COMMIT, "", NULL, 0, EINVAL },
	{ PIDFD_CONFIG_CMD_COMMIT, NULL, "x", 0, EINVAL },
	{ PIDFD_CONFIG_CMD_COMMIT, "exec", "x", 0, EINVAL },
	{ PIDFD_CONFIG_CMD_COMMIT, NULL, NULL, 2, EINVAL },
	{ PIDFD_CONFIG_CMD_COMMIT, NULL, NULL, 3, EINVAL },
	{ PIDFD_CONFIG_CMD_COMMIT, NULL, NULL, -1, EINVAL },
	{ PIDFD_CONFIG_CMD_COMMIT, NULL, NULL, INT_MIN, EINVAL },
	{ PIDFD_CONFIG_CMD_COMMIT, NULL, NULL, 1 << 30, EINVAL },
};

static const unsigned int unknown_cmds[] = {
	8, 9, 31, 32, 64, 100, 0x7fffffff, 0x80000000, UINT_MAX,
};

static void *bad_pointer(void)
{
	return mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* Two pages, of which the second cannot be read: where that one starts. */
static char *guarded(void)
{
	char *map = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED || mprotect(map + PAGE, PAGE, PROT_NONE))
		abort();
	return map + PAGE;
}

/* An unknown command is EOPNOTSUPP whatever else is wrong. */
TEST(unknown_command)
{
	int fd = empty_open();
	int i;

	ASSERT_GE(fd, 0);
	for (i = 0; i < ARRAY_SIZE(unknown_cmds); i++) {
		unsigned int cmd = unknown_cmds[i];

		EXPECT_EQ(-EOPNOTSUPP, config(fd, cmd, NULL, NULL, 0));
		EXPECT_EQ(-EOPNOTSUPP, config(fd, cmd, "arg", "x", 0));
		EXPECT_EQ(-EOPNOTSUPP, config(fd, cmd, "nonsense", "x", -1));
		EXPECT_EQ(-EOPNOTSUPP, config(-1, cmd, NULL, NULL, 0));
		EXPECT_EQ(-EOPNOTSUPP,
			  config(-1, cmd, bad_pointer(), bad_pointer(), -7));
	}
}

/* A wrong shape is told before the descriptor is looked at. */
TEST(wrong_shape)
{
	int fd = empty_open();
	int i;

	ASSERT_GE(fd, 0);
	for (i = 0; i < ARRAY_SIZE(wrongs); i++) {
		const struct wrong *w = &wrongs[i];

		EXPECT_EQ(-w->error,
			  config(fd, w->cmd, w->key, w->value, w->aux))
			TH_LOG("entry %d", i);
		EXPECT_EQ(-w->error,
			  config(-1, w->cmd, w->key, w->value, w->aux))
			TH_LOG("entry %d, no descriptor", i);
	}
	/* Nothing of that changed or started anything. */
	EXPECT_EQ(0, poll_now(fd));
	EXPECT_EQ(0, set_string(fd, "arg", "x"));
}

/*
 * Every key with every command: EINVAL where they do not go together, else
 * the descriptor is the next to be looked at.
 */
TEST(key_and_command)
{
	int ordinary = sys_pidfd_open(getpid(), 0);
	int fd = empty_open();
	int i, j;

	ASSERT_GE(ordinary, 0);
	ASSERT_GE(fd, 0);
	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		for (j = 0; j < ARRAY_SIZE(shapes); j++) {
			const struct shape *s = &shapes[j];
			bool takes = keys[i].cmds & (1U << s->cmd);

			EXPECT_EQ(takes ? -EBADF : -EINVAL,
				  config(-1, s->cmd, keys[i].key, s->value,
					 s->aux))
				TH_LOG("%s, command %u", keys[i].key, s->cmd);
			EXPECT_EQ(-EINVAL,
				  config(ordinary, s->cmd, keys[i].key,
					 s->value, s->aux))
				TH_LOG("%s, command %u", keys[i].key, s->cmd);
			if (takes)
				continue;
			EXPECT_EQ(-EINVAL,
				  config(fd, s->cmd, keys[i].key, s->value,
					 s->aux))
				TH_LOG("%s, command %u", keys[i].key, s->cmd);
		}
		/* COMMIT takes none of them. */
		EXPECT_EQ(-EINVAL, config(fd, PIDFD_CONFIG_CMD_COMMIT,
					  keys[i].key, NULL, 0));
	}
	EXPECT_EQ(0, poll_now(fd));
	EXPECT_EQ(0, fd_count(pidfd_pid(fd)));
}

/* Keys that are near misses of known ones are unknown. */
TEST(unknown_key)
{
	static const char *const unknown[] = {
		"", " ", "a", "ar", "args", "arg ", " arg", "Arg", "ARG",
		"argv1", "argv00", "execfn", "exe", "exec/", "fd", "fdss",
		"close_range", "closerange", "close-rang", "close-ranges",
		"inherit_fds", "umas", "umasks", "sig", "sigmas", "nonsense",
		"commit", "\n", "\xff\xff",
		"abcdefghijklmnopqrstuvwxyzabcde",	/* 31 and the NUL */
		"abcdefghijklmnopqrstuvwxyzabcdef",	/* 32 and the NUL */
		"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
	};
	int fd = empty_open();
	int i, j;

	ASSERT_GE(fd, 0);
	for (i = 0; i < ARRAY_SIZE(unknown); i++) {
		for (j = 0; j < ARRAY_SIZE(shapes); j++) {
			const struct shape *s = &shapes[j];

			EXPECT_EQ(-EINVAL, config(fd, s->cmd, unknown[i],
						  s->value, s->aux))
				TH_LOG("'%s', command %u", unknown[i], s->cmd);
			EXPECT_EQ(-EINVAL, config(-1, s->cmd, unknown[i],
						  s->value, s->aux))
				TH_LOG("'%s', command %u", unknown[i], s->cmd);
		}
	}
}

/* A known key followed by something within its 32 bytes is known. */
TEST(key_with_tail)
{
	char key[64];
	int fd = empty_open();

	ASSERT_GE(fd, 0);
	memset(key, 'x', sizeof(key));
	memcpy(key, "arg", 4);
	EXPECT_EQ(0, set_string(fd, key, "x"));
}

/*
 * A key is read up to its NUL and no further than 32 bytes: EFAULT only if one
 * of those cannot be read.
 */
TEST(key_at_end_of_page)
{
	char *end = guarded();
	int fd = empty_open();
	int len;

	ASSERT_GE(fd, 0);
	/* The NUL is the last byte that can be read. */
	memcpy(end - 4, "arg", 4);
	EXPECT_EQ(0, set_string(fd, end - 4, "x"));
	memcpy(end - 9, "nonsense", 9);
	EXPECT_EQ(-EINVAL, set_string(fd, end - 9, "x"));

	/* There is no NUL before the page ends. */
	memset(end - PAGE, 'a', PAGE);
	for (len = 1; len < PIDFD_CONFIG_KEY_MAX; len++) {
		EXPECT_EQ(-EFAULT, set_string(fd, end - len, "x"))
			TH_LOG("%d bytes", len);
	}
	/* 32 bytes without one are too many, what follows does not matter. */
	EXPECT_EQ(-EINVAL, set_string(fd, end - PIDFD_CONFIG_KEY_MAX, "x"));
	EXPECT_EQ(-EINVAL, set_string(fd, end - PIDFD_CONFIG_KEY_MAX - 1, "x"));
	/* Nor do the bytes behind a NUL. */
	memcpy(end - 3, "ab", 3);
	EXPECT_EQ(-EINVAL, set_string(fd, end - 3, "x"));
}

/* A key that cannot be read is EFAULT, with or without a descriptor. */
TEST(key_bad_pointer)
{
	const char *const bad[] = {
		bad_pointer(), (const char *)1, (const char *)-1,
		(const char *)-4096L, (const char *)(1UL << 63),
	};
	int ordinary = sys_pidfd_open(getpid(), 0);
	int fd = empty_open();
	int i, j;

	ASSERT_GE(fd, 0);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		for (j = 0; j < ARRAY_SIZE(shapes); j++) {
			const struct shape *s = &shapes[j];

			EXPECT_EQ(-EFAULT, config(fd, s->cmd, bad[i], s->value,
						  s->aux));
			EXPECT_EQ(-EFAULT, config(-1, s->cmd, bad[i], s->value,
						  s->aux));
			EXPECT_EQ(-EFAULT, config(ordinary, s->cmd, bad[i],
						  s->value, s->aux));
		}
		/* The shape comes first. */
		EXPECT_EQ(-EINVAL, config(fd, PIDFD_CONFIG_SET_STRING, bad[i],
					  "x", 1));
		EXPECT_EQ(-EINVAL, config(fd, PIDFD_CONFIG_CMD_COMMIT, bad[i],
					  NULL, 0));
	}
}

/* EBADF for no descriptor, EINVAL for one that is not a builder. */
TEST(descriptor)
{
	static const int closed[] = { -1, -2, AT_FDCWD, 999, INT_MAX, INT_MIN };
	int others[5], i;
	char path[] = "/proc/self/fd";

	for (i = 0; i < ARRAY_SIZE(closed); i++) {
		EXPECT_EQ(-EBADF, set_string(closed[i], "arg", "x"));
		EXPECT_EQ(-EBADF, set_strings(closed[i], "argv", NULL));
		EXPECT_EQ(-EBADF, set_flag(closed[i], "inherit-fds"));
		EXPECT_EQ(-EBADF, set_fd(closed[i], "exec", 0));
		EXPECT_EQ(-EBADF, commit(closed[i]));
		EXPECT_EQ(-EBADF, commit_flags(closed[i],
					       PIDFD_COMMIT_NOWAIT));
	}

	others[0] = sys_pidfd_open(getpid(), 0);
	others[1] = sys_pidfd_open(getpid(), PIDFD_THREAD);
	others[2] = open("/dev/null", O_RDWR);
	others[3] = open(path, O_RDONLY | O_DIRECTORY);
	others[4] = syscall(SYS_memfd_create, "x", 0);
	for (i = 0; i < ARRAY_SIZE(others); i++) {
		ASSERT_GE(others[i], 0);
		EXPECT_EQ(-EINVAL, set_string(others[i], "arg", "x"))
			TH_LOG("descriptor %d", i);
		EXPECT_EQ(-EINVAL, commit(others[i]))
			TH_LOG("descriptor %d", i);
	}
	/* O_PATH gives a name, not an open file. */
	EXPECT_EQ(-EBADF, set_string(open("/dev/null", O_PATH), "arg", "x"));
}

/* The descriptor is looked at before the value is read. */
TEST(value_after_descriptor)
{
	int ordinary = sys_pidfd_open(getpid(), 0);
	void *bad = bad_pointer();
	int fd = empty_open();

	ASSERT_GE(fd, 0);
	EXPECT_EQ(-EBADF, set_string(-1, "arg", bad));
	EXPECT_EQ(-EBADF, set_strings(-1, "argv", bad));
	EXPECT_EQ(-EBADF, set_binary(-1, "umask", bad, 4));
	EXPECT_EQ(-EBADF, set_path(-1, "cwd", bad));
	EXPECT_EQ(-EINVAL, set_string(ordinary, "arg", bad));

	EXPECT_EQ(-EFAULT, set_string(fd, "arg", bad));
	EXPECT_EQ(-EFAULT, set_strings(fd, "argv", bad));
	EXPECT_EQ(-EFAULT, set_binary(fd, "umask", bad, 4));
	EXPECT_EQ(-EFAULT, set_path(fd, "cwd", bad));

	/* So is the state. */
	EXPECT_EQ(0, send_signal(fd, SIGKILL));
	EXPECT_EQ(POLLIN | POLLHUP, wait_gone(fd));
	EXPECT_EQ(-ESRCH, set_string(fd, "arg", bad));
	EXPECT_EQ(-ESRCH, set_strings(fd, "argv", bad));
	EXPECT_EQ(-ESRCH, set_binary(fd, "umask", bad, 4));
	EXPECT_EQ(-ESRCH, set_path(fd, "cwd", bad));
	EXPECT_EQ(-ESRCH, set_fd(fd, "cwd", 999));
	/* But shape and key are not. */
	EXPECT_EQ(-EINVAL, set_string(fd, "nonsense", "x"));
	EXPECT_EQ(-EINVAL, set_string(fd, "arg", NULL));
	EXPECT_EQ(-EFAULT, set_string(fd, bad, "x"));
	EXPECT_EQ(-EOPNOTSUPP, config(fd, 8, "arg", "x", 0));
}

/* A value that cannot be read is EFAULT for every key that reads one. */
TEST(value_bad_pointer)
{
	void *bad = bad_pointer();
	int fd = empty_open();
	int i;

	ASSERT_GE(fd, 0);
	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *key = keys[i].key;

		if (keys[i].cmds & STRING)
			EXPECT_EQ(-EFAULT, set_string(fd, key, bad));
		if (keys[i].cmds & STRINGS)
			EXPECT_EQ(-EFAULT, set_strings(fd, key, bad));
		if (keys[i].cmds & PATH) {
			EXPECT_EQ(-EFAULT, set_path(fd, key, bad));
			EXPECT_EQ(-EFAULT, set_path_at(fd, key, 0, bad));
		}
		if (keys[i].cmds & PATH_EMPTY)
			EXPECT_EQ(-EFAULT,
				  set_path_empty(fd, key, AT_FDCWD, bad));
	}
	EXPECT_EQ(-EFAULT, set_binary(fd, "fds", bad, 16));
	EXPECT_EQ(-EFAULT, set_binary(fd, "open", bad, 40));
	EXPECT_EQ(-EFAULT, set_binary(fd, "close-range", bad, 12));
	EXPECT_EQ(-EFAULT, set_binary(fd, "umask", bad, 4));
	EXPECT_EQ(-EFAULT, set_binary(fd, "sigmask", bad, 8));
	EXPECT_EQ(-EFAULT, set_binary(fd, "sigdefault", bad, 8));
	EXPECT_EQ(-EFAULT, set_binary(fd, "sigignore", bad, 8));
	/* One byte beyond what can be read is as bad. */
	EXPECT_EQ(-EFAULT, set_binary(fd, "sigmask", guarded() - 7, 8));
	EXPECT_EQ(0, set_binary(fd, "sigmask", guarded() - 8, 8));
}

/* Values of a size that their key does not have are EINVAL. */
TEST(value_size)
{
	static const struct {
		const char *key;
		int size;
	} sizes[] = {
		{ "umask", 1 }, { "umask", 2 }, { "umask", 3 }, { "umask", 5 },
		{ "umask", 8 }, { "umask", 64 },
		{ "sigmask", 1 }, { "sigmask", 4 }, { "sigmask", 7 },
		{ "sigmask", 9 }, { "sigmask", 16 }, { "sigmask", 64 },
		{ "sigdefault", 4 }, { "sigdefault", 16 },
		{ "sigignore", 4 }, { "sigignore", 16 },
		{ "fds", 1 }, { "fds", 12 }, { "fds", 15 }, { "fds", 17 },
		{ "fds", 24 }, { "fds", 63 },
		{ "open", 1 }, { "open", 8 }, { "open", 39 },
		{ "close-range", 1 }, { "close-range", 8 },
		{ "close-range", 11 },
	};
	int fd = empty_open();
	int i;

	ASSERT_GE(fd, 0);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		EXPECT_EQ(-EINVAL, set_binary(fd, sizes[i].key, block,
					      sizes[i].size))
			TH_LOG("%s of %d bytes", sizes[i].key, sizes[i].size);
	}
	EXPECT_EQ(0, fd_count(pidfd_pid(fd)));
}

/* Bits above the 32 of @cmd and @aux do not exist; those of @fd neither. */
TEST(high_bits)
{
	int fd = empty_open();

	ASSERT_GE(fd, 0);
	EXPECT_EQ(0, syscall(__NR_pidfd_config, fd | (1UL << 40),
			     PIDFD_CONFIG_SET_STRING | (1UL << 40), "arg", "x",
			     1UL << 40));
}

TEST_HARNESS_MAIN
