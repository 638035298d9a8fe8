#include <stdio.h>
#include <unistd.h>

/* In .bss, so that the program has memory beyond its file. */
static char line[8192];

int main(void) {
#ifdef IDLE
	return write(1, "hello from c\n", 13) != 13;
#endif
	snprintf(line, sizeof line, "hello from %s", "c");
	return puts(line) < 0;
}
