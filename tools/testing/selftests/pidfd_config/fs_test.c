// SPDX-License-Identifier: GPL-2.0
/*
 * The keys cwd, root and umask.
 */
#include "pidfd_config_util.h"
#include "kselftest_harness.h"

FIXTURE(fs) {
	int fd;
	pid_t pid;
	char *text;
};

/*
 * /tmp/a, /tmp/a/b, /tmp/jail, /tmp/jail/a, a copy of the program in the
 * latter two, and the embryo in /tmp.
 */
FIXTURE_SETUP(fs)
{
	self->text = NULL;
	ASSERT_EQ(0, scratch());
	ASSERT_EQ(0, mkdir("/tmp/a", 0755));
	ASSERT_EQ(0, mkdir("/tmp/a/b", 0755));
	ASSERT_EQ(0, mkdir("/tmp/jail", 0755));
	ASSERT_EQ(0, mkdir("/tmp/jail/a", 0755));
	ASSERT_EQ(0, link(REPORT, "/tmp/jail/report"));
	ASSERT_EQ(0, link(REPORT, "/tmp/jail/a/report"));
	self->fd = empty_open();
	ASSERT_GE(self->fd, 0);
	self->pid = pidfd_pid(self->fd);
	ASSERT_GT(self->pid, 0);
}

FIXTURE_TEARDOWN(fs)
{
	free(self->text);
	close(self->fd);
}

/* cwd is there at once, relative to the one before, and in the program. */
TEST_F(fs, cwd_path)
{
	char here[64];

	EXPECT_STREQ("/tmp", proc_link(self->pid, "cwd"));
	EXPECT_EQ(0, set_path(self->fd, "cwd", "a"));
	EXPECT_STREQ("/tmp/a", proc_link(self->pid, "cwd"));
	EXPECT_EQ(0, set_path(self->fd, "cwd", "b"));
	EXPECT_STREQ("/tmp/a/b", proc_link(self->pid, "cwd"));
	EXPECT_EQ(0, set_path(self->fd, "cwd", "../../a/./b/.."));
	EXPECT_STREQ("/tmp/a", proc_link(self->pid, "cwd"));
	EXPECT_EQ(0, set_path_empty(self->fd, "cwd", AT_FDCWD, "b"));
	EXPECT_STREQ("/tmp/a/b", proc_link(self->pid, "cwd"));
	/* The caller stays where it is. */
	EXPECT_STREQ("/tmp", getcwd(here, sizeof(here)));
	EXPECT_EQ(0, run_default(self->fd, &self->text));
	EXPECT_STREQ("/tmp/a/b", field(self->text, "cwd"));
}

/* By descriptor of the caller, O_PATH or not. */
TEST_F(fs, cwd_fd)
{
	int a = open("/tmp/a", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int b = open("/tmp/a/b", O_PATH | O_DIRECTORY | O_CLOEXEC);

	EXPECT_EQ(0, set_fd(self->fd, "cwd", a));
	EXPECT_STREQ("/tmp/a", proc_link(self->pid, "cwd"));
	EXPECT_EQ(0, set_fd(self->fd, "cwd", b));
	EXPECT_STREQ("/tmp/a/b", proc_link(self->pid, "cwd"));
	EXPECT_EQ(0, set_path_at(self->fd, "cwd", b, ".."));
	EXPECT_STREQ("/tmp/a", proc_link(self->pid, "cwd"));
	EXPECT_EQ(0, set_path_at(self->fd, "cwd", a, "b"));
	EXPECT_STREQ("/tmp/a/b", proc_link(self->pid, "cwd"));
	EXPECT_EQ(0, set_path_empty(self->fd, "cwd", a, ""));
	EXPECT_STREQ("/tmp/a", proc_link(self->pid, "cwd"));
	EXPECT_EQ(0, set_path_empty(self->fd, "cwd", AT_FDCWD, ""));
	EXPECT_STREQ("/tmp/a", proc_link(self->pid, "cwd"));
}

/* Symbolic links are followed. */
TEST_F(fs, cwd_symlink)
{
	ASSERT_EQ(0, symlink("a/b", "/tmp/link"));
	EXPECT_EQ(0, set_path(self->fd, "cwd", "/tmp/link"));
	EXPECT_STREQ("/tmp/a/b", proc_link(self->pid, "cwd"));
}

FIXTURE(dir_errors) {
	int fd;
	pid_t pid;
};

FIXTURE_VARIANT(dir_errors) {
	const char *key;
};

FIXTURE_VARIANT_ADD(dir_errors, cwd) {
	.key = "cwd",
};

FIXTURE_VARIANT_ADD(dir_errors, root) {
	.key = "root",
};

FIXTURE_SETUP(dir_errors)
{
	ASSERT_EQ(0, scratch());
	ASSERT_EQ(0, mkdir("/tmp/a", 0755));
	self->fd = empty_open();
	ASSERT_GE(self->fd, 0);
	self->pid = pidfd_pid(self->fd);
}

FIXTURE_TEARDOWN(dir_errors)
{
	close(self->fd);
}

/* The errors of chdir(2), fchdir(2) and chroot(2); nothing has changed then. */
TEST_F(dir_errors, all)
{
	static const struct {
		const char *path;
		int error;
	} paths[] = {
		{ "",			ENOENT },
		{ "missing",		ENOENT },
		{ "missing/a",		ENOENT },
		{ "report",		ENOTDIR },
		{ "report/a",		ENOTDIR },
		{ "/tmp/report",	ENOTDIR },
		{ "/dev/null",		ENOTDIR },
		{ "loop",		ELOOP },
		{ "loop/a",		ELOOP },
		{ "dangling",		ENOENT },
	};
	int i, p[2], file = open(REPORT, O_RDONLY | O_CLOEXEC);
	int a = open("/tmp/a", O_PATH | O_CLOEXEC);
	const char *key = variant->key;
	char longest[300], very_long[PATH_MAX + 8];

	ASSERT_EQ(0, pipe2(p, O_CLOEXEC));
	ASSERT_EQ(0, symlink("loop", "/tmp/loop"));
	ASSERT_EQ(0, symlink("nowhere", "/tmp/dangling"));
	for (i = 0; i < ARRAY_SIZE(paths); i++) {
		EXPECT_EQ(-paths[i].error,
			  set_path(self->fd, key, paths[i].path))
			TH_LOG("'%s'", paths[i].path);
		if (!i)
			continue;
		EXPECT_EQ(-paths[i].error,
			  set_path_empty(self->fd, key, AT_FDCWD,
					 paths[i].path))
			TH_LOG("'%s'", paths[i].path);
	}
	memset(longest, 'x', sizeof(longest));
	longest[256] = '\0';
	EXPECT_EQ(-ENAMETOOLONG, set_path(self->fd, key, longest));
	memset(very_long, '/', sizeof(very_long));
	very_long[PATH_MAX] = '\0';
	EXPECT_EQ(-ENAMETOOLONG, set_path(self->fd, key, very_long));

	EXPECT_EQ(-EBADF, set_fd(self->fd, key, 999));
	EXPECT_EQ(-ENOTDIR, set_fd(self->fd, key, file));
	EXPECT_EQ(-ENOTDIR, set_fd(self->fd, key, p[0]));
	EXPECT_EQ(-ENOTDIR, set_fd(self->fd, key, self->fd));
	EXPECT_EQ(-EBADF, set_path_at(self->fd, key, 999, "a"));
	EXPECT_EQ(-ENOTDIR, set_path_at(self->fd, key, file, "a"));
	EXPECT_EQ(-ENOENT, set_path_at(self->fd, key, a, "missing"));
	EXPECT_EQ(-ENOENT, set_path_at(self->fd, key, a, ""));
	EXPECT_EQ(-EBADF, set_path_empty(self->fd, key, 999, ""));
	EXPECT_EQ(-ENOTDIR, set_path_empty(self->fd, key, file, ""));

	EXPECT_STREQ("/tmp", proc_link(self->pid, "cwd"));
	EXPECT_STREQ("/", proc_link(self->pid, "root"));
}

/* A directory that the caller may not search is EACCES. */
TEST(cwd_permission)
{
	int fd, closed, open_dir;

	ASSERT_EQ(0, scratch());
	ASSERT_EQ(0, mkdir("/tmp/closed", 0700));
	ASSERT_EQ(0, mkdir("/tmp/closed/in", 0755));
	ASSERT_EQ(0, mkdir("/tmp/readable", 0744));
	closed = open("/tmp/closed", O_PATH | O_CLOEXEC);
	open_dir = open("/tmp/closed/in", O_PATH | O_CLOEXEC);
	ASSERT_EQ(0, become(UID_A));
	fd = empty_open();
	ASSERT_GE(fd, 0);
	EXPECT_EQ(-EACCES, set_path(fd, "cwd", "/tmp/closed"));
	EXPECT_EQ(-EACCES, set_path(fd, "cwd", "/tmp/closed/in"));
	EXPECT_EQ(-EACCES, set_path(fd, "cwd", "/tmp/readable"));
	EXPECT_EQ(-EACCES, set_fd(fd, "cwd", closed));
	EXPECT_EQ(-EACCES, set_path_at(fd, "cwd", closed, "in"));
	EXPECT_EQ(0, set_fd(fd, "cwd", open_dir));
}

/* root is there at once; it is not where the embryo works. */
TEST_F(fs, root_path)
{
	EXPECT_EQ(0, set_path(self->fd, "root", "/tmp/jail"));
	EXPECT_STREQ("/tmp/jail", proc_link(self->pid, "root"));
	EXPECT_STREQ("/tmp", proc_link(self->pid, "cwd"));
	/* The caller's is what it was. */
	EXPECT_STREQ("/", proc_link(getpid(), "root"));
	EXPECT_EQ(0, access("/tmp/jail/report", X_OK));
}

/* Absolute paths start there from then on, also that of the image. */
TEST_F(fs, root_then_paths)
{
	EXPECT_EQ(0, set_path(self->fd, "root", "/tmp/jail"));
	EXPECT_EQ(0, set_path(self->fd, "cwd", "/a"));
	EXPECT_STREQ("/tmp/jail/a", proc_link(self->pid, "cwd"));
	EXPECT_EQ(-ENOENT, set_path(self->fd, "cwd", "/tmp"));
	EXPECT_EQ(0, set_path(self->fd, "cwd", "../../../.."));
	EXPECT_STREQ("/tmp/jail", proc_link(self->pid, "cwd"));
	EXPECT_EQ(-ENOENT, set_path(self->fd, "exec", REPORT));
	EXPECT_EQ(0, set_path(self->fd, "cwd", "/a"));
	EXPECT_EQ(0, set_path(self->fd, "exec", "/report"));
	EXPECT_EQ(0, run_report(self->fd, &self->text));
	EXPECT_STREQ("/report", field(self->text, "execfn"));
	EXPECT_STREQ("/a", field(self->text, "cwd"));
}

/* An image that is named before is the one outside, and runs inside. */
TEST_F(fs, exec_then_root)
{
	ASSERT_EQ(0, unlink("/tmp/jail/report"));
	EXPECT_EQ(0, set_path(self->fd, "exec", REPORT));
	EXPECT_EQ(0, set_path(self->fd, "root", "/tmp/jail"));
	EXPECT_EQ(0, set_path(self->fd, "cwd", "/"));
	EXPECT_EQ(0, run_report(self->fd, &self->text));
	EXPECT_STREQ("/", field(self->text, "cwd"));
}

/* A second root is looked up below the first. */
TEST_F(fs, root_in_root)
{
	EXPECT_EQ(0, set_path(self->fd, "root", "/tmp/jail"));
	EXPECT_EQ(-ENOENT, set_path(self->fd, "root", "/tmp/a"));
	EXPECT_EQ(0, set_path(self->fd, "root", "/a"));
	EXPECT_STREQ("/tmp/jail/a", proc_link(self->pid, "root"));
	EXPECT_EQ(0, set_path(self->fd, "exec", "/report"));
	EXPECT_EQ(0, set_path(self->fd, "cwd", "/"));
	EXPECT_EQ(0, run_report(self->fd, &self->text));
	EXPECT_STREQ("/", field(self->text, "cwd"));
}

/* By descriptor, and relative to the working directory. */
TEST_F(fs, root_fd)
{
	int jail = open("/tmp/jail", O_PATH | O_CLOEXEC);
	int top = open("/", O_RDONLY | O_CLOEXEC);

	EXPECT_EQ(0, set_fd(self->fd, "root", jail));
	EXPECT_STREQ("/tmp/jail", proc_link(self->pid, "root"));
	EXPECT_EQ(0, set_fd(self->fd, "root", top));
	EXPECT_STREQ("/", proc_link(self->pid, "root"));
	EXPECT_EQ(0, set_path(self->fd, "root", "jail"));
	EXPECT_STREQ("/tmp/jail", proc_link(self->pid, "root"));
	EXPECT_EQ(0, set_path_at(self->fd, "root", jail, "a"));
	EXPECT_STREQ("/tmp/jail/a", proc_link(self->pid, "root"));
	EXPECT_EQ(0, set_path_empty(self->fd, "root", jail, ""));
	EXPECT_STREQ("/tmp/jail", proc_link(self->pid, "root"));
}

/* Without CAP_SYS_CHROOT it is EPERM, whatever the directory. */
TEST(root_permission)
{
	int fd, jail;
	pid_t pid;

	ASSERT_EQ(0, scratch());
	ASSERT_EQ(0, mkdir("/tmp/jail", 0755));
	jail = open("/tmp/jail", O_PATH | O_CLOEXEC);
	ASSERT_EQ(0, become(UID_A));
	fd = empty_open();
	ASSERT_GE(fd, 0);
	pid = pidfd_pid(fd);
	EXPECT_EQ(-EPERM, set_path(fd, "root", "/tmp/jail"));
	EXPECT_EQ(-EPERM, set_path(fd, "root", "/"));
	EXPECT_EQ(-EPERM, set_fd(fd, "root", jail));
	EXPECT_EQ(0, set_path(fd, "cwd", "/tmp/jail"));
	EXPECT_EQ(0, kill(pid, 0));
}

/* umask is there at once, and in the program. */
TEST_F(fs, umask)
{
	static const __u32 masks[] = { 0, 0777, 0022, 0135 };
	char want[16];
	int i;

	for (i = 0; i < ARRAY_SIZE(masks); i++) {
		EXPECT_EQ(0, set_binary(self->fd, "umask", &masks[i],
					sizeof(masks[i])));
		snprintf(want, sizeof(want), "%04o", masks[i]);
		EXPECT_STREQ(want, status(self->pid, "Umask"));
	}
	/* The caller's is what scratch() made of it. */
	EXPECT_EQ(0022, umask(0022));
	EXPECT_EQ(0, run_default(self->fd, &self->text));
	EXPECT_STREQ("0135", field(self->text, "umask"));
}

/* Bits that are no permissions are EINVAL and change nothing. */
TEST_F(fs, umask_errors)
{
	static const __u32 masks[] = {
		01000, 02000, 04000, 07777, 01022, 0x80000000, 0xffffffff,
	};
	static const __u32 good = 0027;
	int i;

	EXPECT_EQ(0, set_binary(self->fd, "umask", &good, sizeof(good)));
	for (i = 0; i < ARRAY_SIZE(masks); i++) {
		EXPECT_EQ(-EINVAL, set_binary(self->fd, "umask", &masks[i],
					      sizeof(masks[i])));
	}
	EXPECT_STREQ("0027", status(self->pid, "Umask"));
}

/* Call order is what counts: cwd in the old root, root, cwd in the new. */
TEST_F(fs, call_order)
{
	EXPECT_EQ(0, set_path(self->fd, "cwd", "/tmp/jail"));
	EXPECT_EQ(0, set_path(self->fd, "root", "."));
	EXPECT_STREQ("/tmp/jail", proc_link(self->pid, "root"));
	EXPECT_EQ(0, set_path(self->fd, "cwd", "a"));
	EXPECT_STREQ("/tmp/jail/a", proc_link(self->pid, "cwd"));
	EXPECT_EQ(0, set_path(self->fd, "exec", "report"));
	EXPECT_EQ(0, run_report(self->fd, &self->text));
	EXPECT_STREQ("report", field(self->text, "execfn"));
	EXPECT_STREQ("/a", field(self->text, "cwd"));
}

TEST_HARNESS_MAIN
