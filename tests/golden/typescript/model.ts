import type { A } from './a';
import legacy = require("legacy");

/** A thing. */
export interface Thing<T extends object = {}> extends Base<T> {
  /** Its id. */
  readonly id: string;
  label?: string; // shown
  find(key: string): T | undefined;
  new (x: number): Thing<T>;
  (call: string): void;
  [index: number]: T;
  get size(): number;
}

export type Shape = {
  kind: 'circle';
  radius: number;
} | null;
type Options = {
  depth: number;
  log?: (line: string) => void;
};

export enum Color { Red, Green = "g", 'dark blue' = 3 }
declare const enum Bits { One = 1 }

// Abstract, with decorators.
@Injectable({
  scope: 'root',
})
export abstract class Service<T> extends Base<T> implements Thing<T>, Other {
  private static readonly cache = new Map<string, number>();
  declare readonly kind: string;
  #hidden?: number;

  constructor(private readonly http: Http, @Inject(TOKEN) public token?: string) {
    super();
  }

  /** Loads. */
  @Memo()
  @Log('x')
  async load<K extends keyof T>(key: K): Promise<T[K]> {
    return this.http.get(key);
  }

  handle = (e: Event): void => {};
  abstract close(): void;
  protected get ready(): boolean { return true; }
  overload(a: string): void;
  overload(a: number): void;
  overload(a: any) {}
}

export function parse(text: string): Thing<any>;
export function parse(text: Buffer): Thing<any>;
export function parse(text: any): any { return JSON.parse<Thing<any>>(text); }

export const typed: Map<string, () => void> = new Map([
  ['a', () => {}],
]);
const asserted = { run() {} } satisfies Runner;
export default function () { return typed; }

namespace Outer.Inner {
  export const VERSION = "1";
  let hidden = 0;
  export function helper(): void {}
}

declare module "plugin" {
  export function register(name: string): void;
  const defaults: Options;
}

declare global {
  interface Window { app: Service<any>; }
  var debug: boolean;
}

declare function ambient(x: number): string;
declare let flag: boolean;
export as namespace Lib;

export class Account {
    constructor(private readonly owner: string, public balance = 0, plain?: number, protected limit?: number) {}
}

type Either = { left: string } | { right: number; swap(): void };
export const { alpha, beta: renamed = 1, gamma: { delta }, ...others } = settings, [first, , third = 2] = list;
