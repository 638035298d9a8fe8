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
 *   runner -b [-u UID] [-t MS] [-x]     programs from stdin, a path a line; a line for each on stdout:
 *       refused ERRNO | killed-exec SIG | lost: WHY, or
 *       started pc=HEX first=HEX END    pc: its first instruction; first: up to 16 bytes there; END one of
 *           exited STATUS | running | stopped (-x)
 *           killed SIG code=NUMBER addr=HEX pc=HEX     the last signal's siginfo, and where it struck
 *     -u: as that user and group, without others; -t: the wall clock; -x: killed at execve's SIGTRAP, before its
 *     first instruction.
 *
 * The child stops at execve's SIGTRAP, so a signal before that came from execve itself.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECONDS 20
#ifndef PTRACE_O_EXITKILL
#define PTRACE_O_EXITKILL (1 << 20)
#endif
#ifndef PTRACE_GETREGSET
#define PTRACE_GETREGSET 0x4204
#endif
/* Kept by their numbers: the C libraries declare requests as an enum or as an int. */
#define TRACE(request, data) ptrace(request, child, (void *)0, (void *)(uintptr_t)(data))

static volatile sig_atomic_t late;
static pid_t child;

static void on_alarm(int signal) {
	(void)signal;
	late = 1;
	if (child > 0) kill(child, SIGKILL);
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

/* ---- One program ---- */

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
		TRACE(PTRACE_SETOPTIONS, PTRACE_O_TRACEEXIT);
		TRACE(PTRACE_CONT, 0);
	} else {
		TRACE(PTRACE_DETACH, 0);
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
		TRACE(PTRACE_CONT, signal);
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

static int one(char **argv, char **envp, int memory) {
	int report[2];
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

/* ---- Many programs ---- */

struct options {
	int milliseconds;
	int only_exec;
};

/* Where the next instruction lies: the place of the program counter in NT_PRSTATUS, by the length of the set, since
 * a 64-bit kernel gives a 32-bit program's registers in 32 bits. -1 where it cannot be had. */
static int program_counter(uint64_t *pc) {
	union { uint64_t wide[64]; uint32_t narrow[128]; } set;
	struct iovec into = {&set, sizeof set};
	if (ptrace(PTRACE_GETREGSET, child, (void *)NT_PRSTATUS, &into)) return -1;
#if defined(__x86_64__) || defined(__i386__)
	int narrow = into.iov_len == 17 * 4, at = narrow ? 12 : 16;
#elif defined(__mips__)
	int narrow = into.iov_len == 45 * 4, at = narrow ? 40 : 34;
#elif defined(__arm__) || defined(__aarch64__)
	int narrow = into.iov_len == 18 * 4, at = narrow ? 15 : 32;
#elif defined(__riscv)
	int narrow = into.iov_len == 32 * 4, at = 0;
#elif defined(__powerpc__)
	int narrow = into.iov_len < 48 * 8, at = 32;
#elif defined(__loongarch__)
	int narrow = 0, at = 33;
#else
#error "where is the program counter in NT_PRSTATUS?"
#endif
	if (into.iov_len < (size_t)(at + 1) * (narrow ? 4 : 8)) return -1;
	*pc = narrow ? set.narrow[at] : set.wide[at];
	return 0;
}

/* Up to 16 bytes of the program's memory. */
static int memory_at(uint64_t address, unsigned char *bytes) {
	int have = 0;
	while (have < 16) {
		long word;
		errno = 0;
#if defined(__mips__) && !defined(__mips64)
		/* A 64-bit address fits into no pointer here: PTRACE_PEEKTEXT_3264 takes both by reference. */
		uint64_t at = address + have;
		if (at >> 32) {
			if (ptrace((int)0xc0, child, &at, &word)) break;
		} else
#endif
		{
			word = ptrace(PTRACE_PEEKTEXT, child, (void *)(uintptr_t)(address + have), 0);
			if (errno) break;
		}
		memcpy(bytes + have, &word, sizeof word);
		have += sizeof word;
	}
	/* Near the end of what is mapped a whole word may be too much. */
	return have;
}

static void first_instruction(FILE *result) {
	unsigned char bytes[32];
	uint64_t pc;
	fputs("started", result);
	if (program_counter(&pc)) return;
	int have = memory_at(pc, bytes);
	fprintf(result, " pc=0x%llx", (unsigned long long)pc);
	if (have) fputs(" first=", result);
	for (int i = 0; i < have; i++) fprintf(result, "%02x", bytes[i]);
}

/* The child runs on to its end. */
static void outcome(FILE *result) {
	siginfo_t info;
	uint64_t pc = 0;
	int status = 0, seen = 0;
	memset(&info, 0, sizeof info);
	TRACE(PTRACE_SETOPTIONS, PTRACE_O_EXITKILL | PTRACE_O_TRACEEXEC);
	TRACE(PTRACE_CONT, 0);
	while (waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
		/* env(1) executes another program: no signal of its own. */
		int signal = status >> 16 ? 0 : WSTOPSIG(status);
		seen = !ptrace(PTRACE_GETSIGINFO, child, (void *)0, &info) && !program_counter(&pc) ? signal : 0;
		TRACE(PTRACE_CONT, signal);
	}
	if (late) fputs(" running", result);
	else if (WIFEXITED(status)) fprintf(result, " exited %d", WEXITSTATUS(status));
	else fprintf(result, " killed %s", signal_name(WTERMSIG(status)));
	if (!late && WIFSIGNALED(status) && seen == WTERMSIG(status))
		fprintf(result, " code=%d addr=0x%llx pc=0x%llx", info.si_code,
			(unsigned long long)(uintptr_t)info.si_addr, (unsigned long long)pc);
}

static void clock_set(int milliseconds) {
	struct itimerval timer = {{0, 0}, {milliseconds / 1000, milliseconds % 1000 * 1000}};
	setitimer(ITIMER_REAL, &timer, 0);
}

/* vfork(2), where the C library has it: musl's is fork(2) on MIPS, ARM, PowerPC and others, whose child has memory of
 * its own. So its errno comes back in a page that both have. */
static void try(char *path, FILE *result, const struct options *options) {
	static char *envp[] = {"PATH=/usr/bin:/bin", 0};
	char *argv[] = {path, 0};
	static volatile int *failure;
	int status;
	if (!failure) failure = mmap(0, sizeof *failure, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (failure == MAP_FAILED) exit(2);
	*failure = 0;
	late = 0;
	child = 0;
	pid_t pid = vfork();
	if (!pid) {
		setsid();
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		execve(path, argv, envp);
		*failure = errno;
		_exit(1);
	}
	child = pid;
	if (pid > 0) clock_set(options->milliseconds);
	if (pid < 0 || waitpid(child, &status, 0) != child) {
		fprintf(result, "lost: %s", strerror(errno));
	} else if (*failure) {
		fprintf(result, "refused %s", errno_name(*failure));
	} else if (WIFSIGNALED(status)) {
		fprintf(result, "killed-exec %s", signal_name(WTERMSIG(status)));
	} else if (!WIFSTOPPED(status)) {
		fprintf(result, "lost: status %d", status);
	} else if (WSTOPSIG(status) != SIGTRAP) {
		fprintf(result, "killed-exec %s", signal_name(WSTOPSIG(status)));
		kill(child, SIGKILL);
		waitpid(child, &status, 0);
	} else {
		first_instruction(result);
		if (options->only_exec) {
			fputs(" stopped", result);
			kill(child, SIGKILL);
			waitpid(child, &status, 0);
		} else {
			outcome(result);
		}
	}
	clock_set(0);
	child = 0;
	fputc('\n', result);
	fflush(result);
}

static int drop(uid_t uid) {
	return setgroups(0, 0) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid);
}

static int batch(int argc, char **argv) {
	struct options options = {2000, 0};
	struct rlimit none = {0, 0};
	int option;
	optind = 2;
	while ((option = getopt(argc, argv, "u:t:x")) != -1) {
		if (option == 'u' && drop((uid_t)atol(optarg))) return 2;
		if (option == 't') options.milliseconds = atoi(optarg);
		if (option == 'x') options.only_exec = 1;
		if (option == '?') return 2;
	}
	setrlimit(RLIMIT_CORE, &none);
	/* Ours move out of the way, so that the programs find /dev/null as 0, 1 and 2 and nothing else. */
	int in = fcntl(0, F_DUPFD_CLOEXEC, 3), out = fcntl(1, F_DUPFD_CLOEXEC, 3);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; fd < 3; fd++)
		if (null < 0 || dup2(null, fd) < 0) return 2;
	FILE *names = fdopen(in, "r"), *result = fdopen(out, "w");
	struct sigaction action;
	memset(&action, 0, sizeof action);
	action.sa_handler = on_alarm;
	action.sa_flags = SA_RESTART;
	sigaction(SIGALRM, &action, 0);
	char *name = 0;
	size_t room = 0;
	ssize_t length;
	while (names && result && (length = getline(&name, &room, names)) > 0) {
		if (name[length - 1] == '\n') name[length - 1] = 0;
		try(name, result, &options);
	}
	return 0;
}

int main(int argc, char **argv, char **envp) {
	if (argc > 1 && !strcmp(argv[1], "-b")) return batch(argc, argv);
	int memory = argc > 1 && !strcmp(argv[1], "-m");
	argv += 1 + memory;
	if (argc < 3 + memory) return 2;
	return one(argv, envp, memory);
}
