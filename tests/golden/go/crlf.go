package crlf

// T has
// two lines.
type T struct {
	a int // one
	b string
}

func (t T) Get(x int,
	y int) int {
	return 0
}
