/* The guard alone, for tests that start programs without the whole binary. */
#include "rt/guard.h"

int
main(int argc, char **argv)
{
    return guard_main(argc, argv);
}
