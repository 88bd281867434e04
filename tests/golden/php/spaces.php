<?php
namespace One {
    class A {}
    $local = 1;
}
namespace Two\Three {
    // Of the second.
    class A extends \One\A {}
    function go() {}
}
namespace {
    class Root {}
}
