#!/usr/bin/env kotlin
@file:JvmName("ShopKt")

package com.example.shop

import kotlin.math.PI
import kotlin.collections.*
import java.util.Date as Day

/**
 * What is sold.
 *
 * @param T its key
 */
@Serializable
data class Item<T : Any>(
    val key: T,
    private var count: Int = MAX, // how many
    label: String,
) : Base<T>(key), Priced, com.example.Sized by helper {

    constructor(key: T) : this(key, 1, "class Fake { }") {
        register(this)
    }

    init {
        val local = 3
        check(count > 0) { "no $count" }
    }

    /** Its price. */
    val price: Int
        get() = count * 2
    lateinit var owner: String
    private val cache by lazy { mutableMapOf<String, Int>() }

    companion object {
        /* The most. */
        const val MAX = 30
        fun of(key: String): Item<String> = Item(key)
    }

    // Finds.
    override suspend fun <R> find(
        pick: (T) -> R, // how
        rest: List<R>
    ): R where R : Comparable<R> {
        fun twice(x: Int) = x * 2
        val inner = object : Runnable {
            override fun run() { twice(1) }
        }
        return rest?.first()?.let { pick(key) } ?: error("none")
    }

    fun find(index: Int): T = list[index]
    operator fun plus(other: Item<T>): Item<T> = this
    abstract fun pack()

    inner class Slot {
        fun open() = this@Item.find(0)
    }

    companion object Factory : Maker<Item<*>> {
        @JvmStatic fun make() = Unit
    }
}

sealed interface Priced : Sized, Comparable<Priced> {
    val tax: Int
    fun gross(): Int = tax + 1

    object Free : Priced {
        override val tax get() = 0
    }
}

enum class Color(val rgb: Int) : Named {
    RED(0xFF0000) {
        override fun title() = "red"
    },

    /** Like grass. */
    GREEN(0x00FF00);

    abstract fun title(): String
    val dark: Boolean = false
}

enum class Mode { FAST, SLOW }

@JvmInline
value class Cents(val amount: Long)

annotation class Marked(val why: String)

object Registry : Holder() {
    var size = 0
    fun add(item: Item<*>) = items.add(item)
}

typealias Handler<T> = (T, Int) -> Unit

fun String.shout(times: Int): String = uppercase().repeat(times)
fun <T> List<T>.second(): T { return this[1] }
fun com.example.Sized?.isNone() = this == null
val String.größe: Int get() = length
private const val LIMIT = 10
var counter = 0
val (left, right) = pairOf(1, 2)
val handler = { x: Int -> x + 1 }

internal inline fun <reified T> `a name of words`(crossinline block: () -> T) {
    val text = """
        class InText { fun nor() {} }
    """
    block()
}

class Shelf<T>(val slots: Int) : Base(slots) where T : Item, T : Priced {
    val first: T? = null
    fun take(): T = first!!
}

interface Sorter<T> where T : Comparable<T> {
    fun sort(items: List<T>)
}

@Serializable private enum class Grade { GOOD, POOR }

/** Two annotations, each on a line. */
@Target(AnnotationTarget.TYPE)
@Retention(AnnotationRetention.BINARY)
internal annotation class Exact

@Marked
@java.lang.Deprecated
class Old

enum class Op(val sign: Char) { PLUS('+') { override fun on(a: Int) = a }, MINUS('-'); open fun on(a: Int) = -a }
class Behind
sealed class Outcome { object None : Outcome() { val why = "none" } }
val of = Outcome::class to this::class.java
