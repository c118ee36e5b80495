/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __PIDFD_CONFIG_UTIL_H
#define __PIDFD_CONFIG_UTIL_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/* <linux/pidfd.h> wants <linux/fcntl.h>: keep its types off those of libc. */
#ifndef _ASM_GENERIC_FCNTL_H
#define _ASM_GENERIC_FCNTL_H
#endif
#ifndef F_LINUX_SPECIFIC_BASE
#define F_LINUX_SPECIFIC_BASE	1024
#endif
#include <linux/openat2.h>
#include <linux/pidfd.h>
#include <linux/pidfd_config.h>

#ifndef PIDFD_NONBLOCK
#define PIDFD_NONBLOCK		O_NONBLOCK
#endif

#ifndef PIDFD_THREAD
#define PIDFD_THREAD		O_EXCL
#endif

#ifndef PIDFD_EMPTY
#define PIDFD_EMPTY		O_CREAT
#endif

#ifndef __NR_pidfd_send_signal
#define __NR_pidfd_send_signal	424
#endif

#ifndef __NR_pidfd_open
#define __NR_pidfd_open		434
#endif

#ifndef __NR_pidfd_config
#define __NR_pidfd_config	473
#endif

/* The first published struct is enough here. */
#ifndef PIDFD_GET_INFO
struct pidfd_info {
	__u64 mask;
	__u64 cgroupid;
	__u32 pid;
	__u32 tgid;
	__u32 ppid;
	__u32 ruid;
	__u32 rgid;
	__u32 euid;
	__u32 egid;
	__u32 suid;
	__u32 sgid;
	__u32 fsuid;
	__u32 fsgid;
	__s32 exit_code;
};

#define PIDFD_GET_INFO		_IOWR(0xFF, 11, struct pidfd_info)
#endif

#ifndef PIDFD_INFO_PID
#define PIDFD_INFO_PID		0x1UL
#endif

#ifndef MFD_EXEC
#define MFD_EXEC		0x0010U
#endif

/* Long enough for the slowest machine: running out of it is a failure. */
#define LONG_MS			20000

/* What no test is allowed to meet: the uids and gids of its own. */
#define UID_A			61001
#define UID_B			61002

/* Where scratch() puts the program to run. */
#define REPORT			"/tmp/report"

/* What wait_pidfd() and wait_child() say of a process killed by a signal. */
#define KILLED(sig)		(256 + (sig))

static inline int sys_pidfd_open(pid_t pid, unsigned int flags)
{
	int fd = syscall(__NR_pidfd_open, pid, flags);

	return fd < 0 ? -errno : fd;
}

/* Opens an embryo: its builder, or -errno. */
static inline int empty_open(void)
{
	return sys_pidfd_open(0, PIDFD_EMPTY);
}

/* The system call with its errno: 0 or -errno. */
static inline int config(int fd, unsigned int cmd, const char *key,
			 const void *value, int aux)
{
	int ret = syscall(__NR_pidfd_config, fd, cmd, key, value, aux);

	return ret == -1 ? -errno : ret;
}

static inline int set_flag(int fd, const char *key)
{
	return config(fd, PIDFD_CONFIG_SET_FLAG, key, NULL, 0);
}

static inline int set_string(int fd, const char *key, const char *value)
{
	return config(fd, PIDFD_CONFIG_SET_STRING, key, value, 0);
}

static inline int set_strings(int fd, const char *key,
			      const char *const *values)
{
	return config(fd, PIDFD_CONFIG_SET_STRINGS, key, values, 0);
}

static inline int set_binary(int fd, const char *key, const void *value,
			     int size)
{
	return config(fd, PIDFD_CONFIG_SET_BINARY, key, value, size);
}

static inline int set_path_at(int fd, const char *key, int dirfd,
			      const char *path)
{
	return config(fd, PIDFD_CONFIG_SET_PATH, key, path, dirfd);
}

static inline int set_path(int fd, const char *key, const char *path)
{
	return set_path_at(fd, key, AT_FDCWD, path);
}

static inline int set_path_empty(int fd, const char *key, int dirfd,
				 const char *path)
{
	return config(fd, PIDFD_CONFIG_SET_PATH_EMPTY, key, path, dirfd);
}

static inline int set_fd(int fd, const char *key, int value)
{
	return config(fd, PIDFD_CONFIG_SET_FD, key, NULL, value);
}

static inline int commit_flags(int fd, int flags)
{
	return config(fd, PIDFD_CONFIG_CMD_COMMIT, NULL, NULL, flags);
}

static inline int commit(int fd)
{
	return commit_flags(fd, 0);
}

/* One element of "fds". */
static inline int map_fd_flags(int fd, int source, unsigned int target,
			       unsigned int flags)
{
	struct pidfd_config_fd map = {
		.fd = source,
		.target = target,
		.flags = flags,
	};

	return set_binary(fd, "fds", &map, sizeof(map));
}

static inline int map_fd(int fd, int source, unsigned int target)
{
	return map_fd_flags(fd, source, target, 0);
}

/* argv of REPORT: "report" and one or two words, as the modes need them. */
static inline int set_mode(int fd, const char *mode, const char *arg)
{
	const char *const argv[] = { "report", mode, arg, NULL };

	return set_strings(fd, "argv", argv);
}

static inline int send_signal(int fd, int sig)
{
	int ret = syscall(__NR_pidfd_send_signal, fd, sig, NULL, 0);

	return ret ? -errno : 0;
}

/* The PID behind a pidfd, or -errno. */
static inline pid_t pidfd_pid(int fd)
{
	struct pidfd_info info = { .mask = PIDFD_INFO_PID };

	if (ioctl(fd, PIDFD_GET_INFO, &info))
		return -errno;
	return info.pid;
}

/* What poll(2) says at once. */
static inline int poll_now(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, 0) < 0 ? -errno : pfd.revents;
}

/*
 * Waits until the task behind @fd is gone, not only dead: POLLHUP needs no
 * asking for. Returns what poll(2) then says of it.
 */
static inline int wait_gone(int fd)
{
	struct pollfd pfd = { .fd = fd };

	if (poll(&pfd, 1, LONG_MS) != 1)
		return -ETIME;
	return poll_now(fd);
}

/* Closes the last descriptor of an embryo and waits until it is gone. */
static inline int destroy(int fd)
{
	int other, ret;

	if (fd < 0)
		return fd;
	other = sys_pidfd_open(pidfd_pid(fd), 0);
	if (other < 0)
		return other;
	if (close(fd))
		return -errno;
	ret = wait_gone(other);
	close(other);
	return ret == (POLLIN | POLLHUP) ? 0 : ret;
}

/* Waits for @options (WEXITED ...); 0, the exit status, KILLED() or -errno. */
static inline int wait_pidfd_options(int fd, int options)
{
	siginfo_t info = {};

	if (waitid(P_PIDFD, fd, &info, options))
		return -errno;
	switch (info.si_code) {
	case CLD_KILLED:
	case CLD_DUMPED:
		return KILLED(info.si_status);
	default:
		return info.si_status;
	}
}

static inline int wait_pidfd(int fd)
{
	return wait_pidfd_options(fd, WEXITED);
}

static inline int wait_child(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) :
				   KILLED(WTERMSIG(status));
}

/* wait4(2) for any child, whatever its exit signal: 0 when one is running. */
static inline int wait_any(int options)
{
	pid_t pid = waitpid(-1, NULL, options);

	return pid < 0 ? -errno : pid;
}

/* Blocks until the other end of the pipe is closed. */
static inline void wait_eof(int fd)
{
	ssize_t n;
	char c;

	do {
		n = read(fd, &c, 1);
	} while (n > 0 || (n < 0 && errno == EINTR));
}

static inline int become(uid_t uid)
{
	if (setresgid(uid, uid, uid) || setresuid(uid, uid, uid))
		return -errno;
	return 0;
}

static inline int send_fd(int sock, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = {};
	char byte = 0;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	return sendmsg(sock, &msg, 0) == 1 ? 0 : -errno;
}

static inline int recv_fd(int sock)
{
	char control[CMSG_SPACE(sizeof(int))] = {};
	char byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;
	ssize_t n;
	int fd;

	n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	if (n < 0)
		return -errno;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (n != 1 || !cmsg || cmsg->cmsg_type != SCM_RIGHTS)
		return -EPROTO;
	memcpy(&fd, CMSG_DATA(cmsg), sizeof(int));
	return fd;
}

/* A string that stays good for a few more calls. */
static inline char *slot(void)
{
	static char slots[16][8192];
	static unsigned int next;

	return slots[next++ % 16];
}

/* Reads to the end; malloc()ed and terminated, never NULL. */
static inline char *read_all(int fd)
{
	size_t size = 4096, used = 0;
	char *text = malloc(size);
	ssize_t n;

	while (text) {
		n = read(fd, text + used, size - used - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		used += n;
		if (used + 1 == size) {
			size *= 2;
			text = realloc(text, size);
		}
	}
	if (!text)
		abort();
	text[used] = '\0';
	return text;
}

/* The text of a file, "" when it cannot be read; it stays good for a while. */
static inline const char *file_text(const char *path)
{
	char *text, *copy = slot();
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	copy[0] = '\0';
	if (fd < 0)
		return copy;
	text = read_all(fd);
	close(fd);
	snprintf(copy, 8192, "%s", text);
	free(text);
	return copy;
}

static inline int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		ret = -errno;
	close(fd);
	return ret;
}

/* The rest of the line of @text that starts with @start, or "(none)". */
static inline const char *line_after(const char *text, const char *start)
{
	size_t len = strlen(start);
	char *copy = slot();
	const char *line;

	snprintf(copy, 8192, "(none)");
	for (line = text; line && *line; line = strchr(line, '\n')) {
		if (*line == '\n')
			line++;
		if (strncmp(line, start, len))
			continue;
		line += len;
		line += strspn(line, " \t");
		snprintf(copy, 8192, "%.*s", (int)strcspn(line, "\n"), line);
		break;
	}
	return copy;
}

/* A value of what REPORT printed. */
static inline const char *field(const char *report, const char *name)
{
	char start[64];

	snprintf(start, sizeof(start), "%s=", name);
	return line_after(report, start);
}

static inline const char *field_at(const char *report, const char *name, int i)
{
	char start[64];

	snprintf(start, sizeof(start), "%s[%d]=", name, i);
	return line_after(report, start);
}

static inline const char *proc_text(pid_t pid, const char *file)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	return file_text(path);
}

/* A field of /proc/@pid/status, "(none)" when it is not there. */
static inline const char *status(pid_t pid, const char *name)
{
	char start[64];

	snprintf(start, sizeof(start), "%s:", name);
	return line_after(proc_text(pid, "status"), start);
}

/* Field @n of /proc/@pid/stat, counted from 1 as proc(5) does; @n > 2. */
static inline const char *stat_field(pid_t pid, int n)
{
	const char *text = proc_text(pid, "stat");
	char *copy = slot(), *end;

	snprintf(copy, 8192, "(none)");
	text = strrchr(text, ')');
	for (n -= 2; text && n > 0; n--) {
		text = strchr(text, ' ');
		if (text)
			text++;
	}
	if (!text)
		return copy;
	snprintf(copy, 8192, "%s", text);
	end = strchrnul(copy, ' ');
	*end = '\0';
	return copy;
}

/* Where a symbolic link of /proc/@pid points. */
static inline const char *proc_link(pid_t pid, const char *name)
{
	char path[64], *copy = slot();
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	n = readlink(path, copy, 4096);
	copy[n < 0 ? 0 : n] = '\0';
	return copy;
}

/* How many descriptors a task has open, or -errno. */
static inline int fd_count(pid_t pid)
{
	struct dirent *entry;
	char path[64];
	int count = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while ((entry = readdir(dir)))
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

/* Is descriptor @n of @pid the same file as our @fd? */
static inline bool fd_is(pid_t pid, int n, int fd)
{
	struct stat theirs, ours;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, n);
	return !stat(path, &theirs) && !fstat(fd, &ours) &&
	       theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
}

static inline bool fd_open(pid_t pid, int n)
{
	struct stat st;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, n);
	return !lstat(path, &st);
}

/* The "flags:" of a descriptor of @pid, -1 when it is not open. */
static inline long fd_flags(pid_t pid, int n)
{
	char name[32];
	const char *flags;

	snprintf(name, sizeof(name), "fdinfo/%d", n);
	flags = line_after(proc_text(pid, name), "flags:");
	return flags[0] == '(' ? -1 : strtol(flags, NULL, 8);
}

static inline bool fd_cloexec(pid_t pid, int n)
{
	long flags = fd_flags(pid, n);

	return flags != -1 && (flags & O_CLOEXEC);
}

/* "device:inode" of @fd as REPORT prints it. */
static inline const char *fd_id(int fd)
{
	char *copy = slot();
	struct stat st = {};

	fstat(fd, &st);
	snprintf(copy, 8192, "%llx:%llx", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	return copy;
}

/* Copies @from to a new file: 0 or -errno. */
static inline int copy_fd(int from, const char *path, mode_t mode)
{
	char block[65536];
	ssize_t n, done;
	int to;

	if (lseek(from, 0, SEEK_SET) < 0)
		return -errno;
	to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
	if (to < 0)
		return -errno;
	while ((n = read(from, block, sizeof(block))) > 0) {
		done = write(to, block, n);
		if (done != n)
			n = -1;
		if (n < 0)
			break;
	}
	if (n < 0 || fchmod(to, mode))
		n = -errno;
	close(to);
	return n;
}

static inline int copy_file(const char *from, const char *path, mode_t mode)
{
	int ret, fd = open(from, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	ret = copy_fd(fd, path, mode);
	close(fd);
	return ret;
}

/* A new file with @text in it. */
static inline int make_file(const char *path, const char *text, mode_t mode)
{
	int ret = 0;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text) ||
	    fchmod(fd, mode))
		ret = -errno;
	close(fd);
	return ret;
}

/*
 * A new cgroup below a hierarchy of our own mounting, after scratch(). What an
 * earlier run may have left behind is good enough. 0 or -errno.
 */
static inline int make_cgroup(const char *path)
{
	if (mkdir("/tmp/cg", 0755) ||
	    mount("cg", "/tmp/cg", "cgroup2", 0, NULL))
		return -errno;
	if (mkdir(path, 0755) && errno != EEXIST)
		return -errno;
	return 0;
}

/* Removes it as soon as its last task has left it: 0 or -errno. */
static inline int remove_cgroup(const char *path)
{
	char name[128], events[128];
	struct pollfd pfd;
	int i, ret = 0;

	snprintf(name, sizeof(name), "%s/cgroup.events", path);
	pfd.fd = open(name, O_RDONLY | O_CLOEXEC);
	pfd.events = POLLPRI;
	for (i = 0; i < 20; i++) {
		if (pread(pfd.fd, events, sizeof(events), 0) < 0)
			ret = -errno;
		ret = rmdir(path) ? -errno : 0;
		if (ret != -EBUSY)
			break;
		poll(&pfd, 1, LONG_MS / 20);
	}
	close(pfd.fd);
	return ret;
}

/*
 * A mount namespace of our own with an empty /tmp that has only REPORT in it,
 * and the working directory there. 0 or -errno.
 */
static inline int scratch(void)
{
	char self[PATH_MAX];
	int ret, fd;
	ssize_t n;

	n = readlink("/proc/self/exe", self, sizeof(self) - 16);
	if (n < 0)
		return -errno;
	self[n] = '\0';
	memcpy(strrchr(self, '/') + 1, "report", sizeof("report"));
	fd = open(self, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	umask(022);
	if (unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("scratch", "/tmp", "tmpfs", 0, "mode=1777") ||
	    chdir("/tmp"))
		return -errno;
	ret = copy_fd(fd, REPORT, 0755);
	close(fd);
	return ret;
}

/*
 * Commits with the write end of a pipe as descriptor 1 and reads what REPORT
 * says. Returns -errno of what failed, or how the process ended; *@text is to
 * be freed and never NULL.
 */
static inline int run_report(int fd, char **text)
{
	int ret, p[2];

	*text = NULL;
	if (pipe2(p, O_CLOEXEC)) {
		ret = -errno;
		*text = strdup("");
		return ret;
	}
	ret = map_fd(fd, p[1], 1);
	if (!ret)
		ret = commit(fd);
	close(p[1]);
	if (!ret) {
		*text = read_all(p[0]);
		ret = wait_pidfd(fd);
	} else {
		*text = strdup("");
	}
	close(p[0]);
	return ret;
}

/* The same with REPORT as the image. */
static inline int run_default(int fd, char **text)
{
	int ret = set_path(fd, "exec", REPORT);

	if (ret) {
		*text = strdup("");
		return ret;
	}
	return run_report(fd, text);
}

#endif /* __PIDFD_CONFIG_UTIL_H */
