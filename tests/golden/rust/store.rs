#!/usr/bin/env run-cargo-script
//! A store of things.
//! These lines document the crate.
#![allow(dead_code)]

extern crate alloc;
extern crate core as base;

use std::collections::HashMap;
use std::{fmt, io::{self, Read as _}};
use self::inner::*;
use crate::a::B as Renamed;
use top;
use {left, right::deep};
pub(crate) use super::thing;

/// How many may be kept.
pub const LIMIT: usize = 16;
const _: () = assert!(LIMIT > 0);
/// Counts all.
static COUNT: AtomicUsize = AtomicUsize::new(0);
static mut STATE: u8 = 1; // careful

/// A thing that is kept.
///
/// With a second paragraph.
#[derive(Debug, Clone, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Thing<'a, T: Clone + 'a = u8, const N: usize = 4>
where
    T: Send,
{
    /// Its name.
    pub name: &'a str, // trailing is not needed
    pub(crate) items: [T; N],
    #[serde(skip)]
    hidden: Option<Box<dyn Fn(u8) -> u8 + 'a>>, /* why */
    r#type: u8,
}

struct Unit;
pub struct Pair(pub u32, String);
struct Empty {}

/** Block doc.
 *  Second line. */
#[repr(u8)]
#[non_exhaustive]
pub enum Kind {
    /// Nothing.
    None = 0,
    One(u8), // single
    Named {
        /// Inside.
        key: String,
        value: i64,
    },
    #[default]
    Last,
}

union Bits { int: u32, float: f32 }

type Map<K, V = u8> = HashMap<K, Vec<V>>;

/// What can be stored.
pub unsafe trait Store<T>: fmt::Debug + Sized + From<T> + 'static
where
    T: Clone,
{
    /// The error.
    type Error: std::error::Error;
    type Iter<'a>: Iterator<Item = &'a T> where Self: 'a;
    const SIZE: usize;
    const EXTRA: usize = 1;

    fn get(&self, key: &str) -> Result<T, Self::Error>;
    /// Has a body.
    fn put(&mut self, value: T) -> bool {
        self.get("fn fake() {}").is_ok()
    }
    async fn later(self);
}

impl<'a, T, const N: usize> Thing<'a, T, N>
where
    T: Clone + Send,
{
    const START: u32 = 1;

    /// Makes one.
    #[inline]
    #[must_use]
    pub const fn new(name: &'a str) -> Self {
        Self { name, items: [], hidden: None, r#type: 0 }
    }

    pub async unsafe extern "C" fn run<F>(
        &self,
        f: F, // the callback
    ) -> impl Future<Output = ()> + '_
    where
        F: FnOnce(&T),
    {
        fn helper(x: u8) -> u8 {
            const LOCAL: u8 = 1;
            static SEEN: u8 = 2;
            struct Guard { on: bool }
            impl Drop for Guard {
                fn drop(&mut self) { println!("{}", done(self.on)); }
            }
            x + LOCAL
        }
        let closure = |a: u8| helper(a);
        let v = vec![compute(1), self.a.b(2), Some(3)];
        parse::<u8>("x").unwrap().checked_add::<u8>(1);
        std::mem::swap(&mut a, &mut b);
        HashMap::<u8, u8>::with_capacity(3);
        assert_eq!(left(1), crate::right!(2));
    }
}

impl<T> fmt::Display for Thing<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)
    }
}

impl<T> From<T> for &mut Thing<'_, T> {}
impl std::ops::Deref for crate::a::Wrapper<u8> { type Target = u8; }
impl<T: Store<u8>> Ext for T {}
unsafe impl Send for [u8] {}
impl !Sync for *mut Thing<'static> {}
impl Ext for (u8, u16) {}
impl dyn Any + Send {}
impl Ext for fn(u8) -> u8 {}
impl u32 { fn plus(self) {} }

/// Makes maps.
#[macro_export]
macro_rules! map {
    ($($k:expr => $v:expr),* $(,)?) => {{
        fn inside() {}
        struct Never;
    }};
}

extern "C" {
    /// From libc.
    fn strlen(s: *const c_char) -> usize;
    static environ: *const *const c_char;
}

mod declared;

/// Nested.
pub mod inner {
    //! Inside of it.

    use super::*;

    pub mod deeper { pub fn bottom() {} }

    #[cfg(test)]
    mod tests {
        #[test]
        fn works() { super::super::Thing::<u8>::new("x"); }
    }
}

thread_local! { static LOCAL: u8 = 1; }

#[cfg(unix)]
fn platform() -> u8 { 1 }
#[cfg(not(unix))]
fn platform() -> u8 { 2 }

// Not a doc comment, and still one: it stands directly above.
fn größe(ünï: &str) -> usize { r#"fn no() { " }"#.len() }

/// Lost: a blank line follows.

fn alone() {}

fn main() { let 变量 = 'x'; let life: &'static str = "}"; }
