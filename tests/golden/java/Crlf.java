class Crlf {
    /**
     * Two
     * lines.
     */
    void run(int a,
             int b) {
    }
    int x; // trailing
}
