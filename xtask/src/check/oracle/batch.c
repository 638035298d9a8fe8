/* A program for many names, as another user:
 *
 *   batch UID COUNT PROGRAM [ARG...] <NAMES      PROGRAM ARG... NAME NAME..., COUNT names at a time
 *
 * NAMES has a name a line. No shell and no xargs: nothing is quoted, and nothing else is between. A program that
 * ended by a signal is told on stderr with the names it had; whatever its status, the next names follow. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Well below what the kernel takes for arguments on any machine. */
#define BYTES 100000

static int start(char **argv, int first, int count) {
	int status;
	pid_t child = fork();
	if (!child) {
		int null = open("/dev/null", O_RDONLY);
		if (null >= 0) dup2(null, 0);
		execve(argv[0], argv, environ);
		fprintf(stderr, "batch: %s: %s\n", argv[0], strerror(errno));
		_exit(125);
	}
	if (child < 0 || waitpid(child, &status, 0) != child) return -1;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 125) return -1;
	if (WIFSIGNALED(status))
		fprintf(stderr, "batch: signal %d with %s to %s\n", WTERMSIG(status), argv[first],
			argv[first + count - 1]);
	return 0;
}

int main(int argc, char **argv) {
	if (argc < 4) return 2;
	uid_t uid = (uid_t)atol(argv[1]);
	int most = atoi(argv[2]), first = argc - 3, count = 0;
	if (setgroups(0, 0) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid)) return 2;
	char **all = calloc((size_t)(first + most + 1), sizeof *all);
	if (!all || most < 1) return 2;
	memcpy(all, argv + 3, (size_t)first * sizeof *all);
	char *name = 0;
	size_t room = 0, bytes = 0;
	ssize_t length;
	while ((length = getline(&name, &room, stdin)) > 0) {
		if (name[length - 1] == '\n') name[length - 1] = 0;
		bytes += (size_t)length + 1;
		if (!(all[first + count++] = strdup(name))) return 2;
		if (count < most && bytes < BYTES) continue;
		if (start(all, first, count)) return 2;
		while (count) free(all[first + --count]), all[first + count] = 0;
		bytes = 0;
	}
	return count && start(all, first, count) ? 2 : 0;
}
