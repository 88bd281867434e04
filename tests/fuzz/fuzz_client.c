/* What a language server says after it was started: the answer to initialize, requests, notifications,
 * hovers; each JSON text of the input as all of these, of a client that has a process no more. */
#include <fcntl.h>
#include <unistd.h>

#include "base/utf.h"
#include "codec/codec.h"
#include "fuzz.h"
#include "lsp/client/internal.h"
#include "lsp/wire/internal.h"

static struct loop loop;
static struct client *client;
static int out_fd; // what the client answers

static void
on_state(UNUSED void *ctx, UNUSED enum client_state state, UNUSED const char *why)
{
}

static void
on_quiescent(UNUSED void *ctx)
{
}

static const struct client_events client_events = {.on_state = on_state,
                                                   .on_quiescent = on_quiescent};

static void
on_end(UNUSED void *ctx, UNUSED int r, UNUSED const char *why)
{
    fuzz_check(!"the pipe ended");
}

static const struct wire_events wire_events = {.on_request = client_peer_on_request,
                                               .on_notification =
                                                   client_peer_on_notification,
                                               .on_end = on_end};

void
fuzz_init(void)
{
    static const char *const command[] = {"rust-analyzer", NULL}; // with serverStatus
    static struct client_spec spec = {.name = "rust-analyzer", .command = command};
    int in[2], out[2];
    struct stream *in_stream, *out_stream;
    spec.quirks = UINT32_MAX;
    fuzz_check(loop_init(&loop) == 0);
    fuzz_check(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC | O_NONBLOCK) == 0);
    out_fd = out[0];
    fuzz_check(stream_open_fd(&loop, in[0], &in_stream) == 0);
    fuzz_check(stream_open_fd(&loop, out[1], &out_stream) == 0);
    struct client_options options = {.spec = &spec, .program = "/", .root = "/root"};
    client = client_open(&loop, &options, &client_events, NULL);
    client->state = CLIENT_READY;
    client->wire = wire_open(&loop, in_stream, out_stream, &wire_events, client);
}

static void
drain(void)
{
    static char bytes[65536];
    do
        uv_run(&loop.uv, UV_RUN_NOWAIT);
    while (read(out_fd, bytes, sizeof(bytes)) > 0);
}

static void
read_hover(const json_t *value)
{
    AUTO(buf_finish) struct buf text = {0};
    int r = codec_read_hover(value, &text);
    fuzz_check(r == 0 || r == -EPROTO);
    fuzz_check(text.n <= HOVER_BYTES_MAX && utf8_is_valid(buf_str(&text)));
}

/* `value` as it is: a result, or params. */
static void
read_value(json_t *value)
{
    static const char *const told[] = {
        "$/progress",         "experimental/serverStatus", "window/logMessage",
        "window/showMessage", "pyright/beginProgress",     "pyright/endProgress",
        "something/else"};
    static const char *const asked[] = {
        "workspace/configuration",   "workspace/workspaceFolders", "workspace/applyEdit",
        "client/registerCapability", "window/showDocument",        "something/else"};
    struct wire_id id = {.number = 1};
    json_t *params = json_is_object(value) || json_is_array(value) ? value : NULL;
    int r = client_handshake_read(client, value);
    fuzz_check(r == 0 || r == -EPROTO);
    read_hover(value);
    for (size_t i = 0; i < ARRAY_LEN(told); i++)
        client_peer_on_notification(client, told[i], params);
    for (size_t i = 0; i < ARRAY_LEN(asked); i++)
        client_peer_on_request(client, &id, asked[i], params);
    fuzz_check(map_count(client->progress) <= CLIENT_PROGRESS_MAX);
}

void
fuzz_one(struct str input)
{
    while (input.n > 0) {
        AUTO(json_decref_) json_t *value = wire_message_parse(fuzz_part(&input, '\n'));
        if (!value)
            continue;
        struct message m = wire_message_classify(value);
        struct wire_id id = m.id ? wire_message_id(m.id) : (struct wire_id){0};
        if (m.kind == MESSAGE_REQUEST)
            client_peer_on_request(client, &id, m.method, m.params);
        else if (m.kind == MESSAGE_NOTIFICATION)
            client_peer_on_notification(client, m.method, m.params);
        wire_id_finish(&id);
        read_value(value);
    }
    client_peer_reset(client);
    drain();
}
