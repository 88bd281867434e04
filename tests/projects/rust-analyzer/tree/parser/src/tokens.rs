//! From text to words.

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Token {
    Number(i64),
    Plus,
}

/// The tokens of a text, each with its place.
pub struct Tokens<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Tokens<'a> {
    pub fn new(text: &'a str) -> Self {
        Tokens { text, at: 0 }
    }

    fn number(&mut self) -> i64 {
        let rest = &self.text[self.at..];
        let n = rest.bytes().take_while(u8::is_ascii_digit).count();
        self.at += n;
        rest[..n].parse().unwrap_or(0)
    }
}

impl Iterator for Tokens<'_> {
    type Item = (usize, Token);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
        let start = self.at;
        match self.text[start..].bytes().next()? {
            b'0'..=b'9' => Some((start, Token::Number(self.number()))),
            b'+' => {
                self.at += 1;
                Some((start, Token::Plus))
            }
            _ => None,
        }
    }
}
