package old

/**
 * First.
 */
fun first(a: Int): Int {
    return a
}

class Broken {
    fun before() {}
    fun half(a: Int, {
    }
    val x =
    fun last() { before(
