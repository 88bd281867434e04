const std = @import("std");

/// Lines end with
/// two bytes.
pub const Windows = struct {
    /// Größe in Bytes.
    size: u32, // 32 bit
    @"größe": u8,

    pub fn of(
        text: []const u8,
    ) Windows {
        return .{ .size = @intCast(text.len), .@"größe" = 0 };
    }
};

pub const @"日" = 1;
fn tail() void {}
