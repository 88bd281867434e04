#pragma once
/* What is remembered of a statement, and of each open bracket. */
#include "base/base.h"

/* Of the token before. */
enum before {
    BEFORE_NONE, // begin of a statement
    BEFORE_NAME,
    BEFORE_CONTROL,
    BEFORE_AGGREGATE,
    BEFORE_FUNCTION,
    BEFORE_ATTRIBUTE,
    BEFORE_BLOCK,
    BEFORE_VALUE,
    BEFORE_STRING,
    BEFORE_PAREN,   // )
    BEFORE_BRACKET, // ]
    BEFORE_BRACE,   // }
    BEFORE_ASSIGN,  // =
    BEFORE_ARROW,   // => and ->
    BEFORE_ANGLE,   // >
    BEFORE_GENERIC, // > that closes the arguments of the last name
    BEFORE_STAR,    // * & ?
    BEFORE_DOT,
    BEFORE_COLON,
    BEFORE_COMMA,
    BEFORE_BANG,
    BEFORE_OTHER
};

/* Name<…, of which nothing yet says that it compares. */
struct generic {
    uint32_t name_start, name_end;
    uint32_t depth;      // < open; 0: none
    uint8_t n_names;     // of the statement, before them
    uint8_t before_name; // enum before
    bool has_name, is_callable;
};

/* What is known of the statement so far. Plain: copied when a bracket opens. */
struct head {
    uint8_t before;      // enum before
    uint8_t before_name; // of the last name: what came before it
    bool has_params, has_aggregate, had_aggregate, has_scope, has_function;
    bool has_new, has_assign, has_colon, has_bang, has_pattern;
    bool is_enum, is_record;
    bool params_are_declared; // int f( …
    bool params_are_new;      // new T( …
    bool last_is_callable;    // the last name may be called
    bool is_template;         // its parameters have not begun
    uint8_t n_names;          // 1: it has a type, 2: and a name; more are as 2
    uint32_t template_depth;  // < open of its parameters
    uint32_t angles;          // < open since the aggregate
    uint32_t name_start, name_end;
    struct generic generic;
    uint32_t pattern_calls; // calls there were before what may be a pattern
    uint32_t guard_calls;   // and before what only follows it
};

/* What statements mean where one stands, so that the simple ones can be told without a tree. */
enum level {
    LEVEL_NONE, // not looked at
    LEVEL_FILE,
    LEVEL_RECORD, // within struct and union
    LEVEL_ENUM
};

#define ITEM_NONE UINT32_MAX

/* The statement of a level that is under way (items.c). Plain: copied when a brace opens. */
struct item {
    uint32_t start;           // ITEM_NONE: the next token begins one
    uint32_t n_gaps, n_calls; // there were at its begin
    uint32_t n_open;          // brackets around it
    uint8_t level;            // enum level
    bool is_foreign;          // not to be told: the tree must show it
};

struct bracket {
    uint32_t at;
    uint32_t n_gaps; // there were at its begin
    uint32_t branch;
    struct head head;   // to go on with behind it
    struct item item;   // of a brace: the one around it
    char kind;          // ( [ {
    bool is_opaque;     // unless something in it must be seen
    bool is_tainted;    // something is
    bool is_expression; // the statement goes on behind it
    bool is_attribute, is_declared, is_new, is_enum, is_class, is_type;
    bool is_mute;  // attributes: nothing in it is a call
    bool is_macro; // tokens: a name before parentheses is
};
