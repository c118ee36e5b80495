// SPDX-License-Identifier: GPL-2.0
/*
 * The keys argv, envp, arg, env and argv0: what the program gets, and the
 * limits of execve(2).
 */
#include "pidfd_config_util.h"
#include "kselftest_harness.h"
#include "embryo_fixture.h"

/* The limits of execve(2): one string, its NUL included, and the least total. */
#define ONE_STRING	(128 * 1024)
#define LEAST_TOTAL	(128 * 1024)
#define MOST_TOTAL	(6 * 1024 * 1024)

/* A string of @size bytes with its NUL. */
static char *make_string(size_t size)
{
	char *string = malloc(size);

	if (!string)
		abort();
	memset(string, 'x', size - 1);
	string[size - 1] = '\0';
	return string;
}

/* The limit of the strings follows the stack limit of the embryo. */
static int stack_limit(pid_t pid, rlim_t limit)
{
	struct rlimit rlim = { .rlim_cur = limit, .rlim_max = RLIM_INFINITY };

	return prlimit(pid, RLIMIT_STACK, &rlim, NULL) ? -errno : 0;
}

static char *guarded(void)
{
	char *map = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED || mprotect(map + 4096, 4096, PROT_NONE))
		abort();
	return map + 4096;
}

/* Nothing set: the name of the image alone, and no environment. */
TEST_F(embryo, unset)
{
	EXPECT_EQ(0, run_default(self->fd, &self->text));
	EXPECT_STREQ("1", field(self->text, "argc"));
	EXPECT_STREQ(REPORT, field_at(self->text, "arg", 0));
	EXPECT_STREQ("0", field(self->text, "envs"));
}

/* Both lists arrive as they are, empty strings included. */
TEST_F(embryo, lists)
{
	static const char *const argv[] = {
		"name", "", "one two", "three\tfour", "a=b", "\xff\xfe", NULL,
	};
	static const char *const envp[] = {
		"A=1", "", "B", "A=2", "=C", "D=with space", NULL,
	};
	int i;

	EXPECT_EQ(0, set_strings(self->fd, "argv", argv));
	EXPECT_EQ(0, set_strings(self->fd, "envp", envp));
	EXPECT_EQ(0, run_default(self->fd, &self->text));
	EXPECT_STREQ("6", field(self->text, "argc"));
	EXPECT_STREQ("6", field(self->text, "args"));
	EXPECT_STREQ("6", field(self->text, "envs"));
	for (i = 0; argv[i]; i++)
		EXPECT_STREQ(argv[i], field_at(self->text, "arg", i));
	for (i = 0; envp[i]; i++)
		EXPECT_STREQ(envp[i], field_at(self->text, "env", i));
}

/* argv and envp replace the whole list. */
TEST_F(embryo, replace)
{
	static const char *const first[] = { "a", "b", "c", NULL };
	static const char *const second[] = { "d", NULL };

	EXPECT_EQ(0, set_strings(self->fd, "argv", first));
	EXPECT_EQ(0, set_strings(self->fd, "envp", first));
	EXPECT_EQ(0, set_strings(self->fd, "argv", second));
	EXPECT_EQ(0, set_strings(self->fd, "envp", second));
	EXPECT_EQ(0, run_default(self->fd, &self->text));
	EXPECT_STREQ("1", field(self->text, "argc"));
	EXPECT_STREQ("d", field_at(self->text, "arg", 0));
	EXPECT_STREQ("1", field(self->text, "envs"));
	EXPECT_STREQ("d", field_at(self->text, "env", 0));
}

/* An empty list is as none: argv[0] is the name of the image again. */
TEST_F(embryo, empty_list)
{
	static const char *const first[] = { "a", "b", "c", NULL };
	static const char *const none[] = { NULL };

	EXPECT_EQ(0, set_strings(self->fd, "argv", first));
	EXPECT_EQ(0, set_strings(self->fd, "envp", first));
	EXPECT_EQ(0, set_strings(self->fd, "argv", none));
	EXPECT_EQ(0, set_strings(self->fd, "envp", none));
	EXPECT_EQ(0, run_default(self->fd, &self->text));
	EXPECT_STREQ("1", field(self->text, "argc"));
	EXPECT_STREQ(REPORT, field_at(self->text, "arg", 0));
	EXPECT_STREQ("0", field(self->text, "envs"));
}

/* A NULL value is an empty list. */
TEST_F(embryo, null_list)
{
	static const char *const first[] = { "a", "b", "c", NULL };

	EXPECT_EQ(0, set_strings(self->fd, "argv", first));
	EXPECT_EQ(0, set_strings(self->fd, "envp", first));
	EXPECT_EQ(0, set_strings(self->fd, "argv", NULL));
	EXPECT_EQ(0, set_strings(self->fd, "envp", NULL));
	EXPECT_EQ(0, set_string(self->fd, "env", "D"));
	EXPECT_EQ(0, run_default(self->fd, &self->text));
	EXPECT_STREQ("1", field(self->text, "argc"));
	EXPECT_STREQ(REPORT, field_at(self->text, "arg", 0));
	EXPECT_STREQ("1", field(self->text, "envs"));
	EXPECT_STREQ("D", field_at(self->text, "env", 0));
}

/* arg and env append one string; the first one of arg is argv[0]. */
TEST_F(embryo, append)
{
	static const char *const argv[] = { "a", "b", NULL };

	EXPECT_EQ(0, set_string(self->fd, "arg", "gone"));
	EXPECT_EQ(0, set_strings(self->fd, "argv", argv));
	EXPECT_EQ(0, set_string(self->fd, "arg", "c"));
	EXPECT_EQ(0, set_string(self->fd, "arg", ""));
	EXPECT_EQ(0, set_string(self->fd, "env", "E=1"));
	EXPECT_EQ(0, set_string(self->fd, "env", "F=2"));
	EXPECT_EQ(0, run_default(self->fd, &self->text));
	EXPECT_STREQ("4", field(self->text, "argc"));
	EXPECT_STREQ("a", field_at(self->text, "arg", 0));
	EXPECT_STREQ("b", field_at(self->text, "arg", 1));
	EXPECT_STREQ("c", field_at(self->text, "arg", 2));
	EXPECT_STREQ("", field_at(self->text, "arg", 3));
	EXPECT_STREQ("2", field(self->text, "envs"));
	EXPECT_STREQ("E=1", field_at(self->text, "env", 0));
	EXPECT_STREQ("F=2", field_at(self->text, "env", 1));
}

TEST_F(embryo, append_first)
{
	EXPECT_EQ(0, set_string(self->fd, "arg", "zero"));
	EXPECT_EQ(0, set_string(self->fd, "arg", "one"));
	EXPECT_EQ(0, run_default(self->fd, &self->text));
	EXPECT_STREQ("2", field(self->text, "argc"));
	EXPECT_STREQ("zero", field_at(self->text, "arg", 0));
	EXPECT_STREQ("one", field_at(self->text, "arg", 1));
	EXPECT_STREQ(REPORT, field(self->text, "execfn"));
}

/* argv0 overrides argv[0], set before or after the list. */
TEST_F(embryo, argv0_before)
{
	static const char *const argv[] = { "a", "b", NULL };

	EXPECT_EQ(0, set_string(self->fd, "argv0", "lost"));
	EXPECT_EQ(0, set_string(self->fd, "argv0", "zero"));
	EXPECT_EQ(0, set_strings(self->fd, "argv", argv));
	EXPECT_EQ(0, run_default(self->fd, &self->text));
	EXPECT_STREQ("2", field(self->text, "argc"));
	EXPECT_STREQ("zero", field_at(self->text, "arg", 0));
	EXPECT_STREQ("b", field_at(self->text, "arg", 1));
}

TEST_F(embryo, argv0_after)
{
	static const char *const argv[] = { "a", "b", NULL };

	EXPECT_EQ(0, set_strings(self->fd, "argv", argv));
	EXPECT_EQ(0, set_string(self->fd, "argv0", "zero"));
	EXPECT_EQ(0, set_string(self->fd, "arg", "c"));
	EXPECT_EQ(0, run_default(self->fd, &self->text));
	EXPECT_STREQ("3", field(self->text, "argc"));
	EXPECT_STREQ("zero", field_at(self->text, "arg", 0));
	EXPECT_STREQ("b", field_at(self->text, "arg", 1));
	EXPECT_STREQ("c", field_at(self->text, "arg", 2));
}

/* With no list it is the only one. */
TEST_F(embryo, argv0_alone)
{
	EXPECT_EQ(0, set_string(self->fd, "argv0", "zero"));
	EXPECT_EQ(0, run_default(self->fd, &self->text));
	EXPECT_STREQ("1", field(self->text, "argc"));
	EXPECT_STREQ("zero", field_at(self->text, "arg", 0));
}

/* It may be empty, which is not unset. */
TEST_F(embryo, argv0_empty)
{
	EXPECT_EQ(0, set_string(self->fd, "argv0", ""));
	EXPECT_EQ(0, run_default(self->fd, &self->text));
	EXPECT_STREQ("1", field(self->text, "argc"));
	EXPECT_STREQ("", field_at(self->text, "arg", 0));
}

/* The strings are copied by the call: what happens to them later is nothing. */
TEST_F(embryo, copied)
{
	char zero[] = "zero", one[] = "one";
	const char *argv[3];

	argv[0] = zero;
	argv[1] = one;
	argv[2] = NULL;
	EXPECT_EQ(0, set_strings(self->fd, "argv", argv));
	memset(zero, 'x', 4);
	memset(one, 'x', 3);
	argv[0] = NULL;
	EXPECT_EQ(0, run_default(self->fd, &self->text));
	EXPECT_STREQ("2", field(self->text, "argc"));
	EXPECT_STREQ("zero", field_at(self->text, "arg", 0));
	EXPECT_STREQ("one", field_at(self->text, "arg", 1));
}

/* A bad pointer is EFAULT wherever it is, and the list stays what it was. */
TEST_F(embryo, bad_pointers)
{
	const char *end = guarded();
	const char *const good[] = { "a", "b", NULL };
	const char *const first[] = { end, "x", NULL };
	const char *const middle[] = { "x", "y", end, "z", NULL };
	const char *const last[] = { "x", "y", (const char *)8, NULL };
	const char **array = (const char **)(end - 3 * sizeof(char *));

	EXPECT_EQ(0, set_strings(self->fd, "argv", good));
	EXPECT_EQ(0, set_strings(self->fd, "envp", good));
	EXPECT_EQ(-EFAULT, set_strings(self->fd, "argv", first));
	EXPECT_EQ(-EFAULT, set_strings(self->fd, "argv", middle));
	EXPECT_EQ(-EFAULT, set_strings(self->fd, "argv", last));
	EXPECT_EQ(-EFAULT, set_strings(self->fd, "envp", middle));
	EXPECT_EQ(-EFAULT, set_string(self->fd, "arg", end));
	EXPECT_EQ(-EFAULT, set_string(self->fd, "env", end));
	EXPECT_EQ(-EFAULT, set_string(self->fd, "argv0", end));
	/* An array that runs into what cannot be read. */
	array[0] = "x";
	array[1] = "y";
	array[2] = "z";
	EXPECT_EQ(-EFAULT, set_strings(self->fd, "argv", array));
	EXPECT_EQ(-EFAULT, set_strings(self->fd, "argv", (void *)end));

	EXPECT_EQ(0, run_default(self->fd, &self->text));
	EXPECT_STREQ("2", field(self->text, "argc"));
	EXPECT_STREQ("a", field_at(self->text, "arg", 0));
	EXPECT_STREQ("b", field_at(self->text, "arg", 1));
	EXPECT_STREQ("2", field(self->text, "envs"));
	EXPECT_STREQ("b", field_at(self->text, "env", 1));
}

/* Arrays and strings that end where the page does are read. */
TEST_F(embryo, end_of_page)
{
	char *end = guarded(), *string_end = guarded();
	const char **array = (const char **)(end - 2 * sizeof(char *));

	memcpy(string_end - 5, "edge", 5);
	array[0] = string_end - 5;
	array[1] = NULL;
	EXPECT_EQ(0, set_strings(self->fd, "argv", array));
	EXPECT_EQ(0, set_string(self->fd, "arg", string_end - 5));
	/* Without a NUL before the end. */
	memset(string_end - 5, 'x', 5);
	EXPECT_EQ(-EFAULT, set_string(self->fd, "arg", string_end - 5));
	EXPECT_EQ(-EFAULT, set_strings(self->fd, "argv", array));
	EXPECT_EQ(0, run_default(self->fd, &self->text));
	EXPECT_STREQ("2", field(self->text, "argc"));
	EXPECT_STREQ("edge", field_at(self->text, "arg", 0));
	EXPECT_STREQ("edge", field_at(self->text, "arg", 1));
}

/* One string may have 128 KiB with its NUL, and not one byte more. */
TEST_F(embryo, one_string)
{
	char *fits = make_string(ONE_STRING);
	char *over = make_string(ONE_STRING + 1);
	const char *const list_fits[] = { "report", fits, NULL };
	const char *const list_over[] = { "report", over, NULL };

	ASSERT_EQ(0, stack_limit(self->pid, 8 << 20));
	EXPECT_EQ(-E2BIG, set_string(self->fd, "arg", over));
	EXPECT_EQ(-E2BIG, set_string(self->fd, "env", over));
	EXPECT_EQ(-E2BIG, set_string(self->fd, "argv0", over));
	EXPECT_EQ(-E2BIG, set_strings(self->fd, "argv", list_over));
	EXPECT_EQ(-E2BIG, set_strings(self->fd, "envp", list_over));
	EXPECT_EQ(0, set_strings(self->fd, "argv", list_fits));
	EXPECT_EQ(0, set_string(self->fd, "arg", fits));
	EXPECT_EQ(0, set_strings(self->fd, "envp", list_fits));
	EXPECT_EQ(0, set_string(self->fd, "env", fits));
	EXPECT_EQ(-E2BIG, set_string(self->fd, "arg", over));
	EXPECT_EQ(0, run_default(self->fd, &self->text));
	EXPECT_STREQ("3", field(self->text, "argc"));
	EXPECT_STREQ("131071", field_at(self->text, "arglen", 1));
	EXPECT_STREQ("131071", field_at(self->text, "arglen", 2));
	EXPECT_STREQ("3", field(self->text, "envs"));
	EXPECT_STREQ("131071", field_at(self->text, "envlen", 2));
}

/*
 * The total of the strings and of 8 bytes a pointer: with a small stack it is
 * 128 KiB, exactly. What the name of the image takes of it is known at commit,
 * which then fails with E2BIG and can be retried.
 */
TEST_F(embryo, least_total)
{
	const size_t most = LEAST_TOTAL - sizeof(char *);
	char *string = make_string(most + 1);
	const char *list[2];

	list[0] = string;
	list[1] = NULL;
	ASSERT_EQ(0, stack_limit(self->pid, 512 << 10));
	EXPECT_EQ(0, set_path(self->fd, "exec", REPORT));
	EXPECT_EQ(-E2BIG, set_strings(self->fd, "argv", list));
	EXPECT_EQ(-E2BIG, set_string(self->fd, "arg", string));
	EXPECT_EQ(-E2BIG, set_string(self->fd, "env", string));
	/* One byte less is the limit. */
	list[0] = string + 1;
	EXPECT_EQ(0, set_strings(self->fd, "argv", list));
	EXPECT_EQ(-E2BIG, set_string(self->fd, "arg", ""));
	EXPECT_EQ(-E2BIG, set_string(self->fd, "env", ""));
	EXPECT_EQ(-E2BIG, commit(self->fd));
	/* With the name it is one byte too many, still. */
	list[0] = string + 1 + sizeof(REPORT) - 1;
	EXPECT_EQ(0, set_strings(self->fd, "argv", list));
	EXPECT_EQ(-E2BIG, commit(self->fd));
	list[0] = string + 1 + sizeof(REPORT);
	EXPECT_EQ(0, set_strings(self->fd, "argv", list));
	EXPECT_EQ(0, run_report(self->fd, &self->text));
	EXPECT_STREQ("1", field(self->text, "argc"));
}

/* argv and envp share that limit. */
TEST_F(embryo, shared_total)
{
	const size_t half = LEAST_TOTAL / 2 - sizeof(char *);
	char *string = make_string(half + 1);

	ASSERT_EQ(0, stack_limit(self->pid, 512 << 10));
	EXPECT_EQ(0, set_string(self->fd, "arg", string + 1));
	EXPECT_EQ(-E2BIG, set_string(self->fd, "env", string));
	EXPECT_EQ(0, set_string(self->fd, "env", string + 1));
	EXPECT_EQ(-E2BIG, set_string(self->fd, "env", ""));
	/* Replacing a list gives back what it took. */
	EXPECT_EQ(0, set_strings(self->fd, "envp", NULL));
	EXPECT_EQ(0, set_string(self->fd, "env", string + 1));
}

/* A quarter of the embryo's stack limit, not of the caller's. */
TEST_F(embryo, quarter_of_stack)
{
	char *string = make_string(ONE_STRING);

	ASSERT_EQ(0, stack_limit(self->pid, 1 << 20));
	EXPECT_EQ(0, set_string(self->fd, "arg", string));
	EXPECT_EQ(-E2BIG, set_string(self->fd, "arg", string));
	EXPECT_EQ(-E2BIG, set_string(self->fd, "arg", string + 15));
	EXPECT_EQ(0, set_string(self->fd, "arg", string + 16));
	EXPECT_EQ(-E2BIG, set_string(self->fd, "arg", ""));
	/* It is the limit of now that counts. */
	ASSERT_EQ(0, stack_limit(self->pid, 2 << 20));
	EXPECT_EQ(0, set_string(self->fd, "arg", ""));
	EXPECT_EQ(0, run_default(self->fd, &self->text));
	EXPECT_STREQ("3", field(self->text, "argc"));
	EXPECT_STREQ("2097152", field(self->text, "stack"));
}

/* It is never more than 6 MiB. */
TEST_F(embryo, most_total)
{
	char *string = make_string(ONE_STRING);
	size_t used = 0, left;

	ASSERT_EQ(0, stack_limit(self->pid, RLIM_INFINITY));
	while (used + ONE_STRING + sizeof(char *) <= MOST_TOTAL) {
		ASSERT_EQ(0, set_string(self->fd, "arg", string));
		used += ONE_STRING + sizeof(char *);
	}
	EXPECT_EQ(-E2BIG, set_string(self->fd, "arg", string));
	left = MOST_TOTAL - used - sizeof(char *);
	EXPECT_EQ(-E2BIG, set_string(self->fd, "arg",
				     string + ONE_STRING - left - 1));
	EXPECT_EQ(0, set_string(self->fd, "arg", string + ONE_STRING - left));
	EXPECT_EQ(-E2BIG, set_string(self->fd, "arg", ""));
}

/* Many short strings: the pointers count as execve(2) counts them. */
TEST_F(embryo, many)
{
	const size_t most = LEAST_TOTAL / (sizeof(char *) + 1);
	const char **list = calloc(most + 2, sizeof(char *));
	size_t i;

	ASSERT_NE(NULL, list);
	ASSERT_EQ(0, stack_limit(self->pid, 512 << 10));
	for (i = 0; i < most + 1; i++)
		list[i] = "";
	EXPECT_EQ(-E2BIG, set_strings(self->fd, "argv", list));
	EXPECT_EQ(-E2BIG, set_strings(self->fd, "envp", list));
	list[most] = NULL;
	EXPECT_EQ(0, set_strings(self->fd, "argv", list));
	list[most - 10] = NULL;
	EXPECT_EQ(0, set_strings(self->fd, "argv", list));
	EXPECT_EQ(0, run_default(self->fd, &self->text));
	EXPECT_EQ(most - 10, strtoul(field(self->text, "argc"), NULL, 10));
}

/* E2BIG leaves the list what it was. */
TEST_F(embryo, too_big_keeps)
{
	char *over = make_string(ONE_STRING + 1);
	const char *const good[] = { "a", "b", NULL };
	const char *const bad[] = { "c", over, NULL };

	EXPECT_EQ(0, set_strings(self->fd, "argv", good));
	EXPECT_EQ(0, set_string(self->fd, "argv0", "zero"));
	EXPECT_EQ(-E2BIG, set_strings(self->fd, "argv", bad));
	EXPECT_EQ(-E2BIG, set_string(self->fd, "arg", over));
	EXPECT_EQ(-E2BIG, set_string(self->fd, "argv0", over));
	EXPECT_EQ(0, run_default(self->fd, &self->text));
	EXPECT_STREQ("2", field(self->text, "argc"));
	EXPECT_STREQ("zero", field_at(self->text, "arg", 0));
	EXPECT_STREQ("b", field_at(self->text, "arg", 1));
}

TEST_HARNESS_MAIN
