<?php
namespace Old;
/**
 * First.
 * @return int
 */
function first()
{
    return 1;
}

namespace Newer;

class Thing { public $a, $b; }
class Broken {
    function ok() {}
    function half( {
    public $x
    function last() { foo(
