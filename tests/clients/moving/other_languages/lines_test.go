package lines

import (
	"strings"
	"testing"
)

const text = "to\nbe\nor\nnot\nto be"

// Copies each line of a text.
func lines(text string) []string {
	var copies []string
	for _, line := range strings.Split(text, "\n") {
		copies = append(copies, strings.Clone(line))
	}
	return copies
}

var sink []string

func TestEachLineIsCopiedOnce(t *testing.T) {
	average := testing.AllocsPerRun(100, func() {
		sink = lines(text)
	})
	if average > 10 {
		t.Errorf("%v allocations, at most 10 are allowed", average)
	}
}

func BenchmarkLines(b *testing.B) {
	b.ReportAllocs()
	for i := 0; i < b.N; i++ {
		sink = lines(text)
	}
}
