package broken

func before() int { return 1 }

type half struct {
	a int
	b

func (h *half) method() {
	if x := h.a; x > {
		return
	}
}

func unclosed(a int, b {
	return a
}

// fine is fine.
func fine() {}

var after = 3

func (
