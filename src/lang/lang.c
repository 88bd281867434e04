/* The table of languages, made from the registry that the build generates, and the ways to a row
 * of it: file name, extension, #! line, key prefix, languageId. Filled once, constant after. */
#include "lang/lang.h"

#include <strings.h>

#include "base/mem.h"
#include "base/path.h"
#include "registry.h"

#define SUFFIX_BYTES_MAX 16

static struct lang langs[LANG_COUNT_MAX];
static size_t n_langs;

int
lang_init(char **ret_why)
{
    assert(n_grammars <= LANG_COUNT_MAX);
    for (size_t i = 0; i < n_grammars; i++) {
        const TSLanguage *grammar = grammars[i].language();
        uint32_t abi = ts_language_abi_version(grammar);
        if (abi < TREE_SITTER_MIN_COMPATIBLE_LANGUAGE_VERSION ||
            abi > TREE_SITTER_LANGUAGE_VERSION) {
            *ret_why = xasprintf("%s: grammar ABI %u, this runtime reads %d to %d",
                                 grammars[i].name, abi,
                                 TREE_SITTER_MIN_COMPATIBLE_LANGUAGE_VERSION,
                                 TREE_SITTER_LANGUAGE_VERSION);
            return -EINVAL;
        }
        langs[i] = (struct lang){
            .name = grammars[i].name,
            .key_prefix = grammars[i].key_prefix,
            .grammar = grammar,
            .outline = grammars[i].outline,
            .source = &grammars[i],
            .has_masks = grammars[i].masks != NULL,
            .index = (unsigned)i,
        };
    }
    n_langs = n_grammars;
    return 0;
}

void
lang_finish(void)
{
    memset(langs, 0, sizeof(langs));
    n_langs = 0;
}

const char *
lang_maker(void)
{
    return grammars_maker;
}

size_t
lang_count(void)
{
    return n_langs;
}

const struct lang *
lang_at(size_t index)
{
    assert(index < n_langs);
    return &langs[index];
}

const struct lang *
lang_by_key_prefix(struct str prefix)
{
    for (size_t i = 0; i < n_langs; i++)
        if (str_eq_c(prefix, langs[i].key_prefix))
            return &langs[i];
    return NULL;
}

static bool
list_has(const char *const *list, struct str name)
{
    for (; *list; list++)
        if (name.n > 0 && (*list)[0] == name.p[0] && str_eq_c(name, *list))
            return true;
    return false;
}

/* Whether a line of the text begins with one of the words. */
static bool
has_line_start(struct str text, const char *const *words)
{
    struct str line;
    while (str_split(&text, '\n', &line)) {
        line = str_trim(line);
        for (const char *const *w = words; line.n > 0 && *w; w++)
            if (line.p[0] == (*w)[0] && str_starts_with(line, str_of(*w)))
                return true;
    }
    return false;
}

/* The language of the path's extension, whatever its case: FOO.C and foo.c are the same here. */
static const struct lang *
lang_of_extension(struct str path, struct str head)
{
    struct str ext = path_extension(path);
    char lower[SUFFIX_BYTES_MAX];
    const struct lang *found = NULL, *likely = NULL; // likely: if the text is not known
    if (ext.n == 0 || ext.n > sizeof(lower))
        return NULL;
    for (size_t i = 0; i < ext.n; i++)
        lower[i] =
            ext.p[i] >= 'A' && ext.p[i] <= 'Z' ? (char)(ext.p[i] | 0x20) : ext.p[i];
    for (size_t i = 0; i < n_langs; i++)
        for (const struct grammar_extension *e = langs[i].source->extensions; e->suffix;
             e++) {
            if (e->suffix[0] != lower[0] || !str_eq_c(str_slice(lower, ext.n), e->suffix))
                continue;
            if (head.n == 0 && !likely)
                likely = &langs[i];
            bool is_told = e->line_starts && has_line_start(head, e->line_starts);
            if (!is_told && (found || e->line_starts))
                continue;
            found = &langs[i];
            if (is_told)
                return found;
        }
    return found ? found : likely;
}

/* "#!/usr/bin/env -S python3.11 -u" gives "python3.11". */
static struct str
shebang_program(struct str head)
{
    struct str line = STR_NONE, word = STR_NONE;
    if (!str_starts_with(head, STR("#!")))
        return STR_NONE;
    head = str_slice(head.p + 2, head.n - 2);
    if (!str_split(&head, '\n', &line))
        return STR_NONE;
    line = str_trim(line);
    bool after_env = false;
    while (str_split(&line, ' ', &word)) {
        word = str_trim(word);
        if (word.n == 0)
            continue;
        if (after_env && (word.p[0] == '-' || str_find_char(word, '=') >= 0))
            continue; // options and variables of env
        word = path_basename(word);
        if (!str_eq_c(word, "env"))
            return word;
        after_env = true;
    }
    return STR_NONE;
}

static const struct lang *
lang_of_shebang(struct str head)
{
    struct str program = shebang_program(head);
    if (program.n == 0)
        return NULL;
    /* python3.11 → python3 */
    ssize_t dot = str_find_char(program, '.');
    if (dot > 0)
        program.n = (size_t)dot;
    for (size_t i = 0; i < n_langs; i++)
        if (list_has(langs[i].source->shebangs, program))
            return &langs[i];
    return NULL;
}

const struct lang *
lang_of_file(struct str path, struct str head)
{
    struct str name = path_basename(path);
    for (size_t i = 0; i < n_langs; i++)
        if (list_has(langs[i].source->filenames, name))
            return &langs[i];
    const struct lang *l = lang_of_extension(path, head);
    if (l)
        return l;
    /* An extension of another language is not overruled by its first line. */
    return path_extension(path).n > 0 ? NULL : lang_of_shebang(head);
}

const char *
lang_language_id(const struct lang *l, struct str path)
{
    struct str ext = path_extension(path);
    for (const struct grammar_extension *e = l->source->extensions; e->suffix; e++)
        if (ext.n == strlen(e->suffix) && strncasecmp(ext.p, e->suffix, ext.n) == 0)
            return e->language_id;
    return l->source->language_id;
}

const struct lang *
lang_by_language_id(struct str id)
{
    for (size_t i = 0; i < n_langs; i++)
        if (str_eq_c(id, langs[i].source->language_id))
            return &langs[i];
    for (size_t i = 0; i < n_langs; i++)
        for (const struct grammar_extension *e = langs[i].source->extensions; e->suffix;
             e++)
            if (str_eq_c(id, e->language_id))
                return &langs[i];
    return NULL;
}
