/* The kernel's own judgement of a program, with no shell in between.
 *
 *   runner RESULT PROGRAM [ARG...]      one line into RESULT:
 *       refused ERRNO      execve failed
 *       killed-exec SIG    execve killed the process, past its point of no return
 *       killed SIG         a signal ended the program once it had started
 *       exited STATUS      it ended by itself
 *       running            it was still there after SECONDS, and was killed
 *   runner -m RESULT PROGRAM [ARG...]   the same line, then the program's peak memory: VmHWM KIB
 *
 * The child stops at execve's SIGTRAP, so a signal before that came from execve itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECONDS 20

static volatile sig_atomic_t late;
static pid_t child;

static void on_alarm(int signal) {
	(void)signal;
	late = 1;
	kill(child, SIGKILL);
}

static const char *signal_name(int signal) {
	static char number[16];
	static const struct { int signal; const char *name; } names[] = {
		{SIGILL, "SIGILL"}, {SIGBUS, "SIGBUS"}, {SIGSEGV, "SIGSEGV"}, {SIGTRAP, "SIGTRAP"},
		{SIGFPE, "SIGFPE"}, {SIGABRT, "SIGABRT"}, {SIGKILL, "SIGKILL"}, {SIGSYS, "SIGSYS"},
	};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].signal == signal) return names[i].name;
	snprintf(number, sizeof number, "SIG%d", signal);
	return number;
}

static const char *errno_name(int number) {
	static char unnamed[16];
#define NAME(e) {e, #e}
	static const struct { int number; const char *name; } names[] = {
		NAME(E2BIG), NAME(EACCES), NAME(EAGAIN), NAME(EFAULT), NAME(EINVAL), NAME(EIO), NAME(EISDIR),
		NAME(ELIBBAD), NAME(ELOOP), NAME(EMFILE), NAME(ENAMETOOLONG), NAME(ENFILE), NAME(ENODEV),
		NAME(ENOENT), NAME(ENOEXEC), NAME(ENOMEM), NAME(ENOSYS), NAME(ENOTDIR), NAME(ENXIO), NAME(EPERM),
		NAME(ETXTBSY),
	};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].number == number) return names[i].name;
	snprintf(unnamed, sizeof unnamed, "errno %d", number);
	return unnamed;
}

/* The child: no core file, nothing to read, straight into execve. */
static void start(char **argv, char **envp, int report) {
	struct rlimit none = {0, 0};
	setrlimit(RLIMIT_CORE, &none);
	int null = open("/dev/null", O_RDONLY);
	if (null >= 0) dup2(null, 0);
	ptrace(PTRACE_TRACEME, 0, 0, 0);
	execve(argv[0], argv, envp);
	int failure = errno;
	if (write(report, &failure, sizeof failure) < 0) _exit(2);
	_exit(1);
}

static void peak_memory(FILE *result) {
	char path[32], line[128];
	snprintf(path, sizeof path, "/proc/%d/status", child);
	FILE *status = fopen(path, "r");
	while (status && fgets(line, sizeof line, status))
		if (!strncmp(line, "VmHWM:", 6)) fprintf(result, "VmHWM %ld\n", strtol(line + 6, 0, 10));
	if (status) fclose(status);
}

/* What became of a program that has started. Its signals are passed on to it. */
static void follow(FILE *result, int memory) {
	int status;
	char peak[1024] = "";
	if (memory) {
		ptrace(PTRACE_SETOPTIONS, child, 0, (void *)PTRACE_O_TRACEEXIT);
		ptrace(PTRACE_CONT, child, 0, 0);
	} else {
		ptrace(PTRACE_DETACH, child, 0, 0);
	}
	while (waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
		int signal = WSTOPSIG(status);
		if (status >> 16 == PTRACE_EVENT_EXIT) {
			FILE *into = fmemopen(peak, sizeof peak, "w");
			if (into) {
				peak_memory(into);
				fclose(into);
			}
			signal = 0;
		}
		ptrace(PTRACE_CONT, child, 0, (void *)(long)signal);
	}
	if (late) fputs("running\n", result);
	else if (WIFSIGNALED(status)) fprintf(result, "killed %s\n", signal_name(WTERMSIG(status)));
	else fprintf(result, "exited %d\n", WEXITSTATUS(status));
	fputs(peak, result);
}

/* Up to execve's SIGTRAP, or to what came instead. */
static void judge(FILE *result, int report, int memory) {
	int status, failure;
	if (waitpid(child, &status, 0) != child) {
		fprintf(result, "lost: %s\n", strerror(errno));
	} else if (read(report, &failure, sizeof failure) == sizeof failure) {
		fprintf(result, "refused %s\n", errno_name(failure));
	} else if (WIFSIGNALED(status)) {
		fprintf(result, late ? "running\n" : "killed-exec %s\n", signal_name(WTERMSIG(status)));
	} else if (WIFSTOPPED(status) && WSTOPSIG(status) != SIGTRAP) {
		fprintf(result, "killed-exec %s\n", signal_name(WSTOPSIG(status)));
		kill(child, SIGKILL);
		waitpid(child, &status, 0);
	} else if (WIFSTOPPED(status)) {
		follow(result, memory);
	} else {
		fprintf(result, "lost: status %d\n", status);
	}
}

int main(int argc, char **argv, char **envp) {
	int memory = argc > 1 && !strcmp(argv[1], "-m");
	int report[2];
	argv += 1 + memory;
	if (argc < 3 + memory) return 2;
	FILE *result = fopen(argv[0], "we");
	if (!result || pipe2(report, O_CLOEXEC | O_NONBLOCK)) return 2;
	child = fork();
	if (child < 0) return 2;
	if (!child) start(argv + 1, envp, report[1]);
	signal(SIGALRM, on_alarm);
	alarm(SECONDS);
	close(report[1]);
	judge(result, report[0], memory);
	return fclose(result) ? 2 : 0;
}
