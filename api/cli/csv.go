package cli

import (
	"bytes"
	"encoding/csv"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/mangadex-go/mangadex/api/reading"
)

const byteOrderMark = "\uFEFF"

// WriteCSV writes lines of cells for spreadsheet programs. It begins with a byte order mark, by which
// they recognise UTF-8. A cell that begins like a formula gets a ' in front, so that they do not run
// it; [ReadCSV] takes it away.
func WriteCSV(w io.Writer, lines [][]string) error {
	if _, err := io.WriteString(w, byteOrderMark); err != nil {
		return err
	}
	table := csv.NewWriter(w)
	for _, line := range lines {
		cells := make([]string, len(line))
		for i, cell := range line {
			cells[i] = guarded(reading.Line(cell))
		}
		table.Write(cells) //nolint:errcheck // Error tells
	}
	table.Flush()
	return table.Error()
}

// formulas are characters that begin one, in the forms of Latin and of Chinese and Japanese.
const formulas = "=+-@＝＋－＠"

// guarded puts a ' in front of what would be a formula: at the beginning, and behind a semicolon,
// which ends a cell for programs in many countries.
func guarded(cell string) string {
	var b strings.Builder
	b.Grow(len(cell) + 1)
	written, begins := 0, true
	for i := range len(cell) {
		if begins && isFormula(cell[i:]) {
			b.WriteString(cell[written:i] + "'")
			written = i
		}
		c := cell[i]
		begins = c == ';' || begins && (c == ' ' || c == '"' || c == '\'')
	}
	b.WriteString(cell[written:])
	return b.String()
}

// isFormula reports whether a text that is not empty begins like a formula.
func isFormula(text string) bool {
	if c := text[0]; c < utf8.RuneSelf {
		return strings.IndexByte(formulas, c) >= 0
	}
	r, _ := utf8.DecodeRuneInString(text)
	return r != utf8.RuneError && strings.ContainsRune(formulas, r)
}

// UTF8 is the text of a file in UTF-8 or, as its byte order mark tells, in UTF-16, without that mark.
func UTF8(content []byte) ([]byte, error) {
	content, _, err := transform.Bytes(unicode.BOMOverride(unicode.UTF8.NewDecoder()), content)
	return content, err
}

// ReadCSV reads what [WriteCSV] wrote, also after a spreadsheet program has saved it: with semicolons
// or tabs between the cells, empty cells and lines behind the others, or in UTF-16. All lines are made
// as long as the first.
func ReadCSV(content []byte) ([][]string, error) {
	content, err := UTF8(content)
	if err != nil {
		return nil, err
	}
	reader := csv.NewReader(bytes.NewReader(content))
	reader.Comma, reader.FieldsPerRecord = separator(content), -1
	lines, err := reader.ReadAll()
	if err != nil {
		return nil, err
	}
	kept := lines[:0]
	width := 0
	for _, line := range lines {
		for len(line) > 0 && strings.TrimSpace(line[len(line)-1]) == "" {
			line = line[:len(line)-1]
		}
		if len(line) == 0 {
			continue
		}
		if width == 0 {
			width = len(line)
		}
		for len(line) < width {
			line = append(line, "")
		}
		for i, cell := range line {
			line[i] = unguarded(strings.TrimSpace(cell))
		}
		kept = append(kept, line)
	}
	return kept, nil
}

func unguarded(cell string) string {
	if rest, ok := strings.CutPrefix(cell, "'"); ok && rest != "" && isFormula(rest) {
		return rest
	}
	return cell
}

// separator is what there is most of in the first line of a table.
func separator(content []byte) rune {
	first, _, _ := bytes.Cut(content, []byte("\n"))
	best, most := ',', 0
	for _, r := range ",;\t" {
		if n := bytes.Count(first, []byte(string(r))); n > most {
			best, most = r, n
		}
	}
	return best
}
