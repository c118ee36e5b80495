// SPDX-License-Identifier: GPL-2.0
/*
 * pidfd_open(0, PIDFD_EMPTY): the flags, the state of the new task, the
 * descriptor, and what the task is charged for.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <grp.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/time.h>

#include "pidfd_config_util.h"
#include "kselftest_harness.h"

#define IOPRIO_WHO_PROCESS	1
#define IOPRIO_BE_7		((2 << 13) | 7)

FIXTURE(flags) {
	int unused;
};

FIXTURE_VARIANT(flags) {
	pid_t pid;	/* -2 stands for our own */
	unsigned int flags;
	int error;
};

FIXTURE_VARIANT_ADD(flags, no_pid_no_flag) {
	.pid = 0, .flags = 0, .error = EINVAL,
};

FIXTURE_VARIANT_ADD(flags, no_pid_nonblock) {
	.pid = 0, .flags = PIDFD_NONBLOCK, .error = EINVAL,
};

FIXTURE_VARIANT_ADD(flags, no_pid_thread) {
	.pid = 0, .flags = PIDFD_THREAD, .error = EINVAL,
};

FIXTURE_VARIANT_ADD(flags, empty) {
	.pid = 0, .flags = PIDFD_EMPTY, .error = 0,
};

FIXTURE_VARIANT_ADD(flags, empty_nonblock) {
	.pid = 0, .flags = PIDFD_EMPTY | PIDFD_NONBLOCK, .error = 0,
};

FIXTURE_VARIANT_ADD(flags, empty_thread) {
	.pid = 0, .flags = PIDFD_EMPTY | PIDFD_THREAD, .error = EINVAL,
};

FIXTURE_VARIANT_ADD(flags, empty_thread_nonblock) {
	.pid = 0, .flags = PIDFD_EMPTY | PIDFD_THREAD | PIDFD_NONBLOCK,
	.error = EINVAL,
};

FIXTURE_VARIANT_ADD(flags, own_pid_empty) {
	.pid = -2, .flags = PIDFD_EMPTY, .error = EINVAL,
};

FIXTURE_VARIANT_ADD(flags, own_pid_empty_nonblock) {
	.pid = -2, .flags = PIDFD_EMPTY | PIDFD_NONBLOCK, .error = EINVAL,
};

FIXTURE_VARIANT_ADD(flags, init_empty) {
	.pid = 1, .flags = PIDFD_EMPTY, .error = EINVAL,
};

FIXTURE_VARIANT_ADD(flags, negative_pid_empty) {
	.pid = -1, .flags = PIDFD_EMPTY, .error = EINVAL,
};

FIXTURE_VARIANT_ADD(flags, lowest_pid_empty) {
	.pid = INT_MIN, .flags = PIDFD_EMPTY, .error = EINVAL,
};

FIXTURE_VARIANT_ADD(flags, empty_cloexec) {
	.pid = 0, .flags = PIDFD_EMPTY | O_CLOEXEC, .error = EINVAL,
};

FIXTURE_VARIANT_ADD(flags, empty_trunc) {
	.pid = 0, .flags = PIDFD_EMPTY | O_TRUNC, .error = EINVAL,
};

FIXTURE_VARIANT_ADD(flags, empty_append) {
	.pid = 0, .flags = PIDFD_EMPTY | O_APPEND, .error = EINVAL,
};

FIXTURE_VARIANT_ADD(flags, empty_rdwr) {
	.pid = 0, .flags = PIDFD_EMPTY | O_RDWR, .error = EINVAL,
};

FIXTURE_VARIANT_ADD(flags, empty_lowest_bit) {
	.pid = 0, .flags = PIDFD_EMPTY | 1, .error = EINVAL,
};

FIXTURE_VARIANT_ADD(flags, empty_highest_bit) {
	.pid = 0, .flags = PIDFD_EMPTY | (1U << 31), .error = EINVAL,
};

FIXTURE_VARIANT_ADD(flags, all_bits) {
	.pid = 0, .flags = ~0U, .error = EINVAL,
};

FIXTURE_SETUP(flags)
{
}

FIXTURE_TEARDOWN(flags)
{
}

/* Only PIDFD_EMPTY, alone or with PIDFD_NONBLOCK, makes an embryo of pid 0. */
TEST_F(flags, open)
{
	pid_t pid = variant->pid == -2 ? getpid() : variant->pid;
	int fd = sys_pidfd_open(pid, variant->flags);

	if (variant->error) {
		EXPECT_EQ(-variant->error, fd);
		/* No task was left behind. */
		EXPECT_EQ(-ECHILD, wait_any(__WALL | WNOHANG));
		return;
	}
	ASSERT_GE(fd, 0);
	EXPECT_EQ(variant->flags & PIDFD_NONBLOCK,
		  fcntl(fd, F_GETFL) & PIDFD_NONBLOCK);
	EXPECT_EQ(0, wait_any(__WALL | WNOHANG));
}

/* The flags of an ordinary pidfd keep their meaning. */
TEST(ordinary_pidfd)
{
	int fd = sys_pidfd_open(getpid(), 0);

	ASSERT_GE(fd, 0);
	EXPECT_EQ(0, fcntl(fd, F_GETFL) & PIDFD_EMPTY);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	close(fd);
	fd = sys_pidfd_open(getpid(), PIDFD_THREAD | PIDFD_NONBLOCK);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(0, fcntl(fd, F_GETFL) & PIDFD_EMPTY);
	close(fd);
}

static void on_signal(int sig)
{
}

/*
 * Signals: the embryo has no handler, ignores and blocks nothing and has
 * nothing pending, whatever the opener does.
 */
TEST(pristine_signals)
{
	static const char none[] = "0000000000000000";
	struct sigaction sa = { .sa_handler = on_signal };
	sigset_t set;
	pid_t pid;
	int fd;

	ASSERT_EQ(0, sigaction(SIGUSR1, &sa, NULL));
	sa.sa_handler = SIG_IGN;
	ASSERT_EQ(0, sigaction(SIGUSR2, &sa, NULL));
	ASSERT_EQ(0, sigaction(SIGCHLD, &sa, NULL));
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGRTMIN);
	ASSERT_EQ(0, sigprocmask(SIG_BLOCK, &set, NULL));
	ASSERT_EQ(0, raise(SIGHUP));
	ASSERT_EQ(0, kill(getpid(), SIGTERM));
	ASSERT_EQ(0, kill(getpid(), SIGRTMIN));
	ASSERT_STRNE(none, status(getpid(), "SigBlk"));
	ASSERT_STRNE(none, status(getpid(), "SigIgn"));
	ASSERT_STRNE(none, status(getpid(), "SigCgt"));
	ASSERT_STRNE(none, status(getpid(), "ShdPnd"));

	fd = empty_open();
	ASSERT_GE(fd, 0);
	pid = pidfd_pid(fd);
	ASSERT_GT(pid, 0);
	EXPECT_STREQ(none, status(pid, "SigBlk"));
	EXPECT_STREQ(none, status(pid, "SigIgn"));
	EXPECT_STREQ(none, status(pid, "SigCgt"));
	EXPECT_STREQ(none, status(pid, "SigPnd"));
	EXPECT_STREQ(none, status(pid, "ShdPnd"));
}

/* The task has no memory and no descriptors, and has never run. */
TEST(pristine_task)
{
	unsigned long long ran = 1, waited = 1, slices = 1;
	int fd, spare;
	pid_t pid;

	spare = open("/dev/null", O_RDWR);
	ASSERT_GE(spare, 0);
	ASSERT_EQ(900, dup2(spare, 900));
	ASSERT_EQ(0, prctl(PR_SET_NAME, "opener"));

	fd = empty_open();
	ASSERT_GE(fd, 0);
	pid = pidfd_pid(fd);
	ASSERT_GT(pid, 0);
	EXPECT_NE(getpid(), pid);

	EXPECT_STREQ("embryo", status(pid, "Name"));
	EXPECT_STREQ("embryo\n", proc_text(pid, "comm"));
	EXPECT_STREQ("(none)", status(pid, "VmSize"));
	EXPECT_STREQ("(none)", status(pid, "VmPeak"));
	EXPECT_STREQ("", proc_text(pid, "cmdline"));
	EXPECT_STREQ("", proc_text(pid, "environ"));
	EXPECT_STREQ("", proc_text(pid, "maps"));
	EXPECT_STREQ("", proc_link(pid, "exe"));
	EXPECT_EQ(0, fd_count(pid));
	EXPECT_STREQ("1", status(pid, "Threads"));
	EXPECT_STREQ("0", status(pid, "voluntary_ctxt_switches"));
	EXPECT_STREQ("0", status(pid, "nonvoluntary_ctxt_switches"));
	/* utime, stime */
	EXPECT_STREQ("0", stat_field(pid, 14));
	EXPECT_STREQ("0", stat_field(pid, 15));
	if (sscanf(proc_text(pid, "schedstat"), "%llu %llu %llu", &ran, &waited,
		   &slices) == 3) {
		EXPECT_EQ(0, ran);
		EXPECT_EQ(0, slices);
	}
}

/* The embryo is the opener's child, in its session and process group. */
TEST(parent_and_session)
{
	char number[32];
	pid_t pid;
	int fd;

	fd = empty_open();
	ASSERT_GE(fd, 0);
	pid = pidfd_pid(fd);
	ASSERT_GT(pid, 0);
	snprintf(number, sizeof(number), "%d", getpid());
	EXPECT_STREQ(number, status(pid, "PPid"));
	EXPECT_STREQ(number, stat_field(pid, 4));
	snprintf(number, sizeof(number), "%d", pid);
	EXPECT_STREQ(number, status(pid, "Tgid"));
	EXPECT_EQ(getpgrp(), getpgid(pid));
	EXPECT_EQ(getsid(0), getsid(pid));
	/* pgrp, session, tty_nr, tpgid */
	EXPECT_STREQ(stat_field(getpid(), 5), stat_field(pid, 5));
	EXPECT_STREQ(stat_field(getpid(), 6), stat_field(pid, 6));
	EXPECT_STREQ(stat_field(getpid(), 7), stat_field(pid, 7));
	EXPECT_STREQ(stat_field(getpid(), 8), stat_field(pid, 8));
}

/* An opener that leads a session of its own passes that on as well. */
TEST(new_session)
{
	pid_t child = fork(), pid;
	int fd;

	ASSERT_GE(child, 0);
	if (!child) {
		EXPECT_EQ(getpid(), setsid());
		fd = empty_open();
		ASSERT_GE(fd, 0);
		pid = pidfd_pid(fd);
		EXPECT_EQ(getpid(), getsid(pid));
		EXPECT_EQ(getpid(), getpgid(pid));
		_exit(_metadata->exit_code);
	}
	EXPECT_EQ(0, wait_child(child));
}

/* Credentials and security state are the opener's. */
TEST(inherit_credentials)
{
	static const char *const names[] = {
		"Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd",
		"CapAmb", "NoNewPrivs", "Seccomp", "Seccomp_filters",
	};
	static const gid_t groups[] = { UID_A, UID_B };
	struct sock_filter filter[] = {
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {
		.len = ARRAY_SIZE(filter),
		.filter = filter,
	};
	pid_t pid;
	int fd, i;

	ASSERT_EQ(0, setgroups(ARRAY_SIZE(groups), groups));
	ASSERT_EQ(0, setresgid(UID_A, UID_B, 0));
	/* A real uid of its own and all capabilities kept. */
	ASSERT_EQ(0, setresuid(UID_A, 0, UID_B));
	ASSERT_EQ(0, prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	ASSERT_EQ(0, prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog));

	fd = empty_open();
	ASSERT_GE(fd, 0);
	pid = pidfd_pid(fd);
	ASSERT_GT(pid, 0);
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		EXPECT_STREQ(status(getpid(), names[i]), status(pid, names[i]))
			TH_LOG("%s", names[i]);
	}
	EXPECT_STREQ("1", status(pid, "NoNewPrivs"));
	EXPECT_STREQ("2", status(pid, "Seccomp"));
	EXPECT_STREQ("1", status(pid, "Seccomp_filters"));
}

/* Working directory, root and umask are the opener's, but not shared. */
TEST(inherit_fs)
{
	pid_t pid;
	int fd;

	ASSERT_EQ(0, scratch());
	ASSERT_EQ(0, mkdir("/tmp/dir", 0755));
	ASSERT_EQ(0, mkdir("/tmp/other", 0755));
	ASSERT_EQ(0, chdir("/tmp/dir"));
	umask(0135);
	fd = empty_open();
	ASSERT_GE(fd, 0);
	pid = pidfd_pid(fd);
	ASSERT_EQ(0, chdir("/tmp/other"));
	umask(0);
	EXPECT_STREQ("/tmp/dir", proc_link(pid, "cwd"));
	EXPECT_STREQ("/", proc_link(pid, "root"));
	EXPECT_STREQ("0135", status(pid, "Umask"));
}

/* Limits, oom_score_adj, personality and timer slack are the opener's. */
TEST(inherit_limits)
{
	struct rlimit rlim;
	pid_t pid;
	int fd;

	ASSERT_EQ(0, getrlimit(RLIMIT_STACK, &rlim));
	rlim.rlim_cur = 3 << 20;
	ASSERT_EQ(0, setrlimit(RLIMIT_STACK, &rlim));
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &rlim));
	rlim.rlim_cur = 123;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &rlim));
	ASSERT_EQ(0, write_text("/proc/self/oom_score_adj", "321"));
	ASSERT_NE(-1, personality(ADDR_NO_RANDOMIZE));
	ASSERT_EQ(0, prctl(PR_SET_TIMERSLACK, 123456));

	fd = empty_open();
	ASSERT_GE(fd, 0);
	pid = pidfd_pid(fd);
	EXPECT_STREQ(file_text("/proc/self/limits"), proc_text(pid, "limits"));
	EXPECT_STREQ("321\n", proc_text(pid, "oom_score_adj"));
	EXPECT_STREQ("00040000\n", proc_text(pid, "personality"));
	EXPECT_STREQ("123456\n", proc_text(pid, "timerslack_ns"));
}

/* Nice value, policy, affinity and I/O priority are the opener's. */
TEST(inherit_scheduling)
{
	struct sched_param param = {};
	cpu_set_t cpus, theirs;
	pid_t pid;
	int cpu, fd;

	ASSERT_EQ(0, setpriority(PRIO_PROCESS, 0, 7));
	ASSERT_EQ(0, sched_setscheduler(0, SCHED_BATCH, &param));
	ASSERT_EQ(0, syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0,
			     IOPRIO_BE_7));
	ASSERT_EQ(0, sched_getaffinity(0, sizeof(cpus), &cpus));
	for (cpu = 0; !CPU_ISSET(cpu, &cpus); cpu++)
		;
	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(cpus), &cpus));

	fd = empty_open();
	ASSERT_GE(fd, 0);
	pid = pidfd_pid(fd);
	EXPECT_EQ(7, getpriority(PRIO_PROCESS, pid));
	EXPECT_STREQ("7", stat_field(pid, 19));
	EXPECT_EQ(SCHED_BATCH, sched_getscheduler(pid));
	EXPECT_EQ(IOPRIO_BE_7,
		  syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, pid));
	ASSERT_EQ(0, sched_getaffinity(pid, sizeof(theirs), &theirs));
	EXPECT_TRUE(CPU_EQUAL(&cpus, &theirs));
}

/* SCHED_RESET_ON_FORK holds for an embryo as for a fork(2). */
TEST(reset_on_fork)
{
	struct sched_param param = { .sched_priority = 5 };
	pid_t pid;
	int fd;

	ASSERT_EQ(0, sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK,
					&param));
	fd = empty_open();
	ASSERT_GE(fd, 0);
	pid = pidfd_pid(fd);
	EXPECT_EQ(SCHED_OTHER, sched_getscheduler(pid));
	EXPECT_EQ(0, getpriority(PRIO_PROCESS, pid));
}

/* A realtime policy without that flag is inherited. */
TEST(inherit_realtime)
{
	struct sched_param param = { .sched_priority = 5 };
	pid_t pid;
	int fd;

	ASSERT_EQ(0, sched_setscheduler(0, SCHED_FIFO, &param));
	fd = empty_open();
	ASSERT_GE(fd, 0);
	pid = pidfd_pid(fd);
	EXPECT_EQ(SCHED_FIFO, sched_getscheduler(pid));
	param.sched_priority = 0;
	EXPECT_EQ(0, sched_getparam(pid, &param));
	EXPECT_EQ(5, param.sched_priority);
}

/* The embryo is in the namespaces that a fork(2)ed child would be in. */
TEST(inherit_namespaces)
{
	static const char *const names[] = {
		"ns/cgroup", "ns/ipc", "ns/mnt", "ns/net", "ns/pid",
		"ns/pid_for_children", "ns/time", "ns/time_for_children",
		"ns/user", "ns/uts",
	};
	pid_t pid;
	int fd, i;

	ASSERT_EQ(0, unshare(CLONE_NEWUTS | CLONE_NEWNS));
	fd = empty_open();
	ASSERT_GE(fd, 0);
	pid = pidfd_pid(fd);
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		EXPECT_STREQ(proc_link(getpid(), names[i]),
			     proc_link(pid, names[i]))
			TH_LOG("%s", names[i]);
	}
}

/*
 * After unshare(CLONE_NEWPID) the embryo is the init of the new namespace, as
 * the next child of fork(2) would be.
 */
TEST(pid_for_children)
{
	char want[64], *text;
	pid_t pid;
	int fd;

	ASSERT_EQ(0, scratch());
	ASSERT_EQ(0, unshare(CLONE_NEWPID));
	fd = empty_open();
	ASSERT_GE(fd, 0);
	pid = pidfd_pid(fd);
	ASSERT_GT(pid, 1);
	snprintf(want, sizeof(want), "%d\t1", pid);
	EXPECT_STREQ(want, status(pid, "NSpid"));
	EXPECT_EQ(0, run_default(fd, &text));
	EXPECT_STREQ("1", field(text, "pid"));
	EXPECT_STREQ("0", field(text, "ppid"));
	free(text);
}

/* That init may also be destroyed without ever having run. */
TEST(pid_for_children_close)
{
	int fd, other;

	ASSERT_EQ(0, unshare(CLONE_NEWPID));
	fd = empty_open();
	ASSERT_GE(fd, 0);
	other = sys_pidfd_open(pidfd_pid(fd), 0);
	ASSERT_GE(other, 0);
	EXPECT_EQ(0, close(fd));
	EXPECT_EQ(POLLIN | POLLHUP, wait_gone(other));
	EXPECT_EQ(-ECHILD, wait_any(__WALL | WNOHANG));
}

/* The embryo is in the opener's cgroup. */
TEST(inherit_cgroup)
{
	pid_t pid;
	int fd;

	ASSERT_EQ(0, scratch());
	ASSERT_EQ(0, make_cgroup("/tmp/cg/embryo"));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		ASSERT_EQ(0, write_text("/tmp/cg/embryo/cgroup.procs", "0"));
		fd = empty_open();
		ASSERT_GE(fd, 0);
		pid = pidfd_pid(fd);
		EXPECT_STREQ(proc_text(getpid(), "cgroup"),
			     proc_text(pid, "cgroup"));
		EXPECT_NE(NULL, strstr(proc_text(pid, "cgroup"), "/embryo\n"));
		close(fd);
		_exit(_metadata->exit_code);
	}
	EXPECT_EQ(0, wait_child(pid));
	EXPECT_EQ(0, remove_cgroup("/tmp/cg/embryo"));
}

/*
 * What is not inherited: name, death signal, timers, alternate stack, signal
 * handlers, mask. Seen by the program that the embryo becomes.
 */
TEST(not_inherited)
{
	struct itimerval timer = { .it_value.tv_sec = 10000 };
	struct sigaction sa = { .sa_handler = on_signal };
	stack_t stack = { .ss_size = 65536 };
	char *text;
	int fd;

	ASSERT_EQ(0, scratch());
	stack.ss_sp = malloc(stack.ss_size);
	ASSERT_EQ(0, sigaltstack(&stack, NULL));
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &timer, NULL));
	ASSERT_EQ(0, prctl(PR_SET_PDEATHSIG, SIGUSR1));
	ASSERT_EQ(0, sigaction(SIGUSR1, &sa, NULL));
	fd = empty_open();
	ASSERT_GE(fd, 0);
	EXPECT_EQ(0, run_default(fd, &text));
	EXPECT_STREQ("report", field(text, "comm"));
	EXPECT_STREQ("0", field(text, "pdeathsig"));
	EXPECT_STREQ("0", field(text, "altstack"));
	EXPECT_STREQ("0", field(text, "itimer"));
	EXPECT_STREQ("0000000000000000", field(text, "sigblk"));
	EXPECT_STREQ("0000000000000000", field(text, "sigign"));
	EXPECT_STREQ("0000000000000000", field(text, "sigcgt"));
	EXPECT_STREQ("1", field(text, "fds"));
	EXPECT_STREQ("0", field(text, "envs"));
	free(text);
}

/* A tracer that follows the forks of the opener does not get the embryo. */
TEST(not_traced)
{
	int fd, go[2], wstatus;
	pid_t child;
	char c;

	ASSERT_EQ(0, pipe2(go, O_CLOEXEC));
	child = fork();
	ASSERT_GE(child, 0);
	if (!child) {
		close(go[1]);
		ASSERT_EQ(0, read(go[0], &c, 1));
		fd = empty_open();
		ASSERT_GE(fd, 0);
		EXPECT_STRNE("0", status(getpid(), "TracerPid"));
		EXPECT_STREQ("0", status(pidfd_pid(fd), "TracerPid"));
		_exit(_metadata->exit_code);
	}
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, child, 0,
			    PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
			    PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL));
	close(go[1]);
	ASSERT_EQ(child, waitpid(child, &wstatus, __WALL));
	EXPECT_TRUE(WIFEXITED(wstatus));
	EXPECT_EQ(0, WEXITSTATUS(wstatus));
}

/* The descriptor is close-on-exec and tells a builder by PIDFD_EMPTY. */
TEST(descriptor_flags)
{
	int fd = empty_open();

	ASSERT_GE(fd, 0);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	EXPECT_EQ(PIDFD_EMPTY, fcntl(fd, F_GETFL) & PIDFD_EMPTY);
	EXPECT_EQ(0, fcntl(fd, F_GETFL) & PIDFD_THREAD);
	EXPECT_EQ(0, fcntl(fd, F_GETFL) & O_NONBLOCK);
	/* F_SETFL changes O_NONBLOCK, but does not make it another file. */
	EXPECT_EQ(0, fcntl(fd, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(O_NONBLOCK, fcntl(fd, F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(PIDFD_EMPTY, fcntl(fd, F_GETFL) & PIDFD_EMPTY);
	EXPECT_EQ(0, set_string(fd, "arg", "x"));
}

/* The PID is read with PIDFD_GET_INFO and from fdinfo. */
TEST(read_pid)
{
	struct pidfd_info info = { .mask = PIDFD_INFO_PID };
	char name[32], number[32];
	int fd = empty_open();

	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, ioctl(fd, PIDFD_GET_INFO, &info));
	EXPECT_EQ(info.pid, info.tgid);
	EXPECT_EQ(getpid(), info.ppid);
	EXPECT_EQ(getuid(), info.ruid);
	EXPECT_EQ(0, kill(info.pid, 0));
	snprintf(name, sizeof(name), "fdinfo/%d", fd);
	snprintf(number, sizeof(number), "%d", info.pid);
	EXPECT_STREQ(number, line_after(proc_text(getpid(), name), "Pid:"));
}

/* Before commit there is nothing to poll for. */
TEST(poll_times_out)
{
	int fd = empty_open();

	ASSERT_GE(fd, 0);
	EXPECT_EQ(0, poll_now(fd));
}

/* A second pidfd of the same task is an ordinary one. */
TEST(second_pidfd)
{
	int fd, other;

	fd = empty_open();
	ASSERT_GE(fd, 0);
	other = sys_pidfd_open(pidfd_pid(fd), 0);
	ASSERT_GE(other, 0);
	EXPECT_EQ(0, fcntl(other, F_GETFL) & PIDFD_EMPTY);
	EXPECT_EQ(pidfd_pid(fd), pidfd_pid(other));
	EXPECT_EQ(-EINVAL, set_string(other, "arg", "x"));
	EXPECT_EQ(-EINVAL, commit(other));
	EXPECT_EQ(0, poll_now(other));
	/* Closing it is not the last close of the builder. */
	EXPECT_EQ(0, close(other));
	EXPECT_EQ(0, set_string(fd, "arg", "x"));
}

/* dup(2) shares the right to configure. */
TEST(dup_is_builder)
{
	int fd, other;

	fd = empty_open();
	ASSERT_GE(fd, 0);
	other = dup(fd);
	ASSERT_GE(other, 0);
	EXPECT_EQ(0, set_string(other, "arg", "x"));
	other = fcntl(fd, F_DUPFD_CLOEXEC, 100);
	ASSERT_GE(other, 100);
	EXPECT_EQ(0, set_string(other, "arg", "y"));
}

/*
 * Opening the link in /proc gives another file, which is no builder, also
 * where the flags of open(2) have the bit of PIDFD_EMPTY.
 */
TEST(reopen_is_no_builder)
{
	static const int flags[] = { O_RDONLY, O_RDWR, O_RDWR | O_CREAT };
	int fd, other, i;
	char path[64];

	fd = empty_open();
	ASSERT_GE(fd, 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		other = open(path, flags[i] | O_CLOEXEC, 0600);
		if (other < 0)
			continue;
		EXPECT_EQ(0, fcntl(other, F_GETFL) & PIDFD_EMPTY);
		EXPECT_EQ(-EINVAL, set_string(other, "arg", "x"));
		EXPECT_EQ(-EINVAL, commit(other));
		EXPECT_EQ(0, close(other));
	}
	EXPECT_EQ(0, set_string(fd, "arg", "x"));
}

/* Nor is what the file handle of the builder opens. */
TEST(handle_is_no_builder)
{
	char space[sizeof(struct file_handle) + MAX_HANDLE_SZ] = {};
	struct file_handle *handle = (struct file_handle *)space;
	int fd, other, mount_id;

	fd = empty_open();
	ASSERT_GE(fd, 0);
	handle->handle_bytes = MAX_HANDLE_SZ;
	ASSERT_EQ(0, name_to_handle_at(fd, "", handle, &mount_id,
				       AT_EMPTY_PATH));
	other = open_by_handle_at(fd, handle, O_RDWR | PIDFD_EMPTY);
	EXPECT_EQ(-1, other);
	other = open_by_handle_at(fd, handle, O_RDWR);
	ASSERT_GE(other, 0);
	EXPECT_EQ(pidfd_pid(fd), pidfd_pid(other));
	EXPECT_EQ(0, fcntl(other, F_GETFL) & PIDFD_EMPTY);
	EXPECT_EQ(-EINVAL, set_string(other, "arg", "x"));
	EXPECT_EQ(-EINVAL, commit(other));
}

/* Without a free descriptor the task is not made, or not left. */
TEST(no_descriptor)
{
	struct rlimit rlim, none;

	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &rlim));
	none = rlim;
	none.rlim_cur = 0;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &none));
	EXPECT_EQ(-EMFILE, empty_open());
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &rlim));
	/* Until what there may be is gone. */
	EXPECT_EQ(-ECHILD, wait_any(__WALL));
}

/* A user without other processes: even a zombie of another test counts. */
static uid_t lonely_uid(void)
{
	return 100000 + getpid();
}

#define NPROC		4	/* the opener is one of them */
#define ROUNDS		500

/*
 * RLIMIT_NPROC is charged from the start, EAGAIN at the limit; an embryo that
 * is gone has given the charge back, 500 times over.
 */
TEST(rlimit_nproc)
{
	struct rlimit rlim = { .rlim_cur = NPROC, .rlim_max = NPROC };
	int fds[NPROC], i, ret;

	ASSERT_EQ(0, setrlimit(RLIMIT_NPROC, &rlim));
	ASSERT_EQ(0, become(lonely_uid()));
	for (i = 0; i < NPROC - 1; i++) {
		fds[i] = empty_open();
		ASSERT_GE(fds[i], 0);
	}
	EXPECT_EQ(-EAGAIN, empty_open());
	EXPECT_EQ(-1, fork());
	EXPECT_EQ(EAGAIN, errno);

	EXPECT_EQ(0, destroy(fds[0]));
	fds[0] = empty_open();
	EXPECT_GE(fds[0], 0);
	EXPECT_EQ(-EAGAIN, empty_open());
	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, destroy(fds[0]));
		fds[0] = empty_open();
		ASSERT_GE(fds[0], 0)
			TH_LOG("round %d", i);
	}
	EXPECT_EQ(-EAGAIN, empty_open());
	/* All of it comes back. */
	for (i = 0; i < NPROC - 1; i++)
		EXPECT_EQ(0, destroy(fds[i]));
	for (i = 0; i < NPROC - 1; i++) {
		ret = fork();
		ASSERT_GE(ret, 0);
		if (!ret)
			_exit(0);
	}
	for (i = 0; i < NPROC - 1; i++)
		EXPECT_EQ(0, wait_child(-1));
}

/* The charge also comes back when the embryo is killed. */
TEST(rlimit_nproc_kill)
{
	struct rlimit rlim = { .rlim_cur = 2, .rlim_max = 2 };
	int fd, i;

	ASSERT_EQ(0, setrlimit(RLIMIT_NPROC, &rlim));
	ASSERT_EQ(0, become(lonely_uid()));
	for (i = 0; i < 50; i++) {
		fd = empty_open();
		ASSERT_GE(fd, 0);
		EXPECT_EQ(-EAGAIN, empty_open());
		EXPECT_EQ(0, send_signal(fd, SIGKILL));
		EXPECT_EQ(POLLIN | POLLHUP, wait_gone(fd));
		/* Not the closing of the file gives it back, but the death. */
		EXPECT_EQ(0, destroy(empty_open()));
		close(fd);
	}
}

/* The same for pids.max of a cgroup. */
TEST(pids_max)
{
	int fds[2], i;
	pid_t child;

	ASSERT_EQ(0, scratch());
	ASSERT_EQ(0, make_cgroup("/tmp/cg/limit"));
	ASSERT_EQ(0, write_text("/tmp/cg/cgroup.subtree_control", "+pids"));
	ASSERT_EQ(0, write_text("/tmp/cg/limit/pids.max", "3"));
	child = fork();
	ASSERT_GE(child, 0);
	if (!child) {
		ASSERT_EQ(0, write_text("/tmp/cg/limit/cgroup.procs", "0"));
		for (i = 0; i < 2; i++) {
			fds[i] = empty_open();
			ASSERT_GE(fds[i], 0);
		}
		EXPECT_STREQ("3\n", file_text("/tmp/cg/limit/pids.current"));
		EXPECT_EQ(-EAGAIN, empty_open());
		for (i = 0; i < 200; i++) {
			ASSERT_EQ(0, destroy(fds[0]));
			fds[0] = empty_open();
			ASSERT_GE(fds[0], 0)
				TH_LOG("round %d", i);
		}
		EXPECT_EQ(-EAGAIN, empty_open());
		EXPECT_EQ(0, destroy(fds[0]));
		EXPECT_EQ(0, destroy(fds[1]));
		EXPECT_STREQ("1\n", file_text("/tmp/cg/limit/pids.current"));
		_exit(_metadata->exit_code);
	}
	EXPECT_EQ(0, wait_child(child));
	EXPECT_EQ(0, remove_cgroup("/tmp/cg/limit"));
}

TEST_HARNESS_MAIN
