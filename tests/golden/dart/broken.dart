/// Doc.
class A {
  /// Two
  /// lines.
  void f( {
  }
  int get g => 1;
}

int $_x1 = 3;
void last() {
  if (x) {
