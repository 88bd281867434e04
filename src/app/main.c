/* gloss: one program, told by its first argument what to be. */
#include <locale.h>

#include "app/commands/commands.h"
#include "rt/guard.h"

int
main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "__guard") == 0)
        return guard_main(argc, argv);
    setlocale(LC_CTYPE, "C.UTF-8");
    return command_main(argc, argv);
}
