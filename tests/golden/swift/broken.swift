// Doc.
class Schön {
  #if A
  func eins() { let a = "\(x ? "}" : "{")" }
  #endif
  func zwei( {
  }
  var drei: Int { 3 }
}
func danach() {
  if x {
