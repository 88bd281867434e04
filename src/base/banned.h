#pragma once
/* stdout is the LSP wire, so nothing prints to it by habit; unbounded string calls and an
 * allocator that returns NULL have no place here. Using one of these does not compile. */
#define BANNED(fn) banned_##fn##_see_base_banned_h

#undef printf
#undef puts
#undef putchar
#undef sprintf
#undef vsprintf
#undef strcpy
#undef strcat
#undef strtok
#undef gets
#define printf(...) BANNED(printf)
#define puts(x) BANNED(puts)
#define putchar(x) BANNED(putchar)
#define sprintf(...) BANNED(sprintf)
#define vsprintf(...) BANNED(vsprintf)
#define strcpy(a, b) BANNED(strcpy)
#define strcat(a, b) BANNED(strcat)
#define strtok(a, b) BANNED(strtok)

#ifndef BASE_MEM_C
#    undef strdup
#    undef strndup
#    pragma GCC poison malloc calloc realloc asprintf vasprintf
#    define strdup(x) BANNED(strdup)
#    define strndup(x, n) BANNED(strndup)
#endif
