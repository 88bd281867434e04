/* The runtime keeps a scanner's state in a buffer of this many bytes, which scanners know under the
 * same name and some overrun: those of YAML and Python write the two bytes of an indentation when
 * there is room for one. Here it is larger than they believe. */
#include <tree_sitter/api.h>

#include "parser.h"

#undef TREE_SITTER_SERIALIZATION_BUFFER_SIZE
#define TREE_SITTER_SERIALIZATION_BUFFER_SIZE (1024 + 64)

#include "lib.c"
