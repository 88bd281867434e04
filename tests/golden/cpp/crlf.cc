/**
 * Two
 * lines.
 */
class Crlf {
    int a; // one
    void run(int x,
             int y)
    {
    }
};
