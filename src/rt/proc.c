/* Why: neither a process group nor a session holds on to everything a program starts; the tree of
 * parents does, as long as the orphans come to a subreaper. */
#include "rt/proc.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/str.h"

#define PROC_TEXT_MAX ((size_t)1 << 20)

static bool
read_text(const char *path, struct buf *ret_text)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    char part[4096];
    ssize_t n;
    while (ret_text->n < PROC_TEXT_MAX && (n = read(fd, part, sizeof(part))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break;
        buf_add(ret_text, part, (size_t)n);
    }
    close(fd);
    return true;
}

static void
add_pids(struct str text, struct proc_pids *pids)
{
    struct str part;
    uint64_t pid;
    while (pids->pids.n < PROC_DESCENDANTS_MAX && str_split(&text, ' ', &part)) {
        part = str_trim(part);
        if (str_to_u64(part, &pid) == 0 && pid > 0 && pid <= INT_MAX)
            *vec_push(&pids->pids) = (pid_t)pid;
    }
}

/* NULL: it is gone. */
static DIR *
open_tasks(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    return opendir(path);
}

/* 0 behind the last one. */
static pid_t
next_task(DIR *tasks)
{
    for (struct dirent *e; (e = readdir(tasks));) {
        uint64_t tid;
        if (str_to_u64(str_of(e->d_name), &tid) == 0 && tid <= INT_MAX)
            return (pid_t)tid;
    }
    return 0;
}

/* Each thread has its own list. */
static void
add_children(pid_t pid, struct proc_pids *pids)
{
    DIR *tasks = open_tasks(pid);
    for (pid_t tid; tasks && (tid = next_task(tasks));) {
        char children[96];
        snprintf(children, sizeof(children), "/proc/%d/task/%d/children", (int)pid,
                 (int)tid);
        AUTO(buf_finish) struct buf text = {0};
        if (read_text(children, &text))
            add_pids(buf_str(&text), pids);
    }
    if (tasks)
        closedir(tasks);
}

void
proc_add_descendants(pid_t root, struct proc_pids *ret_pids)
{
    size_t next = ret_pids->pids.n;
    add_children(root, ret_pids);
    for (; next < ret_pids->pids.n; next++)
        add_children(ret_pids->pids.v[next], ret_pids);
}

bool
proc_set_processors(pid_t pid, const cpu_set_t *processors)
{
    bool had_others = false;
    DIR *tasks = open_tasks(pid);
    for (pid_t tid; tasks && (tid = next_task(tasks));) {
        cpu_set_t is;
        if (sched_getaffinity(tid, sizeof(is), &is) == 0 && !CPU_EQUAL(&is, processors))
            had_others |= sched_setaffinity(tid, sizeof(*processors), processors) == 0;
    }
    if (tasks)
        closedir(tasks);
    return had_others;
}

bool
proc_leave_one(cpu_set_t *processors)
{
    int last = CPU_SETSIZE - 1;
    while (last > 0 && !CPU_ISSET(last, processors))
        last--;
    if (CPU_COUNT(processors) < 2)
        return false;
    CPU_CLR(last, processors);
    return true;
}

/* By itself: who takes its processor from a thread that is in the kernel waits for it. */
void
proc_settle(struct proc_place *place, bool is_left)
{
    if (place->has_left == is_left)
        return;
    place->has_left = is_left;
    if (is_left)
        sched_getaffinity(0, sizeof(place->processors), &place->processors);
    cpu_set_t to = place->processors;
    if (!is_left || proc_leave_one(&to))
        sched_setaffinity(0, sizeof(to), &to);
}

uint64_t
proc_rss_bytes(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
    AUTO(buf_finish) struct buf text = {0};
    struct str rest, part;
    uint64_t pages = 0;
    if (!read_text(path, &text))
        return 0;
    rest = buf_str(&text);
    if (!str_split(&rest, ' ', &part) || !str_split(&rest, ' ', &part) ||
        str_to_u64(part, &pages) < 0)
        return 0;
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}
