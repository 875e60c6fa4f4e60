package doctor

import (
	"errors"
	"fmt"
	"runtime"
	"strings"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/sys"
)

// machine tells about processors and memory.
func machine() []Row {
	rows := []Row{{"cores", runtime.NumCPU(), ""}, affinity()}
	if q, ok := sys.CPUQuota(); ok {
		rows = append(rows, Row{"quota", q, fmt.Sprintf("%.2f processors", q)})
	} else {
		rows = append(rows, Row{"quota", nil, "none"})
	}
	rows = append(rows, Row{"usable", tandem.CPUs(), fmt.Sprintf("%d, the default size of a pool", tandem.CPUs())})
	return append(rows, memory()...)
}

func affinity() Row {
	cpus, err := sys.Affinity(0)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return Row{"affinity", nil, "not on this system"}
	case err != nil:
		return Row{"affinity", nil, "unknown: " + err.Error()}
	}
	return Row{"affinity", len(cpus), fmt.Sprintf("%d: %s", len(cpus), ranges(cpus))}
}

// ranges writes sorted numbers as 0-3,6.
func ranges(list []int) string {
	var parts []string
	for i := 0; i < len(list); {
		j := i
		for j+1 < len(list) && list[j+1] == list[j]+1 {
			j++
		}
		if i == j {
			parts = append(parts, fmt.Sprint(list[i]))
		} else {
			parts = append(parts, fmt.Sprintf("%d-%d", list[i], list[j]))
		}
		i = j + 1
	}
	return strings.Join(parts, ",")
}
