#ifdef FILLER
/* Pages before the writable segment, to be cut off with it. */
const char filler[FILLER] = {1};
#endif

#ifdef RELOCATED
/* Every library of some size has a pointer. */
static const char text[] = "relocated";
const char *pointer = text;
#endif

const char *SYMBOL(void) {
	return "hello from a library";
}
