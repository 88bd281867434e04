/* Braces that do not balance, as #if and #else leave them. */
#ifdef WIDE
int width(long n) {
#else
int width(int n) {
#endif
    if (n) {
        return 1;
    return 0;
}

int after_broken(void) { return 2; }
BEGIN_DECLS
MACRO_CALL(alpha)
static int usual(void)
{
    return 3;
}
int unfinished(int a, {
