/// Two
/// lines.
#[derive(Copy)]
pub struct T {
    a: u8, // one
}

impl T {
    fn get(&self,
           x: u8) -> u8 {
        0
    }
}
