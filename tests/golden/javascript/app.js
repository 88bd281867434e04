#!/usr/bin/env node
import fs, { readFile as read } from 'node:fs';
const { join, sep: separator, ...others } = require("path");
const [one, , two] = [1, 2, 3];

/** The answer. */
export const ANSWER = 42;
let counter = 0, limit = 10;
var legacy;

/**
 * Adds.
 * @param {number} a first
 */
export function add(a, b = 2, ...rest) {
  const local = a;
  function nested() { return local; }
  return nested() + b;
}

// An arrow.
export const arrow = async ({ a, b }) => {
  const helper = () => a;
  return helper() + b;
};
const short = x => x * 2, double = function named(y) { return short(y); };
function* numbers() { yield 1; }
async function* stream() {}

export default class extends Base {
  #secret = 1;
  static count = 0; // how many
  handler = (event) => { this.#secret = event; };

  constructor(name) {
    super(name);
  }

  /** The name. */
  get name() { return this.#secret; }
  set name(v) { this.#secret = v; }
  static async *[Symbol.asyncIterator]() {}
  'quoted name'() {}
  static { counter++; }
}

class Plain {}
const Expression = class Inner { run() {} };

const options = {
  depth: 3,
  onStart() { return add(1); },
  get ready() { return true; },
  'on-stop': function () {},
  nested: { deep: () => { new Plain(); } },
};

function Old(name) { this.name = name; this.greet = function () {}; }
Old.prototype.shout = function (text) { return text.toUpperCase(); };
exports.helper = () => {};
module.exports = { options, make() {}, shape: class { area() {} } };

export { add as plus } from './math.js';
describe('a suite', () => {
  const insideCallback = 1;
  const fixture = () => insideCallback;
  it('works', function () { fixture(); });
});

const ünï = '🎉', Ωmega = () => 1;
const View = () => <Panel title="x"><Item.Row /></Panel>;
