// Package sky knows what the weather is like.
package sky

import (
	"errors"
	"fmt"
	"sort"
)

// Degrees are of Celsius.
type Degrees float64

const (
	Freezing Degrees = 0
	Boiling  Degrees = 100
)

// ErrNoReports is returned when there is nothing to tell.
var ErrNoReports = errors.New("no reports")

var count int

// A Report says what it was like at a place.
type Report struct {
	Place string
	Temp  Degrees
	Wind  struct {
		Speed   float64
		Bearing int
	}
}

// Source gives reports.
type Source interface {
	Reports() ([]Report, error)
	fmt.Stringer
}

func (d Degrees) String() string {
	return fmt.Sprintf("%.1f °C", float64(d))
}

// IsFrost tells whether water freezes.
func (r *Report) IsFrost() bool {
	return r.Temp < Freezing
}

type byTemp []Report

func (b byTemp) Len() int           { return len(b) }
func (b byTemp) Less(i, j int) bool { return b[i].Temp < b[j].Temp }
func (b byTemp) Swap(i, j int)      { b[i], b[j] = b[j], b[i] }

// Coldest is the report of the lowest temperature.
func Coldest(s Source) (Report, error) {
	reports, err := s.Reports()
	if err != nil {
		return Report{}, err
	}
	if len(reports) == 0 {
		return Report{}, ErrNoReports
	}
	count++
	sort.Sort(byTemp(reports))
	return reports[0], nil
}

// Größer keeps the reports that are warmer.
func Größer(reports []Report, als Degrees) (kept []Report) {
	for _, r := range reports {
		if r.Temp > als {
			kept = append(kept, r)
		}
	}
	return kept
}
