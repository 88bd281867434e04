/*
 * Copyright: not a doc.
 */
package com.example.shop;

import java.util.*;
import java.util.function.Function;
import static java.lang.Math.max;
import static com.example.Util.*;

/**
 * A shop that sells {@code T}.
 *
 * @param <T> what is sold
 */
@Entity(name = "shop", value = {"class Fake {", "}"})
@Deprecated
public abstract class Shop<T extends Comparable<? super T>, K>
    extends Base.Inner<T> implements Runnable, Iterable<T>, a.b.Closable {

    private static final long serialVersionUID = 1L;
    /** How many. */
    public static final int MAX = 3, MIN = -1; // limits
    final static String TEXT = """
        class NotReal { void no() {} }
        """;
    protected int count, sizes[] = {1, 2}; // of things
    @Inject private volatile Map<String, List<int[]>> byName = new HashMap<>() {{ put("a", null); }};
    private final Comparator<T> order = new Comparator<T>() {
        private int calls;

        @Override
        public int compare(T a, T b) {
            return a.compareTo(b);
        }
    };
    private final Function<T, String> show = t -> { int local = 1; return t + "" + local; };

    static {
        init();
    }

    { count = 1; }

    // What comes first.
    public Shop(int count) throws IllegalStateException {
        this(count, "x");
    }

    <X> Shop(int count, String name) { super(count); }

    /** Gets one. */
    @Override @SuppressWarnings("unchecked")
    public <R extends T> R get(final int index,
                               String... names) throws java.io.IOException, Oops {
        class Local implements Runnable {
            int depth;
            public void run() { go(depth); }
        }
        new Thread(new Local()).start();
        Runnable r = new a.b.Task<String>(1) { @Override public void run() { super.run(); } };
        names.stream().map(String::valueOf).map(this::trim).forEach(ArrayList<String>::new);
        enum Mode { ON, OFF }
        return (R) Util.<T>pick(index).orElseThrow(Oops::new);
    }

    abstract void none();

    native int nat(byte[] b)[];

    synchronized strictfp final void /* odd */ spaced ( ) { }

    void get() { }

    void get(String s) { }

    /** Colours. */
    public enum Color implements Named, Comparable2<Color> {
        /** Like blood. */
        RED(1),
        @Deprecated GREEN(2) {
            @Override int mix() { return 1; }
        },
        BLUE; // sky

        private final int code;
        static final Color DEFAULT = RED;

        Color() { this(0); }

        Color(int code) { this.code = code; }

        int mix() { return code; }

        interface Visitor { void visit(Color c); }
    }

    enum Empty { }

    public sealed interface Shape<S> extends Named, java.util.Comparator<S> permits Circle, Square {
        int CORNERS = 4, EDGES = 4;
        double area();
        default String describe() { return "Shape"; }
        static Shape<?> of() { return null; }
        private void helper() { }
    }

    @Retention(RetentionPolicy.RUNTIME)
    @interface Marker {
        String value() default "none";
        Class<?>[] types() default {};
        int LIMIT = 1;
    }

    /**
     * A point.
     */
    record Point<N extends Number>(@NonNull N x, N y, int... more) implements Named {
        static int made;

        Point {
            if (x == null) throw new NullPointerException();
        }

        Point(N both) { this(both, both); }

        double length() { return Math.hypot(x.doubleValue(), y.doubleValue()); }
    }

    static final class Größe extends Exception { int größe_ß = 1; void 长度() { } }
}

class Second { }

@interface TopLevel { }
