#!/usr/bin/env scala
package com.example
package shop

import scala.collection.mutable
import scala.concurrent.{Future, ExecutionContext => EC}
import java.util._
import Shop.given

/** Holds items.
  *
  * Second line.
  */
@deprecated("old", "1.0")
abstract class Shop[T <: Item, +U](val name: String, private var count: Int = 0, plain: Int)(implicit ec: EC)
    extends Base[T](name) with Store with other.Logging[U] {
  self: Owner =>

  /// How many.
  val maxItems: Int = 20
  var current, previous: Option[T] = None
  val (left, right) = (1, 2)
  lazy val title = "class NotAClass { def no() = 1 }"
  protected[this] val ref: T
  type Key = String
  type Abstract <: AnyRef

  /** Makes one. */
  def this(name: String) = this(name, 0, 1)

  // Adds.
  @inline final def add(item: T, n: Int = 1)(implicit ctx: Context): Future[Int] = {
    def local(a: Int): Int = a + 1
    val number = local(n)
    class Inner { def deep = 1 }
    items.append(item)
    val view = new View(1)
    val anon = new Runnable { def run(): Unit = println("x") }
    items.map(_.name).filter { x => x.isGood }
    Shop(1)
    this delegate item
    s"${compute(3)} $name"
    for (x <- items if check(x)) yield x.twice()
    generic[Int](3)
    number
  }
  def add(item: T): Unit = add(item, 2)
  def abstractOne(a: Int): Int
  def noParens: Int = 1
  def +(other: Shop[T, U]): Shop[T, U] = this
  def unary_- : Int = -1
  def `quoted name`(x: Int) = x
  def apply(index: Int) = index
  def update(index: Int, value: T): Unit = ()
  def procedure() { println("old") }
  def typed[A: Ordering, B <: A](a: A): B = ???
  override def toString = "shop"
}

object Shop extends App {
  case class Line(text: String, number: Int = 1) extends Shape
  case object Empty extends Shape
  val Limit = 10
  implicit class Rich(val s: String) extends AnyVal { def shout: String = s.toUpperCase }
  implicit def toInt(s: String): Int = s.toInt
  def unapply(s: Shop[_, _]): Option[String] = Some(s.name)
}

sealed trait Shape
trait Store[F[_]] extends AnyRef { this: Shape =>
  def open(): F[Unit]
  val mood: Int
}
final class Unit2 private (val x: Int)
class Empty

package object util {
  def helper(x: Int): Int = x
  type Alias[A] = List[A]
}

package inner {
  class Packed
}

var left, right = 0
