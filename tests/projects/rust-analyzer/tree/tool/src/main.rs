use parser::{parse, Value};

struct Options {
    texts: Vec<String>,
}

fn options() -> Options {
    Options { texts: std::env::args().skip(1).collect() }
}

fn main() {
    for text in options().texts {
        match parse(&text) {
            Ok(expr) => println!("{}", expr.value()),
            Err(error) => eprintln!("{error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_worked_out() {
        assert_eq!(parse("1 + 2").unwrap().value(), 3);
    }
}
