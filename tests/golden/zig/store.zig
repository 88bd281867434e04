//! A small store of values: the file is a struct itself.
//! fn inDoc() void {} is not a function.
const std = @import("std");
const builtin = @import("builtin");
const mem = std.mem;
const Allocator = mem.Allocator;

/// What others find under our name.
pub const codec = @import("codec.zig");
pub const Version = @import("Version.zig");
pub usingnamespace @import("compat.zig");
usingnamespace codec.Mixin(u8);

// A field of the file.
allocator: Allocator,
/// How many are in use.
count: usize = 0,

pub const max_entries: usize = 1 << 16;
const page_size = if (builtin.cpu.arch == .wasm32) 65536 else 4096;
const EMPTY = "";
const banner =
    \\pub fn notAFunction() void {}
    \\const not_a_constant = 1;
;
var generation: u32 = 0; // since the start
pub threadlocal var last_error: ?anyerror = null;
extern const environ: [*:null]?[*:0]u8;
pub extern "c" var errno: c_int;

pub const Handle = *opaque {};
pub const Callback = *const fn (entry: *Entry, user: ?*anyopaque) callconv(.C) void;
pub const DWORD = u32;
pub const Names = std.StringHashMap([]const u8);
const Path = []const u8;
const Self = @This();

/// An entry of the store.
///
/// Two lines are one text.
pub const Entry = struct {
    /// The key it is under.
    key: []const u8,
    value: Value = .none, // nothing at first
    flags: packed struct(u8) {
        dirty: bool,
        pinned: bool,
        _: u6 = 0,
    } = .{},
    comptime size: usize = 8,
    @"type": u8,
    next: ?*Entry,

    pub const zero: Entry = .{ .key = "", .@"type" = 0, .next = null };
    const Ref = *Entry;
    var pool: [4]Entry = undefined;

    /// Makes one.
    pub fn init(key: []const u8) Entry {
        const local = Entry{ .key = key, .@"type" = 1, .next = null };
        var copy = local;
        return copy;
    }

    pub inline fn isDirty(self: *const Entry) bool {
        return self.flags.dirty;
    }

    fn @"odd name"(self: Ref) void {
        _ = self;
    }

    /// Inner types count.
    pub const Iterator = struct {
        at: ?*Entry,

        pub fn next(it: *Iterator) ?*Entry {
            const e = it.at orelse return null;
            it.at = e.next;
            return e;
        }
    };
};

pub const Value = union(enum) {
    none,
    int: i64,
    /// Text, borrowed.
    text: []const u8,
    pair: struct { first: *Value, second: *Value },
    type: u8,

    pub fn format(v: Value, writer: anytype) !void {
        switch (v) {
            .none => try writer.writeAll("none"),
            .int => |n| try writer.print("{d}", .{n}),
            else => {},
        }
    }
};

pub const Mode = enum(u8) {
    read,
    /// Writes, too.
    write = 2,
    @"read write",
    _,

    pub const default: Mode = .read;

    pub fn canWrite(m: Mode) bool {
        return m != .read;
    }
};

/// What can go wrong.
pub const Error = error{
    /// It is not there.
    NotFound,
    Busy,
};
pub const OpenError = error{ TooLarge, Corrupt } || Error || std.fs.File.OpenError;

const Pair = struct { u8, []const u8 };
const Unused = packed union { a: u16, b: i16 };

/// A list of T: a function that returns a type.
pub fn List(comptime T: type) type {
    const width = @sizeOf(T);
    return struct {
        items: []T = &.{},
        capacity: usize = 0,

        pub const Item = T;
        pub const item_size = width;
        var live: usize = 0;
        const Own = @This();

        /// Adds one at the end.
        pub fn append(self: *Own, gpa: Allocator, item: T) Allocator.Error!void {
            try self.ensure(gpa, self.items.len + 1);
            self.items.len += 1;
            self.items[self.items.len - 1] = item;
        }

        fn ensure(self: *Own, gpa: Allocator, n: usize) !void {
            if (n <= self.capacity) return;
            const Grown = struct {
                fn size(old: usize) usize {
                    return @max(8, old * 2);
                }
            };
            const bigger = try gpa.realloc(self.items, Grown.size(n));
            _ = bigger;
        }
    };
}

const Impl = switch (builtin.os.tag) {
    .linux => struct {
        fd: i32,
        fn open(path: Path) !i32 {
            return std.os.open(path, 0, 0);
        }
    },
    else => struct {},
};

extern "kernel32" fn GetLastError() callconv(std.os.windows.WINAPI) DWORD;
pub extern fn puts(s: [*:0]const u8) c_int;
export fn store_version() u32 {
    return generation;
}
noinline fn cold() noreturn {
    @panic("cold");
}
pub fn open(
    allocator: Allocator, // its own
    path: Path,
    comptime options: struct { mode: Mode = .read, lock: bool = false },
) OpenError!*Self {
    // const inComment = struct {};
    const self = try allocator.create(Self);
    errdefer allocator.destroy(self);
    const T = @TypeOf(options);
    _ = T;
    self.* = .{ .allocator = allocator };
    std.debug.print("fn inString() void {{}} {s}\n", .{path});
    const lessThan = struct {
        fn inner(_: void, a: u8, b: u8) bool {
            return a < b;
        }
    }.inner;
    std.sort.heap(u8, &[_]u8{}, {}, lessThan);
    return self;
}

comptime {
    std.debug.assert(@sizeOf(Entry) > 0);
    _ = List(u8).append;
}

test "an entry is found" {
    var list = List(u8){};
    try list.append(std.testing.allocator, 1);
    try std.testing.expectEqual(@as(usize, 1), list.items.len);
}

test open {
    _ = try open(std.testing.allocator, "größe.db", .{});
}

test {
    std.testing.refAllDecls(@This());
}
