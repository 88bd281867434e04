// Functions and classes whose name is their own.
module.exports = class Pool extends Base {
  go() {}
}
function outer() {
  return function connect(o) { return 1 }
}
this[kX] = function onDrain(a) { b() }
emitter.on('x', function onX() {})
const a = function b() {}
module.exports = function proxy(x) { y() }
foo(class Inner { m() {} });
(function main() { z() })()
x.y = function same() {}
