/* Any number of WebSockets in one thread, for measuring whoever speaks docs/PROTOCOL.md: frames are walked through as
 * they come, of an event only its number and its time are read. bench_hub_load PORT TOKEN SUBPROTOCOL CONNECTIONS
 * STUCK SAMPLE; the STUCK more never read what they subscribed to; of SAMPLE events the time of one is looked at. It
 * does what stdin's lines say, and prints a line of JSON for each:
 *   subscribe DATA  on all connections, until each has its answer
 *   wait N          until each connection got N events since the last mark
 *   mark            what came since the last mark
 *   stuck           reads from those at last, and says with what they were closed
 * Invariant: a connection's events are followed one by one: what is left out or comes twice is counted. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"

#define READ_BYTES (256u << 10)
#define SAMPLES_MAX (1u << 22)
#define DAY_MS 86400000
#define STUCK_RECEIVE_BYTES 4096
#define PATIENCE_MS 120000

enum phase { PHASE_UPGRADE, PHASE_OPEN, PHASE_CLOSED };

struct conn {
    int fd;
    enum phase phase;
    bool is_stuck, has_answer;
    uint8_t head[14]; // of a frame, as far as it came
    uint8_t n_head, opcode;
    uint64_t left; // of its payload
    struct buf
        cut; // a line, an upgrade's answer or a control frame's payload that is not complete
    bool has_begun, was_last;
    int64_t seq, i;
    uint64_t n_events; // since the last mark
    uint16_t close_code;
};

struct load {
    int epoll;
    uint16_t port;
    const char *token, *subprotocol;
    struct conn *conns;
    size_t n_conns, n_stuck;
    size_t n_open, n_answers, n_refused, n_closed;
    uint64_t n_events, n_bytes, n_messages, n_gaps, n_repeats;
    int64_t since_ns, first_ns, last_ns, now_wall_us;
    double cpu_s;
    uint64_t sample_every, sample_at;
    uint32_t *samples;
    size_t n_samples;
    char *from; // where it reads to
};

NORETURN static void
die(const char *what)
{
    fprintf(stderr, "bench_hub_load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double
cpu_seconds(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static int64_t
wall_us_of_day(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (t.tv_sec % 86400) * 1000000 + t.tv_nsec / 1000;
}

/* ---- an event ---- */

/* What stands there, and behind it digits: their number; else -1. */
static int64_t
number_at(const char **at, const char *end, const char *what, size_t what_size)
{
    const char *p = *at + what_size;
    int64_t value = 0;
    if (end - *at < (ptrdiff_t)what_size || memcmp(*at, what, what_size) != 0)
        return -1;
    for (; p < end && *p >= '0' && *p <= '9'; p++)
        value = value * 10 + (*p - '0');
    *at = p;
    return value;
}

static unsigned
two_digits(const char *p)
{
    return (unsigned)(p[0] - '0') * 10 + (unsigned)(p[1] - '0');
}

/* "2026-11-21T08:00:00.123Z" */
static void
sample(struct load *l, const char *p, const char *end)
{
    const char *at = memmem(p, (size_t)MIN(end - p, 400), "\"time\":\"", 8);
    if (!at || end - at < 32 || l->n_samples >= SAMPLES_MAX)
        return;
    unsigned h = two_digits(at + 19), m = two_digits(at + 22), s = two_digits(at + 25),
             ms = two_digits(at + 28) * 10 + (unsigned)(at[30] - '0');
    int64_t us =
        l->now_wall_us - (((h * 60 + m) * 60 + s) * (int64_t)1000000 + ms * 1000);
    if (us < -DAY_MS * (int64_t)500)
        us += DAY_MS * (int64_t)1000;
    l->samples[l->n_samples++] = us < 0 ? 0 : (uint32_t)us;
}

static void
follow(struct load *l, struct conn *c, int64_t seq, int64_t i)
{
    if (c->has_begun) {
        bool is_next =
            c->was_last ? seq == c->seq + 1 && i == 0 : seq == c->seq && i == c->i + 1;
        bool is_old = seq < c->seq || (seq == c->seq && i <= c->i);
        if (is_old)
            l->n_repeats++;
        else if (!is_next)
            l->n_gaps++;
    }
    c->has_begun = true;
    c->seq = seq;
    c->i = i;
}

static void
take_line(struct load *l, struct conn *c, const char *p, size_t n)
{
    static const char event[] = "{\"type\":\"event\",\"event_type\":\"",
                      last[] = "\"last\":true}";
    const char *end = p + n, *at;
    if (n < sizeof(event) || memcmp(p, event, sizeof(event) - 1) != 0) {
        if (memmem(p, n, "\"request_id\":\"s\"", 16)) {
            if (!memmem(p, n, "\"success\":true", 14)) {
                fprintf(stderr, "bench_hub_load: %.*s\n", (int)n, p);
                exit(1);
            }
            l->n_answers += !c->has_answer;
            c->has_answer = true;
        }
        return;
    }
    at = memchr(p + sizeof(event) - 1, '"', n - (sizeof(event) - 1));
    int64_t seq = at ? number_at(&at, end, "\",\"seq\":", 8) : -1;
    if (seq < 0) // an ephemeral one
        return;
    int64_t i = number_at(&at, end, ",\"i\":", 5);
    follow(l, c, seq, i);
    c->was_last = memcmp(end - (sizeof(last) - 1), last, sizeof(last) - 1) == 0;
    c->n_events++;
    l->n_events++;
    if (++l->sample_at >= l->sample_every) {
        l->sample_at = 0;
        sample(l, p, end);
    }
}

/* ---- frames ---- */

static void
send_frame(struct conn *c, unsigned opcode, const void *payload, size_t n)
{
    static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
    AUTO(buf_finish) struct buf b = {0};
    uint8_t head[4] = {(uint8_t)(0x80 | opcode), (uint8_t)(0x80 | MIN(n, (size_t)126)),
                       (uint8_t)(n >> 8), (uint8_t)n};
    buf_add(&b, head, n < 126 ? 2 : 4);
    buf_add(&b, mask, 4);
    size_t at = b.n;
    buf_add(&b, payload, n);
    for (size_t i = 0; i < n; i++)
        b.p[at + i] = (char)((uint8_t)b.p[at + i] ^ mask[i & 3]);
    if (send(c->fd, b.p, b.n, MSG_NOSIGNAL) != (ssize_t)b.n && errno != EPIPE &&
        errno != ECONNRESET)
        die("send");
}

static void
shut(struct load *l, struct conn *c)
{
    if (c->phase == PHASE_CLOSED)
        return;
    if (c->phase == PHASE_UPGRADE)
        l->n_refused++;
    else
        l->n_closed++;
    c->phase = PHASE_CLOSED;
    close(c->fd);
}

/* Its payload came whole. */
static void
end_frame(struct load *l, struct conn *c)
{
    if (c->opcode == 9)
        send_frame(c, 10, c->cut.p, c->cut.n);
    if (c->opcode == 8) {
        if (c->cut.n >= 2)
            c->close_code = (uint16_t)((uint8_t)c->cut.p[0] << 8 | (uint8_t)c->cut.p[1]);
        send_frame(c, 8, c->cut.p, MIN(c->cut.n, (size_t)2));
    } else if (c->opcode < 8) {
        if (c->cut.n > 0)
            take_line(l, c, c->cut.p, c->cut.n);
        l->n_messages++;
    }
    buf_reset(&c->cut);
}

/* A piece of its payload: whole lines are taken where they lie. */
static void
take_payload(struct load *l, struct conn *c, const char *p, size_t n)
{
    const char *end = p + n, *at;
    c->left -= n;
    while (c->opcode < 8 && (at = memchr(p, '\n', (size_t)(end - p)))) {
        if (c->cut.n > 0) {
            buf_add(&c->cut, p, (size_t)(at - p));
            take_line(l, c, c->cut.p, c->cut.n);
            buf_reset(&c->cut);
        } else {
            take_line(l, c, p, (size_t)(at - p));
        }
        p = at + 1;
    }
    if (c->left == 0 && c->cut.n == 0 && c->opcode < 8) {
        if (p < end)
            take_line(l, c, p, (size_t)(end - p));
        l->n_messages++;
        return;
    }
    buf_add(&c->cut, p, (size_t)(end - p));
    if (c->left == 0)
        end_frame(l, c);
}

static size_t
head_size(const struct conn *c)
{
    if (c->n_head < 2)
        return 2;
    unsigned n = c->head[1] & 0x7f;
    return n == 126 ? 4 : n == 127 ? 10 : 2;
}

static void
take_bytes(struct load *l, struct conn *c, const char *p, size_t n)
{
    while (n > 0 && c->phase == PHASE_OPEN) {
        if (c->left > 0) {
            size_t part = MIN((uint64_t)n, c->left);
            take_payload(l, c, p, part);
            p += part;
            n -= part;
            continue;
        }
        c->head[c->n_head++] = (uint8_t)*p++;
        n--;
        if (c->n_head < 2 || c->n_head < head_size(c))
            continue;
        uint64_t size = c->head[1] & 0x7f;
        if (size >= 126) {
            size = 0;
            for (size_t i = 2; i < head_size(c); i++)
                size = size << 8 | c->head[i];
        }
        c->opcode = c->head[0] & 0x0f;
        c->left = size;
        c->n_head = 0;
        if (size == 0)
            end_frame(l, c);
    }
}

static void
take_upgrade(struct load *l, struct conn *c, const char *p, size_t n)
{
    buf_add(&c->cut, p, n);
    ssize_t at = str_find(buf_str(&c->cut), STR("\r\n\r\n"));
    if (at < 0)
        return;
    if (!str_starts_with(buf_str(&c->cut), STR("HTTP/1.1 101"))) {
        shut(l, c);
        return;
    }
    size_t used = (size_t)at + 4 - (c->cut.n - n);
    buf_reset(&c->cut);
    c->phase = PHASE_OPEN;
    l->n_open++;
    take_bytes(l, c, p + used, n - used);
}

/* ---- sockets ---- */

static void
watch(struct load *l, struct conn *c)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &event) < 0)
        die("epoll_ctl");
}

static void
connect_one(struct load *l, struct conn *c)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons(l->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    AUTO(buf_finish) struct buf b = {0};
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        die("socket");
    int size = STUCK_RECEIVE_BYTES, one = 1;
    if (c->is_stuck)
        setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    if (connect(c->fd, (struct sockaddr *)&at, sizeof(at)) < 0)
        die("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    buf_printf(&b,
               "GET /v1/ws HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUpgrade: websocket\r\n"
               "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
               "Sec-WebSocket-Protocol: %s\r\nAuthorization: Bearer %s\r\n\r\n",
               l->port, l->subprotocol, l->token);
    if (send(c->fd, b.p, b.n, MSG_NOSIGNAL) != (ssize_t)b.n)
        die("send");
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    watch(l, c);
}

static void
read_one(struct load *l, struct conn *c)
{
    ssize_t n = recv(c->fd, l->from, READ_BYTES, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        shut(l, c);
        return;
    }
    uint64_t n_before = l->n_events;
    l->now_wall_us = wall_us_of_day();
    l->n_bytes += (uint64_t)n;
    if (c->phase == PHASE_UPGRADE)
        take_upgrade(l, c, l->from, (size_t)n);
    else
        take_bytes(l, c, l->from, (size_t)n);
    if (l->n_events > n_before) {
        l->last_ns = clock_mono_ns();
        if (l->first_ns == 0)
            l->first_ns = l->last_ns;
    }
    if (c->is_stuck && c->phase == PHASE_OPEN && !c->has_answer &&
        epoll_ctl(l->epoll, EPOLL_CTL_DEL, c->fd, NULL) < 0)
        die("epoll_ctl");
}

/* Waits for something to come, on stdin too when asked to; true: a line is there. */
static bool
turn(struct load *l, bool reads_stdin)
{
    struct epoll_event events[256];
    struct pollfd fds[] = {{.fd = l->epoll, .events = POLLIN},
                           {.fd = STDIN_FILENO, .events = POLLIN}};
    if (reads_stdin && poll(fds, 2, -1) > 0 && fds[1].revents)
        return true;
    int n = epoll_wait(l->epoll, events, ARRAY_LEN(events), reads_stdin ? 0 : 1000);
    for (int i = 0; i < n; i++)
        read_one(l, events[i].data.ptr);
    return false;
}

static bool
has_everything(const struct load *l, uint64_t n_events)
{
    if (l->n_events < n_events * (l->n_conns - l->n_stuck))
        return false;
    for (size_t i = 0; i < l->n_conns; i++)
        if (!l->conns[i].is_stuck && l->conns[i].phase == PHASE_OPEN &&
            l->conns[i].n_events < n_events)
            return false;
    return true;
}

/* ---- what it is told ---- */

static int
compare_samples(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void
say_closed(const struct load *l)
{
    const char *comma = "";
    fprintf(stdout, "\"closed\":{");
    for (unsigned code = 0; code < 5000; code++) {
        size_t n = 0;
        for (size_t i = 0; i < l->n_conns; i++)
            n += l->conns[i].phase == PHASE_CLOSED && l->conns[i].close_code == code;
        if (n > 0) {
            fprintf(stdout, "%s\"%u\":%zu", comma, code, n);
            comma = ",";
        }
    }
    fprintf(stdout, "}");
}

static void
mark(struct load *l)
{
    uint64_t least = UINT64_MAX, most = 0;
    int64_t now_ns = clock_mono_ns();
    double cpu_s = cpu_seconds();
    for (size_t i = 0; i < l->n_conns; i++) {
        struct conn *c = &l->conns[i];
        if (!c->is_stuck) {
            least = MIN(least, c->n_events);
            most = MAX(most, c->n_events);
        }
        c->n_events = 0;
    }
    qsort(l->samples, l->n_samples, sizeof(*l->samples), compare_samples);
    fprintf(
        stdout,
        "{\"seconds\":%.6f,\"until_last_s\":%.6f,\"span_s\":%.6f,\"events\":%" PRIu64
        ",\"bytes\":%" PRIu64 ",\"messages\":%" PRIu64 ",\"gaps\":%" PRIu64
        ",\"repeats\":%" PRIu64 ",\"least\":%" PRIu64 ",\"most\":%" PRIu64
        ",\"cpu_s\":%.3f,\"samples\":%zu,",
        (double)(now_ns - l->since_ns) / 1e9, (double)(l->last_ns - l->since_ns) / 1e9,
        (double)(l->last_ns - l->first_ns) / 1e9, l->n_events, l->n_bytes, l->n_messages,
        l->n_gaps, l->n_repeats, least, most, cpu_s - l->cpu_s, l->n_samples);
    static const struct {
        const char *name;
        unsigned share;
    } shares[] = {{"p50_us", 500}, {"p99_us", 990}, {"p999_us", 999}};
    for (size_t i = 0; i < ARRAY_LEN(shares); i++)
        fprintf(stdout, "\"%s\":%u,", shares[i].name,
                l->n_samples ? l->samples[(l->n_samples - 1) * shares[i].share / 1000]
                             : 0);
    say_closed(l);
    fprintf(stdout, "}\n");
    l->n_events = l->n_bytes = l->n_messages = l->n_gaps = l->n_repeats = 0;
    l->n_samples = 0;
    l->since_ns = now_ns;
    l->first_ns = 0;
    l->cpu_s = cpu_s;
}

static void
check_patience(int64_t began_ms, const char *what)
{
    if (clock_mono_ms() - began_ms < PATIENCE_MS)
        return;
    fprintf(stderr, "bench_hub_load: waited too long: %s\n", what);
    exit(1);
}

static void
subscribe(struct load *l, struct str data)
{
    AUTO(buf_finish) struct buf b = {0};
    buf_printf(&b, "{\"action\":\"subscribe\",\"request_id\":\"s\",\"data\":%.*s}",
               STR_ARG(data));
    l->since_ns = clock_mono_ns();
    l->cpu_s = cpu_seconds();
    for (size_t i = 0; i < l->n_conns; i++)
        send_frame(&l->conns[i], 1, b.p, b.n);
    int64_t began_ms = clock_mono_ms();
    while (l->n_answers < l->n_conns - l->n_stuck) {
        turn(l, false);
        check_patience(began_ms, "subscribe");
    }
    fprintf(stdout, "{\"subscribed_s\":%.6f}\n",
            (double)(clock_mono_ns() - l->since_ns) / 1e9);
}

static void
wait_for(struct load *l, struct str number)
{
    uint64_t n = 0;
    if (str_to_u64(number, &n) < 0)
        die("wait");
    int64_t began_ms = clock_mono_ms();
    while (!has_everything(l, n)) {
        turn(l, false);
        check_patience(began_ms, "wait");
    }
    mark(l);
}

static void
free_stuck(struct load *l)
{
    int64_t began_ms = clock_mono_ms();
    size_t n_left = l->n_stuck;
    for (size_t i = 0; i < l->n_conns; i++)
        if (l->conns[i].is_stuck && l->conns[i].phase == PHASE_OPEN) {
            l->conns[i].has_answer = true; // it is read from now on
            watch(l, &l->conns[i]);
        }
    while (n_left > 0) {
        turn(l, false);
        check_patience(began_ms, "stuck");
        n_left = 0;
        for (size_t i = 0; i < l->n_conns; i++)
            n_left += l->conns[i].is_stuck && l->conns[i].phase != PHASE_CLOSED;
    }
    fprintf(stdout, "{");
    say_closed(l);
    fprintf(stdout, "}\n");
}

/* False at the end of stdin. */
static bool
obey(struct load *l)
{
    char line[4096];
    size_t n = 0;
    while (n < sizeof(line) && read(STDIN_FILENO, line + n, 1) == 1 && line[n] != '\n')
        n++;
    struct str text = str_slice(line, n), word;
    if (n == 0)
        return false;
    ssize_t at = str_find_char(text, ' ');
    word = at < 0 ? text : str_slice(text.p, (size_t)at);
    struct str rest =
        at < 0 ? STR_NONE : str_slice(text.p + at + 1, text.n - (size_t)at - 1);
    if (str_eq_c(word, "subscribe"))
        subscribe(l, rest);
    else if (str_eq_c(word, "wait"))
        wait_for(l, rest);
    else if (str_eq_c(word, "mark"))
        mark(l);
    else if (str_eq_c(word, "stuck"))
        free_stuck(l);
    else
        die("no such command");
    fflush(stdout);
    return true;
}

static void
open_all(struct load *l)
{
    int64_t began_ns = clock_mono_ns(), began_ms = clock_mono_ms();
    for (size_t i = 0; i < l->n_conns; i++) {
        l->conns[i].is_stuck = i >= l->n_conns - l->n_stuck;
        connect_one(l, &l->conns[i]);
    }
    while (l->n_open + l->n_refused < l->n_conns) {
        turn(l, false);
        check_patience(began_ms, "connect");
    }
    fprintf(stdout, "{\"up_s\":%.6f,\"open\":%zu,\"refused\":%zu}\n",
            (double)(clock_mono_ns() - began_ns) / 1e9, l->n_open, l->n_refused);
    fflush(stdout);
    l->since_ns = clock_mono_ns();
}

int
main(int argc, char **argv)
{
    struct load l = {0};
    uint64_t port, n_conns, n_stuck;
    if (argc != 7 || str_to_u64(str_of(argv[1]), &port) < 0 ||
        str_to_u64(str_of(argv[4]), &n_conns) < 0 ||
        str_to_u64(str_of(argv[5]), &n_stuck) < 0 ||
        str_to_u64(str_of(argv[6]), &l.sample_every) < 0)
        return 2;
    l.port = (uint16_t)port;
    l.token = argv[2];
    l.subprotocol = argv[3];
    l.n_stuck = n_stuck;
    l.n_conns = n_conns + n_stuck;
    l.conns = xcalloc(l.n_conns, sizeof(*l.conns));
    l.samples = xcalloc(SAMPLES_MAX, sizeof(*l.samples));
    l.from = xmalloc(READ_BYTES);
    l.epoll = epoll_create1(EPOLL_CLOEXEC);
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    open_all(&l);
    while (!turn(&l, true) || obey(&l))
        ;
    for (size_t i = 0; i < l.n_conns; i++)
        buf_finish(&l.conns[i].cut);
    free(l.conns);
    free(l.samples);
    free(l.from);
    return 0;
}
