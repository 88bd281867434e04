package broken;

class Broken {
    int before = 1;

    void half() {
        if (x {
            return;
        }
    }

    int after() { return 2 }

    void open(int a, { }

    String s = "unclosed;
    void later() { }

    int ;
}

class Rest {
    void fine() { }
