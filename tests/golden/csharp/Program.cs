namespace Tools.Cli;

using Shop.Model;

/// <summary>Runs it.</summary>
/// <remarks>Twice.</remarks>
public static class Program
{
    /**
     * Starts.
     * @param args words
     */
    public static int Main(string[] args)
    {
        return args.Length;
    }
}

public enum Mode { Fast, Slow }
