/* The scanner of Markdown writes its open blocks, quotations and lists, into the runtime's buffer
 * however many there are, and counts them in a byte. Nobody nests so deep: more than these are
 * forgotten, and what is in them is text. */
#define tree_sitter_markdown_external_scanner_serialize serialize_all
#include "scanner.c"
#undef tree_sitter_markdown_external_scanner_serialize

#define OPEN_BLOCKS_MAX 200

unsigned
tree_sitter_markdown_external_scanner_serialize(void *payload, char *buffer)
{
    Scanner *s = payload;
    if (s->open_blocks.size > OPEN_BLOCKS_MAX)
        s->open_blocks.size = OPEN_BLOCKS_MAX;
    if (s->matched > OPEN_BLOCKS_MAX)
        s->matched = OPEN_BLOCKS_MAX;
    return serialize_all(payload, buffer);
}
