// SPDX-License-Identifier: GPL-2.0
/*
 * The keys sigmask, sigdefault and sigignore, and what signals do to an
 * embryo.
 */
#include "pidfd_config_util.h"
#include "kselftest_harness.h"
#include "embryo_fixture.h"

#define BIT_OF(sig)	(1ULL << ((sig) - 1))

static int set_signals(int fd, const char *key, __u64 set)
{
	return set_binary(fd, key, &set, sizeof(set));
}

static __u64 signals(pid_t pid, const char *name)
{
	return strtoull(status(pid, name), NULL, 16);
}

static __u64 reported(const char *text, const char *name)
{
	return strtoull(field(text, name), NULL, 16);
}

/* sigmask replaces the mask; bits of SIGKILL and SIGSTOP are dropped. */
TEST_F(embryo, mask)
{
	const __u64 never = BIT_OF(SIGKILL) | BIT_OF(SIGSTOP);

	EXPECT_EQ(0, set_signals(self->fd, "sigmask", BIT_OF(1) | BIT_OF(64)));
	EXPECT_EQ(BIT_OF(1) | BIT_OF(64), signals(self->pid, "SigBlk"));
	EXPECT_EQ(0, set_signals(self->fd, "sigmask", BIT_OF(SIGUSR1)));
	EXPECT_EQ(BIT_OF(SIGUSR1), signals(self->pid, "SigBlk"));
	EXPECT_EQ(0, set_signals(self->fd, "sigmask", ~0ULL));
	EXPECT_EQ(~never, signals(self->pid, "SigBlk"));
	EXPECT_EQ(0, set_signals(self->fd, "sigmask", never));
	EXPECT_EQ(0, signals(self->pid, "SigBlk"));
	EXPECT_EQ(0, set_signals(self->fd, "sigmask", BIT_OF(SIGINT)));
	EXPECT_EQ(0, run_default(self->fd, &self->text));
	EXPECT_EQ(BIT_OF(SIGINT), reported(self->text, "sigblk"));
	EXPECT_EQ(0, reported(self->text, "sigign"));
}

/* sigignore and sigdefault change the signals of their set and no other. */
TEST_F(embryo, ignore_default)
{
	const __u64 many = ~0ULL & ~(BIT_OF(SIGKILL) | BIT_OF(SIGSTOP));

	EXPECT_EQ(0, set_signals(self->fd, "sigignore",
				 BIT_OF(SIGINT) | BIT_OF(SIGQUIT)));
	EXPECT_EQ(BIT_OF(SIGINT) | BIT_OF(SIGQUIT),
		  signals(self->pid, "SigIgn"));
	EXPECT_EQ(0, set_signals(self->fd, "sigignore", BIT_OF(64)));
	EXPECT_EQ(BIT_OF(SIGINT) | BIT_OF(SIGQUIT) | BIT_OF(64),
		  signals(self->pid, "SigIgn"));
	EXPECT_EQ(0, set_signals(self->fd, "sigdefault",
				 BIT_OF(SIGINT) | BIT_OF(SIGTERM)));
	EXPECT_EQ(BIT_OF(SIGQUIT) | BIT_OF(64), signals(self->pid, "SigIgn"));
	EXPECT_EQ(0, set_signals(self->fd, "sigignore", 0));
	EXPECT_EQ(0, set_signals(self->fd, "sigdefault", 0));
	EXPECT_EQ(BIT_OF(SIGQUIT) | BIT_OF(64), signals(self->pid, "SigIgn"));
	EXPECT_EQ(0, set_signals(self->fd, "sigignore", many));
	EXPECT_EQ(many, signals(self->pid, "SigIgn"));
	/* SIGKILL and SIGSTOP have no other, setting it is no error. */
	EXPECT_EQ(0, set_signals(self->fd, "sigdefault", ~0ULL));
	EXPECT_EQ(0, signals(self->pid, "SigIgn"));
	EXPECT_EQ(0, set_signals(self->fd, "sigignore",
				 BIT_OF(SIGPIPE) | BIT_OF(SIGCHLD)));
	EXPECT_EQ(0, run_default(self->fd, &self->text));
	EXPECT_EQ(BIT_OF(SIGPIPE) | BIT_OF(SIGCHLD),
		  reported(self->text, "sigign"));
	EXPECT_EQ(0, reported(self->text, "sigblk"));
}

/* SIGKILL and SIGSTOP cannot be ignored: EINVAL, and no other is then. */
TEST_F(embryo, ignore_errors)
{
	EXPECT_EQ(0, set_signals(self->fd, "sigignore", BIT_OF(SIGHUP)));
	EXPECT_EQ(-EINVAL, set_signals(self->fd, "sigignore",
				       BIT_OF(SIGKILL)));
	EXPECT_EQ(-EINVAL, set_signals(self->fd, "sigignore",
				       BIT_OF(SIGSTOP) | BIT_OF(SIGINT)));
	EXPECT_EQ(-EINVAL, set_signals(self->fd, "sigignore", ~0ULL));
	EXPECT_EQ(BIT_OF(SIGHUP), signals(self->pid, "SigIgn"));
}

/* The caller's own signals are left alone. */
TEST_F(embryo, not_here)
{
	__u64 blocked = signals(getpid(), "SigBlk");
	__u64 ignored = signals(getpid(), "SigIgn");

	EXPECT_EQ(0, set_signals(self->fd, "sigmask", ~0ULL));
	EXPECT_EQ(0, set_signals(self->fd, "sigignore", BIT_OF(SIGUSR1)));
	EXPECT_EQ(blocked, signals(getpid(), "SigBlk"));
	EXPECT_EQ(ignored, signals(getpid(), "SigIgn"));
}

FIXTURE(fatal) {
	int fd;
	pid_t pid;
};

FIXTURE_VARIANT(fatal) {
	int sig;
};

FIXTURE_VARIANT_ADD(fatal, sigkill) {
	.sig = SIGKILL,
};

FIXTURE_VARIANT_ADD(fatal, sigterm) {
	.sig = SIGTERM,
};

FIXTURE_VARIANT_ADD(fatal, sigint) {
	.sig = SIGINT,
};

FIXTURE_VARIANT_ADD(fatal, sigusr1) {
	.sig = SIGUSR1,
};

FIXTURE_VARIANT_ADD(fatal, sigsegv) {
	.sig = SIGSEGV,
};

FIXTURE_VARIANT_ADD(fatal, sigquit) {
	.sig = SIGQUIT,
};

FIXTURE_VARIANT_ADD(fatal, realtime) {
	.sig = 64,
};

FIXTURE_SETUP(fatal)
{
	self->fd = empty_open();
	ASSERT_GE(self->fd, 0);
	self->pid = pidfd_pid(self->fd);
}

FIXTURE_TEARDOWN(fatal)
{
	close(self->fd);
}

/*
 * A signal whose default is to terminate kills the embryo: it is gone, nobody
 * has to wait for it, and it cannot be configured any more.
 */
static void expect_gone(struct __test_metadata *_metadata, int fd, pid_t pid)
{
	EXPECT_EQ(POLLIN | POLLHUP, wait_gone(fd));
	EXPECT_EQ(-1, kill(pid, 0));
	EXPECT_EQ(ESRCH, errno);
	EXPECT_EQ(-ECHILD, wait_pidfd_options(fd, WEXITED | WNOHANG | __WALL));
	EXPECT_EQ(-ECHILD, wait_any(__WALL | WNOHANG));
	EXPECT_EQ(-ESRCH, set_string(fd, "arg", "x"));
	EXPECT_EQ(-ESRCH, set_path(fd, "cwd", "/"));
	EXPECT_EQ(-ESRCH, set_flag(fd, "inherit-fds"));
	EXPECT_EQ(-ESRCH, commit(fd));
	EXPECT_EQ(-ESRCH, commit_flags(fd, PIDFD_COMMIT_NOWAIT));
}

TEST_F(fatal, by_pid)
{
	EXPECT_EQ(0, kill(self->pid, variant->sig));
	expect_gone(_metadata, self->fd, self->pid);
}

TEST_F(fatal, by_pidfd)
{
	EXPECT_EQ(0, send_signal(self->fd, variant->sig));
	expect_gone(_metadata, self->fd, self->pid);
}

TEST_F(fatal, by_thread)
{
	EXPECT_EQ(0, syscall(SYS_tgkill, self->pid, self->pid, variant->sig));
	expect_gone(_metadata, self->fd, self->pid);
}

/* Signals that are ignored by default do nothing. */
TEST_F(embryo, ignored_by_default)
{
	static const int sigs[] = { 0, SIGCHLD, SIGURG, SIGWINCH, SIGCONT };
	int i;

	for (i = 0; i < ARRAY_SIZE(sigs); i++)
		EXPECT_EQ(0, send_signal(self->fd, sigs[i]));
	EXPECT_EQ(0, signals(self->pid, "ShdPnd"));
	EXPECT_EQ(0, poll_now(self->fd));
	EXPECT_EQ(0, run_default(self->fd, &self->text));
}

/* One that is ignored by sigignore is dropped. */
TEST_F(embryo, ignored)
{
	EXPECT_EQ(0, set_signals(self->fd, "sigignore", BIT_OF(SIGTERM)));
	EXPECT_EQ(0, send_signal(self->fd, SIGTERM));
	EXPECT_EQ(0, poll_now(self->fd));
	EXPECT_EQ(0, signals(self->pid, "ShdPnd"));
	EXPECT_EQ(0, run_default(self->fd, &self->text));
	EXPECT_EQ(0, reported(self->text, "sigpnd"));
	EXPECT_EQ(BIT_OF(SIGTERM), reported(self->text, "sigign"));
}

/* One that is blocked stays pending over exec and acts when unblocked. */
TEST_F(embryo, blocked)
{
	EXPECT_EQ(0, set_signals(self->fd, "sigmask", BIT_OF(SIGTERM)));
	EXPECT_EQ(0, send_signal(self->fd, SIGTERM));
	EXPECT_EQ(0, poll_now(self->fd));
	EXPECT_EQ(BIT_OF(SIGTERM), signals(self->pid, "ShdPnd"));
	EXPECT_EQ(0, set_path(self->fd, "exec", REPORT));
	EXPECT_EQ(0, set_mode(self->fd, "unblock", NULL));
	EXPECT_EQ(0, commit(self->fd));
	EXPECT_EQ(KILLED(SIGTERM), wait_pidfd(self->fd));
}

TEST_F(embryo, blocked_is_seen)
{
	EXPECT_EQ(0, set_signals(self->fd, "sigmask", BIT_OF(SIGTERM)));
	EXPECT_EQ(0, send_signal(self->fd, SIGTERM));
	EXPECT_EQ(0, run_default(self->fd, &self->text));
	EXPECT_EQ(BIT_OF(SIGTERM), reported(self->text, "sigblk"));
	EXPECT_EQ(BIT_OF(SIGTERM), reported(self->text, "sigpnd"));
}

/* SIGKILL cannot be blocked. */
TEST_F(embryo, kill_is_not_blocked)
{
	EXPECT_EQ(0, set_signals(self->fd, "sigmask", ~0ULL));
	EXPECT_EQ(0, send_signal(self->fd, SIGKILL));
	expect_gone(_metadata, self->fd, self->pid);
}

/* Ignoring a signal discards what is pending of it. */
TEST_F(embryo, ignore_discards)
{
	EXPECT_EQ(0, set_signals(self->fd, "sigmask",
				 BIT_OF(SIGTERM) | BIT_OF(SIGUSR1)));
	EXPECT_EQ(0, send_signal(self->fd, SIGTERM));
	EXPECT_EQ(0, send_signal(self->fd, SIGUSR1));
	EXPECT_EQ(0, syscall(SYS_tgkill, self->pid, self->pid, SIGTERM));
	EXPECT_EQ(0, set_signals(self->fd, "sigignore", BIT_OF(SIGTERM)));
	EXPECT_EQ(BIT_OF(SIGUSR1), signals(self->pid, "ShdPnd"));
	EXPECT_EQ(0, signals(self->pid, "SigPnd"));
	EXPECT_EQ(0, set_path(self->fd, "exec", REPORT));
	EXPECT_EQ(0, set_mode(self->fd, "unblock", NULL));
	EXPECT_EQ(0, commit(self->fd));
	EXPECT_EQ(KILLED(SIGUSR1), wait_pidfd(self->fd));
}

/* A mask that lets a pending signal through lets it act, now or at commit. */
TEST_F(embryo, unblock_pending)
{
	int ret;

	EXPECT_EQ(0, set_signals(self->fd, "sigmask", BIT_OF(SIGTERM)));
	EXPECT_EQ(0, send_signal(self->fd, SIGTERM));
	EXPECT_EQ(0, set_path(self->fd, "exec", REPORT));
	EXPECT_EQ(0, set_mode(self->fd, "pause", NULL));
	EXPECT_EQ(0, set_signals(self->fd, "sigmask", 0));
	ret = commit(self->fd);
	if (ret) {
		EXPECT_EQ(-ESRCH, ret);
		EXPECT_EQ(POLLIN | POLLHUP, wait_gone(self->fd));
	} else {
		EXPECT_EQ(KILLED(SIGTERM), wait_pidfd(self->fd));
	}
	EXPECT_EQ(-ECHILD, wait_any(__WALL | WNOHANG));
}

/* SIGSTOP waits for the program: commit succeeds, and then it is stopped. */
TEST_F(embryo, stop)
{
	EXPECT_EQ(0, send_signal(self->fd, SIGSTOP));
	EXPECT_EQ(0, poll_now(self->fd));
	EXPECT_EQ(0, set_path(self->fd, "exec", REPORT));
	EXPECT_EQ(0, set_mode(self->fd, "exit", "42"));
	EXPECT_EQ(0, commit(self->fd));
	EXPECT_EQ(SIGSTOP, wait_pidfd_options(self->fd, WSTOPPED));
	EXPECT_STREQ(REPORT, proc_link(self->pid, "exe"));
	EXPECT_EQ(0, send_signal(self->fd, SIGCONT));
	EXPECT_EQ(42, wait_pidfd(self->fd));
}

/* SIGCONT before commit takes the stop back. */
TEST_F(embryo, stop_continue)
{
	EXPECT_EQ(0, send_signal(self->fd, SIGSTOP));
	EXPECT_EQ(0, send_signal(self->fd, SIGCONT));
	EXPECT_EQ(0, set_path(self->fd, "exec", REPORT));
	EXPECT_EQ(0, set_mode(self->fd, "exit", "42"));
	EXPECT_EQ(0, commit(self->fd));
	EXPECT_EQ(42, wait_pidfd(self->fd));
}

/* A stopped embryo can be killed, and closed. */
TEST_F(embryo, stop_kill)
{
	EXPECT_EQ(0, send_signal(self->fd, SIGSTOP));
	EXPECT_EQ(0, send_signal(self->fd, SIGKILL));
	expect_gone(_metadata, self->fd, self->pid);
}

TEST_F(embryo, stop_close)
{
	int other = sys_pidfd_open(self->pid, 0);

	ASSERT_GE(other, 0);
	EXPECT_EQ(0, send_signal(self->fd, SIGSTOP));
	EXPECT_EQ(0, close(self->fd));
	EXPECT_EQ(POLLIN | POLLHUP, wait_gone(other));
}

/* A signal to the group reaches the embryo in it. */
TEST_F(embryo, process_group)
{
	int sock[2], fd;
	pid_t child, pid;
	char c;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock));
	child = fork();
	ASSERT_GE(child, 0);
	if (!child) {
		close(sock[0]);
		close(self->fd);
		ASSERT_EQ(0, setpgid(0, 0));
		/* The child outlives what kills the embryo. */
		ASSERT_NE(SIG_ERR, signal(SIGTERM, SIG_IGN));
		fd = empty_open();
		ASSERT_GE(fd, 0);
		ASSERT_EQ(0, send_fd(sock[1], fd));
		close(fd);
		EXPECT_EQ(0, read(sock[1], &c, 1));
		_exit(_metadata->exit_code);
	}
	close(sock[1]);
	fd = recv_fd(sock[0]);
	ASSERT_GE(fd, 0);
	pid = pidfd_pid(fd);
	EXPECT_EQ(child, getpgid(pid));
	EXPECT_EQ(0, poll_now(fd));
	EXPECT_EQ(0, kill(-child, SIGTERM));
	EXPECT_EQ(POLLIN | POLLHUP, wait_gone(fd));
	EXPECT_EQ(-ESRCH, set_string(fd, "arg", "x"));
	close(sock[0]);
	EXPECT_EQ(0, wait_child(child));
}

TEST_HARNESS_MAIN
