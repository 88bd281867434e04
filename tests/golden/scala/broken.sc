package a

// Doc.
// Two.
class A {
  def eins(x: Int = {
  }
  val zwei = 1
}
object B { def drei = "unclosed
  def vier = 4 }
