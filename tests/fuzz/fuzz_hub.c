/* LINE '\n' TEXT: what a request's line and headers say, and which events a subscriber asks for. */
#include "fuzz.h"
#include "hub/gate.h"
#include "hub/match.h"

static char allowed[] = "vscode-webview://one";

void
fuzz_init(void)
{
}

static void
check_gate(struct str line)
{
    char *const origins[] = {allowed};
    struct gate_offer offer = {0};
    gate_host_is_ours(line);
    bool is_ours = gate_origin_is_ours(line, 80, origins, 1);
    fuzz_check(!is_ours || line.n <= GATE_ORIGIN_BYTES_MAX);
    struct str token = gate_bearer(line);
    fuzz_check_view(token, line);
    if (gate_read_offer(line, &offer) == 0)
        fuzz_check_view(offer.token, line);
    gate_connection_upgrades(line);
    fuzz_check(!gate_key_is_wellformed(line) || line.n == 24);
    if (gate_origin_is_wellformed(line))
        fuzz_check(line.n <= GATE_ORIGIN_BYTES_MAX && !str_eq_c(line, "null"));
}

static void
check_match(struct str line, struct str text)
{
    static const char *const routes[] = {"/v1/workspaces/{}/search",
                                         "/v1/workspaces/{}/files/{*}", "/{}/{}"};
    struct since since;
    for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
        struct str params[MATCH_PARAMS_MAX] = {0};
        if (!match_path(routes[i], line, params))
            continue;
        for (size_t k = 0; k < MATCH_PARAMS_MAX; k++)
            fuzz_check_view(params[k], line);
    }
    line.n = MIN(line.n, (size_t)MATCH_PATTERN_BYTES_MAX);
    bool fits = match_pattern(line, text);
    fuzz_check(str_find_char(line, '*') >= 0 || fits == str_eq(line, text));
    if (match_since(text, &since) == 0) {
        fuzz_check_view(since.epoch, text);
        fuzz_check(since.from != SINCE_CURSOR || since.seq >= 0);
    }
    match_epoch_is_wellformed(text);
}

void
fuzz_one(struct str input)
{
    struct str line = fuzz_part(&input, '\n');
    check_gate(line);
    check_match(line, input);
}
