package main

import (
	"fmt"
	"os"

	"example.org/weather/internal/sky"
)

type fixed []sky.Report

func (f fixed) Reports() ([]sky.Report, error) { return f, nil }

func (f fixed) String() string { return fmt.Sprint(len(f)) }

func run(s sky.Source) error {
	coldest, err := sky.Coldest(s)
	if err != nil {
		return err
	}
	fmt.Println(coldest.Place, coldest.Temp, coldest.IsFrost())
	return nil
}

func main() {
	if err := run(fixed{{Place: "Jena", Temp: 7}}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
