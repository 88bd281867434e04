#pragma once
/* libpq, found when the first address of PostgreSQL is opened: it comes with twenty libraries, which cost
 * 20 ms and 4 MB at each start of gloss, and nearly nobody needs it. Inside of the PostgreSQL backend. */
#include <libpq-fe.h>

#define POSTGRES_LIB_NAMES(X)                                                            \
    X(PQcancel)                                                                          \
    X(PQclear)                                                                           \
    X(PQcmdStatus)                                                                       \
    X(PQcmdTuples)                                                                       \
    X(PQconnectdbParams)                                                                 \
    X(PQconsumeInput)                                                                    \
    X(PQconninfoFree)                                                                    \
    X(PQconninfoParse)                                                                   \
    X(PQenterPipelineMode)                                                               \
    X(PQerrorMessage)                                                                    \
    X(PQexec)                                                                            \
    X(PQexitPipelineMode)                                                                \
    X(PQfinish)                                                                          \
    X(PQfreeCancel)                                                                      \
    X(PQfreemem)                                                                         \
    X(PQgetCancel)                                                                       \
    X(PQgetResult)                                                                       \
    X(PQgetisnull)                                                                       \
    X(PQgetlength)                                                                       \
    X(PQgetvalue)                                                                        \
    X(PQnotifies)                                                                        \
    X(PQntuples)                                                                         \
    X(PQparameterStatus)                                                                 \
    X(PQpipelineSync)                                                                    \
    X(PQputCopyData)                                                                     \
    X(PQputCopyEnd)                                                                      \
    X(PQresultErrorField)                                                                \
    X(PQresultStatus)                                                                    \
    X(PQsendPrepare)                                                                     \
    X(PQsendQueryParams)                                                                 \
    X(PQsendQueryPrepared)                                                               \
    X(PQserverVersion)                                                                   \
    X(PQsetNoticeReceiver)                                                               \
    X(PQsocket)                                                                          \
    X(PQstatus)

struct postgres_lib {
    void *handle;
#define POSTGRES_LIB_MEMBER(name) __typeof__(name) *name;
    POSTGRES_LIB_NAMES(POSTGRES_LIB_MEMBER)
};

/* -ELIBACC: it is not installed, or too old. Again is nothing. */
int postgres_lib_open(struct postgres_lib *lib);
void postgres_lib_close(struct postgres_lib *lib);
