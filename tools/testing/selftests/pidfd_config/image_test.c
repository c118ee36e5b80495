// SPDX-License-Identifier: GPL-2.0
/*
 * The key exec, and CMD_COMMIT: which file runs, under which name, and the
 * errno when it does not.
 */
#include <sys/prctl.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include "pidfd_config_util.h"
#include "kselftest_harness.h"
#include "embryo_fixture.h"

/* An absolute path is the name as it is given. */
TEST_F(embryo, absolute_path)
{
	EXPECT_EQ(0, set_path(self->fd, "exec", "/tmp/../tmp/./report"));
	EXPECT_EQ(0, run_report(self->fd, &self->text));
	EXPECT_STREQ("/tmp/../tmp/./report", field(self->text, "execfn"));
	EXPECT_STREQ("/tmp/../tmp/./report", field_at(self->text, "arg", 0));
	EXPECT_STREQ("report", field(self->text, "comm"));
}

/* It stays that with a directory that it does not use, open or not. */
TEST_F(embryo, absolute_path_at)
{
	EXPECT_EQ(0, set_path_at(self->fd, "exec", 999, REPORT));
	EXPECT_EQ(0, run_report(self->fd, &self->text));
	EXPECT_STREQ(REPORT, field(self->text, "execfn"));
}

/* A relative path starts at the embryo's working directory. */
TEST_F(embryo, relative_path)
{
	ASSERT_EQ(0, mkdir("/tmp/dir", 0755));
	ASSERT_EQ(0, mkdir("/tmp/dir/sub", 0755));
	ASSERT_EQ(0, rename(REPORT, "/tmp/dir/sub/report"));
	EXPECT_EQ(-ENOENT, set_path(self->fd, "exec", "sub/report"));
	EXPECT_EQ(0, set_path(self->fd, "cwd", "/tmp/dir"));
	EXPECT_EQ(0, set_path(self->fd, "exec", "sub/report"));
	/* It is resolved now: later steps do not matter. */
	EXPECT_EQ(0, set_path(self->fd, "cwd", "/"));
	EXPECT_EQ(0, run_report(self->fd, &self->text));
	EXPECT_STREQ("sub/report", field(self->text, "execfn"));
	EXPECT_STREQ("sub/report", field_at(self->text, "arg", 0));
	EXPECT_STREQ("/", field(self->text, "cwd"));
}

/* With a directory of the caller's it is named after the descriptor. */
TEST_F(embryo, path_at)
{
	char want[64];
	int dir = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);

	ASSERT_GE(dir, 0);
	EXPECT_EQ(0, set_path_at(self->fd, "exec", dir, "report"));
	EXPECT_EQ(0, run_report(self->fd, &self->text));
	snprintf(want, sizeof(want), "/dev/fd/%d/report", dir);
	EXPECT_STREQ(want, field(self->text, "execfn"));
	EXPECT_STREQ(want, field_at(self->text, "arg", 0));
}

FIXTURE(by_fd) {
	int fd;
	char *text;
};

FIXTURE_VARIANT(by_fd) {
	unsigned int cmd;
	const char *value;
	int flags;
	bool memfd;
};

FIXTURE_VARIANT_ADD(by_fd, set_fd) {
	.cmd = PIDFD_CONFIG_SET_FD, .flags = O_RDONLY,
};

FIXTURE_VARIANT_ADD(by_fd, set_fd_path) {
	.cmd = PIDFD_CONFIG_SET_FD, .flags = O_PATH,
};

FIXTURE_VARIANT_ADD(by_fd, set_fd_memfd) {
	.cmd = PIDFD_CONFIG_SET_FD, .memfd = true,
};

FIXTURE_VARIANT_ADD(by_fd, empty) {
	.cmd = PIDFD_CONFIG_SET_PATH_EMPTY, .value = "", .flags = O_RDONLY,
};

FIXTURE_VARIANT_ADD(by_fd, empty_path) {
	.cmd = PIDFD_CONFIG_SET_PATH_EMPTY, .value = "", .flags = O_PATH,
};

FIXTURE_VARIANT_ADD(by_fd, empty_memfd) {
	.cmd = PIDFD_CONFIG_SET_PATH_EMPTY, .value = "", .memfd = true,
};

FIXTURE_SETUP(by_fd)
{
	self->text = NULL;
	ASSERT_EQ(0, scratch());
	self->fd = empty_open();
	ASSERT_GE(self->fd, 0);
}

FIXTURE_TEARDOWN(by_fd)
{
	free(self->text);
	close(self->fd);
}

/* A descriptor: the name is /dev/fd/N. What becomes of it later is nothing. */
TEST_F(by_fd, run)
{
	char want[64], path[64];
	int image;

	if (variant->memfd) {
		int memfd = syscall(SYS_memfd_create, "image", MFD_EXEC);

		if (memfd < 0 && errno == EINVAL)
			memfd = syscall(SYS_memfd_create, "image", 0);
		ASSERT_GE(memfd, 0);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", memfd);
		ASSERT_EQ(0, copy_file(REPORT, path, 0755));
		/* Open for writing it could not be executed. */
		image = open(path, O_RDONLY | O_CLOEXEC);
		close(memfd);
	} else {
		image = open(REPORT, variant->flags | O_CLOEXEC);
	}
	ASSERT_GE(image, 0);
	snprintf(want, sizeof(want), "/dev/fd/%d", image);
	EXPECT_EQ(0, config(self->fd, variant->cmd, "exec", variant->value,
			    image));
	close(image);
	EXPECT_EQ(0, run_report(self->fd, &self->text));
	EXPECT_STREQ(want, field(self->text, "execfn"));
	EXPECT_STREQ(want, field_at(self->text, "arg", 0));
	EXPECT_STREQ("1", field(self->text, "fds"));
}

/* SET_PATH_EMPTY with a path is SET_PATH. */
TEST_F(embryo, path_empty_with_path)
{
	int dir = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char want[64];

	EXPECT_EQ(0, set_path_empty(self->fd, "exec", AT_FDCWD, REPORT));
	EXPECT_EQ(0, set_path_empty(self->fd, "exec", dir, "report"));
	EXPECT_EQ(0, run_report(self->fd, &self->text));
	snprintf(want, sizeof(want), "/dev/fd/%d/report", dir);
	EXPECT_STREQ(want, field(self->text, "execfn"));
}

/* The errors of the lookup come from the call that names the file. */
TEST_F(embryo, lookup_errors)
{
	char longest[256 + 8], very_long[PATH_MAX + 8];
	static const struct {
		const char *path;
		int error;
	} paths[] = {
		{ "",				ENOENT },
		{ "/tmp/missing",		ENOENT },
		{ "/tmp/missing/report",	ENOENT },
		{ "/tmp/dangling",		ENOENT },
		{ "/tmp/report/x",		ENOTDIR },
		{ "/tmp/report/",		ENOTDIR },
		{ "/tmp/loop",			ELOOP },
		{ "/tmp/loop/x",		ELOOP },
		{ "/tmp/dir",			EACCES },
		{ "/tmp/dir/",			EACCES },
		{ "/",				EACCES },
		{ ".",				EACCES },
		{ "/tmp/fifo",			EACCES },
		{ "/tmp/socket",		EACCES },
		{ "/tmp/null",			EACCES },
		{ "/tmp/plain",			EACCES },
		{ "/tmp/noexec/report",		EACCES },
		{ "/proc/self/fd/999",		ENOENT },
	};
	struct sockaddr_un addr = {
		.sun_family = AF_UNIX,
		.sun_path = "/tmp/socket",
	};
	int i;

	ASSERT_EQ(0, mkdir("/tmp/dir", 0755));
	ASSERT_EQ(0, symlink("loop", "/tmp/loop"));
	ASSERT_EQ(0, symlink("nowhere", "/tmp/dangling"));
	ASSERT_EQ(0, mkfifo("/tmp/fifo", 0777));
	ASSERT_EQ(0, chmod("/tmp/fifo", 0777));
	ASSERT_EQ(0, mknod("/tmp/null", S_IFCHR | 0777, makedev(1, 3)));
	ASSERT_EQ(0, chmod("/tmp/null", 0777));
	ASSERT_EQ(0, bind(socket(AF_UNIX, SOCK_STREAM, 0),
			  (struct sockaddr *)&addr, sizeof(addr)));
	ASSERT_EQ(0, copy_file(REPORT, "/tmp/plain", 0644));
	ASSERT_EQ(0, mkdir("/tmp/noexec", 0755));
	ASSERT_EQ(0, mount("noexec", "/tmp/noexec", "tmpfs", MS_NOEXEC, NULL));
	ASSERT_EQ(0, copy_file(REPORT, "/tmp/noexec/report", 0755));

	for (i = 0; i < ARRAY_SIZE(paths); i++) {
		EXPECT_EQ(-paths[i].error,
			  set_path(self->fd, "exec", paths[i].path))
			TH_LOG("'%s'", paths[i].path);
	}
	memset(longest, 'x', sizeof(longest));
	longest[256] = '\0';
	EXPECT_EQ(-ENAMETOOLONG, set_path(self->fd, "exec", longest));
	longest[255] = '\0';
	EXPECT_EQ(-ENOENT, set_path(self->fd, "exec", longest));
	memset(very_long, '/', sizeof(very_long));
	very_long[PATH_MAX] = '\0';
	EXPECT_EQ(-ENAMETOOLONG, set_path(self->fd, "exec", very_long));
	very_long[PATH_MAX - 1] = '\0';
	EXPECT_EQ(-EACCES, set_path(self->fd, "exec", very_long));

	/* None of that is an image. */
	EXPECT_EQ(-EINVAL, commit(self->fd));
}

/* The same for a directory or image by descriptor. */
TEST_F(embryo, descriptor_errors)
{
	int dir = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int file = open(REPORT, O_RDONLY | O_CLOEXEC);
	int pipe_fds[2], plain;

	ASSERT_EQ(0, pipe2(pipe_fds, O_CLOEXEC));
	ASSERT_EQ(0, copy_file(REPORT, "/tmp/plain", 0644));
	plain = open("/tmp/plain", O_RDONLY | O_CLOEXEC);
	ASSERT_GE(plain, 0);

	EXPECT_EQ(-EBADF, set_path_at(self->fd, "exec", 999, "report"));
	EXPECT_EQ(-ENOTDIR, set_path_at(self->fd, "exec", file, "report"));
	EXPECT_EQ(-ENOENT, set_path_at(self->fd, "exec", dir, "missing"));
	EXPECT_EQ(-ENOENT, set_path_at(self->fd, "exec", file, ""));
	EXPECT_EQ(-EBADF, set_path_empty(self->fd, "exec", 999, ""));
	EXPECT_EQ(-EBADF, set_path_empty(self->fd, "exec", 999, "report"));
	EXPECT_EQ(-EACCES, set_path_empty(self->fd, "exec", dir, ""));
	EXPECT_EQ(-EACCES, set_path_empty(self->fd, "exec", plain, ""));
	EXPECT_EQ(-EACCES, set_path_empty(self->fd, "exec", AT_FDCWD, ""));
	EXPECT_EQ(-EBADF, set_fd(self->fd, "exec", 999));
	EXPECT_EQ(-EACCES, set_fd(self->fd, "exec", dir));
	EXPECT_EQ(-EACCES, set_fd(self->fd, "exec", plain));
	EXPECT_EQ(-EACCES, set_fd(self->fd, "exec", pipe_fds[0]));
	EXPECT_EQ(-EINVAL, commit(self->fd));
}

/* Symbolic links are followed, the name stays that of the link. */
TEST_F(embryo, symlink)
{
	ASSERT_EQ(0, symlink("report", "/tmp/link"));
	EXPECT_EQ(0, set_path(self->fd, "exec", "/tmp/link"));
	EXPECT_EQ(0, run_report(self->fd, &self->text));
	EXPECT_STREQ("/tmp/link", field(self->text, "execfn"));
}

/* The last one that could be set is the one that runs. */
TEST_F(embryo, last_wins)
{
	ASSERT_EQ(0, link(REPORT, "/tmp/second"));
	EXPECT_EQ(0, set_path(self->fd, "exec", REPORT));
	EXPECT_EQ(0, set_path(self->fd, "exec", "/tmp/second"));
	EXPECT_EQ(-ENOENT, set_path(self->fd, "exec", "/tmp/third"));
	EXPECT_EQ(-EBADF, set_fd(self->fd, "exec", 999));
	EXPECT_EQ(0, run_report(self->fd, &self->text));
	EXPECT_STREQ("/tmp/second", field(self->text, "execfn"));
}

/* No image: EINVAL, and the embryo stays. */
TEST_F(embryo, unset)
{
	EXPECT_EQ(-EINVAL, commit(self->fd));
	EXPECT_EQ(-EINVAL, commit_flags(self->fd, PIDFD_COMMIT_NOWAIT));
	EXPECT_EQ(0, poll_now(self->fd));
	EXPECT_EQ(0, run_default(self->fd, &self->text));
}

/* The inode is pinned: another file renamed over it does not run. */
TEST_F(embryo, renamed_over)
{
	ASSERT_EQ(0, make_file("/tmp/image", "#!/tmp/report old\n", 0755));
	ASSERT_EQ(0, make_file("/tmp/other", "#!/tmp/report new\n", 0755));
	EXPECT_EQ(0, set_path(self->fd, "exec", "/tmp/image"));
	ASSERT_EQ(0, rename("/tmp/other", "/tmp/image"));
	EXPECT_EQ(0, run_report(self->fd, &self->text));
	EXPECT_STREQ("old", field_at(self->text, "arg", 1));
}

/* So it is when it was moved away ... */
TEST_F(embryo, moved)
{
	EXPECT_EQ(0, set_path(self->fd, "exec", REPORT));
	ASSERT_EQ(0, rename(REPORT, "/tmp/moved"));
	EXPECT_EQ(0, run_report(self->fd, &self->text));
	EXPECT_STREQ(REPORT, field(self->text, "execfn"));
}

/* ... or deleted. */
TEST_F(embryo, deleted)
{
	EXPECT_EQ(0, set_path(self->fd, "exec", REPORT));
	ASSERT_EQ(0, unlink(REPORT));
	EXPECT_EQ(0, run_report(self->fd, &self->text));
	EXPECT_STREQ(REPORT, field(self->text, "execfn"));
}

/* A #! script by path: the interpreter gets that path. */
TEST_F(embryo, script)
{
	static const char *const argv[] = { "lost", "one", NULL };

	ASSERT_EQ(0, make_file("/tmp/script", "#!/tmp/report  opt ion\n",
			       0755));
	EXPECT_EQ(0, set_path(self->fd, "exec", "/tmp/script"));
	EXPECT_EQ(0, set_strings(self->fd, "argv", argv));
	EXPECT_EQ(0, run_report(self->fd, &self->text));
	EXPECT_STREQ("4", field(self->text, "argc"));
	EXPECT_STREQ("/tmp/report", field_at(self->text, "arg", 0));
	EXPECT_STREQ("opt ion", field_at(self->text, "arg", 1));
	EXPECT_STREQ("/tmp/script", field_at(self->text, "arg", 2));
	EXPECT_STREQ("one", field_at(self->text, "arg", 3));
	EXPECT_STREQ("script", field(self->text, "comm"));
}

/* Without argv it is the interpreter and the script. */
TEST_F(embryo, script_unset_argv)
{
	ASSERT_EQ(0, make_file("/tmp/script", "#!/tmp/report\n", 0755));
	EXPECT_EQ(0, set_path(self->fd, "exec", "/tmp/script"));
	EXPECT_EQ(0, run_report(self->fd, &self->text));
	EXPECT_STREQ("2", field(self->text, "argc"));
	EXPECT_STREQ("/tmp/report", field_at(self->text, "arg", 0));
	EXPECT_STREQ("/tmp/script", field_at(self->text, "arg", 1));
}

/*
 * A script by descriptor N is ENOENT as long as descriptor N of the embryo is
 * not that file, or is close-on-exec; then the interpreter gets /dev/fd/N.
 */
TEST_F(embryo, script_by_fd)
{
	int script, other;
	char want[64];

	ASSERT_EQ(0, make_file("/tmp/script", "#!/tmp/report\n", 0755));
	script = open("/tmp/script", O_RDONLY | O_CLOEXEC);
	other = open(REPORT, O_RDONLY | O_CLOEXEC);
	ASSERT_GE(script, 0);
	ASSERT_GE(other, 0);
	EXPECT_EQ(0, set_fd(self->fd, "exec", script));
	EXPECT_EQ(-ENOENT, commit(self->fd));
	EXPECT_EQ(0, map_fd(self->fd, other, script));
	EXPECT_EQ(-ENOENT, commit(self->fd));
	EXPECT_EQ(0, map_fd_flags(self->fd, script, script,
				  PIDFD_CONFIG_FD_CLOEXEC));
	EXPECT_EQ(-ENOENT, commit(self->fd));
	EXPECT_EQ(0, map_fd(self->fd, script, script + 1));
	EXPECT_EQ(-ENOENT, commit(self->fd));
	EXPECT_EQ(0, map_fd(self->fd, script, script));
	EXPECT_EQ(0, run_report(self->fd, &self->text));
	snprintf(want, sizeof(want), "/dev/fd/%d", script);
	EXPECT_STREQ("2", field(self->text, "argc"));
	EXPECT_STREQ(want, field_at(self->text, "arg", 1));
	EXPECT_STREQ(fd_id(script), field_at(self->text, "fd", script));
}

/* The same for a script below a directory by descriptor. */
TEST_F(embryo, script_by_dir)
{
	char want[64];
	int dir, other;

	ASSERT_EQ(0, mkdir("/tmp/dir", 0755));
	ASSERT_EQ(0, make_file("/tmp/dir/script", "#!/tmp/report\n", 0755));
	dir = open("/tmp/dir", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	other = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	EXPECT_EQ(0, set_path_at(self->fd, "exec", dir, "script"));
	EXPECT_EQ(-ENOENT, commit(self->fd));
	EXPECT_EQ(0, map_fd(self->fd, other, dir));
	EXPECT_EQ(-ENOENT, commit(self->fd));
	EXPECT_EQ(0, map_fd_flags(self->fd, dir, dir,
				  PIDFD_CONFIG_FD_CLOEXEC));
	EXPECT_EQ(-ENOENT, commit(self->fd));
	EXPECT_EQ(0, map_fd(self->fd, dir, dir));
	EXPECT_EQ(0, run_report(self->fd, &self->text));
	snprintf(want, sizeof(want), "/dev/fd/%d/script", dir);
	EXPECT_STREQ(want, field_at(self->text, "arg", 1));
}

/* An interpreter that is missing is ENOENT; commit can be retried. */
TEST_F(embryo, script_without_interpreter)
{
	ASSERT_EQ(0, make_file("/tmp/script", "#!/tmp/interpreter\n", 0755));
	EXPECT_EQ(0, set_path(self->fd, "exec", "/tmp/script"));
	EXPECT_EQ(-ENOENT, commit(self->fd));
	EXPECT_EQ(0, poll_now(self->fd));
	ASSERT_EQ(0, mkdir("/tmp/interpreter", 0755));
	EXPECT_EQ(-EACCES, commit(self->fd));
	ASSERT_EQ(0, rmdir("/tmp/interpreter"));
	ASSERT_EQ(0, copy_file(REPORT, "/tmp/interpreter", 0644));
	EXPECT_EQ(-EACCES, commit(self->fd));
	ASSERT_EQ(0, chmod("/tmp/interpreter", 0755));
	EXPECT_EQ(0, run_report(self->fd, &self->text));
	EXPECT_STREQ("/tmp/interpreter", field_at(self->text, "arg", 0));
}

/* What no format recognises is ENOEXEC. */
TEST_F(embryo, no_format)
{
	ASSERT_EQ(0, make_file("/tmp/plain", "no program\n", 0755));
	ASSERT_EQ(0, make_file("/tmp/empty", "", 0755));
	ASSERT_EQ(0, make_file("/tmp/elf", "\177ELF", 0755));
	EXPECT_EQ(0, set_path(self->fd, "exec", "/tmp/plain"));
	EXPECT_EQ(-ENOEXEC, commit(self->fd));
	EXPECT_EQ(0, set_path(self->fd, "exec", "/tmp/empty"));
	EXPECT_EQ(-ENOEXEC, commit(self->fd));
	EXPECT_EQ(0, set_path(self->fd, "exec", "/tmp/elf"));
	EXPECT_EQ(-ENOEXEC, commit(self->fd));
	EXPECT_EQ(0, poll_now(self->fd));
	/* All of them left a usable embryo. */
	EXPECT_STREQ("embryo", status(self->pid, "Name"));
	EXPECT_STREQ("", proc_text(self->pid, "cmdline"));
	EXPECT_EQ(0, fd_count(self->pid));
	EXPECT_EQ(0, run_default(self->fd, &self->text));
}

/* The permission is looked at again by the child. */
TEST_F(embryo, permission_lost)
{
	EXPECT_EQ(0, set_path(self->fd, "exec", REPORT));
	ASSERT_EQ(0, chmod(REPORT, 0644));
	EXPECT_EQ(-EACCES, commit(self->fd));
	EXPECT_EQ(-EACCES, set_path(self->fd, "exec", REPORT));
	ASSERT_EQ(0, chmod(REPORT, 0755));
	EXPECT_EQ(0, run_report(self->fd, &self->text));
}

/* And so is the mount. */
TEST_F(embryo, mount_noexec)
{
	EXPECT_EQ(0, set_path(self->fd, "exec", REPORT));
	ASSERT_EQ(0, mount(NULL, "/tmp", NULL, MS_REMOUNT | MS_NOEXEC, NULL));
	EXPECT_EQ(-EACCES, commit(self->fd));
	ASSERT_EQ(0, mount(NULL, "/tmp", NULL, MS_REMOUNT, NULL));
	EXPECT_EQ(0, run_report(self->fd, &self->text));
}

/* An image open for writing is ETXTBSY at commit, until it is closed. */
TEST_F(embryo, text_busy)
{
	int writer = open(REPORT, O_RDWR | O_CLOEXEC);

	ASSERT_GE(writer, 0);
	EXPECT_EQ(0, set_path(self->fd, "exec", REPORT));
	EXPECT_EQ(-ETXTBSY, commit(self->fd));
	EXPECT_EQ(-ETXTBSY, commit(self->fd));
	close(writer);
	EXPECT_EQ(0, run_report(self->fd, &self->text));
}

/* Naming the image does not keep anyone from writing to it. */
TEST_F(embryo, pinned_is_writable)
{
	int writer;

	EXPECT_EQ(0, set_path(self->fd, "exec", REPORT));
	writer = open(REPORT, O_RDWR | O_CLOEXEC);
	EXPECT_GE(writer, 0);
	close(writer);
	EXPECT_EQ(0, run_report(self->fd, &self->text));
}

/* Nor does a commit that failed. */
TEST_F(embryo, failed_is_writable)
{
	int writer;

	ASSERT_EQ(0, make_file("/tmp/plain", "no program\n", 0755));
	EXPECT_EQ(0, set_path(self->fd, "exec", "/tmp/plain"));
	EXPECT_EQ(-ENOEXEC, commit(self->fd));
	writer = open("/tmp/plain", O_RDWR | O_CLOEXEC);
	EXPECT_GE(writer, 0);
	close(writer);
}

/* A search: exec and commit until one runs; all else stays configured. */
TEST_F(embryo, retry)
{
	static const char *const argv[] = { "zero", "one", NULL };
	static const char *const paths[] = {
		"/tmp/plain", "/tmp/text", "/tmp/script",
	};
	static const int errors[] = { EACCES, ENOEXEC, ENOENT };
	static const __u32 mask = 0123;
	int i, null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	ASSERT_EQ(0, copy_file(REPORT, "/tmp/plain", 0755));
	ASSERT_EQ(0, make_file("/tmp/text", "no program\n", 0755));
	ASSERT_EQ(0, make_file("/tmp/script", "#!/tmp/nothing\n", 0755));
	EXPECT_EQ(0, set_strings(self->fd, "argv", argv));
	EXPECT_EQ(0, set_string(self->fd, "env", "E=1"));
	EXPECT_EQ(0, set_binary(self->fd, "umask", &mask, sizeof(mask)));
	EXPECT_EQ(0, map_fd(self->fd, null, 7));
	EXPECT_EQ(0, map_fd_flags(self->fd, null, 8, PIDFD_CONFIG_FD_CLOEXEC));
	for (i = 0; i < ARRAY_SIZE(paths); i++) {
		EXPECT_EQ(0, set_path(self->fd, "exec", paths[i]));
		if (!i)
			ASSERT_EQ(0, chmod(paths[i], 0644));
		EXPECT_EQ(-errors[i], commit(self->fd))
			TH_LOG("%s", paths[i]);
		EXPECT_TRUE(fd_is(self->pid, 7, null));
		EXPECT_TRUE(fd_is(self->pid, 8, null));
		EXPECT_STREQ("0123", status(self->pid, "Umask"));
		EXPECT_EQ(self->pid, pidfd_pid(self->fd));
		EXPECT_EQ(-ECHILD, wait_any(WNOHANG));
	}
	EXPECT_EQ(0, run_default(self->fd, &self->text));
	EXPECT_STREQ("2", field(self->text, "argc"));
	EXPECT_STREQ("zero", field_at(self->text, "arg", 0));
	EXPECT_STREQ("E=1", field_at(self->text, "env", 0));
	EXPECT_STREQ("0123", field(self->text, "umask"));
	EXPECT_STREQ("2", field(self->text, "fds"));
	EXPECT_STREQ(fd_id(null), field_at(self->text, "fd", 7));
}

/* The same many times: a failed commit leaves nothing behind. */
TEST_F(embryo, retry_often)
{
	int i;

	ASSERT_EQ(0, make_file("/tmp/text", "no program\n", 0755));
	EXPECT_EQ(0, set_path(self->fd, "exec", "/tmp/text"));
	for (i = 0; i < 200; i++) {
		ASSERT_EQ(-ENOEXEC, commit(self->fd))
			TH_LOG("round %d", i);
	}
	EXPECT_EQ(0, run_default(self->fd, &self->text));
}

/* When commit returns, the program is there. */
TEST_F(embryo, commit_waits)
{
	int p[2];

	ASSERT_EQ(0, pipe2(p, O_CLOEXEC));
	EXPECT_EQ(0, map_fd(self->fd, p[0], 0));
	EXPECT_EQ(0, set_path(self->fd, "exec", REPORT));
	EXPECT_EQ(0, set_mode(self->fd, "hold", NULL));
	EXPECT_EQ(0, commit(self->fd));
	EXPECT_STREQ(REPORT, proc_link(self->pid, "exe"));
	EXPECT_STREQ("report", status(self->pid, "Name"));
	EXPECT_STREQ("report\n", proc_text(self->pid, "comm"));
	EXPECT_STRNE("(none)", status(self->pid, "VmSize"));
	EXPECT_EQ(0, memcmp(proc_text(self->pid, "cmdline"), "report", 7));
	EXPECT_EQ(0, poll_now(self->fd));
	EXPECT_EQ(self->pid, pidfd_pid(self->fd));
	/* It is committed once and for all. */
	EXPECT_EQ(-EBUSY, commit(self->fd));
	EXPECT_EQ(-EBUSY, commit_flags(self->fd, PIDFD_COMMIT_NOWAIT));
	EXPECT_EQ(-EBUSY, set_string(self->fd, "arg", "x"));
	EXPECT_EQ(-EBUSY, set_path(self->fd, "exec", "/tmp/missing"));
	EXPECT_EQ(-EBUSY, set_flag(self->fd, "inherit-fds"));
	EXPECT_EQ(-EBUSY, set_fd(self->fd, "close", 0));
	close(p[1]);
	EXPECT_EQ(0, wait_pidfd(self->fd));
	/* Also when it has ended. */
	EXPECT_EQ(-EBUSY, commit(self->fd));
	EXPECT_EQ(-EBUSY, set_string(self->fd, "arg", "x"));
}

/* PIDFD_COMMIT_NOWAIT starts the same program. */
TEST_F(embryo, nowait)
{
	EXPECT_EQ(0, set_path(self->fd, "exec", REPORT));
	EXPECT_EQ(0, set_mode(self->fd, "exit", "42"));
	EXPECT_EQ(0, commit_flags(self->fd, PIDFD_COMMIT_NOWAIT));
	EXPECT_EQ(42, wait_pidfd(self->fd));
	EXPECT_EQ(-ECHILD, wait_any(__WALL));
}

/*
 * When it cannot, the child exits with 127 as an ordinary one: waited for by
 * wait(2), and with a SIGCHLD.
 */
TEST_F(embryo, nowait_fails)
{
	sigset_t set;
	siginfo_t info = {};
	struct timespec timeout = { .tv_sec = LONG_MS / 1000 };
	int wstatus;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	ASSERT_EQ(0, sigprocmask(SIG_BLOCK, &set, NULL));
	ASSERT_EQ(0, make_file("/tmp/text", "no program\n", 0755));
	EXPECT_EQ(0, set_path(self->fd, "exec", "/tmp/text"));
	EXPECT_EQ(0, commit_flags(self->fd, PIDFD_COMMIT_NOWAIT));
	EXPECT_EQ(-EBUSY, set_path(self->fd, "exec", REPORT));
	EXPECT_EQ(SIGCHLD, sigtimedwait(&set, &info, &timeout));
	EXPECT_EQ(self->pid, info.si_pid);
	EXPECT_EQ(CLD_EXITED, info.si_code);
	EXPECT_EQ(127, info.si_status);
	EXPECT_EQ(self->pid, waitpid(-1, &wstatus, 0));
	EXPECT_TRUE(WIFEXITED(wstatus));
	EXPECT_EQ(127, WEXITSTATUS(wstatus));
	EXPECT_EQ(-EBUSY, commit(self->fd));
}

/* The embryo's PID is the program's, its parent the opener. */
TEST_F(embryo, identity)
{
	char want[32];

	EXPECT_EQ(0, run_default(self->fd, &self->text));
	snprintf(want, sizeof(want), "%d", self->pid);
	EXPECT_STREQ(want, field(self->text, "pid"));
	snprintf(want, sizeof(want), "%d", getpid());
	EXPECT_STREQ(want, field(self->text, "ppid"));
	snprintf(want, sizeof(want), "%d", getpgrp());
	EXPECT_STREQ(want, field(self->text, "pgrp"));
	snprintf(want, sizeof(want), "%d", getsid(0));
	EXPECT_STREQ(want, field(self->text, "session"));
	EXPECT_STREQ("0", field(self->text, "secure"));
	EXPECT_STREQ("0 0 0", field(self->text, "uid"));
}

TEST_HARNESS_MAIN
