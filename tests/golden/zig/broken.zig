const std = @import("std");

/// Whole, before the damage.
pub fn before(n: usize) usize {
    return n + after();
}

pub const Half = struct {
    a: u8,
    b: ,
    pub fn method(self: Half) u8 {
        return self.a +;
    }
};

fn unfinished(a: i32, b {
    call(a);
}

/// Whole, behind it.
fn after() usize {
    const @"größe" = 1;
    return @"größe";
}

pub const Last = enum { one, two,
