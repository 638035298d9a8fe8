// What a kernel tells a program of its processor, as a text; with an argument instead one floating-point instruction.
// Without a C library, which zig would build for each processor: the weakest runs this.

typedef unsigned long word;

// _start hands over the stack as the kernel leaves it. call(number, a, b, c) is a system call.
#if defined(__x86_64__)
enum { READ = 0, WRITE = 1, OPENAT = 257, EXIT = 60, UNAME = 63 };
__asm__(".globl _start\n_start: mov %rsp, %rdi\n and $-16, %rsp\n call begin\n"
        ".globl call\ncall: mov %rdi, %rax\n mov %rsi, %rdi\n mov %rdx, %rsi\n mov %rcx, %rdx\n syscall\n ret\n");
#elif defined(__i386__)
enum { READ = 3, WRITE = 4, OPENAT = 295, EXIT = 1, UNAME = 122 };
__asm__(".globl _start\n_start: mov %esp, %eax\n and $-16, %esp\n sub $12, %esp\n push %eax\n call begin\n"
        ".globl call\ncall: push %ebx\n mov 8(%esp), %eax\n mov 12(%esp), %ebx\n mov 16(%esp), %ecx\n"
        " mov 20(%esp), %edx\n int $0x80\n pop %ebx\n ret\n");
#elif defined(__aarch64__)
enum { READ = 63, WRITE = 64, OPENAT = 56, EXIT = 93, UNAME = 160 };
__asm__(".globl _start\n_start: mov x0, sp\n bl begin\n"
        ".globl call\ncall: mov x8, x0\n mov x0, x1\n mov x1, x2\n mov x2, x3\n svc #0\n ret\n");
#elif defined(__arm__)
enum { READ = 3, WRITE = 4, OPENAT = 322, EXIT = 1, UNAME = 122 };
__asm__(".globl _start\n_start: mov r0, sp\n bl begin\n"
        ".globl call\ncall: push {r7, lr}\n mov r7, r0\n mov r0, r1\n mov r1, r2\n mov r2, r3\n svc #0\n pop {r7, pc}\n");
#elif defined(__mips__)
#if defined(__mips64)
#define ADD "daddiu"
enum { READ = 5000, WRITE = 5001, OPENAT = 5247, EXIT = 5058, UNAME = 5061 };
#else
#define ADD "addiu"
enum { READ = 4003, WRITE = 4004, OPENAT = 4288, EXIT = 4001, UNAME = 4122 };
#endif
__asm__(".set noreorder\n.globl _start\n_start: move $4, $29\n " ADD " $29, $29, -32\n jal begin\n nop\n"
        ".globl call\ncall: move $2, $4\n move $4, $5\n move $5, $6\n move $6, $7\n syscall\n jr $31\n nop\n");
#elif defined(__powerpc64__)
enum { READ = 3, WRITE = 4, OPENAT = 286, EXIT = 1, UNAME = 122 };
__asm__(".globl _start\n_start: addis 2, 12, .TOC.-_start@ha\n addi 2, 2, .TOC.-_start@l\n mr 3, 1\n"
        " clrrdi 1, 1, 4\n stdu 1, -64(1)\n bl begin\n nop\n"
        ".globl call\ncall: mr 0, 3\n mr 3, 4\n mr 4, 5\n mr 5, 6\n sc\n blr\n");
#elif defined(__riscv)
enum { READ = 63, WRITE = 64, OPENAT = 56, EXIT = 93, UNAME = 160 };
__asm__(".globl _start\n_start: mv a0, sp\n call begin\n"
        ".globl call\ncall: mv a7, a0\n mv a0, a1\n mv a1, a2\n mv a2, a3\n ecall\n ret\n");
#elif defined(__s390x__)
enum { READ = 3, WRITE = 4, OPENAT = 288, EXIT = 1, UNAME = 122 };
__asm__(".globl _start\n_start: lgr %r2, %r15\n aghi %r15, -160\n brasl %r14, begin\n"
        ".globl call\ncall: lgr %r1, %r2\n lgr %r2, %r3\n lgr %r3, %r4\n lgr %r4, %r5\n svc 0\n br %r14\n");
#elif defined(__loongarch__)
enum { READ = 63, WRITE = 64, OPENAT = 56, EXIT = 93, UNAME = 160 };
__asm__(".globl _start\n_start: move $a0, $sp\n bl begin\n"
        ".globl call\ncall: move $a7, $a0\n move $a0, $a1\n move $a1, $a2\n move $a2, $a3\n syscall 0\n jr $ra\n");
#endif
extern long call(word number, word a, word b, word c);

static void text(const char *text) {
    word length = 0;
    while (text[length]) length++;
    call(WRITE, 1, (word)text, length);
}

static void number(const char *name, word value) {
    char digits[20], *digit = digits + sizeof digits;
    *--digit = 0;
    do *--digit = "0123456789abcdef"[value & 15]; while (value >>= 4);
    text(name), text(" 0x"), text(digit), text("\n");
}

static void name(const char *label, word value) {
    text(label), text(" "), text((const char *)value), text("\n");
}

#if defined(__i386__) || defined(__x86_64__)
static void cpuid(word leaf) {
    word first, b, c, d;
    __asm__("cpuid" : "=a"(first), "=b"(b), "=c"(c), "=d"(d) : "a"(leaf & 0x80000000));
    if (first < leaf) return;
    __asm__("cpuid" : "=a"(first), "=b"(b), "=c"(c), "=d"(d) : "a"(leaf), "c"(0));
    number("leaf", leaf), number("ebx", b), number("ecx", c), number("edx", d);
}
#endif

void begin(const word *stack) {
    const word *next = stack + 1 + stack[0] + 1;
    while (*next++) {}
#ifdef __mips__
    if (stack[0] > 1) {
        __asm__ volatile(".set push\n.set hardfloat\nmtc1 $0, $f0\n.set pop");
        call(EXIT, 0, 0, 0);
    }
#endif
    for (; next[0]; next += 2) switch (next[0]) {
        case 6: number("AT_PAGESZ", next[1]); break;
        case 15: name("AT_PLATFORM", next[1]); break;
        case 16: number("AT_HWCAP", next[1]); break;
        case 24: name("AT_BASE_PLATFORM", next[1]); break;
        case 26: number("AT_HWCAP2", next[1]); break;
    }
    static char system[6][65];
    call(UNAME, (word)system, 0, 0);
    name("uname", (word)system[4]);
#if defined(__i386__) || defined(__x86_64__)
    cpuid(1), cpuid(7), cpuid(0x80000001);
#endif
    text("cpuinfo\n");
    static char some[4096];
    long file = call(OPENAT, (word)-100, (word)"/proc/cpuinfo", 0), got;
    while ((got = call(READ, file, (word)some, sizeof some)) > 0) call(WRITE, 1, (word)some, got);
    call(EXIT, 0, 0, 0);
}
