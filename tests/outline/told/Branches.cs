// Branches of #if that share a brace, a base list, attributes.
namespace Branches
{
#if NET
    [Serializable]
#endif
    public class First : Base
#if NET
        , IFirst
#else
        , IOther
#endif
    {
        public int Size;

        [Pure
#if NET
         , Hot
#endif
        ]
        public void Run() { }

        /// <summary>How many.</summary>
#if NET
        public override int Count {
#else
        public int Count {
#endif
            get { return Size; }
        }

#if NET
        public void Both() { Run(); }
#else
        public void Neither() { Run(); }
#endif

        void Steps()
        {
#if NET
            if (Size > 1) {
#else
            if (Size > 2) {
#endif
                Run();
            }
        }
    }

#if NET
    public static class Second {
#else
    public class Second {
#endif
        static int _last;
    }
}
