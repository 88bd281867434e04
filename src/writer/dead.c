/* What is left of a command that failed for good. On the writer's thread, while the payload is there.
 * Invariant: no more than STORE_LETTER_BYTES of it; what is larger is asked for anew, not kept. */
#include "writer/internal.h"

#include "base/clock.h"
#include "base/err.h"

static struct dead_letter *
make(enum dead_what what, struct str path, int r, struct buf *payload)
{
    bool is_kept = payload->n <= STORE_LETTER_BYTES;
    struct dead_letter *l = dead_letter_create(what, path, str_of(err_text(r)),
                                               is_kept ? buf_str(payload) : STR_NONE);
    l->time_ms = clock_wall_ms();
    return l;
}

struct dead_letter *
command_dead_letter(const struct command *c, int r)
{
    AUTO(buf_finish) struct buf payload = {0};
    switch (c->kind) {
    case COMMAND_PUT_FILE:
        store_add_file_payload(&payload, c->u.batch);
        return make(DEAD_PUT_FILE, c->u.batch->file.path, r, &payload);
    case COMMAND_DELETE_FILE:
        buf_add_cstr(&payload, "{}");
        return make(DEAD_DELETE_FILE, str_of(c->u.path), r, &payload);
    case COMMAND_PUT_HOVERS:
        store_add_hovers_payload(&payload, c->u.hovers);
        return make(DEAD_PUT_HOVERS, c->u.hovers->path, r, &payload);
    case COMMAND_EXPIRE:
        store_add_expiry_payload(&payload, c->u.expire.server_key);
        return make(DEAD_EXPIRE_HOVERS, str_of(c->u.expire.lang), r, &payload);
    case COMMAND_PUT_EVENT:
        store_add_event_payload(&payload, c->u.event.type,
                                str_slice(c->u.event.data, c->u.event.data_n));
        return make(DEAD_PUT_EVENT, str_slice(c->u.event.subject, c->u.event.subject_n),
                    r, &payload);
    case COMMAND_PUT_ENTITIES: // whoever sent it is told, and has it
    case COMMAND_REPLAY:       // its letter is still there
    case COMMAND_PUT_JOB:      // whoever keeps it puts it again
    case COMMAND_KEEP:
    case COMMAND_FLUSH: break;
    }
    return NULL;
}
