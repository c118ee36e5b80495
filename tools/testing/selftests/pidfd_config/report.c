// SPDX-License-Identifier: GPL-2.0
/*
 * The program that the embryos of these tests run. It prints, one "name=value"
 * a line, what execve(2) left it with. Nothing is taken from /proc, so that it
 * works in an empty root too.
 *
 *	report			print to descriptor 1, exit with 0
 *	report exit N		exit with N
 *	report hold		exit with 0 at the end of file of descriptor 0
 *	report pause		wait for a signal
 *	report unblock		unblock every signal, exit with 0
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#define LONGEST		1000	/* longer strings are cut, their length is not */
#define FDS		1100

static char text[512 * 1024];
static size_t used;

static void say(const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text + used, sizeof(text) - used, fmt, ap);
	va_end(ap);
	if (n > 0 && (size_t)n < sizeof(text) - used)
		used += n;
}

static void say_strings(const char *name, char **list)
{
	size_t total = 0;
	int i;

	for (i = 0; list[i]; i++) {
		total += strlen(list[i]) + 1;
		if (i >= 64)
			continue;
		say("%s[%d]=%.*s\n", name, i, LONGEST, list[i]);
		say("%slen[%d]=%zu\n", name, i, strlen(list[i]));
	}
	say("%ss=%d\n", name, i);
	say("%sbytes=%zu\n", name, total);
}

static void say_fds(void)
{
	int fd, flags, count = 0;
	struct stat st;

	for (fd = 0; fd < FDS; fd++) {
		flags = fcntl(fd, F_GETFD);
		if (flags < 0)
			continue;
		count++;
		if (fstat(fd, &st))
			memset(&st, 0, sizeof(st));
		say("fd[%d]=%llx:%llx\n", fd, (unsigned long long)st.st_dev,
		    (unsigned long long)st.st_ino);
		say("fdflags[%d]=%d\n", fd, flags);
	}
	say("fds=%d\n", count);
}

static void say_signals(void)
{
	unsigned long long blocked = 0, pending = 0, ignored = 0, caught = 0;
	struct sigaction sa;
	int sig;

	syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &blocked, sizeof(blocked));
	syscall(SYS_rt_sigpending, &pending, sizeof(pending));
	for (sig = 1; sig <= 64; sig++) {
		if (sigaction(sig, NULL, &sa))
			continue;
		if (sa.sa_handler == SIG_IGN)
			ignored |= 1ULL << (sig - 1);
		else if (sa.sa_handler != SIG_DFL)
			caught |= 1ULL << (sig - 1);
	}
	say("sigblk=%016llx\n", blocked);
	say("sigpnd=%016llx\n", pending);
	say("sigign=%016llx\n", ignored);
	say("sigcgt=%016llx\n", caught);
}

static void say_ids(void)
{
	uid_t r, e, s;

	getresuid(&r, &e, &s);
	say("uid=%u %u %u\n", r, e, s);
	getresgid(&r, &e, &s);
	say("gid=%u %u %u\n", r, e, s);
	say("secure=%lu\n", getauxval(AT_SECURE));
	say("pid=%d\n", getpid());
	say("ppid=%d\n", getppid());
	say("pgrp=%d\n", getpgrp());
	say("session=%d\n", getsid(0));
}

static void say_attributes(void)
{
	struct itimerval timer = {};
	struct rlimit rlim = {};
	char name[16] = "";
	stack_t stack = {};
	int pdeathsig = -1;
	mode_t mask;

	prctl(PR_GET_NAME, name);
	say("comm=%s\n", name);
	prctl(PR_GET_PDEATHSIG, &pdeathsig);
	say("pdeathsig=%d\n", pdeathsig);
	say("nnp=%d\n", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	say("seccomp=%d\n", prctl(PR_GET_SECCOMP));
	say("timerslack=%d\n", prctl(PR_GET_TIMERSLACK));
	say("personality=%x\n", personality(0xffffffff));
	say("nice=%d\n", getpriority(PRIO_PROCESS, 0));
	say("policy=%d\n", sched_getscheduler(0));
	sigaltstack(NULL, &stack);
	say("altstack=%d\n", !(stack.ss_flags & SS_DISABLE));
	getitimer(ITIMER_REAL, &timer);
	say("itimer=%d\n", timer.it_value.tv_sec || timer.it_value.tv_usec);
	getrlimit(RLIMIT_STACK, &rlim);
	say("stack=%llu\n", (unsigned long long)rlim.rlim_cur);
	/* What a seccomp filter of these tests refuses. */
	errno = 0;
	syscall(SYS_sched_get_priority_max, -1);
	say("probe=%d\n", errno);
	mask = umask(0);
	umask(mask);
	say("umask=%04o\n", mask);
}

static int command(char **argv)
{
	sigset_t none;
	char c;

	if (!strcmp(argv[1], "exit"))
		return argv[2] ? atoi(argv[2]) : 0;
	if (!strcmp(argv[1], "hold")) {
		while (read(0, &c, 1) > 0)
			;
		return 0;
	}
	if (!strcmp(argv[1], "pause")) {
		for (;;)
			pause();
	}
	if (!strcmp(argv[1], "unblock")) {
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		return 0;
	}
	return -1;
}

int main(int argc, char **argv)
{
	const char *execfn = (const char *)getauxval(AT_EXECFN);
	char cwd[4096];
	size_t done = 0;
	ssize_t n;
	int ret;

	if (argc > 1) {
		ret = command(argv);
		if (ret >= 0)
			return ret;
	}
	say_fds();
	say("argc=%d\n", argc);
	say("execfn=%s\n", execfn ?: "");
	say_strings("arg", argv);
	say_strings("env", environ);
	say("cwd=%s\n", getcwd(cwd, sizeof(cwd)) ?: "");
	say_signals();
	say_ids();
	say_attributes();
	while (done < used) {
		n = write(1, text + done, used - done);
		if (n <= 0)
			return 1;
		done += n;
	}
	return 0;
}
