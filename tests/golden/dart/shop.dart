#!/usr/bin/env dart
/// The library's doc.
library my.shop;

import 'dart:async';
import 'package:flutter/material.dart' as m show Widget hide Key;
import "a.dart" if (dart.library.io) "b.dart";
import "late.dart" deferred as late;
export 'src/base.dart' show Base;
part 'shop.g.dart';
part of 'other.dart';

/// The greatest number.
const int maxItems = 20, minItems = 1;
final String title = "class NotAClass { void no() {} }";
var counter = 0, other;
late final List<int> numbers;
String? maybe;
Map<String, int> get table => const {};
set table(Map<String, int> value) {
  counter = value.length;
}
external int nativeAdd(int a, int b);

typedef Handler<T> = void Function(T item);
typedef int Compare(int a, int b);

/**
 * A shop.
 */
@immutable
abstract class Shop<T extends Item> extends Base<T> with Mixin, m.Other<int> implements Store, Comparable<Shop> {
  /// How many.
  static const int limit = 3, low = 1;
  final String name;
  late T? _first, second;
  var items = <T>[];
  static int count = 0;

  /// Makes one.
  Shop(this.name, {required this.items, int x = 3}) : _first = null, super(name) {
    count++;
  }
  const Shop.empty() : name = '';
  factory Shop.of(String name) => Shop._(name);
  factory Shop.alias(int a) = SubShop;
  Shop._(this.name);

  /// Adds.
  Future<int> add(T item, [int n = 1]) async {
    int local(int a) => a + 1;
    final view = Widget(key: 1);
    var made = new Shop.empty();
    const c = const Shop<int>.empty();
    items.add(item);
    items..clear()..add(item);
    this.delegate?.shop(this);
    super.add(item);
    local(2);
    print('${compute(3)} $name');
    await for (final x in stream()) { x(); }
    return [1, 2].map((e) => e.toString()).length;
  }

  bool get isEmpty => items.isEmpty;
  set first(T? value) { _first = value; }
  static T make<T>() { throw UnimplementedError(); }
  void abstractOne(int a);
  Iterable<int> gen() sync* { yield 1; }
  @override
  bool operator ==(Object other) => other is Shop;
  T operator [](int index) => items[index];
  void operator []=(int index, T value) {}
  int operator -() => 0;
}

/// A mixin.
mixin Walk on Base implements Store {
  int steps = 0;
  void walk() => steps++;
}
base mixin class Both {}
sealed class Shape {}
final class Circle extends Shape {
  Circle({super.key});
}
class Alias = Base with Mixin implements Store;
interface class I {}

/// Colors.
enum Color {
  red, // hot
  green('g', 2),
  blue;

  const Color([this.code = '', this.n = 0]);
  final String code;
  final int n;
  String describe() => code;
}
enum Tiny { a, b }

extension Nice on String {
  String get shout => toUpperCase();
  String twice() => this * 2;
  static int helper() => 0;
}
extension on int {
  int unnamed() => 0;
}
extension type Meters(int value) implements int {
  Meters.zero() : value = 0;
  Meters operator +(Meters o) => Meters(value + o.value);
}

/// Runs.
void main(List<String> args) async {
  void inner() {}
  var closure = (int a) { return a; };
  inner();
  runApp(const MyApp());
  switch (args) { case [var x]: print(x); }
  final text = '''
  class No { }
  ${args.join(", ")}
  ''';
}

int fib(int n) => n < 2 ? n : fib(n - 1) + fib(n - 2);
(int, String) record() => (1, 'a');
class Size { var height = 1; void setze(int height) {} }
