/* Why: a peer that reads slowly is not a peer that does not read, and only its kernel knows. Apart,
 * because libwebsockets brings an older struct tcp_info along. */
#include "hub/progress.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

uint64_t
progress_acked_bytes(int fd)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof(info);
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0 ||
        size <
            offsetof(struct tcp_info, tcpi_bytes_acked) + sizeof(info.tcpi_bytes_acked))
        return 0;
    return info.tcpi_bytes_acked;
}

void
progress_hold(int fd, bool holds)
{
    int value = holds;
    setsockopt(fd, IPPROTO_TCP, TCP_CORK, &value, sizeof(value));
}
