// The program and the two libraries whose tables are changed. -DPROGRAM, -DFIRST or -DSECOND says which.
// They have of each kind of relocation what compilers make: calls, addresses, data of others, thread-local variables, weak
// symbols, constructors. The program says "main" by a system call of its own, so that nothing has to be bound for it.

#ifdef PROGRAM

static void say_main(void) {
    volatile char text[5];
    text[0] = 'm', text[1] = 'a', text[2] = 'i', text[3] = 'n', text[4] = '\n';
#if defined(__x86_64__)
    long number = 1;
    __asm__ volatile("syscall" : "+a"(number) : "D"(1), "S"(text), "d"(5) : "rcx", "r11", "memory");
#elif defined(__i386__)
    int number = 4;
    __asm__ volatile("int $0x80" : "+a"(number) : "b"(1), "c"(text), "d"(5) : "memory");
#elif defined(__aarch64__)
    register long number __asm__("x8") = 64, first __asm__("x0") = 1, third __asm__("x2") = 5;
    register volatile char *second __asm__("x1") = text;
    __asm__ volatile("svc #0" : "+r"(first) : "r"(number), "r"(second), "r"(third) : "memory");
#elif defined(__arm__)
    register long number __asm__("r7") = 4, first __asm__("r0") = 1, third __asm__("r2") = 5;
    register volatile char *second __asm__("r1") = text;
    __asm__ volatile("svc #0" : "+r"(first) : "r"(number), "r"(second), "r"(third) : "memory");
#elif defined(__mips__)
    register long number __asm__("$2") = sizeof(void *) == 8 ? 5001 : 4004;
    register long first __asm__("$4") = 1, third __asm__("$6") = 5;
    register volatile char *second __asm__("$5") = text;
    __asm__ volatile("syscall" : "+r"(number), "+r"(first) : "r"(second), "r"(third) : "$7", "$8", "$9", "memory");
#elif defined(__powerpc64__)
    register long number __asm__("r0") = 4, first __asm__("r3") = 1, third __asm__("r5") = 5;
    register volatile char *second __asm__("r4") = text;
    __asm__ volatile("sc" : "+r"(first), "+r"(number) : "r"(second), "r"(third) : "cr0", "memory");
#elif defined(__riscv)
    register long number __asm__("a7") = 64, first __asm__("a0") = 1, third __asm__("a2") = 5;
    register volatile char *second __asm__("a1") = text;
    __asm__ volatile("ecall" : "+r"(first) : "r"(number), "r"(second), "r"(third) : "memory");
#elif defined(__s390x__)
    register long number __asm__("r1") = 4, first __asm__("r2") = 1, third __asm__("r4") = 5;
    register volatile char *second __asm__("r3") = text;
    __asm__ volatile("svc 0" : "+r"(first) : "r"(number), "r"(second), "r"(third) : "memory");
#endif
}

extern int first_value, second_value;
extern __thread int first_thread;
int first_add(int), second_add(int), first_late(int), puts(const char *);
extern int nobody_has(void) __attribute__((weak));

int program_value = 5;
__thread int program_thread = 2;
int *address_of_another = &second_value;
int *address_of_own = &program_value;
int (*function_of_another)(int) = second_add;

int main(void) {
    say_main();
    int sum = first_add(1) + second_add(2) + first_late(3) + first_value + *address_of_another + *address_of_own;
    sum += function_of_another(4) + first_thread + program_thread + (nobody_has ? nobody_has() : 0);
    puts(sum > 0 ? "end" : "odd");
    return 0;
}

#elif defined(FIRST)

int second_add(int), atoi(const char *);
extern int second_value;
int first_value = 1;
__thread int first_thread = 3;
static int own = 2;
static int *address_of_own = &own;
int *address_of_another = &second_value;

__attribute__((constructor)) static void begin(void) { *address_of_own += 1; }

int first_add(int number) { return second_add(number) + *address_of_another + *address_of_own; }
int first_late(int number) { return number + atoi("7") + first_thread; }

#else

int toupper(int);
int second_value = 4;
static int own = 1;
static int *address_of_own = &own;

__attribute__((constructor)) static void begin(void) { *address_of_own += 1; }

int second_add(int number) { return number + *address_of_own + toupper('a'); }

#endif
