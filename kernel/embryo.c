// SPDX-License-Identifier: GPL-2.0
/*
 * Embryos: the system calls, and what kernel/pidfd_config.rs needs from the
 * task, credential and signal code.
 */
#include <linux/anon_inodes.h>
#include <linux/compat.h>
#include <linux/cred.h>
#include <linux/embryo.h>
#include <linux/file.h>
#include <linux/pid.h>
#include <linux/ptrace.h>
#include <linux/resource.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/security.h>
#include <linux/syscalls.h>
#include <uapi/linux/binfmts.h>
#include <uapi/linux/pidfd.h>

/**
 * sys_pidfd_config() - Configure and start the task made by PIDFD_EMPTY.
 *
 * @pidfd: file descriptor returned by pidfd_open(0, PIDFD_EMPTY)
 * @cmd: PIDFD_CONFIG_*
 * @key: what to set
 * @value: what to set it to; its form depends on @cmd
 * @aux: further argument, depends on @cmd
 *
 * Return: 0, or a negative errno.
 */
SYSCALL_DEFINE5(pidfd_config, int, pidfd, unsigned int, cmd,
		const char __user *, key, const void __user *, value, int, aux)
{
	void *builder;
	int request;

	/* What is wrong whatever @pidfd is, is reported first. */
	request = pidfd_config_parse(cmd, (__force const void *)key,
				     (__force const void *)value, aux);

	CLASS(fd, f)(pidfd);
	builder = fd_empty(f) ? NULL : pidfs_builder(fd_file(f));
	if (request < 0) {
		if (builder)
			pidfd_config_refuse(builder, cmd, (__force const void *)key, request);
		return request;
	}
	if (!builder)
		return fd_empty(f) ? -EBADF : -EINVAL;

	return pidfd_config_apply(builder, request, (__force const void *)value, aux);
}

/**
 * embryo_open - the PIDFD_EMPTY part of pidfd_open(2)
 * @pid: must be zero
 * @flags: PIDFD_EMPTY and others
 *
 * Return: a file descriptor, or a negative errno.
 */
int embryo_open(pid_t pid, unsigned int flags)
{
	if (pid || flags & ~(PIDFD_EMPTY | PIDFD_NONBLOCK))
		return -EINVAL;

	return pidfd_config_open(flags);
}

/* What an embryo runs. Exits here, so that no Rust frame is left behind. */
static int embryo_main(void *builder)
{
	int code = pidfd_config_main(builder);

	if (code)
		do_group_exit(code);
	return 0;
}

/**
 * embryo_create - create the task of a builder
 * @builder: reference that the task owns if this succeeds
 *
 * Return: the task with a reference, or an ERR_PTR.
 */
struct task_struct *embryo_create(void *builder)
{
	return create_embryo(embryo_main, builder);
}

/**
 * embryo_install_pidfd - give current the file that configures an embryo
 * @embryo: the task
 * @flags: flags of pidfd_open(2)
 * @builder: reference that the file owns if this succeeds
 *
 * Return: the file descriptor, or a negative errno.
 */
int embryo_install_pidfd(struct task_struct *embryo, unsigned int flags, void *builder)
{
	struct file *file;
	struct pid *pid;
	int fd;

	pid = get_task_pid(embryo, PIDTYPE_PID);
	if (!pid)
		return -ESRCH;

	fd = pidfd_prepare(pid, flags, &file);
	put_pid(pid);
	if (fd < 0)
		return fd;

	file->private_data = builder;
	fd_install(fd, file);
	return fd;
}

/**
 * embryo_gate_init - initialise a gate
 * @gate: the gate
 */
void embryo_gate_init(struct embryo_gate *gate)
{
	init_completion(&gate->go);
	gate->dead = false;
}

/* The credentials of the caller, with a reference. */
const struct cred *embryo_get_callers_cred(void)
{
	return get_current_cred();
}

/**
 * embryo_kill - destroy an embryo
 * @embryo: the task, with a reference
 */
void embryo_kill(struct task_struct *embryo)
{
	do_send_sig_info(SIGKILL, SEND_SIG_PRIV, embryo, PIDTYPE_TGID);
}

/* Same user namespace, same IDs, and no capability that current lacks. */
static bool cred_covers(const struct cred *cred, const struct cred *opener)
{
	return cred->user_ns == opener->user_ns &&
	       uid_eq(cred->uid, opener->uid) && uid_eq(cred->euid, opener->euid) &&
	       uid_eq(cred->suid, opener->suid) && gid_eq(cred->gid, opener->gid) &&
	       gid_eq(cred->egid, opener->egid) && gid_eq(cred->sgid, opener->sgid) &&
	       cap_issubset(opener->cap_permitted, cred->cap_permitted);
}

/**
 * embryo_permission - may current configure an embryo
 * @embryo: the task
 * @opener: credentials it was made with, which are those it runs with
 *
 * The file alone is not enough: it may have been passed to somebody with
 * other credentials, seccomp filters or LSM confinement, who could then act
 * as the opener.
 *
 * Return: 0 or -EPERM, or what an LSM says.
 */
int embryo_permission(struct task_struct *embryo, const struct cred *opener)
{
	const struct cred *cred = current_cred();

	if (cred != opener && !cred_covers(cred, opener) &&
	    !ns_capable(opener->user_ns, CAP_SYS_PTRACE))
		return -EPERM;

	if (!seccomp_confines(embryo))
		return -EPERM;

	return security_ptrace_access_check(embryo, PTRACE_MODE_READ_REALCREDS);
}

/**
 * embryo_arg_limit - bytes of arguments and environment an embryo may have
 * @embryo: the task
 *
 * As bprm_stack_limits() in fs/exec.c, which has the last word.
 */
unsigned long embryo_arg_limit(struct task_struct *embryo)
{
	unsigned long limit;

	limit = min(_STK_LIM / 4 * 3, task_rlimit(embryo, RLIMIT_STACK) / 4);
	return max_t(unsigned long, limit, ARG_MAX);
}

/* Are the pointers of this system call 32 bits wide? */
bool embryo_compat_caller(void)
{
	return in_compat_syscall();
}

/* For loops whose length user space chooses. */
int embryo_interrupted(void)
{
	cond_resched();
	return fatal_signal_pending(current) ? -EINTR : 0;
}

/* Has current, an embryo, been killed? */
bool embryo_dying(void)
{
	return fatal_signal_pending(current);
}
