int before() { return 1; }

class Half {
    int a;
    void method() {
        if (a > ) {
            return;
        }
    }
    int b

    void other();
};

void unclosed(int a, {
}

// Fine.
void fine() {}

template <typename T
struct Rest {
