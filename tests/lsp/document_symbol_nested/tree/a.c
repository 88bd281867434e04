/* Adds two. */
int add(int a, int b)
{
    return a + b;
}

struct point {
    int x;
    int y;
};

int use(void)
{
    return add(1, 2);
}
