/* Loops by macros: what they step through is no function. */
#define each_job(j) for (j = first; j; j = j->next)

static struct job *first;

int jobs_count(void)
{
    struct job *job;
    int n = 0;
    each_job (job) {
        each_part(part) {
            n++;
        }
    }
    return n;
}

int jobs_first(void)
{
    int inner(int a)
    {
        return a + 1;
    }
    return inner(first->id);
}

__read_mostly u64 __seed;
