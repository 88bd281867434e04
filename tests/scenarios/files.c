/* The files that a scenario asks about. {"path", "lines": n} are n lines "int xI;", each name a target;
 * {"path", "text": [line, …]} are these, and each "@" is taken out and a target stands there. */
#include "scenario.h"

#include "base/utf.h"

static void
add_target(struct file *f, uint32_t line, struct str before)
{
    f->targets =
        xrealloc(f->targets, (f->n_targets + 1) * sizeof(*f->targets)); // grows by one
    f->targets[f->n_targets++] =
        (struct position){.line = line,
                          .col_byte = (uint32_t)before.n,
                          .col_utf16 = (uint32_t)utf8_utf16_len(before)};
}

static void
add_line(struct file *f, uint32_t line, struct str marked, struct buf *text)
{
    size_t start = text->n;
    for (size_t i = 0; i < marked.n; i++) {
        if (marked.p[i] == '@')
            add_target(f, line, str_slice(text->p + start, text->n - start));
        else
            buf_add_char(text, marked.p[i]);
    }
    buf_add_char(text, '\n');
}

static void
file_init(struct file *f, const json_t *row)
{
    struct buf text = {0};
    f->row = row;
    f->path = json_string_value(json_object_get(row, "path"));
    json_int_t n_lines = json_integer_value(json_object_get(row, "lines"));
    for (json_int_t i = 0; i < n_lines; i++) {
        AUTO(free) char *line = xasprintf("int @x%d;", (int)i);
        add_line(f, (uint32_t)i, str_of(line), &text);
    }
    size_t i;
    json_t *line;
    json_array_foreach(json_object_get(row, "text"), i, line)
    {
        add_line(f, (uint32_t)i, str_of(json_string_value(line)), &text);
    }
    f->said = xcalloc(f->n_targets + 1, sizeof(*f->said));
    f->text = buf_steal(&text);
}

void
files_init(struct scenario *s)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(s->json, "files"), i, row)
    {
        if (s->n_files < SCENARIO_FILES_MAX)
            file_init(&s->files[s->n_files++], row);
    }
}

void
files_finish(struct scenario *s)
{
    for (size_t i = 0; i < s->n_files; i++) {
        struct file *f = &s->files[i];
        for (size_t k = 0; k < f->n_targets; k++) {
            free(f->said[k].text);
            free(f->said[k].server);
        }
        free(f->said);
        free(f->targets);
        free(f->text);
    }
}
