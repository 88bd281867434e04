/** The shop's module. */
@Deprecated
open module com.example.shop {
    requires transitive java.sql;
    requires static com.example.util;
    exports com.example.shop.api to com.example.ui;
    provides com.example.Plugin with com.example.shop.Impl;
}
