#!/usr/bin/env php
<?php
# File header.
declare(strict_types=1);

namespace App\Models;

use Psr\Log\LoggerInterface as Logger, Countable;
use function App\Support\{tap, value as v};
use const PHP_EOL;

require_once __DIR__ . '/boot.php';
include("lib.php");

/** How many. */
const LIMIT = 10, STEP = 2;
define('APP_ROOT', dirname(__FILE__));
$registry = []; // all of them
$registry = ['class Fake {}'];

/**
 * A user.
 *
 * @property int $id
 */
#[Entity(table: 'users')]
#[Index(['a', 'b'])]
abstract class User extends Model implements \JsonSerializable, Countable
{
    use SoftDeletes, Notifies {
        Notifies::send as protected deliver;
    }

    /* Two of one declaration. */
    public const ACTIVE = 1, GONE = self::ACTIVE << 1;
    final protected const string LABEL = 'user';
    public static ?int $count = 0, $last;
    protected readonly array $rows; // what was read
    var $legacy = array(
        'a' => 1,
    );
    public string $name { get => ucfirst($this->raw); set(string $v) { $this->raw = $v; } }

    /** Makes one. */
    public function __construct(
        private readonly int $id,
        protected ?string $mail = null, // may lack
        $plain = 3,
    ) {
        parent::__construct();
        $local = fn(int $x): int => $x + $this->id;
        $this->rows = array_map(function ($row) { return new Row($row); }, []);
    }

    // Finds by key.
    #[Pure] public static function &find(int|string ...$keys): ?static
    {
        return static::query()?->where($keys)->first() ?? new static(1);
    }

    abstract protected function pack(): void;
    function __toString() { return "function no() { {$this->id} }"; }
    public function list() { return <<<HTML
        class Inside { function nor() {} }
        HTML;
    }
}

final readonly class Point { public function __construct(public int $x = 0, public int $y = 0) {} }

interface HasColor extends A, \B\C { const DEEP = 1; public function color(): string; }

trait Notifies
{
    private static $sent = 0;
    abstract function to();
    public function send() { self::log(); \App\notify($this->to()); Mail::queue(new \App\Mail()); }
}

enum Suit: string implements HasColor
{
    use Notifies;
    /** Red. */
    case Hearts = 'H';
    case Spades = 'S';
    const Wild = self::Spades;
    public function color(): string { return match ($this) { self::Hearts => 'Red', default => 'Black' }; }
}

function outer(array &$list, callable $fn = null): iterable
{
    static $calls = 0;
    $temp = 1;
    define('DEEP', 2);
    function inner() { yield 1; }
    return new class($list) extends Base implements HasColor {
        public $in;
        public function color(): string { return ''; }
    };
}

if (!function_exists('größe')) {
    function größe(string $übung): int { return mb_strlen($übung); }
}

$handler = static function ($event) use ($registry) {
    dispatch($event);
};
$twice = fn($x) => $x * 2;

?>
<html>
<!-- function notHere() {} -->
<?php foreach ($registry as $item): ?>
  <li><?= e($item->name()) ?></li>
<?php endforeach; ?>
<?php function afterHtml() { ?>
  <p>class Nope {}</p>
<?php } ?>
</html>
