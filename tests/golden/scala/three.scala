package three

/** Colors. */
enum Color(val rgb: Int) extends Named:
  case Red extends Color(0xFF0000)
  case Green, Blue
  case Mix(a: Color, b: Color)
  def describe: String = toString

enum Tiny { case A, B }

/* A type class. */
trait Show[A]:
  extension (a: A) def show: String
  def twice(a: A): String =
    val s = a.show
    s + s

given intShow: Show[Int] with
  extension (a: Int) def show: String = a.toString

given Ordering[Color] with
  def compare(x: Color, y: Color): Int = 0

given listShow[A](using Show[A]): Show[List[A]] = ???

extension (s: String)
  def shout: String = s.toUpperCase
  def times(n: Int): String = s * n

opaque type Meters = Double
object Meters:
  def apply(d: Double): Meters = d
end Meters

type Pair[A] = (A, A)
val topLevel: Int = 1
var changing = 2
def topFunction(x: Int)(using y: Int): Int =
  if x > 0 then
    topFunction(x - 1)
  else
    helper(y)

inline def fast(inline x: Int): Int = ${ impl('x) }
@main def run(args: String*): Unit =
  println(args.mkString(","))
  val text = """
    def notAFunction() = 1
  """
  new Shop:
    def anon = 1

open class Person(name: String) derives Eq, Show:
  private val größe = 1
  def grüße(): Unit = ()
case class Box[+A](value: A)
infix def or(a: Int) = a
class Last
