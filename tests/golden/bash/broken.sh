whole() {
    echo one
}

half() {
    if true; then
        echo two

later() {
    echo three
}

unbalanced="a string that never ends
last() { echo four; }
