package tour

import "strings"

// paint colours a row for a terminal. Colour only repeats what the row says
// already: every mark is there without it.
func paint(row string, colours bool) string {
	if !colours {
		return row
	}
	const (
		bold   = "\x1b[1m"
		green  = "\x1b[32m"
		red    = "\x1b[31m"
		yellow = "\x1b[33m"
		reset  = "\x1b[0m"
	)
	for mark, colour := range map[string]string{"[ok]": green, "[!!]": red, "[skip]": yellow, "  ?  ": yellow} {
		if rest, found := strings.CutPrefix(row, mark); found {
			return colour + mark + reset + rest
		}
	}
	if isHeading(row) {
		return bold + row + reset
	}
	if open := strings.IndexByte(row, '|'); open >= 0 && strings.HasSuffix(row, "|") {
		return row[:open] + green + row[open:] + reset
	}
	return row
}

// isHeading holds for a screen's first row: "L05  ...".
func isHeading(row string) bool {
	return len(row) > 5 && row[0] == 'L' && row[3:5] == "  "
}
