/* Bytes that are no UTF-8: ÿş. */
int before; /* ğŸ */ int after(void) { return 0; }
const char *s = "Ã("; int behind;
int last(void) { return 1; }
