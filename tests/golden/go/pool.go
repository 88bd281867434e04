// Copyright 2024 The Pool Authors.
// Not a doc: a blank line follows.

//go:build linux && !race

// Package pool keeps a bounded set of workers.
//
// It has two lines.
package pool

import (
	"context"
	"fmt"
	stdlog "log"
	. "math"
	_ "net/http/pprof"
	`strings`
)

import "sync"

// MaxWorkers is how many there may be.
const MaxWorkers, MinWorkers = 64, 1

// States of a worker.
const (
	// Idle waits.
	Idle State = iota
	Busy // works
	Gone /* left */
	_
	last
)

const typed, other string = "const (", "fake = 1"

var (
	errClosed, errFull error = fmt.Errorf("closed"), nil

	// registry of all pools.
	registry = map[string]*Pool{
		"default": {size: 1},
	}
	_ fmt.Stringer = (*Pool)(nil)
)

var defaultLogger = func() *stdlog.Logger {
	hidden := 1
	const inner = 2
	var local = hidden + inner
	return stdlog.New(nil, "", local)
}()

var config struct {
	// Verbose tells more.
	Verbose bool
}

type State uint8

type Worker = worker

// worker does one job at a time.
type worker struct {
	sync.Mutex
	*base
	Queue[int]
	other.Generic[string, error]

	id, age int    `json:"id"` // both
	name    string // as in logs
	done    chan<- struct{}
	nested  struct {
		deep  int
		table map[string]struct {
			Cell float64
		}
	}
	run func(ctx context.Context) (err error)
}

type (
	// Job is what a worker runs.
	Job interface {
		fmt.Stringer
		Sized[int]
		closer
		// Run does it.
		Run(ctx context.Context,
			args ...any) error
		name() (string, bool)
	}

	// Number is a constraint.
	Number interface {
		~int | ~int64 |
			~float64
		comparable
	}

	Handler func(w *worker, j Job) error

	Queue[T any] struct {
		items []T
		head  *node[T]
	}

	Matrix [3][3]float64
	rows   []struct{ Key, Value string }
	empty  struct{}
)

// Pool is a set of workers.
type Pool struct{ size int }

// New makes a pool of n workers.
func New(n int) *Pool {
	type option struct {
		key string
	}
	fake := "func Fake() {}"
	raw := `
func AlsoFake() {}
type Nope struct{}
`
	_, _ = fake, raw
	go func() {
		defer recover()
		Map[int, string](nil, strings.ToUpper)
	}()
	return &Pool{size: int(Max(float64(n), 1))}
}

/* Start begins.
 * And goes on. */
func (p *Pool) Start(ctx context.Context, jobs <-chan Job,
	opts ...func(*Pool)) (n int, err error) {
	p.start()
	(p.start)()
	for range 3 {
		p.workers().each(func(w *worker) { w.Lock() })
	}
	return
}

//go:noinline
func (p Pool) String() string { return "pool" }

func (Pool) anonymous() {}

func (*Pool) anonymousPointer() {}

func (q *Queue[T]) Push(v T) { q.items = append(q.items, v) }

func (q Queue[_]) Len() int { return len(q.items) }

func (p *(Pool)) odd() {}

// Map is generic.
func Map[K comparable, V any](in map[K]V, f func(K) V) (out []V) {
	return nil
}

func init() { registry = nil }

func init() {}

// assembly has its body elsewhere.
func assembly(p *byte, n int) (r1, r2 uintptr)

func Größe(наименование string) (länge int) { return 0 }

// A comment that stands alone.

func (w *worker) 世界() {}

func TestTable(t *testing.T) {
	for _, c := range []struct{ in, out string }{{"a", "b"}} {
		_ = c
	}
}
