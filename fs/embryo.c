// SPDX-License-Identifier: GPL-2.0
/*
 * Embryos: what kernel/pidfd_config.rs needs from the VFS. Paths are resolved
 * as the embryo would resolve them, with the credentials of the caller.
 */
#include <linux/embryo.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/namei.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/security.h>

#include "internal.h"

/* Take a reference on the fs_struct of an embryo that may be dying. */
static struct fs_struct *embryo_get_fs(struct task_struct *embryo)
{
	struct fs_struct *fs;

	guard(task_lock)(embryo);
	fs = embryo->real_fs;
	if (fs) {
		read_seqlock_excl(&fs->seq);
		fs->users++;
		read_sequnlock_excl(&fs->seq);
	}
	return fs;
}

static void put_fs(struct fs_struct *fs)
{
	bool last;

	if (!fs)
		return;

	read_seqlock_excl(&fs->seq);
	last = !--fs->users;
	read_sequnlock_excl(&fs->seq);
	if (last)
		free_fs_struct(fs);
}

DEFINE_FREE(put_fs, struct fs_struct *, put_fs(_T))

/* Take a reference on the descriptor table of an embryo that may be dying. */
static struct files_struct *embryo_get_files(struct task_struct *embryo)
{
	struct files_struct *files;

	guard(task_lock)(embryo);
	files = embryo->files;
	if (files)
		atomic_inc(&files->count);
	return files;
}

static void put_files(struct files_struct *files)
{
	if (files)
		put_files_struct(files);
}

DEFINE_FREE(put_files, struct files_struct *, put_files(_T))

/**
 * embryo_resolve - resolve a path as an embryo would
 * @embryo: whose root and working directory are used
 * @dirfd: descriptor of the caller, or AT_FDCWD
 * @name: the path, in kernel memory
 * @empty: an empty @name stands for @dirfd
 * @directory: it has to be a directory
 * @path: where to put the result, with a reference
 *
 * Return: 0, or the errno of the lookup; -ESRCH if the embryo is gone.
 */
int embryo_resolve(struct task_struct *embryo, int dirfd, const char *name, bool empty,
		   bool directory, struct path *path)
{
	struct fs_struct *fs __free(put_fs) = embryo_get_fs(embryo);
	unsigned int lookup = LOOKUP_FOLLOW;
	int error = -ENOENT;

	if (!fs)
		return -ESRCH;
	if (!*name && !empty)
		return -ENOENT;
	if (directory)
		lookup |= LOOKUP_DIRECTORY;

	CLASS(filename_kernel, filename)(name);
	scoped_with_fs(fs) {
		error = filename_lookup(dirfd, filename, lookup, path, NULL);
		if (error == -ESTALE)
			error = filename_lookup(dirfd, filename, lookup | LOOKUP_REVAL,
						path, NULL);
	}
	return error;
}

/**
 * embryo_fd_path - get the path of a descriptor of the caller
 * @fd: the descriptor; O_PATH will do
 * @path: where to put the result, with a reference
 */
int embryo_fd_path(int fd, struct path *path)
{
	CLASS(fd_raw, f)(fd);

	if (fd_empty(f))
		return -EBADF;

	*path = fd_file(f)->f_path;
	path_get(path);
	return 0;
}

/* Drop what embryo_resolve() or embryo_fd_path() returned. */
void embryo_put_path(const struct path *path)
{
	path_put(path);
}

/**
 * embryo_may_exec - find out early that an image cannot be executed
 * @path: the image
 *
 * exec_image() checks again, with the credentials the task has then.
 */
int embryo_may_exec(const struct path *path)
{
	if (d_is_symlink(path->dentry))
		return -ELOOP;
	if (!d_is_reg(path->dentry) || path_noexec(path))
		return -EACCES;

	return path_permission(path, MAY_EXEC | MAY_OPEN);
}

/* chdir(2) and fchdir(2) */
int embryo_chdir(struct task_struct *embryo, const struct path *path)
{
	struct fs_struct *fs __free(put_fs) = embryo_get_fs(embryo);
	int error;

	if (!fs)
		return -ESRCH;
	if (!d_can_lookup(path->dentry))
		return -ENOTDIR;

	error = path_permission(path, MAY_EXEC | MAY_CHDIR);
	if (!error)
		set_fs_pwd(fs, path);
	return error;
}

/* chroot(2) and fchroot(2) */
int embryo_chroot(struct task_struct *embryo, const struct path *path)
{
	struct fs_struct *fs __free(put_fs) = embryo_get_fs(embryo);
	int error;

	if (!fs)
		return -ESRCH;
	if (!d_can_lookup(path->dentry))
		return -ENOTDIR;

	error = path_permission(path, MAY_EXEC | MAY_CHDIR);
	if (error)
		return error;

	if (!ns_capable(task_cred_xxx(embryo, user_ns), CAP_SYS_CHROOT))
		return -EPERM;

	error = security_path_chroot(path);
	if (!error)
		set_fs_root(fs, path);
	return error;
}

/* umask(2) */
int embryo_umask(struct task_struct *embryo, unsigned int mask)
{
	struct fs_struct *fs __free(put_fs) = embryo_get_fs(embryo);

	if (!fs)
		return -ESRCH;

	WRITE_ONCE(fs->umask, mask & 0777);
	return 0;
}

/**
 * embryo_open_file - openat2(2) as an embryo would do it
 * @embryo: whose root, working directory and umask are used
 * @dirfd: descriptor of the caller, or AT_FDCWD
 * @name: the path, in kernel memory
 * @how: as for openat2(2)
 *
 * Return: the file, or an ERR_PTR.
 */
struct file *embryo_open_file(struct task_struct *embryo, int dirfd, const char *name,
			      struct open_how *how)
{
	struct fs_struct *fs __free(put_fs) = embryo_get_fs(embryo);
	struct file *file = ERR_PTR(-ENOENT);
	struct open_flags op;
	int error;

	if (!fs)
		return ERR_PTR(-ESRCH);

	/* O_LARGEFILE is only allowed for non-O_PATH. */
	if (!(how->flags & O_PATH) && force_o_largefile())
		how->flags |= O_LARGEFILE;

	error = build_open_flags(how, &op);
	if (error)
		return ERR_PTR(error);
	if (!*name && !(op.lookup_flags & LOOKUP_EMPTY))
		return ERR_PTR(-ENOENT);

	CLASS(filename_kernel, filename)(name);
	scoped_with_fs(fs)
		file = do_file_open(dirfd, filename, &op);
	return file;
}

/**
 * embryo_get_file - get a file to pass on
 * @embryo: whose descriptor @fd is, or NULL for the caller
 * @fd: the descriptor; O_PATH will do
 *
 * A file whose last close destroys an embryo is refused: in the table of an
 * embryo that never runs it would never be closed.
 *
 * Return: the file with a reference, or an ERR_PTR.
 */
struct file *embryo_get_file(struct task_struct *embryo, int fd)
{
	struct file *file = embryo ? fget_task(embryo, fd) : fget_raw(fd);

	if (!file)
		return ERR_PTR(-EBADF);
	if (pidfs_holds_embryo(file)) {
		fput(file);
		return ERR_PTR(-EINVAL);
	}
	return file;
}

/* The first descriptor number that is too large for an embryo. */
unsigned long embryo_nofile(struct task_struct *embryo)
{
	return task_rlimit(embryo, RLIMIT_NOFILE);
}

/* files_install() on the table of an embryo */
int embryo_install_fds(struct task_struct *embryo, struct fd_slot *slots, unsigned int nr)
{
	struct files_struct *files __free(put_files) = embryo_get_files(embryo);

	return files ? files_install(files, slots, nr) : -ESRCH;
}

/* files_close() on the table of an embryo */
int embryo_close_fd(struct task_struct *embryo, unsigned int fd)
{
	struct files_struct *files __free(put_files) = embryo_get_files(embryo);

	return files ? files_close(files, fd) : -ESRCH;
}

/* files_close_range() on the table of an embryo */
int embryo_close_fds(struct task_struct *embryo, unsigned int first, unsigned int last,
		     bool cloexec)
{
	struct files_struct *files __free(put_files) = embryo_get_files(embryo);

	if (!files)
		return -ESRCH;
	files_close_range(files, first, last, cloexec);
	return 0;
}

/* files_inheritable() on the table of the caller */
unsigned int embryo_inheritable_fds(struct fd_slot *slots, unsigned int max)
{
	return files_inheritable(current->files, slots, max);
}
