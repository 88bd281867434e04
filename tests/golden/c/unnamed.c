/* What is there to answer. */
enum { NO, YES } answer;
enum mood { GOOD, BAD } today, *tomorrow;
static const struct { int x; } origin = { 1 }, corners[4];
union { int i; } both;
