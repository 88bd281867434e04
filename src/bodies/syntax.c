/* The languages whose bodies may be left out, a row each. What a row's words say is law for the
 * scanner: a word that can define something within a body is a WORD_DEFINES or _CLASS here whenever
 * the language's entities.scm finds what it defines. */
#include "bodies/internal.h"

#define WORDS_OF_C                                                                       \
    {"struct", WORD_AGGREGATE}, {"union", WORD_AGGREGATE}, {"enum", WORD_AGGREGATE},     \
        {"typedef", WORD_DEFINES}, {"__attribute__", WORD_ATTRIBUTE},                    \
        {"__attribute", WORD_ATTRIBUTE}, {"__declspec", WORD_ATTRIBUTE},                 \
        {"_Alignas", WORD_ATTRIBUTE}, {"alignas", WORD_ATTRIBUTE}, {"else", WORD_BLOCK}, \
        {"do", WORD_BLOCK}, {"if", WORD_CONTROL}, {"for", WORD_CONTROL},                 \
        {"while", WORD_CONTROL}, {"switch", WORD_CONTROL}, {"return", WORD_CONTROL},     \
        {"case", WORD_CONTROL}, {"default", WORD_CONTROL}, {"goto", WORD_CONTROL},       \
        {"break", WORD_CONTROL}, {"continue", WORD_CONTROL}, {"sizeof", WORD_CONTROL},   \
        {"offsetof", WORD_CONTROL}, {"_Alignof", WORD_CONTROL},                          \
        {"__alignof__", WORD_CONTROL}, {"__alignof", WORD_CONTROL},                      \
        {"alignof", WORD_CONTROL}, {"_alignof", WORD_CONTROL},                           \
        {"_Generic", WORD_CONTROL}, {"__extension__", WORD_CONTROL},                     \
        {"asm", WORD_CONTROL}, {"__asm__", WORD_CONTROL}, {"__asm", WORD_CONTROL},       \
        {"volatile", WORD_STORAGE}, {"__volatile__", WORD_TYPE},                         \
        {"const", WORD_STORAGE}, {"static", WORD_STORAGE}, {"extern", WORD_STORAGE},     \
        {"register", WORD_STORAGE}, {"inline", WORD_STORAGE}, {"auto", WORD_STORAGE},    \
        {"void", WORD_PRIMITIVE}, {"char", WORD_PRIMITIVE}, {"int", WORD_PRIMITIVE},     \
        {"long", WORD_SIZE}, {"short", WORD_SIZE}, {"unsigned", WORD_SIZE},              \
        {"signed", WORD_SIZE}, {"float", WORD_PRIMITIVE}, {"double", WORD_PRIMITIVE},    \
    {                                                                                    \
        "bool", WORD_PRIMITIVE                                                           \
    }

static const struct word_row c_words[] = {
    WORDS_OF_C,
    {"constexpr", WORD_STORAGE},
    {"restrict", WORD_STORAGE},
    {"__restrict__", WORD_STORAGE},
    {"_Noreturn", WORD_STORAGE},
    {"noreturn", WORD_STORAGE},
    {"__inline", WORD_STORAGE},
    {"__inline__", WORD_STORAGE},
    {"__forceinline", WORD_STORAGE},
    {"thread_local", WORD_STORAGE},
    {"__thread", WORD_STORAGE},
    {"_Atomic", WORD_TYPE},
    {"_Nonnull", WORD_TYPE},
    {"__restrict", WORD_TYPE},
    {"_unaligned", WORD_TYPE},
    {"__unaligned", WORD_TYPE},
    {"__sptr", WORD_TYPE},
    {"__uptr", WORD_TYPE},
    {"__based", WORD_TYPE},
    {"__cdecl", WORD_TYPE},
    {"__clrcall", WORD_TYPE},
    {"__stdcall", WORD_TYPE},
    {"__fastcall", WORD_TYPE},
    {"__thiscall", WORD_TYPE},
    {"__vectorcall", WORD_TYPE},
    {"NULL", WORD_CONSTANT},
    {"nullptr", WORD_CONSTANT},
    {"true", WORD_CONSTANT},
    {"false", WORD_CONSTANT},
    {"TRUE", WORD_CONSTANT},
    {"FALSE", WORD_CONSTANT},
    {NULL, WORD_NAME},
};

static const struct word_row cpp_words[] = {
    WORDS_OF_C,
    {"class", WORD_AGGREGATE},
    {"namespace", WORD_SCOPE},
    {"concept", WORD_SCOPE},
    {"using", WORD_DEFINES},
    {"try", WORD_BLOCK},
    {"catch", WORD_CONTROL},
    {"throw", WORD_CONTROL},
    {"new", WORD_CONTROL},
    {"delete", WORD_CONTROL},
    {"co_return", WORD_CONTROL},
    {"co_await", WORD_CONTROL},
    {"co_yield", WORD_CONTROL},
    {"noexcept", WORD_STORAGE},
    {"decltype", WORD_CONTROL},
    {"requires", WORD_SCOPE},
    {"static_assert", WORD_CONTROL},
    {"constexpr", WORD_STORAGE},
    {"consteval", WORD_STORAGE},
    {"constinit", WORD_STORAGE},
    {"virtual", WORD_STORAGE},
    {"explicit", WORD_STORAGE},
    {"friend", WORD_STORAGE},
    {"mutable", WORD_STORAGE},
    {"thread_local", WORD_STORAGE},
    {"export", WORD_STORAGE},
    {"public", WORD_STORAGE},
    {"private", WORD_STORAGE},
    {"protected", WORD_STORAGE},
    {"override", WORD_STORAGE},
    {"final", WORD_STORAGE},
    {"template", WORD_TEMPLATE},
    {"wchar_t", WORD_PRIMITIVE},
    {"not", WORD_CONTROL},
    {"and", WORD_CONTROL},
    {"or", WORD_CONTROL},
    {"typename", WORD_STORAGE},
    {"operator", WORD_OPERATOR},
    {NULL, WORD_NAME},
};

static const struct word_row go_words[] = {
    {"func", WORD_FUNCTION},   {"struct", WORD_AGGREGATE}, {"interface", WORD_AGGREGATE},
    {"type", WORD_DEFINES},    {"if", WORD_CONTROL},       {"for", WORD_CONTROL},
    {"switch", WORD_CONTROL},  {"select", WORD_CONTROL},   {"return", WORD_CONTROL},
    {"case", WORD_CONTROL},    {"go", WORD_CONTROL},       {"defer", WORD_CONTROL},
    {"range", WORD_CONTROL},   {"else", WORD_BLOCK},       {"var", WORD_CONTROL},
    {"const", WORD_CONTROL},   {"import", WORD_CONTROL},   {"map", WORD_TYPE},
    {"chan", WORD_TYPE},       {"bool", WORD_TYPE},        {"byte", WORD_TYPE},
    {"rune", WORD_TYPE},       {"string", WORD_TYPE},      {"error", WORD_TYPE},
    {"any", WORD_TYPE},        {"uintptr", WORD_TYPE},     {"float32", WORD_TYPE},
    {"float64", WORD_TYPE},    {"int", WORD_TYPE},         {"int8", WORD_TYPE},
    {"int16", WORD_TYPE},      {"int32", WORD_TYPE},       {"int64", WORD_TYPE},
    {"uint", WORD_TYPE},       {"uint8", WORD_TYPE},       {"uint16", WORD_TYPE},
    {"uint32", WORD_TYPE},     {"uint64", WORD_TYPE},      {"complex64", WORD_TYPE},
    {"complex128", WORD_TYPE}, {NULL, WORD_NAME},
};

static const struct word_row java_words[] = {
    {"class", WORD_CLASS},
    {"interface", WORD_CLASS},
    {"enum", WORD_ENUM},
    {"record", WORD_RECORD},
    {"new", WORD_NEW},
    {"static", WORD_BLOCK},
    {"else", WORD_BLOCK},
    {"do", WORD_BLOCK},
    {"try", WORD_BLOCK},
    {"finally", WORD_BLOCK},
    {"if", WORD_CONTROL},
    {"for", WORD_CONTROL},
    {"while", WORD_CONTROL},
    {"switch", WORD_CONTROL},
    {"catch", WORD_CONTROL},
    {"return", WORD_CONTROL},
    {"throw", WORD_CONTROL},
    {"case", WORD_CONTROL},
    {"default", WORD_CONTROL},
    {"assert", WORD_CONTROL},
    {"synchronized", WORD_CONTROL},
    {"instanceof", WORD_CONTROL},
    {"yield", WORD_CONTROL},
    {"this", WORD_TYPE},
    {"super", WORD_TYPE},
    {"int", WORD_TYPE},
    {"void", WORD_TYPE},
    {NULL, WORD_NAME},
};

static const struct word_row csharp_words[] = {
    {"class", WORD_CLASS},        {"interface", WORD_CLASS},
    {"struct", WORD_CLASS},       {"enum", WORD_CLASS},
    {"namespace", WORD_CLASS},    {"record", WORD_RECORD},
    {"delegate", WORD_CONTROL},   {"new", WORD_NEW},
    {"else", WORD_BLOCK},         {"do", WORD_BLOCK},
    {"try", WORD_BLOCK},          {"finally", WORD_BLOCK},
    {"unsafe", WORD_BLOCK},       {"checked", WORD_BLOCK},
    {"unchecked", WORD_BLOCK},    {"get", WORD_BLOCK},
    {"set", WORD_BLOCK},          {"init", WORD_BLOCK},
    {"add", WORD_BLOCK},          {"remove", WORD_BLOCK},
    {"if", WORD_CONTROL},         {"for", WORD_CONTROL},
    {"foreach", WORD_CONTROL},    {"while", WORD_CONTROL},
    {"switch", WORD_VALUE},       {"catch", WORD_CONTROL},
    {"when", WORD_CONTROL},       {"return", WORD_CONTROL},
    {"throw", WORD_CONTROL},      {"case", WORD_CONTROL},
    {"default", WORD_CONTROL},    {"lock", WORD_CONTROL},
    {"fixed", WORD_CONTROL},      {"using", WORD_CONTROL},
    {"await", WORD_CONTROL},      {"yield", WORD_CONTROL},
    {"typeof", WORD_CONTROL},     {"sizeof", WORD_CONTROL},
    {"in", WORD_CONTROL},         {"is", WORD_CONTROL},
    {"as", WORD_CONTROL},         {"not", WORD_CONTROL},
    {"and", WORD_CONTROL},        {"or", WORD_CONTROL},
    {"out", WORD_CONTROL},        {"ref", WORD_CONTROL},
    {"base", WORD_TYPE},          {"this", WORD_TYPE},
    {"stackalloc", WORD_CONTROL}, {"async", WORD_TYPE},
    {"object", WORD_TYPE},        {"string", WORD_TYPE},
    {"bool", WORD_TYPE},          {"byte", WORD_TYPE},
    {"char", WORD_TYPE},          {"short", WORD_TYPE},
    {"int", WORD_TYPE},           {"uint", WORD_TYPE},
    {"long", WORD_TYPE},          {"ulong", WORD_TYPE},
    {"float", WORD_TYPE},         {"double", WORD_TYPE},
    {"decimal", WORD_TYPE},       {NULL, WORD_NAME},
};

static const struct word_row rust_words[] = {
    {"fn", WORD_FUNCTION},   {"struct", WORD_CLASS},   {"enum", WORD_CLASS},
    {"trait", WORD_CLASS},   {"impl", WORD_CLASS},     {"mod", WORD_CLASS},
    {"type", WORD_DEFINES},  {"use", WORD_DEFINES},    {"macro_rules", WORD_DEFINES},
    {"const", WORD_DEFINES}, {"static", WORD_DEFINES}, {"union", WORD_RECORD},
    {"extern", WORD_SCOPE},  {"else", WORD_BLOCK},     {"loop", WORD_BLOCK},
    {"unsafe", WORD_BLOCK},  {"async", WORD_BLOCK},    {"if", WORD_CONTROL},
    {"match", WORD_CONTROL}, {"while", WORD_CONTROL},  {"for", WORD_CONTROL},
    {"in", WORD_CONTROL},    {"return", WORD_CONTROL}, {"break", WORD_CONTROL},
    {"let", WORD_PATTERN},   {"mut", WORD_CONTROL},    {"ref", WORD_CONTROL},
    {"move", WORD_CONTROL},  {"as", WORD_CONTROL},     {"dyn", WORD_CONTROL},
    {"where", WORD_CONTROL}, {"pub", WORD_TYPE},       {"await", WORD_CONTROL},
    {NULL, WORD_NAME},
};

static const struct bodies_syntax syntaxes[] = {
    {.name = "c",
     .keeps_comments = true,
     .has_items = true,
     .words = c_words,
     .has_macros = true,
     .has_directives = true,
     .has_continuations = true},
    {.name = "cpp",
     .words = cpp_words,
     .raw = RAW_CPP,
     .has_macros = true,
     .has_directives = true,
     .has_continuations = true,
     .has_colon_lists = true},
    {.name = "go",
     .words = go_words,
     .has_backticks = true,
     .has_newline_ends = true,
     .has_function_word = true},
    {.name = "java",
     .words = java_words,
     .has_text_blocks = true,
     .has_anonymous_classes = true,
     .has_method_references = true,
     .has_at_attributes = true},
    {.name = "csharp",
     .words = csharp_words,
     .raw = RAW_CSHARP,
     .has_directives = true,
     .has_text_blocks = true,
     .has_constraints = true,
     .has_new_braces = true},
    {.name = "rust",
     .words = rust_words,
     .raw = RAW_RUST,
     .has_nested_comments = true,
     .has_lifetimes = true,
     .has_function_word = true,
     .has_long_strings = true,
     .has_macro_bang = true,
     .keeps_comments = true},
};

const struct bodies_syntax *
bodies_syntax_named(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(syntaxes); i++)
        if (str_eq_c(name, syntaxes[i].name))
            return &syntaxes[i];
    return NULL;
}
