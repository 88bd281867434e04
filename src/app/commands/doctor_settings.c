/* gloss doctor --settings: each setting with what it may be and all its names, of which docs/CONFIG.md is made. */
#include "app/commands/doctor.h"
#include "base/mem.h"
#include "codec/codec.h"

/* What it may be. */
static void
add_limits(struct buf *b, const struct config_setting *s)
{
    switch (s->type) {
    case CONFIG_NUMBER: buf_printf(b, "%" PRIu64 " to %" PRIu64, s->min, s->max); break;
    case CONFIG_BOOL: buf_add_cstr(b, "true or false"); break;
    case CONFIG_CHOICE:
        for (size_t i = 0; s->choices[i]; i++)
            buf_printf(b, "%s%s", i > 0 ? ", " : "", s->choices[i]);
        break;
    case CONFIG_URL: buf_add_cstr(b, "docs/STORES.md"); break;
    case CONFIG_PATTERNS: buf_printf(b, "%d patterns at most", CONFIG_IGNORE_MAX); break;
    case CONFIG_SERVERS: buf_add_cstr(b, "docs/SERVERS.md"); break;
    }
}

static void
add_member(struct buf *json, const char *key, const char *value)
{
    buf_printf(json, ",\"%s\":", key);
    codec_add_text(json, value);
}

static void
print_json(struct doctor *d, const struct config_setting *s, const char *value,
           const char *limits)
{
    AUTO(buf_finish) struct buf json = {0};
    AUTO(free) char *option = s->flag ? xasprintf("--%s", s->flag) : NULL;

    buf_add_cstr(&json, d->n++ > 0 ? ",{\"name\":" : "{\"name\":");
    codec_add_string(&json, str_of(s->name));
    add_member(&json, "value", value);
    add_member(&json, "default", s->fallback);
    add_member(&json, "limits", limits);
    add_member(&json, "option", option);
    add_member(&json, "variable", s->env);
    buf_printf(&json, ",\"of_a_workspace\":%s", s->is_workspace_safe ? "true" : "false");
    add_member(&json, "what", s->help);
    buf_add_char(&json, '}');
    out_str(buf_str(&json));
}

static void
print_lines(const struct config_setting *s, const char *value, const char *limits)
{
    out_line("%s = %s", s->name, value);
    out_line("    %s", s->help);
    out_line("    default: %s; may be: %s%s%s%s%s%s", s->fallback ? s->fallback : "none",
             limits, s->flag ? "; --" : "", s->flag ? s->flag : "", s->env ? "; " : "",
             s->env ? s->env : "",
             s->is_workspace_safe ? "; " CONFIG_WORKSPACE_FILE " of a workspace" : "");
}

void
doctor_report_settings(struct doctor *d)
{
    const struct config_setting *s;

    if (d->line->is_json)
        out_str(STR("{\"settings\":["));
    for (size_t i = 0; (s = config_setting_at(i)); i++) {
        AUTO(buf_finish) struct buf value = {0}, limits = {0};

        config_setting_show(d->line->config, s, &value);
        add_limits(&limits, s);
        if (d->line->is_json)
            print_json(d, s, value.p ? value.p : "", limits.p);
        else
            print_lines(s, value.p ? value.p : "", limits.p);
    }
    if (d->line->is_json)
        out_line("]}");
}
