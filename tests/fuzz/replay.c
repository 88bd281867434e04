/* A target as a test: its corpus, then mutations of it, the same ones at every run. When one ends the
 * process, the bytes of that input are the last lines of stderr.
 * replay CORPUS_DIR [FILE…]; with files, these alone. */
#include <dirent.h>
#include <signal.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/vec.h"
#include "fuzz.h"

#define SEED_BYTES_MAX (1024 * 1024)
#define INPUT_BYTES_MAX 16384
#define MUTATIONS 4000 // where FUZZ_MUTATIONS does not say another number

struct seeds {
    VEC(struct buf) all;
};

static struct str current; // for whoever reads why the process ended

static void
on_death(int sig)
{
    static const char digits[] = "0123456789abcdef";
    char text[4] = "\\x";
    for (size_t i = 0; i < MIN(current.n, (size_t)4096); i++) {
        unsigned char c = (unsigned char)current.p[i];
        text[2] = digits[c >> 4];
        text[3] = digits[c & 15];
        bool is_plain = c >= ' ' && c < 127 && c != '\\';
        if (write(STDERR_FILENO, is_plain ? current.p + i : text, is_plain ? 1 : 4) < 0)
            break;
    }
    signal(sig, SIG_DFL);
    raise(sig);
}

static void
run(struct str bytes)
{
    char *copy = xmalloc(bytes.n + 1);
    if (bytes.n > 0)
        memcpy(copy, bytes.p, bytes.n);
    copy[bytes.n] = '\0';
    current = str_slice(copy, bytes.n);
    fuzz_one(current);
    current = STR_NONE;
    free(copy);
}

static uint32_t
next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* A piece of a seed, for the words of the format are in there. */
static struct str
some_piece(const struct seeds *seeds, uint32_t *state)
{
    const struct buf *seed = &seeds->all.v[next_random(state) % seeds->all.n];
    size_t at = seed->n > 0 ? next_random(state) % seed->n : 0;
    size_t n = (size_t)1 << next_random(state) % 7;
    return str_slice(seed->p + at, MIN(n, seed->n - at));
}

static void
mutate(struct buf *text, const struct seeds *seeds, uint32_t *state)
{
    static const char odd[] = "\0\xff\xc3\x80\n\r\"'\\{}[]()/*:;,.#@!<>=%&0129-+ \t";
    AUTO(buf_finish) struct buf old = {0};
    buf_add_str(&old, buf_str(text));
    size_t at = old.n > 0 ? next_random(state) % (old.n + 1) : 0;
    size_t skip = next_random(state) % 9;
    struct str before = str_slice(old.p, at), piece;
    skip = MIN(skip, old.n - at);
    uint32_t copies = 1;
    char c;
    switch (next_random(state) % 5) {
    case 0: // a byte for another
        c = odd[next_random(state) % (sizeof(odd) - 1)];
        piece = str_slice(&c, 1);
        skip = MIN(old.n - at, (size_t)1);
        break;
    case 1: // taken out
        piece = STR_NONE;
        break;
    case 2: // put in
        piece = some_piece(seeds, state);
        skip = 0;
        break;
    case 3: // many times
        piece = str_slice(old.p + at, skip);
        copies = next_random(state) % 200;
        break;
    default: // cut, and on with another
        piece = some_piece(seeds, state);
        skip = old.n - at;
        break;
    }
    buf_reset(text);
    buf_add_str(text, before);
    for (; copies > 0 && text->n < INPUT_BYTES_MAX; copies--)
        buf_add_str(text, piece);
    buf_add_str(text, str_slice(old.p + at + skip, old.n - at - skip));
}

static void
read_seeds(const char *folder, struct seeds *seeds)
{
    struct dirent **names;
    int n = scandir(folder, &names, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        AUTO(free) char *path = path_join(folder, names[i]->d_name);
        struct buf text = {0};
        if (names[i]->d_name[0] != '.' &&
            fs_read_file(path, SEED_BYTES_MAX, &text, NULL) == 0)
            *vec_push(&seeds->all) = text;
        free(names[i]);
    }
    if (n >= 0)
        free(names);
}

int
main(int argc, char **argv)
{
    struct seeds seeds = {0};
    uint32_t state = 20260;
    uint64_t n_mutations = MUTATIONS;
    const char *wanted = getenv("FUZZ_MUTATIONS");
    signal(SIGABRT, on_death);
    signal(SIGSEGV, on_death);
    fuzz_init();
    if (wanted && str_to_u64(str_of(wanted), &n_mutations) < 0)
        return 2;
    if (argc > 1)
        read_seeds(argv[1], &seeds);
    if (seeds.all.n == 0) {
        fprintf(stderr, "usage: %s CORPUS_DIR [FILE...]\n", argv[0]);
        return 2;
    }
    for (int i = 2; i < argc; i++) {
        struct buf text = {0};
        if (fs_read_file(argv[i], SEED_BYTES_MAX, &text, NULL) == 0)
            run(buf_str(&text));
        buf_finish(&text);
    }
    if (argc > 2)
        return 0;
    fprintf(stdout, "1..2\n");
    run(STR_NONE);
    for (size_t i = 0; i < seeds.all.n; i++)
        run(buf_str(&seeds.all.v[i]));
    fprintf(stdout, "ok 1 - the corpus, %zu inputs\n", seeds.all.n);
    for (uint64_t i = 0; i < n_mutations; i++) {
        AUTO(buf_finish) struct buf text = {0};
        buf_add_str(&text, buf_str(&seeds.all.v[next_random(&state) % seeds.all.n]));
        for (uint32_t n = 1 + next_random(&state) % 6; n > 0; n--)
            mutate(&text, &seeds, &state);
        run(buf_str(&text));
    }
    fprintf(stdout, "ok 2 - %llu mutations\n", (unsigned long long)n_mutations);
    for (size_t i = 0; i < seeds.all.n; i++)
        buf_finish(&seeds.all.v[i]);
    vec_finish(&seeds.all);
    return 0;
}
