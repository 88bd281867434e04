//! Sums of numbers, as text and as a tree.
use std::fmt;

mod tokens;

pub use tokens::{Token, Tokens};

/// Nothing is nested deeper.
pub const DEPTH_MAX: usize = 64;

static GREETING: &str = "sum";

/// A tree of a sum.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    Number(i64),
    Sum { left: Box<Expr>, right: Box<Expr> },
}

/// Why a text is none.
#[derive(Debug)]
pub struct Error {
    pub at: usize,
    pub what: String,
}

pub type Result<T> = std::result::Result<T, Error>;

/// What can be worked out.
pub trait Value {
    type Output;

    fn value(&self) -> Self::Output;

    fn is_zero(&self) -> bool
    where
        Self: Value<Output = i64>,
    {
        self.value() == 0
    }
}

impl Value for Expr {
    type Output = i64;

    fn value(&self) -> i64 {
        match self {
            Expr::Number(n) => *n,
            Expr::Sum { left, right } => left.value() + right.value(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} at {}", GREETING, self.what, self.at)
    }
}

impl Expr {
    fn added(self, right: Expr) -> Expr {
        Expr::Sum { left: Box::new(self), right: Box::new(right) }
    }
}

macro_rules! fail {
    ($at:expr, $what:expr) => {
        return Err(Error { at: $at, what: $what.to_string() })
    };
}

/// The tree of a text such as `1 + 2`.
pub fn parse(text: &str) -> Result<Expr> {
    let mut sum: Option<Expr> = None;
    for (at, token) in Tokens::new(text) {
        match (token, sum.take()) {
            (Token::Number(n), None) => sum = Some(Expr::Number(n)),
            (Token::Number(n), Some(left)) => sum = Some(left.added(Expr::Number(n))),
            (Token::Plus, Some(left)) => sum = Some(left),
            (Token::Plus, None) => fail!(at, "a plus"),
        }
    }
    match sum {
        Some(expr) => Ok(expr),
        None => fail!(0, "nothing"),
    }
}

pub fn größe(expr: &Expr) -> usize {
    match expr {
        Expr::Number(_) => 1,
        Expr::Sum { left, right } => größe(left) + größe(right),
    }
}
