// Package stamp is a module of its own within the other's folder.
package stamp

import "time"

// Layout is how days are written.
const Layout = "2006-01-02"

type clock func() time.Time

// Day is today by that clock.
func (c clock) Day() string {
	return c().Format(Layout)
}
