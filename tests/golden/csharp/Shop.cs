#nullable enable
// File header, about nothing below.

using System;
using static System.Math;
using Rows = System.Collections.Generic.List<Shop.Model.Row>;
extern alias Old;

[assembly: System.Reflection.AssemblyTitle("Shop")]

namespace Shop.Model
{
    /// <summary>What is sold.</summary>
    /// <typeparam name="T">Its key.</typeparam>
    [Serializable]
    [Obsolete("class Fake { }", error: false)]
    public abstract partial class Item<T> : Base<T>, IItem, Old::Other.IPriced<T>
        where T : class, new()
    {
        /* Two of one declaration. */
        private const int Max = 30, Min = -1;
        public static readonly string Title = "a { } \" class X", Empty;
        internal T? key; // behind it
        private readonly Dictionary<string, List<int>> _cache = new()
        {
            ["one"] = new() { 1 },
        };

        public event EventHandler? Changed;
        public event EventHandler Removed { add { Add(value); } remove { } }

        /// <summary>
        ///   The price, in cents.
        /// </summary>
        public decimal Price { get; private set; } = 3;
        public decimal Gross => Price * Rate(1);
        public string Name
        {
            get { return _name ?? Old.Find(this); }
            set => _name = value;
        }
        string IItem.Label => "x";
        public T this[int index] { get { return key!; } }

        static Item() { }
        public Item(T key) : base(key) { this.key = key; }
        public Item() : this(new T()) => Init();
        ~Item() { Close(); }

        [Pure]
        public virtual async Task<U> Find<U>(
            Func<T, U> pick, // how
            params object[] rest) where U : struct
        {
            int Twice(int x) { return x * 2; }
            const int local = 3;
            Rows rows = new(), more = null;
            await Log($"{pick(key)} class No {{ void Nor() {{ }} }}");
            return rows.Select(r => Map<U>(r)).First<U>();
        }

        public int Find(int a) => Twice(a);
        void IItem.Sell<Q>(in Q q, out int n) => n = q?.Count(1)?.Total() ?? 0;
        protected abstract void Pack();
        [DllImport("native")] static extern int native_call(IntPtr p);

        public static Item<T> operator +(Item<T> a, Item<T> b) => a;
        public static bool operator true(Item<T> a) { return true; }
        public static implicit operator int(Item<T> a) => 1;

        public delegate int Compare(T a, T b);

        [Flags]
        protected enum Color : byte
        {
            None = 0, // nothing
            Red = 1 << 0,
            /// Like grass.
            [Obsolete] Green,
        }

        private struct Point<P> : IEquatable<P> { public int x, y; public Point() { x = y = 0; } }

        public sealed class Inner : Item<T>.Nested, IDisposable
        {
            class Deep { void Down() { new Shop.Model.Row(1); } }
        }
    }

    interface IItem : IBase, Other<int>
    {
        string Label { get; }
        void Sell<Q>(in Q q, out int n);
        int Default() { return Sum(1, 2); }
        event Action Done;
    }

    public record Row(int Id, string? Text = null) : Base<int>(Id), IRow
    {
        public int Half => Id / 2;
    }
    public readonly record struct Pair(int A, int B);
    public class Simple(string path) : Reader(path);
}

namespace Größe.Übung { static class Ärger { public static void Öffne(string größe) { Öffne("ß𝔘"); } } }

#if NET8_0
internal class New
{
    #region Parts
#if TRACE
    int traced;
#else
    int untraced;
#endif
    #endregion
    string @class = @"a ""verbatim"" { }", raw = """
        class InRaw { }
        """;
    unsafe fixed byte bytes[16];
    nint* pointer; int[,] grid; (int a, string b) tuple; delegate*<int, void> call;
}
#endif
