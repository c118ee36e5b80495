// SPDX-License-Identifier: GPL-2.0
/*
 * Who may configure an embryo: a task with the opener's credentials, or one
 * that may trace it. And what the program may then do is what it could do
 * after fork(2) and execve(2) by the opener.
 */
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

#include "pidfd_config_util.h"
#include "kselftest_harness.h"

#define PROBE_ERRNO	77	/* what the filters say to the probe of REPORT */

/* One step of every key, all of which would succeed or fail after EPERM. */
static void every_step(struct __test_metadata *_metadata, int fd, int want)
{
	static const char *const list[] = { "x", NULL };
	static const struct pidfd_config_fd map = { .fd = 0, .target = 9 };
	static const struct pidfd_config_close_range range = { .last = ~0U };
	static const __u32 mask;
	static const __u64 set;
	const struct pidfd_config_open how = {
		.path = (uintptr_t)"/dev/null",
		.dirfd = AT_FDCWD,
		.target = 9,
	};
	int dir = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

#define STEP(call)						\
	do {							\
		int ret = (call);				\
								\
		EXPECT_EQ(want, ret)				\
			TH_LOG("%s", #call);			\
	} while (0)

	STEP(set_path(fd, "exec", REPORT));
	STEP(set_path(fd, "exec", "/missing"));
	STEP(set_path_empty(fd, "exec", AT_FDCWD, REPORT));
	STEP(set_fd(fd, "exec", dir));
	STEP(set_strings(fd, "argv", list));
	STEP(set_strings(fd, "argv", (void *)8));
	STEP(set_strings(fd, "envp", list));
	STEP(set_string(fd, "arg", "x"));
	STEP(set_string(fd, "env", "x"));
	STEP(set_string(fd, "argv0", "x"));
	STEP(set_binary(fd, "fds", &map, sizeof(map)));
	STEP(set_binary(fd, "open", &how, sizeof(how)));
	STEP(set_fd(fd, "close", 0));
	STEP(set_binary(fd, "close-range", &range, sizeof(range)));
	STEP(set_flag(fd, "inherit-fds"));
	STEP(set_path(fd, "cwd", "/"));
	STEP(set_fd(fd, "cwd", dir));
	STEP(set_path(fd, "root", "/"));
	STEP(set_fd(fd, "root", dir));
	STEP(set_binary(fd, "umask", &mask, sizeof(mask)));
	STEP(set_binary(fd, "sigmask", &set, sizeof(set)));
	STEP(set_binary(fd, "sigdefault", &set, sizeof(set)));
	STEP(set_binary(fd, "sigignore", &set, sizeof(set)));
	STEP(commit(fd));
	STEP(commit_flags(fd, PIDFD_COMMIT_NOWAIT));
	/* What is looked at before keeps its own errno. */
	EXPECT_EQ(-EINVAL, set_string(fd, "nonsense", "x"));
	EXPECT_EQ(-EINVAL, set_string(fd, "arg", NULL));
	EXPECT_EQ(-EOPNOTSUPP, config(fd, 8, "arg", "x", 0));
	close(dir);
}

/* A process with other credentials, which has @fd and expects EPERM of it. */
static void expect_eperm(struct __test_metadata *_metadata, int fd,
			 int (*drop)(void))
{
	pid_t child = fork();

	ASSERT_GE(child, 0);
	if (!child) {
		ASSERT_EQ(0, drop());
		every_step(_metadata, fd, -EPERM);
		_exit(_metadata->exit_code);
	}
	EXPECT_EQ(0, wait_child(child));
	/* The embryo is there, and as empty as it was. */
	EXPECT_EQ(0, poll_now(fd));
	EXPECT_EQ(0, fd_count(pidfd_pid(fd)));
	EXPECT_STREQ("embryo", status(pidfd_pid(fd), "Name"));
}

static int become_a(void)
{
	return become(UID_A);
}

static int become_b(void)
{
	return become(UID_B);
}

static int real_uid_only(void)
{
	return setresuid(UID_A, -1, -1);
}

static int effective_uid_only(void)
{
	return setresuid(-1, UID_A, -1);
}

static int saved_uid_of_a(void)
{
	return setresgid(UID_A, UID_A, UID_A) ?: setresuid(UID_A, UID_A, 0);
}

static int gid_only_of_a(void)
{
	return setresgid(UID_A, UID_A, UID_B) ?: setresuid(UID_A, UID_A, UID_A);
}

/* The real user of @fd: an unprivileged process that opened it and waits. */
struct opener {
	int fd;
	int go;
	pid_t pid;
	bool committed;	/* what it is to find at the end */
};

static void open_as(struct __test_metadata *_metadata, struct opener *o,
		    int (*drop)(void))
{
	int sock[2], fd;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock));
	o->pid = fork();
	ASSERT_GE(o->pid, 0);
	if (!o->pid) {
		close(sock[0]);
		ASSERT_EQ(0, drop());
		fd = empty_open();
		ASSERT_GE(fd, 0);
		ASSERT_EQ(0, send_fd(sock[1], fd));
		wait_eof(sock[1]);
		/* Its own right to it is what it was. */
		EXPECT_EQ(o->committed ? -EBUSY : 0,
			  set_string(fd, "arg", "x"));
		_exit(_metadata->exit_code);
	}
	close(sock[1]);
	o->go = sock[0];
	o->fd = recv_fd(sock[0]);
	ASSERT_GE(o->fd, 0);
}

static void opener_ends(struct __test_metadata *_metadata, struct opener *o)
{
	close(o->go);
	EXPECT_EQ(0, wait_child(o->pid));
	close(o->fd);
}

/* An unprivileged opener and another unprivileged user. */
TEST(other_user)
{
	struct opener o = {};

	ASSERT_EQ(0, scratch());
	ASSERT_EQ(0, setgroups(0, NULL));
	open_as(_metadata, &o, become_a);
	expect_eperm(_metadata, o.fd, become_b);
	/* Every one of the ids counts. */
	expect_eperm(_metadata, o.fd, saved_uid_of_a);
	expect_eperm(_metadata, o.fd, gid_only_of_a);
	opener_ends(_metadata, &o);
}

/* An opener with privileges and a receiver without. */
TEST(privileged_opener)
{
	int fd;

	ASSERT_EQ(0, scratch());
	fd = empty_open();
	ASSERT_GE(fd, 0);
	expect_eperm(_metadata, fd, become_a);
	EXPECT_EQ(0, set_string(fd, "arg", "x"));
}

/* The same user twice: SCM_RIGHTS passes the right on. */
TEST(same_user)
{
	struct opener o = {};
	pid_t child;

	ASSERT_EQ(0, scratch());
	open_as(_metadata, &o, become_a);
	child = fork();
	ASSERT_GE(child, 0);
	if (!child) {
		ASSERT_EQ(0, become(UID_A));
		EXPECT_EQ(0, set_string(o.fd, "arg", "x"));
		EXPECT_EQ(0, set_path(o.fd, "cwd", "/"));
		EXPECT_EQ(0, map_fd(o.fd, open("/dev/null", O_RDONLY), 0));
		_exit(_metadata->exit_code);
	}
	EXPECT_EQ(0, wait_child(child));
	opener_ends(_metadata, &o);
}

/* Who may trace everything may configure everything, and commit it. */
TEST(privileged_receiver)
{
	struct opener o = {};
	char *text;
	int p[2];

	ASSERT_EQ(0, scratch());
	open_as(_metadata, &o, become_a);
	EXPECT_EQ(0, set_path(o.fd, "exec", REPORT));
	EXPECT_EQ(0, set_path(o.fd, "cwd", "/"));
	ASSERT_EQ(0, pipe2(p, O_CLOEXEC));
	EXPECT_EQ(0, map_fd(o.fd, p[1], 1));
	close(p[1]);
	opener_ends(_metadata, &o);
	close(p[0]);

	/* With the credentials of the embryo, not those of the committer. */
	o.committed = true;
	open_as(_metadata, &o, become_a);
	EXPECT_EQ(0, set_path(o.fd, "exec", REPORT));
	ASSERT_EQ(0, pipe2(p, O_CLOEXEC));
	EXPECT_EQ(0, map_fd(o.fd, p[1], 1));
	close(p[1]);
	EXPECT_EQ(0, commit(o.fd));
	text = read_all(p[0]);
	EXPECT_STREQ("61001 61001 61001", field(text, "uid"));
	EXPECT_STREQ("61001 61001 61001", field(text, "gid"));
	EXPECT_EQ(o.pid, atoi(field(text, "ppid")));
	free(text);
	opener_ends(_metadata, &o);
}

static int drop_caps(__u32 keep)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2] = {
		{ .effective = keep, .permitted = keep },
	};

	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

static int drop_all_caps(void)
{
	return drop_caps(0);
}

static int keep_chroot(void)
{
	return drop_caps(1U << CAP_SYS_CHROOT);
}

/* Root without its capabilities is not as good as root. */
TEST(fewer_capabilities)
{
	int fd;

	ASSERT_EQ(0, scratch());
	fd = empty_open();
	ASSERT_GE(fd, 0);
	expect_eperm(_metadata, fd, drop_all_caps);
	expect_eperm(_metadata, fd, keep_chroot);
}

/* But an opener that has none itself may configure what it opened. */
TEST(no_capabilities)
{
	int fd;

	ASSERT_EQ(0, scratch());
	ASSERT_EQ(0, drop_all_caps());
	fd = empty_open();
	ASSERT_GE(fd, 0);
	EXPECT_EQ(0, set_string(fd, "arg", "x"));
	EXPECT_EQ(0, set_path(fd, "cwd", "/"));
	EXPECT_EQ(-EPERM, set_path(fd, "root", "/"));
}

/* CAP_SYS_PTRACE alone is enough for an embryo that has no capabilities. */
TEST(ptrace_capability)
{
	struct opener o = {};
	pid_t child;

	ASSERT_EQ(0, scratch());
	open_as(_metadata, &o, become_a);
	child = fork();
	ASSERT_GE(child, 0);
	if (!child) {
		ASSERT_EQ(0, drop_caps(1U << CAP_SYS_PTRACE));
		EXPECT_EQ(0, set_string(o.fd, "arg", "x"));
		ASSERT_EQ(0, drop_all_caps());
		EXPECT_EQ(-EPERM, set_string(o.fd, "arg", "x"));
		_exit(_metadata->exit_code);
	}
	EXPECT_EQ(0, wait_child(child));
	opener_ends(_metadata, &o);
}

FIXTURE(drop) {
	int unused;
};

FIXTURE_VARIANT(drop) {
	int (*drop)(void);
};

FIXTURE_VARIANT_ADD(drop, all_ids) {
	.drop = become_a,
};

FIXTURE_VARIANT_ADD(drop, effective_uid) {
	.drop = effective_uid_only,
};

FIXTURE_VARIANT_ADD(drop, capabilities) {
	.drop = drop_all_caps,
};

FIXTURE_SETUP(drop)
{
	ASSERT_EQ(0, scratch());
}

FIXTURE_TEARDOWN(drop)
{
}

/* An opener that drops its privileges loses the embryos it has. */
TEST_F(drop, later)
{
	int fd = empty_open();

	ASSERT_GE(fd, 0);
	EXPECT_EQ(0, set_string(fd, "arg", "x"));
	ASSERT_EQ(0, variant->drop());
	every_step(_metadata, fd, -EPERM);
	EXPECT_EQ(0, close(fd));
	/* It makes others. */
	fd = empty_open();
	ASSERT_GE(fd, 0);
	EXPECT_EQ(0, set_string(fd, "arg", "x"));
}

/*
 * A real uid of its own and CAP_SYS_PTRACE still there: that is what decides.
 */
TEST(drop_keeps_ptrace)
{
	int fd = empty_open();

	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, real_uid_only());
	EXPECT_EQ(0, set_string(fd, "arg", "x"));
}

static int new_user_namespace(void)
{
	return unshare(CLONE_NEWUSER) ? -errno : 0;
}

/* A user namespace below has no right to what is above. */
TEST(user_namespace_below)
{
	int fd;

	ASSERT_EQ(0, scratch());
	fd = empty_open();
	ASSERT_GE(fd, 0);
	expect_eperm(_metadata, fd, new_user_namespace);
	EXPECT_EQ(0, set_string(fd, "arg", "x"));
}

/* Not even where it comes from the same unprivileged user. */
static int become_a_below(void)
{
	return become(UID_A) ?: new_user_namespace();
}

TEST(user_namespace_of_user)
{
	struct opener o = {};

	ASSERT_EQ(0, scratch());
	open_as(_metadata, &o, become_a);
	expect_eperm(_metadata, o.fd, become_a_below);
	opener_ends(_metadata, &o);
}

/*
 * Who may trace it from above may configure it, and so may the owner of the
 * namespace, who has all capabilities in it; another user may not.
 */
TEST(user_namespace_above)
{
	struct opener o = {};
	pid_t child;

	ASSERT_EQ(0, scratch());
	open_as(_metadata, &o, become_a_below);
	EXPECT_EQ(0, set_string(o.fd, "arg", "x"));
	expect_eperm(_metadata, o.fd, become_b);
	child = fork();
	ASSERT_GE(child, 0);
	if (!child) {
		ASSERT_EQ(0, become(UID_A));
		EXPECT_EQ(0, set_string(o.fd, "arg", "x"));
		_exit(_metadata->exit_code);
	}
	EXPECT_EQ(0, wait_child(child));
	opener_ends(_metadata, &o);
}

static int landlock_self(void)
{
	const struct landlock_ruleset_attr attr = {
		.handled_access_fs = LANDLOCK_ACCESS_FS_MAKE_SOCK,
	};
	int ruleset, ret;

	ruleset = syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (ruleset < 0)
		return -errno;
	ret = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (!ret)
		ret = syscall(SYS_landlock_restrict_self, ruleset, 0);
	if (ret)
		ret = -errno;
	close(ruleset);
	return ret;
}

/* A task in a Landlock domain may not configure what is out of it. */
TEST(landlock_outside)
{
	int fd;

	ASSERT_EQ(0, scratch());
	fd = empty_open();
	ASSERT_GE(fd, 0);
	expect_eperm(_metadata, fd, landlock_self);
	EXPECT_EQ(0, set_string(fd, "arg", "x"));
}

/* An opener that enters one loses the embryos it has. */
TEST(landlock_later)
{
	int fd = empty_open();

	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, landlock_self());
	EXPECT_EQ(-EPERM, set_string(fd, "arg", "x"));
	EXPECT_EQ(-EPERM, commit(fd));
}

/* What is opened inside is inside: it may be configured, and is restricted. */
TEST(landlock_inside)
{
	const struct landlock_ruleset_attr attr = {
		.handled_access_fs = LANDLOCK_ACCESS_FS_EXECUTE,
	};
	char *text;
	int fd;

	ASSERT_EQ(0, scratch());
	ASSERT_EQ(0, landlock_self());
	fd = empty_open();
	ASSERT_GE(fd, 0);
	EXPECT_EQ(0, run_default(fd, &text));
	free(text);

	/* A domain in which nothing can be executed: also not by an embryo. */
	fd = syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, syscall(SYS_landlock_restrict_self, fd, 0));
	fd = empty_open();
	ASSERT_GE(fd, 0);
	EXPECT_EQ(-EACCES, run_default(fd, &text));
	free(text);
}

/* A file that the caller may not execute is EACCES when it is named. */
TEST(exec_permission)
{
	int fd, image;

	ASSERT_EQ(0, scratch());
	ASSERT_EQ(0, copy_file(REPORT, "/tmp/private", 0700));
	ASSERT_EQ(0, mkdir("/tmp/closed", 0700));
	ASSERT_EQ(0, copy_file(REPORT, "/tmp/closed/report", 0755));
	image = open("/tmp/private", O_PATH | O_CLOEXEC);
	ASSERT_EQ(0, become(UID_A));
	fd = empty_open();
	ASSERT_GE(fd, 0);
	EXPECT_EQ(-EACCES, set_path(fd, "exec", "/tmp/private"));
	EXPECT_EQ(-EACCES, set_path(fd, "exec", "/tmp/closed/report"));
	EXPECT_EQ(-EACCES, set_fd(fd, "exec", image));
	EXPECT_EQ(-EINVAL, commit(fd));
}

/*
 * What a privileged caller could name the unprivileged embryo may still not
 * execute: the child looks at it with its own credentials.
 */
TEST(exec_by_child)
{
	struct opener o = {};

	ASSERT_EQ(0, scratch());
	ASSERT_EQ(0, copy_file(REPORT, "/tmp/private", 0700));
	open_as(_metadata, &o, become_a);
	EXPECT_EQ(0, set_path(o.fd, "exec", "/tmp/private"));
	EXPECT_EQ(-EACCES, commit(o.fd));
	opener_ends(_metadata, &o);
}

/* Files that are opened by an unprivileged caller are opened as that one. */
TEST(open_permission)
{
	struct pidfd_config_open how = {
		.path = (uintptr_t)"/tmp/private",
		.dirfd = AT_FDCWD,
		.target = 5,
	};
	struct stat st;
	int fd;

	ASSERT_EQ(0, scratch());
	ASSERT_EQ(0, make_file("/tmp/private", "x", 0600));
	ASSERT_EQ(0, become(UID_A));
	fd = empty_open();
	ASSERT_GE(fd, 0);
	EXPECT_EQ(-EACCES, set_binary(fd, "open", &how, sizeof(how)));
	how.path = (uintptr_t)"/tmp/new";
	how.flags = O_CREAT | O_WRONLY;
	how.mode = 0600;
	EXPECT_EQ(0, set_binary(fd, "open", &how, sizeof(how)));
	ASSERT_EQ(0, stat("/tmp/new", &st));
	EXPECT_EQ(UID_A, st.st_uid);
	EXPECT_EQ(UID_A, st.st_gid);
}

FIXTURE(setid) {
	int unused;
};

FIXTURE_VARIANT(setid) {
	mode_t mode;
	bool nnp;
	bool nosuid;
	bool by_fd;
};

FIXTURE_VARIANT_ADD(setid, none) {
	.mode = 0755,
};

FIXTURE_VARIANT_ADD(setid, uid) {
	.mode = 04755,
};

FIXTURE_VARIANT_ADD(setid, gid) {
	.mode = 02755,
};

FIXTURE_VARIANT_ADD(setid, both) {
	.mode = 06755,
};

FIXTURE_VARIANT_ADD(setid, both_by_fd) {
	.mode = 06755,
	.by_fd = true,
};

FIXTURE_VARIANT_ADD(setid, both_no_new_privs) {
	.mode = 06755,
	.nnp = true,
};

FIXTURE_VARIANT_ADD(setid, both_nosuid) {
	.mode = 06755,
	.nosuid = true,
};

FIXTURE_SETUP(setid)
{
	ASSERT_EQ(0, scratch());
}

FIXTURE_TEARDOWN(setid)
{
}

/* What fork(2) and execve(2) of the same image print. */
static char *report_by_fork(const char *path)
{
	char *text;
	pid_t child;
	int p[2];

	if (pipe2(p, O_CLOEXEC))
		return strdup("");
	child = fork();
	if (!child) {
		dup2(p[1], 1);
		execl(path, path, NULL);
		_exit(1);
	}
	close(p[1]);
	text = read_all(p[0]);
	close(p[0]);
	wait_child(child);
	return text;
}

/* A set-id image gives an embryo exactly what it gives execve(2). */
TEST_F(setid, run)
{
	bool gains = !variant->nnp && !variant->nosuid;
	bool uid = gains && (variant->mode & 04000);
	bool gid = gains && (variant->mode & 02000);
	char *text, *want;
	int fd, image;

	ASSERT_EQ(0, mkdir("/tmp/suid", 0755));
	ASSERT_EQ(0, mount("suid", "/tmp/suid", "tmpfs",
			   variant->nosuid ? MS_NOSUID : 0, "mode=755"));
	ASSERT_EQ(0, copy_file(REPORT, "/tmp/suid/image", 0755));
	ASSERT_EQ(0, chown("/tmp/suid/image", 0, 0));
	ASSERT_EQ(0, chmod("/tmp/suid/image", variant->mode));
	ASSERT_EQ(0, setgroups(0, NULL));
	ASSERT_EQ(0, become(UID_A));
	if (variant->nnp)
		ASSERT_EQ(0, prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));

	fd = empty_open();
	ASSERT_GE(fd, 0);
	if (variant->by_fd) {
		image = open("/tmp/suid/image", O_RDONLY | O_CLOEXEC);
		EXPECT_EQ(0, set_fd(fd, "exec", image));
	} else {
		EXPECT_EQ(0, set_path(fd, "exec", "/tmp/suid/image"));
	}
	EXPECT_EQ(0, run_report(fd, &text));
	want = report_by_fork("/tmp/suid/image");
	EXPECT_STREQ(uid ? "61001 0 0" : "61001 61001 61001",
		     field(text, "uid"));
	EXPECT_STREQ(gid ? "61001 0 0" : "61001 61001 61001",
		     field(text, "gid"));
	EXPECT_STREQ(uid || gid ? "1" : "0", field(text, "secure"));
	EXPECT_STREQ(field(want, "uid"), field(text, "uid"));
	EXPECT_STREQ(field(want, "gid"), field(text, "gid"));
	EXPECT_STREQ(field(want, "secure"), field(text, "secure"));
	EXPECT_STREQ(field(want, "nnp"), field(text, "nnp"));
	free(text);
	free(want);
}

/* no_new_privs is inherited, and stays after exec. */
TEST(no_new_privs)
{
	char *text;
	int fd;

	ASSERT_EQ(0, scratch());
	fd = empty_open();
	ASSERT_GE(fd, 0);
	EXPECT_EQ(0, run_default(fd, &text));
	EXPECT_STREQ("0", field(text, "nnp"));
	free(text);
	ASSERT_EQ(0, prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	fd = empty_open();
	ASSERT_GE(fd, 0);
	EXPECT_STREQ("1", status(pidfd_pid(fd), "NoNewPrivs"));
	EXPECT_EQ(0, run_default(fd, &text));
	EXPECT_STREQ("1", field(text, "nnp"));
	free(text);
}

/* An opener that sets it later does not change what it opened before. */
TEST(no_new_privs_later)
{
	char *text;
	int fd;

	ASSERT_EQ(0, scratch());
	fd = empty_open();
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	EXPECT_STREQ("0", status(pidfd_pid(fd), "NoNewPrivs"));
	EXPECT_EQ(0, run_default(fd, &text));
	EXPECT_STREQ("0", field(text, "nnp"));
	free(text);
}

static int filter_calls(unsigned int nr)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | PROBE_ERRNO),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {
		.len = ARRAY_SIZE(filter),
		.filter = filter,
	};

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) ? -errno : 0;
}

/* The filters of the opener act in the program from its first instruction. */
TEST(seccomp)
{
	char *text;
	int fd;

	ASSERT_EQ(0, scratch());
	fd = empty_open();
	ASSERT_GE(fd, 0);
	EXPECT_EQ(0, run_default(fd, &text));
	EXPECT_STREQ("0", field(text, "seccomp"));
	EXPECT_STREQ("22", field(text, "probe"));
	free(text);
	ASSERT_EQ(0, filter_calls(SYS_sched_get_priority_max));
	fd = empty_open();
	ASSERT_GE(fd, 0);
	EXPECT_STREQ("2", status(pidfd_pid(fd), "Seccomp"));
	EXPECT_EQ(0, run_default(fd, &text));
	EXPECT_STREQ("2", field(text, "seccomp"));
	EXPECT_STREQ("77", field(text, "probe"));
	free(text);
}

/* A filter sees the two system calls as any other. */
TEST(seccomp_config)
{
	int fd = empty_open();

	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, filter_calls(__NR_pidfd_config));
	EXPECT_EQ(-PROBE_ERRNO, set_string(fd, "arg", "x"));
	EXPECT_EQ(-PROBE_ERRNO, commit(fd));
	ASSERT_EQ(0, filter_calls(__NR_pidfd_open));
	EXPECT_EQ(-PROBE_ERRNO, empty_open());
}

/* The right travels with the file: the receiver by fork(2) is no exception. */
TEST(same_credentials_by_fork)
{
	pid_t child;
	int fd = empty_open();

	ASSERT_GE(fd, 0);
	child = fork();
	ASSERT_GE(child, 0);
	if (!child) {
		EXPECT_EQ(0, set_string(fd, "arg", "x"));
		_exit(_metadata->exit_code);
	}
	EXPECT_EQ(0, wait_child(child));
}

TEST_HARNESS_MAIN
