// SPDX-License-Identifier: GPL-2.0
/*
 * 32-bit callers, by int $0x80 from a 64-bit program: pointers are 32 bits
 * wide in registers and in arrays, the structs have one layout.
 */
#include "pidfd_config_util.h"
#include "kselftest_harness.h"

#ifdef __x86_64__

#define I386_PIDFD_OPEN		434
#define I386_PIDFD_CONFIG	473

/* Memory that a 32-bit pointer reaches. */
static void *low(size_t size)
{
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	if (map == MAP_FAILED)
		abort();
	return map;
}

static const char *low_string(const char *string)
{
	size_t size = strlen(string) + 1;

	return memcpy(low(size), string, size);
}

static __u32 address(const void *pointer)
{
	return (uintptr_t)pointer;
}

static int int80(unsigned int nr, __u32 a, __u32 b, __u32 c, __u32 d, __u32 e)
{
	int ret;

	asm volatile("int $0x80"
		     : "=a" (ret)
		     : "a" (nr), "b" (a), "c" (b), "d" (c), "S" (d), "D" (e)
		     : "memory", "r8", "r9", "r10", "r11");
	return ret;
}

static int empty_open32(void)
{
	return int80(I386_PIDFD_OPEN, 0, PIDFD_EMPTY, 0, 0, 0);
}

static int config32(int fd, unsigned int cmd, const char *key,
		    const void *value, int aux)
{
	return int80(I386_PIDFD_CONFIG, fd, cmd,
		     address(key ? low_string(key) : NULL), address(value),
		     aux);
}

FIXTURE(compat) {
	int fd;
	pid_t pid;
	char *text;
};

FIXTURE_SETUP(compat)
{
	self->text = NULL;
	ASSERT_EQ(0, scratch());
	self->fd = empty_open32();
	ASSERT_GE(self->fd, 0);
	self->pid = pidfd_pid(self->fd);
	ASSERT_GT(self->pid, 0);
}

FIXTURE_TEARDOWN(compat)
{
	free(self->text);
	close(self->fd);
}

/* pidfd_open: the same object. */
TEST_F(compat, open)
{
	EXPECT_EQ(FD_CLOEXEC, fcntl(self->fd, F_GETFD));
	EXPECT_EQ(PIDFD_EMPTY, fcntl(self->fd, F_GETFL) & PIDFD_EMPTY);
	EXPECT_STREQ("embryo", status(self->pid, "Name"));
	EXPECT_EQ(-EINVAL, int80(I386_PIDFD_OPEN, 0, 0, 0, 0, 0));
	EXPECT_EQ(-EINVAL, int80(I386_PIDFD_OPEN, 0, PIDFD_EMPTY | PIDFD_THREAD,
				 0, 0, 0));
	EXPECT_EQ(0, set_string(self->fd, "arg", "x"));
}

/* Everything from the one side, up to a program that runs. */
TEST_F(compat, all)
{
	struct pidfd_config_fd *map = low(sizeof(*map));
	struct pidfd_config_open *how = low(sizeof(*how));
	struct pidfd_config_close_range *range = low(sizeof(*range));
	__u32 *mask = low(sizeof(*mask));
	__u64 *set = low(sizeof(*set));
	int p[2], null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	ASSERT_EQ(0, pipe2(p, O_CLOEXEC));
	ASSERT_EQ(0, mkdir("/tmp/dir", 0755));
	EXPECT_EQ(0, config32(self->fd, PIDFD_CONFIG_SET_PATH, "exec",
			      low_string("/tmp/report"), AT_FDCWD));
	EXPECT_EQ(0, config32(self->fd, PIDFD_CONFIG_SET_STRING, "arg",
			      low_string("zero"), 0));
	EXPECT_EQ(0, config32(self->fd, PIDFD_CONFIG_SET_STRING, "env",
			      low_string("E=1"), 0));
	map->fd = p[1];
	map->target = 1;
	EXPECT_EQ(0, config32(self->fd, PIDFD_CONFIG_SET_BINARY, "fds", map,
			      sizeof(*map)));
	close(p[1]);
	how->path = address(low_string("/dev/null"));
	how->dirfd = AT_FDCWD;
	how->target = 7;
	EXPECT_EQ(0, config32(self->fd, PIDFD_CONFIG_SET_BINARY, "open", how,
			      sizeof(*how)));
	how->target = 8;
	EXPECT_EQ(0, config32(self->fd, PIDFD_CONFIG_SET_BINARY, "open", how,
			      sizeof(*how)));
	how->target = 9;
	EXPECT_EQ(0, config32(self->fd, PIDFD_CONFIG_SET_BINARY, "open", how,
			      sizeof(*how)));
	EXPECT_EQ(0, config32(self->fd, PIDFD_CONFIG_SET_FD, "close", NULL, 8));
	range->first = 9;
	range->last = ~0U;
	EXPECT_EQ(0, config32(self->fd, PIDFD_CONFIG_SET_BINARY, "close-range",
			      range, sizeof(*range)));
	EXPECT_EQ(0, config32(self->fd, PIDFD_CONFIG_SET_PATH, "cwd",
			      low_string("dir"), AT_FDCWD));
	*mask = 0135;
	EXPECT_EQ(0, config32(self->fd, PIDFD_CONFIG_SET_BINARY, "umask", mask,
			      sizeof(*mask)));
	/* A signal of the upper word: the set has one layout. */
	*set = 1ULL << 39;
	EXPECT_EQ(0, config32(self->fd, PIDFD_CONFIG_SET_BINARY, "sigmask", set,
			      sizeof(*set)));
	EXPECT_EQ(0, config32(self->fd, PIDFD_CONFIG_SET_BINARY, "sigignore",
			      set, sizeof(*set)));
	EXPECT_STREQ("/tmp/dir", proc_link(self->pid, "cwd"));
	EXPECT_STREQ("0135", status(self->pid, "Umask"));
	EXPECT_STREQ("0000008000000000", status(self->pid, "SigBlk"));
	EXPECT_STREQ("0000008000000000", status(self->pid, "SigIgn"));
	EXPECT_EQ(2, fd_count(self->pid));
	EXPECT_TRUE(fd_is(self->pid, 7, null));
	EXPECT_EQ(0, config32(self->fd, PIDFD_CONFIG_CMD_COMMIT, NULL, NULL,
			      0));
	self->text = read_all(p[0]);
	EXPECT_EQ(0, wait_pidfd(self->fd));
	EXPECT_STREQ("1", field(self->text, "argc"));
	EXPECT_STREQ("zero", field_at(self->text, "arg", 0));
	EXPECT_STREQ("E=1", field_at(self->text, "env", 0));
	EXPECT_STREQ("/tmp/dir", field(self->text, "cwd"));
	EXPECT_EQ(-EBUSY, config32(self->fd, PIDFD_CONFIG_CMD_COMMIT, NULL,
				   NULL, 0));
}

/* SET_STRINGS: the array has 32-bit pointers, next to one another. */
TEST_F(compat, strings)
{
	__u32 *list = low(16 * sizeof(*list));

	list[0] = address(low_string("zero"));
	list[1] = address(low_string("one"));
	list[2] = address(low_string("two"));
	list[3] = 0;
	list[4] = 1;
	EXPECT_EQ(0, config32(self->fd, PIDFD_CONFIG_SET_STRINGS, "argv", list,
			      0));
	list[1] = 0;
	EXPECT_EQ(0, config32(self->fd, PIDFD_CONFIG_SET_STRINGS, "envp", list,
			      0));
	EXPECT_EQ(0, run_default(self->fd, &self->text));
	EXPECT_STREQ("3", field(self->text, "argc"));
	EXPECT_STREQ("zero", field_at(self->text, "arg", 0));
	EXPECT_STREQ("one", field_at(self->text, "arg", 1));
	EXPECT_STREQ("two", field_at(self->text, "arg", 2));
	EXPECT_STREQ("1", field(self->text, "envs"));
	EXPECT_STREQ("zero", field_at(self->text, "env", 0));
}

/* EFAULT and the list of before, as for others. */
TEST_F(compat, strings_errors)
{
	__u32 *list = low(8192);
	char *guard = (char *)list + 4096;

	list[0] = address(low_string("zero"));
	list[1] = 0;
	EXPECT_EQ(0, config32(self->fd, PIDFD_CONFIG_SET_STRINGS, "argv", list,
			      0));
	list[0] = address(low_string("lost"));
	list[1] = 8;
	list[2] = 0;
	EXPECT_EQ(-EFAULT, config32(self->fd, PIDFD_CONFIG_SET_STRINGS, "argv",
				    list, 0));
	ASSERT_EQ(0, mprotect(guard, 4096, PROT_NONE));
	EXPECT_EQ(-EFAULT, config32(self->fd, PIDFD_CONFIG_SET_STRINGS, "argv",
				    guard, 0));
	/* Runs into what cannot be read, and stops just before. */
	list[1023] = list[0];
	EXPECT_EQ(-EFAULT, config32(self->fd, PIDFD_CONFIG_SET_STRINGS, "argv",
				    &list[1023], 0));
	list[1023] = 0;
	list[1022] = list[0];
	EXPECT_EQ(0, config32(self->fd, PIDFD_CONFIG_SET_STRINGS, "envp",
			      &list[1022], 0));
	EXPECT_EQ(0, run_default(self->fd, &self->text));
	EXPECT_STREQ("1", field(self->text, "argc"));
	EXPECT_STREQ("zero", field_at(self->text, "arg", 0));
	EXPECT_STREQ("lost", field_at(self->text, "env", 0));
}

/* The same errors for the same mistakes. */
TEST_F(compat, errors)
{
	EXPECT_EQ(-EOPNOTSUPP, config32(self->fd, 8, NULL, NULL, 0));
	EXPECT_EQ(-EOPNOTSUPP, config32(self->fd, UINT_MAX, NULL, NULL, 0));
	EXPECT_EQ(-EINVAL, config32(self->fd, PIDFD_CONFIG_SET_STRING, "arg",
				    NULL, 0));
	EXPECT_EQ(-EINVAL, config32(self->fd, PIDFD_CONFIG_SET_STRING,
				    "nonsense", low_string("x"), 0));
	EXPECT_EQ(-EINVAL, config32(self->fd, PIDFD_CONFIG_SET_PATH, "cwd",
				    low_string("/"), -1));
	EXPECT_EQ(-EINVAL, config32(self->fd, PIDFD_CONFIG_SET_BINARY, "umask",
				    low_string("x"), -4));
	EXPECT_EQ(-EBADF, config32(-1, PIDFD_CONFIG_SET_STRING, "arg",
				   low_string("x"), 0));
	EXPECT_EQ(-EFAULT, int80(I386_PIDFD_CONFIG, self->fd,
				 PIDFD_CONFIG_SET_STRING, 8,
				 address(low_string("x")), 0));
	EXPECT_EQ(-ENOENT, config32(self->fd, PIDFD_CONFIG_SET_PATH, "cwd",
				    low_string("/missing"), AT_FDCWD));
	EXPECT_EQ(-EINVAL, config32(self->fd, PIDFD_CONFIG_CMD_COMMIT, NULL,
				    NULL, 2));
	EXPECT_EQ(-EINVAL, config32(self->fd, PIDFD_CONFIG_CMD_COMMIT, NULL,
				    NULL, 0));
}

/* A 64-bit caller goes on with what a 32-bit one began. */
TEST_F(compat, mixed)
{
	static const char *const envp[] = { "A=1", "B=2", NULL };

	EXPECT_EQ(0, config32(self->fd, PIDFD_CONFIG_SET_STRING, "arg",
			      low_string("zero"), 0));
	EXPECT_EQ(0, set_string(self->fd, "arg", "one"));
	EXPECT_EQ(0, set_strings(self->fd, "envp", envp));
	EXPECT_EQ(0, config32(self->fd, PIDFD_CONFIG_SET_STRING, "env",
			      low_string("C=3"), 0));
	EXPECT_EQ(0, run_default(self->fd, &self->text));
	EXPECT_STREQ("2", field(self->text, "argc"));
	EXPECT_STREQ("one", field_at(self->text, "arg", 1));
	EXPECT_STREQ("3", field(self->text, "envs"));
	EXPECT_STREQ("C=3", field_at(self->text, "env", 2));
}

#else

/* Only x86 lets a 64-bit program make 32-bit system calls. */
TEST(compat)
{
	SKIP(return, "x86_64 only");
}

#endif

TEST_HARNESS_MAIN
