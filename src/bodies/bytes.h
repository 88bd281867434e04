#pragma once
/* What a byte may begin. */
#include "base/base.h"

enum byte_class {
    BYTE_SPACE,
    BYTE_NEWLINE,
    BYTE_SLASH,
    BYTE_HASH,
    BYTE_CLOSE,
    BYTE_SEMICOLON,
    BYTE_OPEN,
    BYTE_OTHER, // the first of those that begin a statement
    BYTE_LETTER,
    BYTE_DIGIT,
    BYTE_QUOTE,
    BYTE_TICK,
    BYTE_BACKTICK,
    BYTE_EQUALS,
    BYTE_STRING_MARK // @ $ before a quote
};

static inline bool
is_word_class(uint8_t class)
{
    return class == BYTE_LETTER || class == BYTE_DIGIT;
}

static inline bool
is_word_byte(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_' || c >= 0x80;
}
