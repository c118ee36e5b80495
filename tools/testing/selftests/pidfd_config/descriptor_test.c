// SPDX-License-Identifier: GPL-2.0
/*
 * The keys fds, open, close, close-range and inherit-fds: the descriptors of
 * the embryo, as /proc shows them before commit and as the program finds them.
 */
#include <linux/close_range.h>

#include "pidfd_config_util.h"
#include "kselftest_harness.h"

#define CLOEXEC		PIDFD_CONFIG_FD_CLOEXEC
#define EMBRYO		PIDFD_CONFIG_FD_EMBRYO

FIXTURE(fds) {
	int fd;
	pid_t pid;
	int file[4];	/* four different files, close-on-exec here */
	char *text;
};

FIXTURE_SETUP(fds)
{
	char path[32];
	int i;

	self->text = NULL;
	ASSERT_EQ(0, scratch());
	for (i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "/tmp/file%d", i);
		self->file[i] = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
		ASSERT_GE(self->file[i], 0);
	}
	self->fd = empty_open();
	ASSERT_GE(self->fd, 0);
	self->pid = pidfd_pid(self->fd);
	ASSERT_GT(self->pid, 0);
}

FIXTURE_TEARDOWN(fds)
{
	free(self->text);
	close(self->fd);
}

static int nofile_limit(pid_t pid, rlim_t limit)
{
	struct rlimit rlim;

	if (prlimit(pid, RLIMIT_NOFILE, NULL, &rlim))
		return -errno;
	rlim.rlim_cur = limit;
	if (rlim.rlim_max < limit)
		rlim.rlim_max = limit;
	return prlimit(pid, RLIMIT_NOFILE, &rlim, NULL) ? -errno : 0;
}

/* One descriptor: there at once, and in the program. */
TEST_F(fds, one)
{
	EXPECT_EQ(0, map_fd(self->fd, self->file[0], 5));
	EXPECT_EQ(1, fd_count(self->pid));
	EXPECT_TRUE(fd_is(self->pid, 5, self->file[0]));
	EXPECT_FALSE(fd_cloexec(self->pid, 5));
	EXPECT_STREQ("/tmp/file0", proc_link(self->pid, "fd/5"));
	/* The caller keeps its own. */
	EXPECT_EQ(FD_CLOEXEC, fcntl(self->file[0], F_GETFD));
	EXPECT_EQ(0, run_default(self->fd, &self->text));
	EXPECT_STREQ("2", field(self->text, "fds"));
	EXPECT_STREQ(fd_id(self->file[0]), field_at(self->text, "fd", 5));
	EXPECT_STREQ("0", field_at(self->text, "fdflags", 5));
}

/* It is the same open file: the offset is shared. */
TEST_F(fds, shared_file)
{
	EXPECT_EQ(0, map_fd(self->fd, self->file[0], 5));
	EXPECT_EQ(77, lseek(self->file[0], 77, SEEK_SET));
	EXPECT_STREQ("77", line_after(proc_text(self->pid, "fdinfo/5"),
				      "pos:"));
}

/* Close-on-exec is per entry: seen in fdinfo, gone in the program. */
TEST_F(fds, close_on_exec)
{
	EXPECT_EQ(0, map_fd_flags(self->fd, self->file[0], 5, CLOEXEC));
	EXPECT_EQ(0, map_fd(self->fd, self->file[0], 6));
	EXPECT_TRUE(fd_cloexec(self->pid, 5));
	EXPECT_FALSE(fd_cloexec(self->pid, 6));
	EXPECT_EQ(0, run_default(self->fd, &self->text));
	EXPECT_STREQ("(none)", field_at(self->text, "fd", 5));
	EXPECT_STREQ(fd_id(self->file[0]), field_at(self->text, "fd", 6));
}

/* Setting the same number again replaces it, its flag as well. */
TEST_F(fds, replace)
{
	EXPECT_EQ(0, map_fd_flags(self->fd, self->file[0], 5, CLOEXEC));
	EXPECT_EQ(0, map_fd(self->fd, self->file[1], 5));
	EXPECT_EQ(1, fd_count(self->pid));
	EXPECT_TRUE(fd_is(self->pid, 5, self->file[1]));
	EXPECT_FALSE(fd_cloexec(self->pid, 5));
	EXPECT_EQ(0, map_fd_flags(self->fd, self->file[1], 5, CLOEXEC));
	EXPECT_TRUE(fd_cloexec(self->pid, 5));
}

/* What is replaced is closed: the other end of a pipe notices at once. */
TEST_F(fds, replaced_is_closed)
{
	struct pollfd pfd;
	int p[2];

	ASSERT_EQ(0, pipe2(p, O_CLOEXEC));
	EXPECT_EQ(0, map_fd(self->fd, p[1], 5));
	close(p[1]);
	pfd.fd = p[0];
	pfd.events = POLLIN;
	EXPECT_EQ(0, poll(&pfd, 1, 0));
	EXPECT_EQ(0, map_fd(self->fd, self->file[0], 5));
	EXPECT_EQ(1, poll(&pfd, 1, 0));
	EXPECT_EQ(POLLHUP, pfd.revents);
}

/* A batch of the caller's descriptors, one of them twice. */
TEST_F(fds, batch)
{
	const struct pidfd_config_fd map[] = {
		{ .fd = self->file[0], .target = 0 },
		{ .fd = self->file[1], .target = 1, .flags = CLOEXEC },
		{ .fd = self->file[2], .target = 2 },
		{ .fd = self->file[0], .target = 900 },
	};

	EXPECT_EQ(0, set_binary(self->fd, "fds", map, sizeof(map)));
	EXPECT_EQ(4, fd_count(self->pid));
	EXPECT_TRUE(fd_is(self->pid, 0, self->file[0]));
	EXPECT_TRUE(fd_is(self->pid, 1, self->file[1]));
	EXPECT_TRUE(fd_is(self->pid, 2, self->file[2]));
	EXPECT_TRUE(fd_is(self->pid, 900, self->file[0]));
	EXPECT_TRUE(fd_cloexec(self->pid, 1));
	EXPECT_EQ(0, run_default(self->fd, &self->text));
	EXPECT_STREQ("4", field(self->text, "fds"));
	EXPECT_STREQ(fd_id(self->file[0]), field_at(self->text, "fd", 0));
	EXPECT_STREQ(fd_id(self->file[2]), field_at(self->text, "fd", 2));
	EXPECT_STREQ(fd_id(self->file[0]), field_at(self->text, "fd", 900));
}

/* Targets with the numbers of other sources are no conflict. */
TEST_F(fds, crossed_numbers)
{
	const struct pidfd_config_fd map[] = {
		{ .fd = self->file[0], .target = self->file[1] },
		{ .fd = self->file[1], .target = self->file[2] },
		{ .fd = self->file[2], .target = self->file[0] },
	};

	EXPECT_EQ(0, set_binary(self->fd, "fds", map, sizeof(map)));
	EXPECT_TRUE(fd_is(self->pid, self->file[1], self->file[0]));
	EXPECT_TRUE(fd_is(self->pid, self->file[2], self->file[1]));
	EXPECT_TRUE(fd_is(self->pid, self->file[0], self->file[2]));
}

/*
 * With FD_EMBRYO the sources are the embryo's own, all looked up before the
 * first is placed: a swap, a rotation, a mixture with the caller's.
 */
TEST_F(fds, swap)
{
	const struct pidfd_config_fd set[] = {
		{ .fd = self->file[0], .target = 3 },
		{ .fd = self->file[1], .target = 4 },
		{ .fd = self->file[2], .target = 5 },
	};
	const struct pidfd_config_fd swap[] = {
		{ .fd = 3, .target = 4, .flags = EMBRYO },
		{ .fd = 4, .target = 3, .flags = EMBRYO },
	};
	const struct pidfd_config_fd rotate[] = {
		{ .fd = 3, .target = 4, .flags = EMBRYO },
		{ .fd = 4, .target = 5, .flags = EMBRYO | CLOEXEC },
		{ .fd = 5, .target = 3, .flags = EMBRYO },
	};
	const struct pidfd_config_fd mixed[] = {
		{ .fd = self->file[3], .target = 3 },
		{ .fd = 3, .target = 7, .flags = EMBRYO },
	};

	EXPECT_EQ(0, set_binary(self->fd, "fds", set, sizeof(set)));
	EXPECT_EQ(0, set_binary(self->fd, "fds", swap, sizeof(swap)));
	EXPECT_TRUE(fd_is(self->pid, 3, self->file[1]));
	EXPECT_TRUE(fd_is(self->pid, 4, self->file[0]));
	EXPECT_EQ(0, set_binary(self->fd, "fds", swap, sizeof(swap)));
	EXPECT_TRUE(fd_is(self->pid, 3, self->file[0]));
	EXPECT_TRUE(fd_is(self->pid, 4, self->file[1]));
	EXPECT_EQ(0, set_binary(self->fd, "fds", rotate, sizeof(rotate)));
	EXPECT_TRUE(fd_is(self->pid, 4, self->file[0]));
	EXPECT_TRUE(fd_is(self->pid, 5, self->file[1]));
	EXPECT_TRUE(fd_is(self->pid, 3, self->file[2]));
	EXPECT_FALSE(fd_cloexec(self->pid, 4));
	EXPECT_TRUE(fd_cloexec(self->pid, 5));
	EXPECT_EQ(0, set_binary(self->fd, "fds", mixed, sizeof(mixed)));
	EXPECT_TRUE(fd_is(self->pid, 3, self->file[3]));
	EXPECT_TRUE(fd_is(self->pid, 7, self->file[2]));
	EXPECT_EQ(4, fd_count(self->pid));
}

/* FD_EMBRYO onto itself sets the flag, or clears it as posix_spawn(3) wants. */
TEST_F(fds, onto_itself)
{
	EXPECT_EQ(0, map_fd_flags(self->fd, self->file[0], 5, CLOEXEC));
	EXPECT_EQ(0, map_fd_flags(self->fd, 5, 5, EMBRYO));
	EXPECT_FALSE(fd_cloexec(self->pid, 5));
	EXPECT_TRUE(fd_is(self->pid, 5, self->file[0]));
	EXPECT_EQ(0, map_fd_flags(self->fd, 5, 5, EMBRYO | CLOEXEC));
	EXPECT_TRUE(fd_cloexec(self->pid, 5));
	EXPECT_TRUE(fd_is(self->pid, 5, self->file[0]));
	EXPECT_EQ(0, map_fd_flags(self->fd, 5, 5, EMBRYO));
	EXPECT_EQ(1, fd_count(self->pid));
	EXPECT_EQ(-EBADF, map_fd_flags(self->fd, 6, 6, EMBRYO));
}

/* FD_EMBRYO leaves the source open, as dup2(2). */
TEST_F(fds, embryo_source_stays)
{
	EXPECT_EQ(0, map_fd_flags(self->fd, self->file[0], 5, CLOEXEC));
	EXPECT_EQ(0, map_fd_flags(self->fd, 5, 6, EMBRYO));
	EXPECT_TRUE(fd_is(self->pid, 5, self->file[0]));
	EXPECT_TRUE(fd_is(self->pid, 6, self->file[0]));
	EXPECT_TRUE(fd_cloexec(self->pid, 5));
	EXPECT_FALSE(fd_cloexec(self->pid, 6));
	/* The numbers of the caller are not those of the embryo. */
	EXPECT_EQ(-EBADF, map_fd_flags(self->fd, self->fd, 7, EMBRYO));
}

/* One bad entry, anywhere: an error, and nothing of the batch is done. */
TEST_F(fds, all_or_nothing)
{
	const struct {
		struct pidfd_config_fd entry;
		int error;
	} bad[] = {
		{ { .fd = 999, .target = 20 }, EBADF },
		{ { .fd = -1, .target = 20 }, EBADF },
		{ { .fd = AT_FDCWD, .target = 20 }, EBADF },
		{ { .fd = INT_MIN, .target = 20 }, EBADF },
		{ { .fd = INT_MAX, .target = 20 }, EBADF },
		{ { .fd = 21, .target = 20, .flags = EMBRYO }, EBADF },
		{ { .fd = -1, .target = 20, .flags = EMBRYO }, EBADF },
		{ { .fd = self->file[0], .target = 64 }, EBADF },
		{ { .fd = self->file[0], .target = INT_MAX }, EBADF },
		{ { .fd = self->file[0], .target = UINT_MAX }, EBADF },
		{ { .fd = 5, .target = 64, .flags = EMBRYO }, EBADF },
		{ { .fd = self->file[0], .target = 20, .flags = 4 }, EINVAL },
		{ { .fd = self->file[0], .target = 20, .flags = 7 }, EINVAL },
		{ { .fd = self->file[0], .target = 20, .flags = 1U << 31 },
		  EINVAL },
		{ { .fd = self->file[0], .target = 20, .__reserved = 1 },
		  EINVAL },
		{ { .fd = self->fd, .target = 20 }, EINVAL },
	};
	int i, place;

	ASSERT_EQ(0, nofile_limit(self->pid, 64));
	EXPECT_EQ(0, map_fd(self->fd, self->file[0], 5));
	EXPECT_EQ(0, map_fd_flags(self->fd, self->file[1], 6, CLOEXEC));
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		for (place = 0; place < 3; place++) {
			struct pidfd_config_fd map[3] = {
				{ .fd = self->file[2], .target = 5 },
				{ .fd = self->file[3], .target = 6 },
				{ .fd = self->file[3], .target = 7 },
			};

			map[place] = bad[i].entry;
			EXPECT_EQ(-bad[i].error,
				  set_binary(self->fd, "fds", map, sizeof(map)))
				TH_LOG("entry %d at %d", i, place);
			EXPECT_EQ(2, fd_count(self->pid))
				TH_LOG("entry %d at %d", i, place);
			EXPECT_TRUE(fd_is(self->pid, 5, self->file[0]));
			EXPECT_TRUE(fd_is(self->pid, 6, self->file[1]));
			EXPECT_FALSE(fd_cloexec(self->pid, 5));
			EXPECT_TRUE(fd_cloexec(self->pid, 6));
		}
	}
	EXPECT_EQ(0, map_fd(self->fd, self->file[0], 63));
}

/* The same target twice is EINVAL, also where the source is the same. */
TEST_F(fds, same_target)
{
	struct pidfd_config_fd map[100];
	int i;

	for (i = 0; i < ARRAY_SIZE(map); i++) {
		map[i] = (struct pidfd_config_fd) {
			.fd = self->file[0],
			.target = i,
		};
	}
	map[99].target = 0;
	EXPECT_EQ(-EINVAL, set_binary(self->fd, "fds", map, sizeof(map)));
	map[99].target = 98;
	EXPECT_EQ(-EINVAL, set_binary(self->fd, "fds", map, sizeof(map)));
	map[99].target = 50;
	map[99].fd = self->file[1];
	EXPECT_EQ(-EINVAL, set_binary(self->fd, "fds", map, sizeof(map)));
	EXPECT_EQ(0, fd_count(self->pid));
	map[99].target = 99;
	EXPECT_EQ(0, set_binary(self->fd, "fds", map, sizeof(map)));
	EXPECT_EQ(100, fd_count(self->pid));
}

/* A builder of an embryo is not passed on, one that is committed is. */
TEST_F(fds, builder_as_source)
{
	int other = empty_open();

	ASSERT_GE(other, 0);
	EXPECT_EQ(-EINVAL, map_fd(self->fd, other, 5));
	EXPECT_EQ(-EINVAL, map_fd(self->fd, self->fd, 5));
	EXPECT_EQ(-EINVAL, map_fd(other, self->fd, 5));
	EXPECT_EQ(0, fd_count(self->pid));
	EXPECT_EQ(0, set_path(other, "exec", REPORT));
	EXPECT_EQ(0, set_mode(other, "exit", "0"));
	EXPECT_EQ(0, commit(other));
	EXPECT_EQ(0, map_fd(self->fd, other, 5));
	EXPECT_TRUE(fd_is(self->pid, 5, other));
	EXPECT_EQ(0, wait_pidfd(other));
	/* An ordinary pidfd of the embryo itself is nothing special. */
	EXPECT_EQ(0, map_fd(self->fd, sys_pidfd_open(getpid(), 0), 6));
	EXPECT_EQ(0, map_fd(self->fd, sys_pidfd_open(self->pid, 0), 7));
}

/* As many as one call takes, and as many as the limit allows. */
TEST_F(fds, most)
{
	const size_t count = PIDFD_CONFIG_FDS_MAX;
	struct pidfd_config_fd *map = calloc(count + 1, sizeof(*map));
	size_t i;

	ASSERT_NE(NULL, map);
	ASSERT_EQ(0, nofile_limit(self->pid, count));
	for (i = 0; i <= count; i++) {
		map[i].fd = self->file[i % 4];
		map[i].target = count - 1 - i;
	}
	EXPECT_EQ(-E2BIG, set_binary(self->fd, "fds", map,
				     (count + 1) * sizeof(*map)));
	EXPECT_EQ(0, fd_count(self->pid));
	EXPECT_EQ(0, set_binary(self->fd, "fds", map, count * sizeof(*map)));
	EXPECT_TRUE(fd_is(self->pid, 0, self->file[3]));
	EXPECT_TRUE(fd_is(self->pid, 65535, self->file[0]));
	EXPECT_TRUE(fd_is(self->pid, 65534, self->file[1]));
	free(map);
}

/* Descriptors that only name a file are passed on as well. */
TEST_F(fds, path_descriptor)
{
	int path = open("/tmp", O_PATH | O_CLOEXEC);

	ASSERT_GE(path, 0);
	EXPECT_EQ(0, map_fd(self->fd, path, 5));
	EXPECT_TRUE(fd_is(self->pid, 5, path));
	EXPECT_TRUE(fd_flags(self->pid, 5) & O_PATH);
}

static int open_at(int fd, int dirfd, const char *path, __u64 flags,
		   __u64 mode, unsigned int target)
{
	struct pidfd_config_open how = {
		.path = (uintptr_t)path,
		.flags = flags,
		.mode = mode,
		.dirfd = dirfd,
		.target = target,
	};

	return set_binary(fd, "open", &how, sizeof(how));
}

/* open: the embryo gets the file, O_CLOEXEC says whether the program does. */
TEST_F(fds, open)
{
	EXPECT_EQ(0, open_at(self->fd, AT_FDCWD, "/tmp/file0", O_RDONLY, 0, 5));
	EXPECT_EQ(0, open_at(self->fd, AT_FDCWD, "/tmp/file1",
			     O_RDWR | O_APPEND | O_CLOEXEC, 0, 6));
	EXPECT_EQ(2, fd_count(self->pid));
	EXPECT_TRUE(fd_is(self->pid, 5, self->file[0]));
	EXPECT_TRUE(fd_is(self->pid, 6, self->file[1]));
	EXPECT_EQ(O_RDONLY, fd_flags(self->pid, 5) & O_ACCMODE);
	EXPECT_EQ(O_RDWR | O_APPEND,
		  fd_flags(self->pid, 6) & (O_ACCMODE | O_APPEND));
	EXPECT_FALSE(fd_cloexec(self->pid, 5));
	EXPECT_TRUE(fd_cloexec(self->pid, 6));
	EXPECT_EQ(0, run_default(self->fd, &self->text));
	EXPECT_STREQ("2", field(self->text, "fds"));
	EXPECT_STREQ(fd_id(self->file[0]), field_at(self->text, "fd", 5));
}

/* Nothing of it is in the table of the caller. */
TEST_F(fds, open_not_here)
{
	int before = fd_count(getpid());

	EXPECT_EQ(0, open_at(self->fd, AT_FDCWD, "/tmp/file0", O_RDONLY, 0, 5));
	EXPECT_EQ(-ENOENT, open_at(self->fd, AT_FDCWD, "/tmp/missing", O_RDONLY,
				   0, 6));
	EXPECT_EQ(before, fd_count(getpid()));
}

/* A target that is open is replaced, but only by a file that could be opened. */
TEST_F(fds, open_replaces)
{
	EXPECT_EQ(0, map_fd_flags(self->fd, self->file[0], 5, CLOEXEC));
	EXPECT_EQ(-ENOENT, open_at(self->fd, AT_FDCWD, "/tmp/missing", O_RDONLY,
				   0, 5));
	EXPECT_TRUE(fd_is(self->pid, 5, self->file[0]));
	EXPECT_TRUE(fd_cloexec(self->pid, 5));
	EXPECT_EQ(0, open_at(self->fd, AT_FDCWD, "/tmp/file1", O_RDONLY, 0, 5));
	EXPECT_TRUE(fd_is(self->pid, 5, self->file[1]));
	EXPECT_FALSE(fd_cloexec(self->pid, 5));
}

/* AT_FDCWD is the embryo's directory, other descriptors are the caller's. */
TEST_F(fds, open_relative)
{
	int dir;

	ASSERT_EQ(0, mkdir("/tmp/a", 0755));
	ASSERT_EQ(0, mkdir("/tmp/b", 0755));
	ASSERT_EQ(0, rename("/tmp/file0", "/tmp/a/file"));
	ASSERT_EQ(0, rename("/tmp/file1", "/tmp/b/file"));
	ASSERT_EQ(0, rename("/tmp/file2", "/tmp/file"));
	dir = open("/tmp/b", O_PATH | O_CLOEXEC);
	EXPECT_EQ(0, set_path(self->fd, "cwd", "/tmp/a"));
	EXPECT_EQ(0, open_at(self->fd, AT_FDCWD, "file", O_RDONLY, 0, 5));
	EXPECT_EQ(0, open_at(self->fd, dir, "file", O_RDONLY, 0, 6));
	EXPECT_EQ(0, open_at(self->fd, dir, "../file", O_RDONLY, 0, 7));
	EXPECT_TRUE(fd_is(self->pid, 5, self->file[0]));
	EXPECT_TRUE(fd_is(self->pid, 6, self->file[1]));
	EXPECT_TRUE(fd_is(self->pid, 7, self->file[2]));
	/* A descriptor of the embryo is none here. */
	EXPECT_EQ(0, map_fd(self->fd, dir, 200));
	EXPECT_EQ(-EBADF, open_at(self->fd, 200, "file", O_RDONLY, 0, 8));
}

/* Absolute paths and .. stay below the embryo's root. */
TEST_F(fds, open_in_root)
{
	int dir;

	ASSERT_EQ(0, mkdir("/tmp/jail", 0755));
	ASSERT_EQ(0, rename("/tmp/file0", "/tmp/jail/file"));
	ASSERT_EQ(0, rename("/tmp/file1", "/tmp/file"));
	ASSERT_EQ(0, symlink("/file", "/tmp/jail/link"));
	dir = open("/tmp/jail", O_PATH | O_CLOEXEC);
	EXPECT_EQ(0, set_path(self->fd, "root", "/tmp/jail"));
	EXPECT_EQ(0, open_at(self->fd, AT_FDCWD, "/file", O_RDONLY, 0, 5));
	EXPECT_EQ(0, open_at(self->fd, AT_FDCWD, "/link", O_RDONLY, 0, 6));
	EXPECT_EQ(0, open_at(self->fd, AT_FDCWD, "/../file", O_RDONLY, 0, 7));
	EXPECT_EQ(0, open_at(self->fd, dir, "../file", O_RDONLY, 0, 8));
	EXPECT_TRUE(fd_is(self->pid, 5, self->file[0]));
	EXPECT_TRUE(fd_is(self->pid, 6, self->file[0]));
	EXPECT_TRUE(fd_is(self->pid, 7, self->file[0]));
	EXPECT_TRUE(fd_is(self->pid, 8, self->file[0]));
	EXPECT_EQ(-ENOENT, open_at(self->fd, AT_FDCWD, "/tmp/file", O_RDONLY, 0,
				   9));
}

/* A file that is created gets the embryo's umask, not the caller's. */
TEST_F(fds, open_creates)
{
	static const __u32 mask = 027;
	struct stat st;

	umask(0);
	EXPECT_EQ(0, set_binary(self->fd, "umask", &mask, sizeof(mask)));
	ASSERT_EQ(0, mkdir("/tmp/dir", 0755));
	EXPECT_EQ(0, set_path(self->fd, "cwd", "/tmp/dir"));
	EXPECT_EQ(0, open_at(self->fd, AT_FDCWD, "new",
			     O_WRONLY | O_CREAT | O_EXCL, 0666, 5));
	ASSERT_EQ(0, stat("/tmp/dir/new", &st));
	EXPECT_EQ(0640, st.st_mode & 07777);
	EXPECT_EQ(0, st.st_uid);
	EXPECT_EQ(-EEXIST, open_at(self->fd, AT_FDCWD, "new",
				   O_WRONLY | O_CREAT | O_EXCL, 0666, 6));
	umask(077);
	EXPECT_EQ(0, open_at(self->fd, AT_FDCWD, "/tmp/dir/other",
			     O_WRONLY | O_CREAT, 0666, 6));
	ASSERT_EQ(0, stat("/tmp/dir/other", &st));
	EXPECT_EQ(0640, st.st_mode & 07777);
	EXPECT_EQ(0077, umask(077));
}

/* The errors of openat2(2), and a target beyond the limit before all. */
TEST_F(fds, open_errors)
{
	int file = self->file[0];
	struct pidfd_config_open how = {
		.path = (uintptr_t)"file1",
		.dirfd = AT_FDCWD,
		.target = 5,
	};

	ASSERT_EQ(0, nofile_limit(self->pid, 64));
	ASSERT_EQ(0, symlink("loop", "/tmp/loop"));
	ASSERT_EQ(0, symlink("file0", "/tmp/link"));
	EXPECT_EQ(-ENOENT, open_at(self->fd, AT_FDCWD, "", O_RDONLY, 0, 5));
	EXPECT_EQ(-ENOENT, open_at(self->fd, AT_FDCWD, "no", O_RDONLY, 0, 5));
	EXPECT_EQ(-ENOTDIR, open_at(self->fd, AT_FDCWD, "file0/x", O_RDONLY, 0,
				    5));
	EXPECT_EQ(-ENOTDIR, open_at(self->fd, file, "x", O_RDONLY, 0, 5));
	EXPECT_EQ(-EBADF, open_at(self->fd, 999, "file0", O_RDONLY, 0, 5));
	EXPECT_EQ(-EBADF, open_at(self->fd, -1, "file0", O_RDONLY, 0, 5));
	EXPECT_EQ(-ELOOP, open_at(self->fd, AT_FDCWD, "loop", O_RDONLY, 0, 5));
	EXPECT_EQ(-ELOOP, open_at(self->fd, AT_FDCWD, "link",
				  O_RDONLY | O_NOFOLLOW, 0, 5));
	EXPECT_EQ(-EISDIR, open_at(self->fd, AT_FDCWD, "/tmp", O_RDWR, 0, 5));
	EXPECT_EQ(-EFAULT, open_at(self->fd, AT_FDCWD, NULL, O_RDONLY, 0, 5));
	/* A mode is for O_CREAT alone, unknown bits are refused. */
	EXPECT_EQ(-EINVAL, open_at(self->fd, AT_FDCWD, "file0", O_RDONLY, 0600,
				   5));
	EXPECT_EQ(-EINVAL, open_at(self->fd, AT_FDCWD, "new",
				   O_WRONLY | O_CREAT, 010000, 5));
	EXPECT_EQ(-EINVAL, open_at(self->fd, AT_FDCWD, "file0", 1ULL << 40, 0,
				   5));
	EXPECT_EQ(-EINVAL, open_at(self->fd, AT_FDCWD, "file0", 1ULL << 31, 0,
				   5));
	how.resolve = 1ULL << 40;
	EXPECT_EQ(-EINVAL, set_binary(self->fd, "open", &how, sizeof(how)));
	how.resolve = RESOLVE_BENEATH | RESOLVE_IN_ROOT;
	EXPECT_EQ(-EINVAL, set_binary(self->fd, "open", &how, sizeof(how)));
	how.resolve = RESOLVE_BENEATH;
	EXPECT_EQ(0, set_binary(self->fd, "open", &how, sizeof(how)));
	EXPECT_TRUE(fd_is(self->pid, 5, self->file[1]));
	how.path = (uintptr_t)"/tmp/file0";
	EXPECT_EQ(-EXDEV, set_binary(self->fd, "open", &how, sizeof(how)));
	how.path = (uintptr_t)"link";
	how.resolve = RESOLVE_NO_SYMLINKS;
	EXPECT_EQ(-ELOOP, set_binary(self->fd, "open", &how, sizeof(how)));
	EXPECT_TRUE(fd_is(self->pid, 5, self->file[1]));

	EXPECT_EQ(-EBADF, open_at(self->fd, AT_FDCWD, "new",
				  O_WRONLY | O_CREAT, 0600, 64));
	EXPECT_EQ(-EBADF, open_at(self->fd, AT_FDCWD, "new",
				  O_WRONLY | O_CREAT, 0600, UINT_MAX));
	EXPECT_EQ(-1, access("/tmp/new", F_OK));
	EXPECT_EQ(0, open_at(self->fd, AT_FDCWD, "file0", O_RDONLY, 0, 63));
	EXPECT_EQ(2, fd_count(self->pid));
}

/* The struct may grow by zeros, and by nothing else. */
TEST_F(fds, open_size)
{
	char space[8192] = {};
	struct pidfd_config_open *how = (struct pidfd_config_open *)space;

	how->path = (uintptr_t)"/tmp/file0";
	how->dirfd = AT_FDCWD;
	how->target = 5;
	EXPECT_EQ(-EINVAL, set_binary(self->fd, "open", how, 39));
	EXPECT_EQ(0, set_binary(self->fd, "open", how, 40));
	EXPECT_EQ(0, set_binary(self->fd, "open", how, 41));
	EXPECT_EQ(0, set_binary(self->fd, "open", how, 48));
	EXPECT_EQ(0, set_binary(self->fd, "open", how, 4096));
	EXPECT_EQ(-E2BIG, set_binary(self->fd, "open", how, 4097));
	EXPECT_EQ(-E2BIG, set_binary(self->fd, "open", how, 8192));
	EXPECT_EQ(1, fd_count(self->pid));
	EXPECT_EQ(0, set_fd(self->fd, "close", 5));
	space[47] = 1;
	EXPECT_EQ(-E2BIG, set_binary(self->fd, "open", how, 48));
	EXPECT_EQ(0, set_binary(self->fd, "open", how, 47));
	EXPECT_EQ(0, set_fd(self->fd, "close", 5));
	space[40] = 1;
	EXPECT_EQ(-E2BIG, set_binary(self->fd, "open", how, 41));
	EXPECT_EQ(0, fd_count(self->pid));
}

/* close takes a number of the embryo. */
TEST_F(fds, close)
{
	struct pollfd pfd;
	int p[2];

	ASSERT_EQ(0, pipe2(p, O_CLOEXEC));
	EXPECT_EQ(0, map_fd(self->fd, p[1], 305));
	EXPECT_EQ(0, map_fd(self->fd, self->file[0], 306));
	close(p[1]);
	EXPECT_EQ(-EBADF, set_fd(self->fd, "close", 304));
	EXPECT_EQ(-EBADF, set_fd(self->fd, "close", p[0]));
	EXPECT_EQ(-EBADF, set_fd(self->fd, "close", 999));
	EXPECT_EQ(-EBADF, set_fd(self->fd, "close", INT_MAX));
	EXPECT_EQ(2, fd_count(self->pid));
	EXPECT_EQ(0, set_fd(self->fd, "close", 305));
	EXPECT_EQ(1, fd_count(self->pid));
	EXPECT_TRUE(fd_is(self->pid, 306, self->file[0]));
	/* It is closed at once. */
	pfd.fd = p[0];
	pfd.events = POLLIN;
	EXPECT_EQ(1, poll(&pfd, 1, 0));
	EXPECT_EQ(POLLHUP, pfd.revents);
	EXPECT_EQ(-EBADF, set_fd(self->fd, "close", 305));
	/* The caller's own are not touched. */
	EXPECT_EQ(FD_CLOEXEC, fcntl(p[0], F_GETFD));
}

static int close_in(int fd, unsigned int first, unsigned int last,
		    unsigned int flags)
{
	struct pidfd_config_close_range range = {
		.first = first,
		.last = last,
		.flags = flags,
	};

	return set_binary(fd, "close-range", &range, sizeof(range));
}

/* close-range: with gaps, up to the last, and without one in it. */
TEST_F(fds, close_range)
{
	static const unsigned int targets[] = { 0, 3, 4, 9, 64, 65, 500, 1000 };
	int i;

	for (i = 0; i < ARRAY_SIZE(targets); i++)
		ASSERT_EQ(0, map_fd(self->fd, self->file[0], targets[i]));
	EXPECT_EQ(0, close_in(self->fd, 10, 60, 0));
	EXPECT_EQ(8, fd_count(self->pid));
	EXPECT_EQ(0, close_in(self->fd, 4, 64, 0));
	EXPECT_EQ(5, fd_count(self->pid));
	EXPECT_TRUE(fd_open(self->pid, 3));
	EXPECT_FALSE(fd_open(self->pid, 4));
	EXPECT_FALSE(fd_open(self->pid, 9));
	EXPECT_FALSE(fd_open(self->pid, 64));
	EXPECT_TRUE(fd_open(self->pid, 65));
	EXPECT_EQ(0, close_in(self->fd, 65, 65, 0));
	EXPECT_EQ(4, fd_count(self->pid));
	EXPECT_EQ(0, close_in(self->fd, 3, ~0U, 0));
	EXPECT_EQ(1, fd_count(self->pid));
	EXPECT_TRUE(fd_is(self->pid, 0, self->file[0]));
	EXPECT_EQ(0, close_in(self->fd, 0, ~0U, 0));
	EXPECT_EQ(0, fd_count(self->pid));
	EXPECT_EQ(0, close_in(self->fd, 0, ~0U, 0));
	EXPECT_EQ(0, close_in(self->fd, ~0U, ~0U, 0));
	/* The caller's own are not touched. */
	EXPECT_EQ(FD_CLOEXEC, fcntl(self->file[0], F_GETFD));
}

/* CLOSE_RANGE_CLOEXEC marks them. */
TEST_F(fds, close_range_cloexec)
{
	static const unsigned int targets[] = { 0, 3, 70, 900 };
	int i;

	for (i = 0; i < ARRAY_SIZE(targets); i++)
		ASSERT_EQ(0, map_fd(self->fd, self->file[0], targets[i]));
	EXPECT_EQ(0, close_in(self->fd, 3, 100, CLOSE_RANGE_CLOEXEC));
	EXPECT_EQ(4, fd_count(self->pid));
	EXPECT_FALSE(fd_cloexec(self->pid, 0));
	EXPECT_TRUE(fd_cloexec(self->pid, 3));
	EXPECT_TRUE(fd_cloexec(self->pid, 70));
	EXPECT_FALSE(fd_cloexec(self->pid, 900));
	EXPECT_EQ(0, close_in(self->fd, 2, ~0U, CLOSE_RANGE_CLOEXEC));
	EXPECT_TRUE(fd_cloexec(self->pid, 900));
	EXPECT_EQ(0, run_default(self->fd, &self->text));
	EXPECT_STREQ("2", field(self->text, "fds"));
}

TEST_F(fds, close_range_errors)
{
	struct pidfd_config_close_range tail[2] = {
		{ .first = 5, .last = 5 },
	};

	ASSERT_EQ(0, map_fd(self->fd, self->file[0], 5));
	EXPECT_EQ(-EINVAL, close_in(self->fd, 6, 5, 0));
	EXPECT_EQ(-EINVAL, close_in(self->fd, ~0U, 0, 0));
	EXPECT_EQ(-EINVAL, close_in(self->fd, 0, ~0U, CLOSE_RANGE_UNSHARE));
	EXPECT_EQ(-EINVAL, close_in(self->fd, 0, ~0U, CLOSE_RANGE_UNSHARE |
				    CLOSE_RANGE_CLOEXEC));
	EXPECT_EQ(-EINVAL, close_in(self->fd, 0, ~0U, 1));
	EXPECT_EQ(-EINVAL, close_in(self->fd, 0, ~0U, 1U << 31));
	EXPECT_EQ(-EINVAL, set_binary(self->fd, "close-range", tail, 11));
	tail[1].flags = 1;
	EXPECT_EQ(-E2BIG, set_binary(self->fd, "close-range", tail, 24));
	EXPECT_EQ(1, fd_count(self->pid));
	tail[1].flags = 0;
	EXPECT_EQ(0, set_binary(self->fd, "close-range", tail, 24));
	EXPECT_EQ(0, fd_count(self->pid));
}

/* Moves every descriptor of ours out of the way, close-on-exec. */
static void mark_all(void)
{
	syscall(SYS_close_range, 0, ~0U, CLOSE_RANGE_CLOEXEC);
}

/*
 * inherit-fds: what is not close-on-exec comes at the same number, with gaps
 * and with high ones, replacing what is there; the rest is left alone.
 */
TEST_F(fds, inherit)
{
	mark_all();
	ASSERT_EQ(60, dup2(self->file[0], 60));
	ASSERT_EQ(64, dup2(self->file[1], 64));
	ASSERT_EQ(700, dup2(self->file[2], 700));
	ASSERT_EQ(701, dup3(self->file[2], 701, O_CLOEXEC));
	EXPECT_EQ(0, map_fd_flags(self->fd, self->file[3], 60, CLOEXEC));
	EXPECT_EQ(0, map_fd_flags(self->fd, self->file[3], 61, CLOEXEC));
	EXPECT_EQ(0, map_fd(self->fd, self->file[3], 701));
	EXPECT_EQ(0, set_flag(self->fd, "inherit-fds"));
	EXPECT_EQ(5, fd_count(self->pid));
	EXPECT_TRUE(fd_is(self->pid, 60, self->file[0]));
	EXPECT_FALSE(fd_cloexec(self->pid, 60));
	EXPECT_TRUE(fd_is(self->pid, 61, self->file[3]));
	EXPECT_TRUE(fd_cloexec(self->pid, 61));
	EXPECT_TRUE(fd_is(self->pid, 64, self->file[1]));
	EXPECT_TRUE(fd_is(self->pid, 700, self->file[2]));
	EXPECT_TRUE(fd_is(self->pid, 701, self->file[3]));
	/* The caller's table is what it was. */
	EXPECT_EQ(0, fcntl(60, F_GETFD));
	EXPECT_EQ(FD_CLOEXEC, fcntl(701, F_GETFD));
	EXPECT_EQ(0, run_default(self->fd, &self->text));
	/* Those and the pipe, but not 61. */
	EXPECT_STREQ("5", field(self->text, "fds"));
	EXPECT_STREQ(fd_id(self->file[2]), field_at(self->text, "fd", 700));
	EXPECT_STREQ("(none)", field_at(self->text, "fd", 61));
}

/* It takes the descriptors of the moment of the call. */
TEST_F(fds, inherit_now)
{
	mark_all();
	ASSERT_EQ(60, dup2(self->file[0], 60));
	EXPECT_EQ(0, set_flag(self->fd, "inherit-fds"));
	close(60);
	ASSERT_EQ(61, dup2(self->file[0], 61));
	EXPECT_EQ(1, fd_count(self->pid));
	EXPECT_TRUE(fd_is(self->pid, 60, self->file[0]));
}

/* Nothing to inherit is no error. */
TEST_F(fds, inherit_nothing)
{
	mark_all();
	EXPECT_EQ(0, set_flag(self->fd, "inherit-fds"));
	EXPECT_EQ(0, fd_count(self->pid));
}

/* As fork(2), it does not look at the limit: what is open is inherited. */
TEST_F(fds, inherit_beyond_limit)
{
	mark_all();
	ASSERT_EQ(700, dup2(self->file[0], 700));
	ASSERT_EQ(0, nofile_limit(self->pid, 64));
	EXPECT_EQ(0, set_flag(self->fd, "inherit-fds"));
	EXPECT_TRUE(fd_is(self->pid, 700, self->file[0]));
	EXPECT_EQ(1, fd_count(self->pid));
}

/* Builders of embryos are left out, with a warning in the log. */
TEST_F(fds, inherit_builder)
{
	char text[1024];
	ssize_t n;

	mark_all();
	ASSERT_EQ(60, dup2(self->file[0], 60));
	ASSERT_EQ(61, dup2(self->fd, 61));
	EXPECT_EQ(0, fcntl(61, F_GETFD));
	EXPECT_EQ(0, set_flag(self->fd, "inherit-fds"));
	EXPECT_EQ(1, fd_count(self->pid));
	EXPECT_TRUE(fd_is(self->pid, 60, self->file[0]));
	n = read(self->fd, text, sizeof(text) - 1);
	ASSERT_GT(n, 0);
	text[n] = '\0';
	EXPECT_EQ(0, strncmp(text, "w inherit-fds: ", 15))
		TH_LOG("'%s'", text);
}

/* The embryo's files do not outlive it. */
TEST_F(fds, closed_with_embryo)
{
	struct pollfd pfd;
	int p[2];

	ASSERT_EQ(0, pipe2(p, O_CLOEXEC));
	EXPECT_EQ(0, map_fd(self->fd, p[1], 5));
	close(p[1]);
	close(self->fd);
	pfd.fd = p[0];
	pfd.events = POLLIN;
	EXPECT_EQ(1, poll(&pfd, 1, LONG_MS));
	EXPECT_EQ(POLLHUP, pfd.revents);
}

/* Nor do those of one that is killed while the builder stays open. */
TEST_F(fds, closed_with_killed)
{
	struct pollfd pfd;
	int p[2];

	ASSERT_EQ(0, pipe2(p, O_CLOEXEC));
	EXPECT_EQ(0, map_fd(self->fd, p[1], 5));
	close(p[1]);
	EXPECT_EQ(0, send_signal(self->fd, SIGKILL));
	pfd.fd = p[0];
	pfd.events = POLLIN;
	EXPECT_EQ(1, poll(&pfd, 1, LONG_MS));
	EXPECT_EQ(POLLHUP, pfd.revents);
}

TEST_HARNESS_MAIN
