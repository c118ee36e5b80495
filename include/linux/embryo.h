/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Embryos: tasks made by pidfd_open(0, PIDFD_EMPTY) that have not executed an
 * image yet. kernel/pidfd_config.rs decides what is done to them; what is
 * declared here does it to the structures of the C core.
 */
#ifndef _LINUX_EMBRYO_H
#define _LINUX_EMBRYO_H

#include <linux/completion.h>
#include <linux/fcntl.h>
#include <linux/path.h>
#include <linux/sched.h>
#include <linux/types.h>

struct cred;
struct file;
struct files_struct;
struct mm_struct;
struct open_how;
struct task_struct;

/**
 * struct embryo_gate - where an embryo waits to be started
 * @go: completed once for each commit
 * @dead: the embryo takes no further commit; set under its task_lock()
 */
struct embryo_gate {
	struct completion go;
	bool dead;
};

/**
 * struct mm_inheritance - what an mm passes on through fork and exec
 * @flags: prctl(2) settings: MDWE, dump filter, THP, KSM
 * @def_flags: default flags of mappings
 */
struct mm_inheritance {
	unsigned long flags;
	unsigned long def_flags;
};

/**
 * struct fd_slot - a file on its way into a descriptor table
 * @file: the file, with a reference
 * @fd: the number it gets
 * @cloexec: whether it is closed on exec
 */
struct fd_slot {
	struct file *file;
	unsigned int fd;
	bool cloexec;
};

/**
 * struct exec_image - what exec_image() executes
 * @path: the image
 * @inherit: what the new mm inherits
 * @name: the name it is executed by, as seen in AT_EXECFN and by scripts
 * @fd: number of the descriptor that @name goes through, or -1
 * @fd_path: what @fd has to refer to for @name to be of use to a script
 * @name_is_fd: @name is no more than @fd, so the task is named after the image
 * @argv0: first argument, or NULL when @argv has it
 * @argv: the (other) arguments, each with its NUL
 * @argv_size: bytes at @argv
 * @argc: number of arguments, @argv0 included; at least 1
 * @envp: the environment strings, each with its NUL
 * @envp_size: bytes at @envp
 * @envc: number of environment strings
 * @point_of_no_return: set when the task cannot go on without the new image
 * @has_mm: set when the task has an address space to return to
 */
struct exec_image {
	const struct path *path;
	const struct mm_inheritance *inherit;
	const char *name;
	int fd;
	const struct path *fd_path;
	bool name_is_fd;
	const char *argv0;
	const char *argv;
	size_t argv_size;
	int argc;
	const char *envp;
	size_t envp_size;
	int envc;
	bool point_of_no_return;
	bool has_mm;
};

#ifdef CONFIG_PIDFD_CONFIG
/* kernel/fork.c */
void mm_inheritance_save(struct mm_inheritance *inherit);
void mm_inheritance_apply(const struct mm_inheritance *inherit, struct mm_struct *mm);
struct task_struct *create_embryo(int (*fn)(void *), void *arg);
bool embryo_wake(struct task_struct *p);
int embryo_start(struct task_struct *embryo, struct embryo_gate *gate, bool wait);
int embryo_await(struct embryo_gate *gate);
void embryo_report(struct embryo_gate *gate, bool dead);
void __embryo_exec_done(void);
void embryo_hatch(struct task_struct *p);

/* Called at the end of every exec: end the wait of embryo_start(). */
static inline void embryo_exec_done(void)
{
	/* That of a vfork child was ended when it got its mm. */
	if (unlikely(current->vfork_done))
		__embryo_exec_done();
}

/* kernel/embryo.c */
int embryo_open(pid_t pid, unsigned int flags);
struct task_struct *embryo_create(void *builder);
int embryo_install_pidfd(struct task_struct *embryo, unsigned int flags, void *builder);
void embryo_gate_init(struct embryo_gate *gate);
const struct cred *embryo_get_callers_cred(void);
void embryo_kill(struct task_struct *embryo);
int embryo_permission(struct task_struct *embryo, const struct cred *opener);
unsigned long embryo_arg_limit(struct task_struct *embryo);
bool embryo_compat_caller(void);
int embryo_interrupted(void);
bool embryo_dying(void);

/* kernel/signal.c */
int embryo_set_blocked(struct task_struct *embryo, u64 mask);
int embryo_set_handlers(struct task_struct *embryo, u64 signals, bool ignore);

/* kernel/seccomp.c */
#ifdef CONFIG_SECCOMP_FILTER
bool seccomp_confines(struct task_struct *p);
#else
static inline bool seccomp_confines(struct task_struct *p)
{
	return true;
}
#endif

/* fs/pidfs.c */
void *pidfs_builder(struct file *file);
bool pidfs_holds_embryo(struct file *file);

/* fs/exec.c */
int exec_image(struct exec_image *image);

/* fs/file.c */
int files_install(struct files_struct *files, struct fd_slot *slots, unsigned int nr);
int files_close(struct files_struct *files, unsigned int fd);
void files_close_range(struct files_struct *files, unsigned int first, unsigned int last,
		       bool cloexec);
unsigned int files_inheritable(struct files_struct *files, struct fd_slot *slots,
			       unsigned int max);

/* fs/embryo.c */
int embryo_resolve(struct task_struct *embryo, int dirfd, const char *name, bool empty,
		   bool directory, struct path *path);
int embryo_fd_path(int fd, struct path *path);
void embryo_put_path(const struct path *path);
int embryo_may_exec(const struct path *path);
int embryo_chdir(struct task_struct *embryo, const struct path *path);
int embryo_chroot(struct task_struct *embryo, const struct path *path);
int embryo_umask(struct task_struct *embryo, unsigned int mask);
struct file *embryo_open_file(struct task_struct *embryo, int dirfd, const char *name,
			      struct open_how *how);
struct file *embryo_get_file(struct task_struct *embryo, int fd);
unsigned long embryo_nofile(struct task_struct *embryo);
int embryo_install_fds(struct task_struct *embryo, struct fd_slot *slots, unsigned int nr);
int embryo_close_fd(struct task_struct *embryo, unsigned int fd);
int embryo_close_fds(struct task_struct *embryo, unsigned int first, unsigned int last,
		     bool cloexec);
unsigned int embryo_inheritable_fds(struct fd_slot *slots, unsigned int max);

/* kernel/pidfd_config.rs */
int pidfd_config_open(unsigned int flags);
int pidfd_config_parse(unsigned int cmd, const void *key, const void *value, int aux);
void pidfd_config_refuse(void *builder, unsigned int cmd, const void *key, int error);
int pidfd_config_apply(void *builder, int request, const void *value, int aux);
int pidfd_config_main(void *builder);
ssize_t pidfd_config_read(void *builder, void *buf, size_t len);
void pidfd_config_release(void *builder);
#else
static inline void mm_inheritance_apply(const struct mm_inheritance *inherit,
					struct mm_struct *mm)
{
}

static inline bool embryo_wake(struct task_struct *p)
{
	return false;
}

static inline void embryo_exec_done(void)
{
}

static inline int embryo_open(pid_t pid, unsigned int flags)
{
	return -EINVAL;
}

static inline ssize_t pidfd_config_read(void *builder, void *buf, size_t len)
{
	return -EINVAL;
}

static inline void pidfd_config_release(void *builder)
{
}
#endif /* CONFIG_PIDFD_CONFIG */

#endif /* _LINUX_EMBRYO_H */
