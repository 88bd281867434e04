pub fn before() -> u8 { 1 }

struct Half {
    a: u8,
    b
}

impl Half {
    fn method(&self) {
        if self.a > {
            return;
        }
    }

    fn next(&self) -> { let x = ; }
}

fn unclosed(a: u8, b {
}

/// Fine.
fn fine() {}

enum Rest { A, B(
