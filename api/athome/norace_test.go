//go:build !race

package athome_test

const raceEnabled = false
