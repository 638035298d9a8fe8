int puts(const char *);
const char *SYMBOL(void);

int main(void) {
	return puts(SYMBOL()) < 0;
}
