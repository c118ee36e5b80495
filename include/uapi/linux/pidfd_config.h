/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * pidfd_config(2): configure an embryo, the pristine task that
 * pidfd_open(0, PIDFD_EMPTY) makes, and start it.
 *
 *	int pidfd_config(int pidfd, unsigned int cmd, const char *key,
 *			 const void *value, int aux);
 *
 * See Documentation/userspace-api/pidfd_config.rst for what every key does.
 */
#ifndef _UAPI_LINUX_PIDFD_CONFIG_H
#define _UAPI_LINUX_PIDFD_CONFIG_H

#include <linux/types.h>

/*
 * Commands. The first six share their numbers and the meaning of @value and
 * @aux with fsconfig(2).
 */
enum pidfd_config_command {
	/* Turn @key on; @value is NULL, @aux is 0. */
	PIDFD_CONFIG_SET_FLAG		= 0,
	/* @value is a NUL-terminated string; @aux is 0. */
	PIDFD_CONFIG_SET_STRING		= 1,
	/* @value is a block of @aux bytes. */
	PIDFD_CONFIG_SET_BINARY		= 2,
	/* @value is a path, @aux the directory descriptor it starts at. */
	PIDFD_CONFIG_SET_PATH		= 3,
	/* As SET_PATH; an empty @value names @aux itself (AT_EMPTY_PATH). */
	PIDFD_CONFIG_SET_PATH_EMPTY	= 4,
	/* @value is NULL, @aux is a file descriptor. */
	PIDFD_CONFIG_SET_FD		= 5,
	/* Run the embryo: @key and @value are NULL, @aux is PIDFD_COMMIT_*. */
	PIDFD_CONFIG_CMD_COMMIT		= 6,
	/* @value is a NULL-terminated array of string pointers; @aux is 0. */
	PIDFD_CONFIG_SET_STRINGS	= 7,
};

/* @aux of PIDFD_CONFIG_CMD_COMMIT. */
#define PIDFD_COMMIT_NOWAIT	0x1 /* Do not wait for the outcome of exec. */

/*
 * One element of the array passed with SET_BINARY "fds". @aux is the size of
 * the array in bytes, a multiple of sizeof(struct pidfd_config_fd).
 *
 * @fd:		descriptor to pass on, in the caller's table (or, with
 *		PIDFD_CONFIG_FD_EMBRYO, in the embryo's own table)
 * @target:	the number it gets in the embryo
 * @flags:	PIDFD_CONFIG_FD_*
 * @__reserved:	zero
 */
struct pidfd_config_fd {
	__s32	fd;
	__u32	target;
	__u32	flags;
	__u32	__reserved;
};

#define PIDFD_CONFIG_FD_CLOEXEC	0x1 /* Close @target when the image is executed. */
#define PIDFD_CONFIG_FD_EMBRYO	0x2 /* @fd is a descriptor of the embryo: a dup2(2) in it. */

/*
 * The struct passed with SET_BINARY "open"; @aux is its size. The embryo opens
 * @path as openat2(2) would and gets it as descriptor @target.
 *
 * @path:	pointer to the NUL-terminated path
 * @flags:	O_*; O_CLOEXEC applies to @target
 * @mode:	as for openat2(2): zero unless @flags create a file
 * @resolve:	RESOLVE_*
 * @dirfd:	where a relative @path starts, in the caller's table; AT_FDCWD
 *		is the embryo's working directory
 * @target:	the number the file gets in the embryo
 */
struct pidfd_config_open {
	__aligned_u64	path;
	__aligned_u64	flags;
	__aligned_u64	mode;
	__aligned_u64	resolve;
	__s32		dirfd;
	__u32		target;
};

#define PIDFD_CONFIG_OPEN_SIZE_VER0		40

/*
 * The struct passed with SET_BINARY "close-range"; @aux is its size.
 *
 * @first:	first descriptor of the embryo to close
 * @last:	last one, inclusive; ~0U for all
 * @flags:	0, or CLOSE_RANGE_CLOEXEC to mark instead of closing
 */
struct pidfd_config_close_range {
	__u32	first;
	__u32	last;
	__u32	flags;
};

#define PIDFD_CONFIG_CLOSE_RANGE_SIZE_VER0	12

/* Longest key, in bytes with the terminating NUL. */
#define PIDFD_CONFIG_KEY_MAX		32
/* Most elements of one "fds" array. */
#define PIDFD_CONFIG_FDS_MAX		65536

#endif /* _UAPI_LINUX_PIDFD_CONFIG_H */
