/* Branches of #if that share a brace. */
#ifdef __cplusplus
extern "C" {
#endif

struct pair {
#ifdef WIDE
    long a;
#else
    int a;
#endif
};

#ifdef WIDE
struct wide {
#else
struct narrow {
#endif
    int size;
};

/* Adds. */
#ifdef WIDE
long add(long a, long b) {
#else
int add(int a, int b) {
#endif
    return a + b;
}

int take(struct pair *p
#ifdef WIDE
         , long n
#endif
)
{
#ifdef WIDE
    if (n > 0) {
        add(n, n);
    } else {
#else
    {
#endif
        drop(p);
    }
    return 0;
}

enum { NO, YES } answer;
enum mood { GOOD, BAD } today, tomorrow;

#ifdef __cplusplus
}
#endif
