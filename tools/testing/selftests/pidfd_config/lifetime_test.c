// SPDX-License-Identifier: GPL-2.0
/*
 * How embryos end: the last close of the builder, the end of the opener, of
 * its cgroup or PID namespace; and what wait(2) sees before and after commit.
 */
#include <pthread.h>
#include <sys/prctl.h>

#include "pidfd_config_util.h"
#include "kselftest_harness.h"

/* Nothing of it is left, for anybody. */
static void expect_gone(struct __test_metadata *_metadata, int other, pid_t pid)
{
	EXPECT_EQ(POLLIN | POLLHUP, wait_gone(other));
	EXPECT_EQ(-1, kill(pid, 0));
	EXPECT_EQ(ESRCH, errno);
	EXPECT_EQ(-ESRCH, send_signal(other, 0));
	EXPECT_EQ(-ECHILD, wait_pidfd_options(other, WEXITED | WNOHANG));
	EXPECT_EQ(-ECHILD,
		  wait_pidfd_options(other, WEXITED | WNOHANG | __WALL));
}

/* The last close destroys the embryo: no zombie, nothing to wait for. */
TEST(last_close)
{
	int fd, other;
	pid_t pid;

	fd = empty_open();
	ASSERT_GE(fd, 0);
	pid = pidfd_pid(fd);
	other = sys_pidfd_open(pid, 0);
	ASSERT_GE(other, 0);
	EXPECT_EQ(0, kill(pid, 0));
	EXPECT_EQ(0, poll_now(other));
	EXPECT_EQ(0, close(fd));
	expect_gone(_metadata, other, pid);
	EXPECT_EQ(-ECHILD, wait_any(__WALL | WNOHANG));
	EXPECT_EQ(-EINVAL, set_string(other, "arg", "x"));
}

/* An embryo that is gone leaves no PID, nothing in /proc and no zombie. */
TEST(close_leaves_nothing)
{
	char path[32];
	pid_t pid;
	int fd, i;

	for (i = 0; i < 200; i++) {
		fd = empty_open();
		ASSERT_GE(fd, 0);
		pid = pidfd_pid(fd);
		snprintf(path, sizeof(path), "/proc/%d", pid);
		ASSERT_EQ(0, access(path, F_OK));
		ASSERT_EQ(0, destroy(fd));
		ASSERT_EQ(-1, kill(pid, 0));
		ASSERT_EQ(ESRCH, errno);
		ASSERT_EQ(-1, access(path, F_OK));
		ASSERT_EQ(-ECHILD, wait_any(__WALL | WNOHANG));
	}
}

/* Who is in poll(2) already is woken. */
TEST(close_wakes)
{
	int fd, other, ready[2];
	pid_t child;

	ASSERT_EQ(0, pipe2(ready, O_CLOEXEC));
	fd = empty_open();
	ASSERT_GE(fd, 0);
	other = sys_pidfd_open(pidfd_pid(fd), 0);
	ASSERT_GE(other, 0);
	child = fork();
	ASSERT_GE(child, 0);
	if (!child) {
		close(fd);
		close(ready[1]);
		close(ready[0]);
		EXPECT_EQ(POLLIN | POLLHUP, wait_gone(other));
		_exit(_metadata->exit_code);
	}
	close(ready[1]);
	wait_eof(ready[0]);
	EXPECT_EQ(0, close(fd));
	EXPECT_EQ(0, wait_child(child));
}

/* It does not matter how much of it was configured. */
TEST(close_configured)
{
	static const char *const argv[] = { "a", "b", NULL };
	static const __u64 all = ~0ULL;
	int fd, other, null;
	pid_t pid;

	ASSERT_EQ(0, scratch());
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	fd = empty_open();
	ASSERT_GE(fd, 0);
	pid = pidfd_pid(fd);
	other = sys_pidfd_open(pid, 0);
	EXPECT_EQ(0, set_path(fd, "exec", REPORT));
	EXPECT_EQ(0, set_strings(fd, "argv", argv));
	EXPECT_EQ(0, set_strings(fd, "envp", argv));
	EXPECT_EQ(0, set_string(fd, "argv0", "x"));
	EXPECT_EQ(0, map_fd(fd, null, 500));
	EXPECT_EQ(0, set_path(fd, "cwd", "/"));
	EXPECT_EQ(0, set_path(fd, "root", "/tmp"));
	EXPECT_EQ(0, set_binary(fd, "sigmask", &all, sizeof(all)));
	EXPECT_EQ(0, close(fd));
	expect_gone(_metadata, other, pid);
	/* Nothing is held: neither files nor the mount. */
	close(null);
	ASSERT_EQ(0, chdir("/"));
	EXPECT_EQ(0, umount2("/tmp", 0));
}

/* A dup(2) keeps it alive. */
TEST(dup_keeps)
{
	int fd, copy, other;
	pid_t pid;

	fd = empty_open();
	ASSERT_GE(fd, 0);
	pid = pidfd_pid(fd);
	copy = dup(fd);
	other = sys_pidfd_open(pid, 0);
	EXPECT_EQ(0, close(fd));
	EXPECT_EQ(0, poll_now(other));
	EXPECT_EQ(0, set_string(copy, "arg", "x"));
	EXPECT_EQ(0, close(copy));
	expect_gone(_metadata, other, pid);
}

/* So does a child that inherited the file. */
TEST(fork_keeps)
{
	int fd, other, go[2];
	pid_t child, pid;

	ASSERT_EQ(0, pipe2(go, O_CLOEXEC));
	fd = empty_open();
	ASSERT_GE(fd, 0);
	pid = pidfd_pid(fd);
	other = sys_pidfd_open(pid, 0);
	child = fork();
	ASSERT_GE(child, 0);
	if (!child) {
		close(go[1]);
		wait_eof(go[0]);
		_exit(0);
	}
	EXPECT_EQ(0, close(fd));
	EXPECT_EQ(0, poll_now(other));
	EXPECT_EQ(0, kill(pid, 0));
	close(go[1]);
	EXPECT_EQ(0, wait_child(child));
	expect_gone(_metadata, other, pid);
}

/* The thread that opened it may end, the process goes on. */
static void *open_in_thread(void *arg)
{
	*(int *)arg = empty_open();
	return NULL;
}

TEST(thread_ends)
{
	pthread_t thread;
	char *text;
	int fd;

	ASSERT_EQ(0, scratch());
	ASSERT_EQ(0, pthread_create(&thread, NULL, open_in_thread, &fd));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	ASSERT_GE(fd, 0);
	EXPECT_EQ(0, poll_now(fd));
	EXPECT_EQ(0, run_default(fd, &text));
	EXPECT_EQ(getpid(), atoi(field(text, "ppid")));
	free(text);
}

FIXTURE(opener) {
	int sock[2];
};

FIXTURE_VARIANT(opener) {
	char how;
};

FIXTURE_VARIANT_ADD(opener, exits) {
	.how = 'e',
};

FIXTURE_VARIANT_ADD(opener, is_killed) {
	.how = 'k',
};

FIXTURE_VARIANT_ADD(opener, execs) {
	.how = 'x',
};

FIXTURE_SETUP(opener)
{
	ASSERT_EQ(0, scratch());
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
				self->sock));
}

FIXTURE_TEARDOWN(opener)
{
}

/* The end of the opener, or its exec, is the end of the embryo. */
TEST_F(opener, ends)
{
	pid_t child, pid;
	int fd, other;
	char c = 0;

	child = fork();
	ASSERT_GE(child, 0);
	if (!child) {
		close(self->sock[0]);
		fd = empty_open();
		ASSERT_GE(fd, 0);
		ASSERT_EQ(0, send_fd(self->sock[1],
				     sys_pidfd_open(pidfd_pid(fd), 0)));
		ASSERT_EQ(1, read(self->sock[1], &c, 1));
		if (variant->how == 'e')
			_exit(0);
		if (variant->how == 'x')
			execl(REPORT, "report", "pause", NULL);
		pause();
		_exit(1);
	}
	close(self->sock[1]);
	other = recv_fd(self->sock[0]);
	ASSERT_GE(other, 0);
	pid = pidfd_pid(other);
	EXPECT_EQ(0, poll_now(other));
	EXPECT_EQ(0, kill(pid, 0));
	if (variant->how == 'k')
		EXPECT_EQ(0, kill(child, SIGKILL));
	if (variant->how != 'k')
		EXPECT_EQ(1, write(self->sock[0], &c, 1));
	EXPECT_EQ(POLLIN | POLLHUP, wait_gone(other));
	EXPECT_EQ(-1, kill(pid, 0));
	EXPECT_EQ(ESRCH, errno);
	/* The opener itself goes on after exec. */
	if (variant->how == 'x')
		EXPECT_EQ(0, kill(child, SIGKILL));
	EXPECT_EQ(variant->how == 'e' ? 0 : KILLED(SIGKILL),
		  wait_child(child));
}

/* Without close-on-exec the program that the opener becomes keeps it. */
TEST(exec_keeps)
{
	int fd, other, sock[2];
	pid_t child;

	ASSERT_EQ(0, scratch());
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock));
	child = fork();
	ASSERT_GE(child, 0);
	if (!child) {
		close(sock[0]);
		fd = empty_open();
		ASSERT_GE(fd, 0);
		ASSERT_EQ(0, fcntl(fd, F_SETFD, 0));
		ASSERT_EQ(0, send_fd(sock[1],
				     sys_pidfd_open(pidfd_pid(fd), 0)));
		execl(REPORT, "report", "pause", NULL);
		_exit(1);
	}
	close(sock[1]);
	other = recv_fd(sock[0]);
	ASSERT_GE(other, 0);
	/* The socket is closed by exec. */
	wait_eof(sock[0]);
	EXPECT_EQ(0, poll_now(other));
	EXPECT_EQ(0, kill(pidfd_pid(other), 0));
	EXPECT_EQ(0, kill(child, SIGKILL));
	EXPECT_EQ(POLLIN | POLLHUP, wait_gone(other));
	EXPECT_EQ(KILLED(SIGKILL), wait_child(child));
}

/* A builder that is received from an opener that ends since. */
static int received(struct __test_metadata *_metadata, pid_t *opener)
{
	int fd, sock[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock));
	*opener = fork();
	ASSERT_GE(*opener, 0);
	if (!*opener) {
		fd = empty_open();
		ASSERT_GE(fd, 0);
		ASSERT_EQ(0, send_fd(sock[1], fd));
		_exit(0);
	}
	close(sock[1]);
	fd = recv_fd(sock[0]);
	close(sock[0]);
	EXPECT_EQ(0, wait_child(*opener));
	return fd;
}

/* SCM_RIGHTS: the embryo outlives its opener in the receiver. */
TEST(passed_on)
{
	pid_t opener, pid;
	int fd, other;

	fd = received(_metadata, &opener);
	ASSERT_GE(fd, 0);
	pid = pidfd_pid(fd);
	ASSERT_GT(pid, 0);
	other = sys_pidfd_open(pid, 0);
	ASSERT_GE(other, 0);
	EXPECT_EQ(0, poll_now(fd));
	EXPECT_EQ(0, kill(pid, 0));
	EXPECT_NE(opener, atoi(status(pid, "PPid")));
	EXPECT_EQ(0, set_string(fd, "arg", "x"));
	EXPECT_EQ(0, close(fd));
	EXPECT_EQ(POLLIN | POLLHUP, wait_gone(other));
}

/* It can be committed there, and is then the child of who adopts orphans. */
TEST(passed_on_commit)
{
	pid_t opener;
	char *text;
	int fd;

	ASSERT_EQ(0, scratch());
	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
	fd = received(_metadata, &opener);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(getpid(), atoi(status(pidfd_pid(fd), "PPid")));
	EXPECT_EQ(-ECHILD, wait_any(WNOHANG));
	EXPECT_EQ(0, wait_any(WNOHANG | __WALL));
	EXPECT_EQ(0, run_default(fd, &text));
	EXPECT_EQ(getpid(), atoi(field(text, "ppid")));
	free(text);
}

/* Nor is one left to wait for when that one closes it. */
TEST(passed_on_close)
{
	pid_t opener, pid;
	int fd, other;

	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
	fd = received(_metadata, &opener);
	ASSERT_GE(fd, 0);
	pid = pidfd_pid(fd);
	other = sys_pidfd_open(pid, 0);
	EXPECT_EQ(0, close(fd));
	expect_gone(_metadata, other, pid);
	EXPECT_EQ(-ECHILD, wait_any(__WALL | WNOHANG));
}

/* A message that is never received holds it until the socket is gone. */
TEST(passed_on_unread)
{
	int fd, other, sock[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock));
	fd = empty_open();
	ASSERT_GE(fd, 0);
	other = sys_pidfd_open(pidfd_pid(fd), 0);
	ASSERT_EQ(0, send_fd(sock[1], fd));
	EXPECT_EQ(0, close(fd));
	EXPECT_EQ(0, poll_now(other));
	close(sock[1]);
	EXPECT_EQ(0, poll_now(other));
	close(sock[0]);
	EXPECT_EQ(POLLIN | POLLHUP, wait_gone(other));
}

/* cgroup.kill kills embryos, those that were moved there as well. */
TEST(cgroup_kill)
{
	char number[32];
	pid_t pid;
	int fd;

	ASSERT_EQ(0, scratch());
	ASSERT_EQ(0, make_cgroup("/tmp/cg/kill"));
	fd = empty_open();
	ASSERT_GE(fd, 0);
	pid = pidfd_pid(fd);
	snprintf(number, sizeof(number), "%d", pid);
	ASSERT_EQ(0, write_text("/tmp/cg/kill/cgroup.procs", number));
	EXPECT_NE(NULL, strstr(proc_text(pid, "cgroup"), "/kill\n"));
	EXPECT_EQ(pid, atoi(file_text("/tmp/cg/kill/cgroup.procs")));
	EXPECT_EQ(0, poll_now(fd));
	EXPECT_EQ(0, write_text("/tmp/cg/kill/cgroup.kill", "1"));
	expect_gone(_metadata, fd, pid);
	EXPECT_EQ(-ESRCH, set_string(fd, "arg", "x"));
	EXPECT_EQ(0, remove_cgroup("/tmp/cg/kill"));
}

/* A frozen one can be closed and killed. */
TEST(cgroup_frozen)
{
	char number[32];
	int fd, other, i;

	ASSERT_EQ(0, scratch());
	ASSERT_EQ(0, make_cgroup("/tmp/cg/frozen"));
	for (i = 0; i < 3; i++) {
		fd = empty_open();
		ASSERT_GE(fd, 0);
		other = sys_pidfd_open(pidfd_pid(fd), 0);
		snprintf(number, sizeof(number), "%d", pidfd_pid(fd));
		ASSERT_EQ(0, write_text("/tmp/cg/frozen/cgroup.procs", number));
		ASSERT_EQ(0, write_text("/tmp/cg/frozen/cgroup.freeze", "1"));
		EXPECT_EQ(0, set_string(fd, "arg", "x"));
		switch (i) {
		case 0:
			EXPECT_EQ(0, close(fd));
			break;
		case 1:
			EXPECT_EQ(0, send_signal(fd, SIGKILL));
			break;
		case 2:
			EXPECT_EQ(0, write_text("/tmp/cg/frozen/cgroup.kill",
						"1"));
			break;
		}
		EXPECT_EQ(POLLIN | POLLHUP, wait_gone(other));
		if (i)
			close(fd);
		close(other);
		ASSERT_EQ(0, write_text("/tmp/cg/frozen/cgroup.freeze", "0"));
	}
	EXPECT_EQ(0, remove_cgroup("/tmp/cg/frozen"));
}

/* One that is committed there starts when the cgroup is thawed. */
TEST(cgroup_frozen_commit)
{
	char number[32];
	int fd;

	ASSERT_EQ(0, scratch());
	ASSERT_EQ(0, make_cgroup("/tmp/cg/thaw"));
	fd = empty_open();
	ASSERT_GE(fd, 0);
	snprintf(number, sizeof(number), "%d", pidfd_pid(fd));
	ASSERT_EQ(0, write_text("/tmp/cg/thaw/cgroup.procs", number));
	ASSERT_EQ(0, write_text("/tmp/cg/thaw/cgroup.freeze", "1"));
	EXPECT_EQ(0, set_path(fd, "exec", REPORT));
	EXPECT_EQ(0, set_mode(fd, "exit", "42"));
	EXPECT_EQ(0, commit_flags(fd, PIDFD_COMMIT_NOWAIT));
	ASSERT_EQ(0, write_text("/tmp/cg/thaw/cgroup.freeze", "0"));
	EXPECT_EQ(42, wait_pidfd(fd));
	EXPECT_EQ(0, remove_cgroup("/tmp/cg/thaw"));
}

/*
 * The end of a PID namespace is the end of the embryos in it, wherever their
 * builders are, and is not held up by them.
 */
TEST(pid_namespace)
{
	int fd, sock[2];
	pid_t child;
	char c = 0;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock));
	ASSERT_EQ(0, unshare(CLONE_NEWPID));
	child = fork();
	ASSERT_GE(child, 0);
	if (!child) {
		close(sock[0]);
		EXPECT_EQ(1, getpid());
		fd = empty_open();
		ASSERT_GE(fd, 0);
		EXPECT_EQ(2, pidfd_pid(fd));
		ASSERT_EQ(0, send_fd(sock[1], fd));
		ASSERT_EQ(1, read(sock[1], &c, 1));
		_exit(_metadata->exit_code);
	}
	close(sock[1]);
	fd = recv_fd(sock[0]);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(0, poll_now(fd));
	EXPECT_EQ(0, set_string(fd, "arg", "x"));
	EXPECT_EQ(1, write(sock[0], &c, 1));
	EXPECT_EQ(0, wait_child(child));
	EXPECT_EQ(POLLIN | POLLHUP, wait_gone(fd));
	EXPECT_EQ(-ESRCH, set_string(fd, "arg", "x"));
	EXPECT_EQ(-ESRCH, commit(fd));
}

/* Before commit wait(2) does not know of it, __WALL does. */
TEST(wait_before_commit)
{
	int fd = empty_open();
	pid_t pid;

	ASSERT_GE(fd, 0);
	pid = pidfd_pid(fd);
	EXPECT_EQ(-ECHILD, wait_any(0));
	EXPECT_EQ(-ECHILD, wait_any(WNOHANG));
	EXPECT_EQ(-1, waitpid(pid, NULL, 0));
	EXPECT_EQ(ECHILD, errno);
	EXPECT_EQ(-ECHILD, wait_pidfd(fd));
	EXPECT_EQ(0, wait_any(WNOHANG | __WALL));
	EXPECT_EQ(0, wait_any(WNOHANG | __WCLONE));
	EXPECT_EQ(0, wait_pidfd_options(fd, WEXITED | WNOHANG | __WALL));
}

/* Who waits with __WALL returns when it ends, with nothing. */
TEST(wait_while_closed)
{
	int fd, go[2];
	pid_t child;

	ASSERT_EQ(0, pipe2(go, O_CLOEXEC));
	fd = empty_open();
	ASSERT_GE(fd, 0);
	child = fork();
	ASSERT_GE(child, 0);
	if (!child) {
		pid_t pid = pidfd_pid(fd);

		/* Kills it while the parent waits, or before. */
		close(go[1]);
		close(go[0]);
		kill(pid, SIGKILL);
		_exit(0);
	}
	close(go[1]);
	wait_eof(go[0]);
	/* The child is one to wait for, the embryo is not. */
	EXPECT_EQ(child, wait_any(__WALL));
	EXPECT_EQ(-ECHILD, wait_any(__WALL));
	EXPECT_EQ(POLLIN | POLLHUP, wait_gone(fd));
}

/* After commit it is a child as any other: SIGCHLD, zombie, wait status. */
TEST(wait_after_commit)
{
	struct timespec timeout = { .tv_sec = LONG_MS / 1000 };
	siginfo_t info = {};
	sigset_t set;
	int fd, wstatus;
	pid_t pid;

	ASSERT_EQ(0, scratch());
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	ASSERT_EQ(0, sigprocmask(SIG_BLOCK, &set, NULL));
	fd = empty_open();
	ASSERT_GE(fd, 0);
	pid = pidfd_pid(fd);
	EXPECT_EQ(0, set_path(fd, "exec", REPORT));
	EXPECT_EQ(0, set_mode(fd, "exit", "42"));
	EXPECT_EQ(0, commit(fd));
	EXPECT_EQ(SIGCHLD, sigtimedwait(&set, &info, &timeout));
	EXPECT_EQ(pid, info.si_pid);
	EXPECT_EQ(CLD_EXITED, info.si_code);
	EXPECT_EQ(42, info.si_status);
	/* A zombie until it is waited for. */
	EXPECT_EQ(POLLIN, poll_now(fd));
	EXPECT_STREQ("Z", stat_field(pid, 3));
	EXPECT_EQ(42, wait_pidfd_options(fd, WEXITED | WNOWAIT));
	EXPECT_EQ(pid, waitpid(-1, &wstatus, 0));
	EXPECT_TRUE(WIFEXITED(wstatus));
	EXPECT_EQ(42, WEXITSTATUS(wstatus));
	EXPECT_EQ(POLLIN | POLLHUP, poll_now(fd));
	EXPECT_EQ(-ECHILD, wait_any(__WALL));
}

/* An embryo that ends sends no SIGCHLD. */
TEST(no_sigchld)
{
	sigset_t set, pending;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	ASSERT_EQ(0, sigprocmask(SIG_BLOCK, &set, NULL));
	fd = empty_open();
	ASSERT_GE(fd, 0);
	EXPECT_EQ(0, send_signal(fd, SIGKILL));
	EXPECT_EQ(POLLIN | POLLHUP, wait_gone(fd));
	close(fd);
	close(empty_open());
	ASSERT_EQ(0, sigpending(&pending));
	EXPECT_EQ(0, sigismember(&pending, SIGCHLD));
}

/* A failed commit does not make it a child to wait for. */
TEST(wait_after_failed_commit)
{
	int fd;

	ASSERT_EQ(0, scratch());
	ASSERT_EQ(0, make_file("/tmp/text", "no program\n", 0755));
	fd = empty_open();
	ASSERT_GE(fd, 0);
	EXPECT_EQ(0, set_path(fd, "exec", "/tmp/text"));
	EXPECT_EQ(-ENOEXEC, commit(fd));
	EXPECT_EQ(-ECHILD, wait_any(0));
	EXPECT_EQ(-ECHILD, wait_pidfd(fd));
	EXPECT_EQ(0, wait_any(WNOHANG | __WALL));
	EXPECT_EQ(0, send_signal(fd, SIGKILL));
	EXPECT_EQ(POLLIN | POLLHUP, wait_gone(fd));
	EXPECT_EQ(-ECHILD, wait_any(__WALL));
}

/* With SIGCHLD ignored the program is reaped by itself. */
TEST(sigchld_ignored)
{
	int fd;

	ASSERT_EQ(0, scratch());
	ASSERT_NE(SIG_ERR, signal(SIGCHLD, SIG_IGN));
	fd = empty_open();
	ASSERT_GE(fd, 0);
	EXPECT_EQ(0, set_path(fd, "exec", REPORT));
	EXPECT_EQ(0, set_mode(fd, "exit", "42"));
	EXPECT_EQ(0, commit(fd));
	EXPECT_EQ(POLLIN | POLLHUP, wait_gone(fd));
	EXPECT_EQ(-ECHILD, wait_any(__WALL));
}

/* After commit closing the descriptor does not touch the program. */
TEST(close_after_commit)
{
	int fd, p[2], wstatus;
	pid_t pid;

	ASSERT_EQ(0, scratch());
	ASSERT_EQ(0, pipe2(p, O_CLOEXEC));
	fd = empty_open();
	ASSERT_GE(fd, 0);
	pid = pidfd_pid(fd);
	EXPECT_EQ(0, map_fd(fd, p[0], 0));
	EXPECT_EQ(0, set_path(fd, "exec", REPORT));
	EXPECT_EQ(0, set_mode(fd, "hold", NULL));
	EXPECT_EQ(0, commit(fd));
	EXPECT_EQ(0, close(fd));
	EXPECT_EQ(0, kill(pid, 0));
	EXPECT_EQ(0, wait_any(WNOHANG));
	close(p[1]);
	EXPECT_EQ(pid, waitpid(pid, &wstatus, 0));
	EXPECT_TRUE(WIFEXITED(wstatus));
	EXPECT_EQ(0, WEXITSTATUS(wstatus));
}

/* Nor does closing it while PIDFD_COMMIT_NOWAIT is on its way. */
TEST(close_after_nowait)
{
	int fd, i;

	ASSERT_EQ(0, scratch());
	for (i = 0; i < 50; i++) {
		fd = empty_open();
		ASSERT_GE(fd, 0);
		EXPECT_EQ(0, set_path(fd, "exec", REPORT));
		EXPECT_EQ(0, set_mode(fd, "exit", "42"));
		EXPECT_EQ(0, commit_flags(fd, PIDFD_COMMIT_NOWAIT));
		EXPECT_EQ(0, close(fd));
		EXPECT_EQ(42, wait_child(-1));
	}
}

/* The program is killed and waited for through the same descriptor. */
TEST(pidfd_after_commit)
{
	int fd;

	ASSERT_EQ(0, scratch());
	fd = empty_open();
	ASSERT_GE(fd, 0);
	EXPECT_EQ(0, set_path(fd, "exec", REPORT));
	EXPECT_EQ(0, set_mode(fd, "pause", NULL));
	EXPECT_EQ(0, commit(fd));
	EXPECT_EQ(0, poll_now(fd));
	EXPECT_EQ(0, send_signal(fd, SIGSTOP));
	EXPECT_EQ(SIGSTOP, wait_pidfd_options(fd, WSTOPPED));
	EXPECT_EQ(0, send_signal(fd, SIGTERM));
	EXPECT_EQ(0, send_signal(fd, SIGCONT));
	EXPECT_EQ(KILLED(SIGTERM), wait_pidfd(fd));
	EXPECT_EQ(-ESRCH, send_signal(fd, 0));
}

/*
 * A write lease on the image keeps exec waiting in its open(2), and tells us
 * by a signal when it is there.
 */
FIXTURE(slow) {
	int fd;
	int other;
	int lease;
	sigset_t set;
	pid_t committer;
};

static int wait_for_exec(const sigset_t *set)
{
	struct timespec timeout = { .tv_sec = LONG_MS / 1000 };

	return sigtimedwait(set, NULL, &timeout);
}

FIXTURE_SETUP(slow)
{
	self->committer = -1;
	ASSERT_EQ(0, scratch());
	ASSERT_EQ(0, copy_file(REPORT, "/tmp/leased", 0755));
	sigemptyset(&self->set);
	sigaddset(&self->set, SIGIO);
	ASSERT_EQ(0, sigprocmask(SIG_BLOCK, &self->set, NULL));
	self->fd = empty_open();
	ASSERT_GE(self->fd, 0);
	self->other = sys_pidfd_open(pidfd_pid(self->fd), 0);
	ASSERT_GE(self->other, 0);
	EXPECT_EQ(0, set_path(self->fd, "exec", "/tmp/leased"));
	EXPECT_EQ(0, set_mode(self->fd, "exit", "42"));
	self->lease = open("/tmp/leased", O_RDONLY | O_CLOEXEC);
	ASSERT_GE(self->lease, 0);
	ASSERT_EQ(0, fcntl(self->lease, F_SETLEASE, F_WRLCK));
}

FIXTURE_TEARDOWN(slow)
{
	fcntl(self->lease, F_SETLEASE, F_UNLCK);
	close(self->fd);
}

/* A process of its own that commits and exits with the errno. */
static pid_t start_committer(int fd)
{
	pid_t pid = fork();

	if (!pid)
		_exit(-commit(fd));
	return pid;
}

/* While a commit is on its way the embryo is EBUSY; then it succeeds. */
TEST_F(slow, busy)
{
	self->committer = start_committer(self->fd);
	ASSERT_GT(self->committer, 0);
	ASSERT_EQ(SIGIO, wait_for_exec(&self->set));
	EXPECT_EQ(-EBUSY, commit(self->fd));
	EXPECT_EQ(-EBUSY, commit_flags(self->fd, PIDFD_COMMIT_NOWAIT));
	EXPECT_EQ(-EBUSY, set_string(self->fd, "arg", "x"));
	EXPECT_EQ(-EBUSY, set_path(self->fd, "exec", REPORT));
	EXPECT_EQ(-EBUSY, set_path(self->fd, "cwd", "/"));
	EXPECT_EQ(-EBUSY, set_flag(self->fd, "inherit-fds"));
	EXPECT_EQ(0, poll_now(self->fd));
	EXPECT_EQ(0, waitpid(self->committer, NULL, WNOHANG));
	EXPECT_EQ(0, fcntl(self->lease, F_SETLEASE, F_UNLCK));
	EXPECT_EQ(0, wait_child(self->committer));
	EXPECT_EQ(42, wait_pidfd(self->fd));
}

/* PIDFD_COMMIT_NOWAIT does not wait for that, nor do others of the process. */
TEST_F(slow, nowait)
{
	EXPECT_EQ(0, commit_flags(self->fd, PIDFD_COMMIT_NOWAIT));
	ASSERT_EQ(SIGIO, wait_for_exec(&self->set));
	EXPECT_EQ(-EBUSY, set_string(self->fd, "arg", "x"));
	EXPECT_EQ(0, fcntl(self->lease, F_SETLEASE, F_UNLCK));
	EXPECT_EQ(42, wait_pidfd(self->fd));
}

/* The embryo is killed while it is in exec: ESRCH for the committer. */
TEST_F(slow, embryo_killed)
{
	self->committer = start_committer(self->fd);
	ASSERT_GT(self->committer, 0);
	ASSERT_EQ(SIGIO, wait_for_exec(&self->set));
	EXPECT_EQ(0, send_signal(self->fd, SIGKILL));
	EXPECT_EQ(ESRCH, wait_child(self->committer));
	EXPECT_EQ(POLLIN | POLLHUP, wait_gone(self->fd));
	EXPECT_EQ(-ECHILD, wait_any(__WALL));
	EXPECT_EQ(-ESRCH, set_string(self->fd, "arg", "x"));
}

/*
 * The committer is killed: it dies at once. With the last descriptor the
 * embryo goes as well, without waiting for what exec waits for.
 */
TEST_F(slow, committer_killed)
{
	pid_t pid = pidfd_pid(self->fd);

	self->committer = start_committer(self->fd);
	ASSERT_GT(self->committer, 0);
	ASSERT_EQ(SIGIO, wait_for_exec(&self->set));
	EXPECT_EQ(0, kill(self->committer, SIGKILL));
	EXPECT_EQ(KILLED(SIGKILL), wait_child(self->committer));
	EXPECT_EQ(0, close(self->fd));
	expect_gone(_metadata, self->other, pid);
	EXPECT_EQ(-ECHILD, wait_any(__WALL | WNOHANG));
}

/* A signal that the committer catches does not end its waiting. */
static void on_signal(int sig)
{
}

TEST_F(slow, committer_interrupted)
{
	struct sigaction sa = { .sa_handler = on_signal };

	ASSERT_EQ(0, sigaction(SIGUSR1, &sa, NULL));
	self->committer = start_committer(self->fd);
	ASSERT_GT(self->committer, 0);
	ASSERT_EQ(SIGIO, wait_for_exec(&self->set));
	EXPECT_EQ(0, kill(self->committer, SIGUSR1));
	EXPECT_EQ(0, waitpid(self->committer, NULL, WNOHANG));
	EXPECT_EQ(0, fcntl(self->lease, F_SETLEASE, F_UNLCK));
	EXPECT_EQ(0, wait_child(self->committer));
	EXPECT_EQ(42, wait_pidfd(self->fd));
}

/* The opener ends while its commit is on its way: so does the embryo. */
TEST(opener_killed_in_commit)
{
	int fd, lease, sock[2], other;
	pid_t child;
	sigset_t set;

	ASSERT_EQ(0, scratch());
	ASSERT_EQ(0, copy_file(REPORT, "/tmp/leased", 0755));
	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	ASSERT_EQ(0, sigprocmask(SIG_BLOCK, &set, NULL));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock));
	lease = open("/tmp/leased", O_RDONLY | O_CLOEXEC);
	ASSERT_EQ(0, fcntl(lease, F_SETLEASE, F_WRLCK));
	child = fork();
	ASSERT_GE(child, 0);
	if (!child) {
		fd = empty_open();
		ASSERT_GE(fd, 0);
		ASSERT_EQ(0, send_fd(sock[1],
				     sys_pidfd_open(pidfd_pid(fd), 0)));
		EXPECT_EQ(0, set_path(fd, "exec", "/tmp/leased"));
		EXPECT_EQ(0, commit(fd));
		_exit(0);
	}
	close(sock[1]);
	other = recv_fd(sock[0]);
	ASSERT_GE(other, 0);
	ASSERT_EQ(SIGIO, wait_for_exec(&set));
	EXPECT_EQ(0, kill(child, SIGKILL));
	EXPECT_EQ(KILLED(SIGKILL), wait_child(child));
	EXPECT_EQ(POLLIN | POLLHUP, wait_gone(other));
	EXPECT_EQ(0, fcntl(lease, F_SETLEASE, F_UNLCK));
}

TEST_HARNESS_MAIN
