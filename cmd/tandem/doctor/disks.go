package doctor

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tandem-go/tandem/internal/sys"
)

// ioClasses tells whether I/O classes can be set, and whether any disk heeds them.
func ioClasses() Row {
	const name, without = "I/O class", "none: Config.IOClass is refused with errors.ErrUnsupported"
	if !sys.CanRankIO() {
		return way(name, errors.ErrUnsupported, "", without)
	}
	use := schedulers()
	with := "ioprio_set; "
	switch {
	case len(use) == 0:
		with += "which schedulers the disks have is not known"
	case slices.Contains(use, "bfq") || slices.Contains(use, "mq-deadline"):
		with += "the disks' schedulers are " + strings.Join(use, ", ") + ": bfq heeds it, mq-deadline the class"
	default:
		with += "the disks' schedulers are " + strings.Join(use, ", ") + ", which do not heed it"
	}
	return way(name, nil, with, without)
}

// schedulers are those in use, in alphabetical order.
func schedulers() []string {
	found := map[string]bool{}
	files, _ := filepath.Glob("/sys/block/*/queue/scheduler")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		// "[none] mq-deadline kyber": the one in use is in brackets, unless it is the only one.
		used := strings.TrimSpace(string(text))
		if _, rest, ok := strings.Cut(used, "["); ok {
			used, _, _ = strings.Cut(rest, "]")
		}
		if used != "" {
			found[used] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}
