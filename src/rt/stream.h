#pragma once
/* Byte streams on the loop: stdio, pipes of children, unix sockets. Reads arrive as views; writes
 * are copied or given, ordered, and bounded: see stream_backlog(). */
#include "base/base.h"
#include "base/str.h"
#include "rt/loop.h"

struct stream;

struct stream_events {
    /* More bytes; the view ends with the call. */
    void (*on_bytes)(void *ctx, struct str bytes);
    /* Once: 0 end of file, else -errno. No bytes after it. The stream still has to be closed. */
    void (*on_end)(void *ctx, int r);
    /* The backlog fell to 0 after a write; may be NULL. */
    void (*on_drain)(void *ctx);
};

/* Wraps an open descriptor (pipe, socket, tty, regular file as stdin); owns it from then on. */
int stream_open_fd(struct loop *l, int fd, struct stream **ret_stream);
/* Connects to a unix socket; blocking but local. -ENOENT, -ECONNREFUSED: nobody listens. */
int stream_connect_unix(struct loop *l, const char *path, struct stream **ret_stream);
/* Reading begins; ctx goes to the callbacks. Can be changed by calling it again. */
void stream_start(struct stream *s, const struct stream_events *events, void *ctx);
void stream_pause(struct stream *s); // stop reading: back-pressure to the peer
void stream_resume(struct stream *s);
/* Copies. After an error or close it is dropped silently: on_end tells. */
void stream_write(struct stream *s, struct str bytes);
/* Takes the buffer's memory; the buffer is empty after. */
void stream_write_buf(struct stream *s, struct buf *bytes);
size_t stream_backlog(const struct stream *s); // bytes not yet taken by the kernel
/* Ends the write side after what is pending. */
void stream_shutdown(struct stream *s);
/* No callback after this; pending writes are given one last non-blocking try; frees itself. NULL is allowed. */
void stream_close(struct stream *s);

/* Listens on a unix socket (mode 0600), replacing a dead one's file. -EADDRINUSE: somebody answers there. */
struct listener;
int listener_open_unix(struct loop *l, const char *path,
                       void (*on_connection)(void *ctx, struct stream *stream), void *ctx,
                       struct listener **ret_listener);
void listener_close(struct listener *l); // removes the file
