#!/usr/bin/env swift
// swift-tools-version:5.9
import Foundation
import class UIKit.UIView
@testable import ShopCore

/// The greatest number of items.
let maxItems = 20, minItems: Int = 1
var current: Shop? { didSet { print("set") } }
public private(set) var counter: Int {
    get { 1 }
    set { log(newValue) }
}
let (left, right) = (1, 2)

/** A way to pay. */
public protocol Payment: AnyObject, Sendable where Amount: Numeric {
    associatedtype Amount: Comparable = Int
    static var standard: Self { get }
    var name: String { get set }
    init(name: String)
    func pay(_ amount: Amount, to shop: Shop) async throws -> Bool
    subscript(i: Int) -> String { get }
    static func == (a: Self, b: Self) -> Bool
}

/// A shop.
@available(iOS 13, *)
@MainActor
open class Shop<Item: Hashable>: Base.Store<Item>, Payment, Codable where Item: Sendable {
    typealias Handler = (Item) -> Void
    // How many.
    static let shared = Shop<String>()
    private(set) lazy var items: [Item] = { var inner = [Item](); return inner }()
    @Published var title = "class NotAClass { }", subtitle: String?
    var isEmpty: Bool { items.isEmpty }
    var owner: Person? {
        willSet { notify(newValue) }
    }
    weak var delegate: ShopDelegate?

    /// Makes one.
    /// - Parameter title: what is on the door
    public required init?(title: String, items: [Item] = []) throws {
        self.title = title
        super.init(items)
    }
    convenience init() { self.init(title: "x") }
    deinit { close() }

    func add(_ item: Item, count: Int = 1) -> Int {
        func local(_ a: Int) -> Int { a }
        let number = local(count)
        items.append(item)
        delegate?.shop(self, didAdd: item)
        let view = UIView(frame: .zero)
        let other = Shop<Int>(title: "a")!
        items.map { $0 }.filter { x in x.isGood() }
        #if DEBUG
        trace("added")
        #endif
        return number
    }
    func add(_ item: Item) { add(item, count: 2) }
    class func make<T>(of type: T.Type) -> T where T: Payment { type.init(name: "") }
    static func + (a: Shop, b: Shop) -> Shop { a }
    prefix static func -(a: Shop) -> Shop { a }
    subscript(index: Int) -> Item {
        get { items[index] }
        set { items[index] = newValue }
    }
    public static subscript(key key: String) -> Int { 0 }

    #if os(iOS)
    func onPhone() {}
    #else
    func onMac() {}
    #endif

    struct Line: Equatable {
        let `default`: Int
        var (a, b) = (1, 2)
        enum Kind { case one, two }
    }
}

public struct Point: Hashable {
    public var x, y: Double
    @inlinable mutating func move(by dx: Double) { x += dx }
}

/// Directions.
indirect enum Direction: String, CaseIterable {
    /// Up.
    case north = "N", south
    case path(Direction, length: Int)
    case `default`
    var turned: Direction { .south }
    func turn() -> Direction { .north }
}

extension Shop: CustomStringConvertible where Item == String {
    public var description: String { "shop" }
    func size() -> Int { items.count }
    static let extra = 3
    class Nested {}
}

extension Array.Index {
    var next: Int { self + 1 }
}

extension Collection where Element: Payment {
    func total() -> Int { reduce(0) { $0 + $1.amount } }
}

actor Counter {
    var value = 0
    nonisolated func read() -> Int { 0 }
}

infix operator <+>: AdditionPrecedence
precedencegroup Strong { higherThan: AdditionPrecedence }
func <+> (a: Int, b: Int) -> Int { a + b }

@discardableResult
public func run(_ block: @escaping () async throws -> Void = {}) rethrows -> some View {
    let text = """
    func notAFunction() { }
    \(compute(3))
    """
    return Text(text).padding()
}
private typealias Pair<A, B> = (A, B)

#if DEBUG
func debugOnly() {}
class DebugOnly {}
#endif

@freestanding(expression)
public macro stringify<T>(_ value: T) -> (T, String) = #externalMacro(module: "M", type: "T")

class Größe { var höhe = 1; func setze(höhe: Int) {} }

let (width, height) = measure()
var (low, high) = (0, 1)
final class Pair { let (x, y) = measure() }
