/* What this machine's kernel takes: the events of a crowd as frames that were made once, by a bare loop of send() to
 * every socket, for the hub to be measured against. bench_hub_send PORT SIZE RATE LINES: so many messages of SIZE bytes
 * come into being each second, LINES of them in a frame; who subscribed gets those that are made from then on. It has
 * no protocol beyond the upgrade, no log, no timeouts, and makes no more as long as the slowest is a whole ring behind.
 * Invariant: a socket is given to send() until it takes no more, and then not before epoll says that it would. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "hub_message.h"

#define RING_FRAMES 64
#define CLIENTS_MAX 1024
#define HEAD_BYTES 10

struct client {
    int fd;
    bool is_up, is_subscribed, is_writable;
    uint64_t frame; // number of the one that is being sent
    size_t offset;  // in it
};

struct server {
    int epoll, listener;
    size_t size, n_lines, frame_size;
    uint64_t rate, n_frames;
    int64_t began_ns;
    char *ring;
    struct client clients[CLIENTS_MAX];
    size_t n_clients;
};

NORETURN static void
die(const char *what)
{
    fprintf(stderr, "bench_hub_send: %s: %s\n", what, strerror(errno));
    exit(1);
}

static char *
frame_at(const struct server *s, uint64_t number)
{
    return s->ring + number % RING_FRAMES * s->frame_size;
}

static void
make_frame(struct server *s)
{
    char *at = frame_at(s, s->n_frames);
    size_t n = s->frame_size - HEAD_BYTES;
    *at++ = (char)0x81;
    *at++ = 127;
    for (int shift = 56; shift >= 0; shift -= 8)
        *at++ = (char)((uint64_t)n >> shift);
    for (size_t i = 0; i < s->n_lines; i++) {
        if (i > 0)
            *at++ = '\n';
        hub_message_make(at, s->size, s->n_frames * s->n_lines + i + 1);
        at += s->size;
    }
    s->n_frames++;
}

/* Those that are due, as far as nobody is being sent what they would replace. */
static void
make_frames(struct server *s)
{
    double seconds = (double)(clock_mono_ns() - s->began_ns) / 1e9;
    uint64_t due = (uint64_t)(seconds * (double)s->rate) / s->n_lines;
    uint64_t least = s->n_frames;
    for (size_t i = 0; i < s->n_clients; i++)
        if (s->clients[i].is_subscribed)
            least = MIN(least, s->clients[i].frame);
    while (s->n_frames < due && s->n_frames < least + RING_FRAMES)
        make_frame(s);
}

static void
accept_one(struct server *s)
{
    int one = 1, fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0 || s->n_clients == CLIENTS_MAX)
        die("accept");
    struct client *c = &s->clients[s->n_clients++];
    *c = (struct client){.fd = fd, .is_writable = true};
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        die("epoll_ctl");
}

/* First the upgrade, then the subscription; what they say is not looked at. */
static void
read_one(const struct server *s, struct client *c)
{
    static const char upgrade[] = "HTTP/1.1 101 Switching Protocols\r\n\r\n",
                      answer[] = "\x81\x21{\"request_id\":\"s\",\"success\":true}";
    char text[4096];
    ssize_t n = recv(c->fd, text, sizeof(text), 0);
    if (n <= 0) {
        if (n == 0 || errno != EAGAIN)
            exit(0); // the load is over
        return;
    }
    const char *said = c->is_up ? answer : upgrade;
    size_t size = c->is_up ? sizeof(answer) - 1 : sizeof(upgrade) - 1;
    if (!c->is_subscribed && send(c->fd, said, size, MSG_NOSIGNAL) != (ssize_t)size)
        die("send");
    c->is_subscribed = c->is_up;
    c->is_up = true;
    c->frame = c->is_subscribed && c->frame == 0 ? s->n_frames : c->frame;
}

/* One frame, or what is left of it; false: nothing to do for it now. */
static bool
send_one(const struct server *s, struct client *c)
{
    if (!c->is_subscribed || !c->is_writable || c->frame == s->n_frames)
        return false;
    ssize_t n = send(c->fd, frame_at(s, c->frame) + c->offset, s->frame_size - c->offset,
                     MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN)
        exit(0);
    c->offset += n > 0 ? (size_t)n : 0;
    c->is_writable = c->offset == s->frame_size;
    if (c->is_writable) {
        c->offset = 0;
        c->frame++;
    }
    return true;
}

static void
turn(struct server *s)
{
    struct epoll_event events[256];
    bool is_busy = false;
    make_frames(s);
    for (size_t i = 0; i < s->n_clients; i++)
        is_busy |= send_one(s, &s->clients[i]);
    int n = epoll_wait(s->epoll, events, ARRAY_LEN(events), is_busy ? 0 : 1);
    for (int i = 0; i < n; i++) {
        struct client *c = events[i].data.ptr;
        if (!c) {
            accept_one(s);
            continue;
        }
        c->is_writable |= (events[i].events & EPOLLOUT) != 0;
        if (events[i].events & EPOLLIN)
            read_one(s, c);
    }
}

static void
listen_on(struct server *s, uint16_t port)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons(port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct epoll_event event = {.events = EPOLLIN};
    int one = 1;
    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(s->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(s->listener, (struct sockaddr *)&at, sizeof(at)) < 0 ||
        listen(s->listener, CLIENTS_MAX) < 0)
        die("listen");
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->listener, &event) < 0)
        die("epoll_ctl");
}

int
main(int argc, char **argv)
{
    static struct server s;
    uint64_t port, size, n_lines;
    struct rlimit limit;
    if (argc != 5 || str_to_u64(str_of(argv[1]), &port) < 0 ||
        str_to_u64(str_of(argv[2]), &size) < 0 || size < 400 ||
        str_to_u64(str_of(argv[3]), &s.rate) < 0 ||
        str_to_u64(str_of(argv[4]), &n_lines) < 0 || n_lines < 200)
        return 2;
    s.size = size;
    s.n_lines = n_lines;
    s.frame_size = HEAD_BYTES + n_lines * (s.size + 1) - 1;
    s.ring = xcalloc(RING_FRAMES, s.frame_size);
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    listen_on(&s, (uint16_t)port);
    s.began_ns = clock_mono_ns();
    fprintf(stdout, "ready\n");
    fflush(stdout);
    for (;;)
        turn(&s);
}
