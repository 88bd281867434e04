/* gloss: one program, told by its first argument what to be. */
#include <fcntl.h>
#include <locale.h>
#include <malloc.h>
#include <unistd.h>

#include "app/commands/commands.h"
#include "rt/guard.h"

#define LARGE_BLOCK_BYTES (256 * 1024)

/* Started with a standard descriptor closed (cron, some supervisors), the next file that is opened would
 * become stdin, stdout or stderr: the gaps are filled first. */
static void
fill_standard_descriptors(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

/* Large blocks (the entities of a file, a text) go back to the system when they are freed. By itself glibc
 * takes ever larger ones from its heaps, up to 32 MB, where what lives longer keeps their room. */
static void
give_large_blocks_back(void)
{
#ifdef M_MMAP_THRESHOLD
    mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES);
#endif
}

int
main(int argc, char **argv)
{
    fill_standard_descriptors();
    give_large_blocks_back();
    if (argc > 1 && strcmp(argv[1], "__guard") == 0)
        return guard_main(argc, argv);
    setlocale(LC_CTYPE, "C.UTF-8");
    return command_main(argc, argv);
}
