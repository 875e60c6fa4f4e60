//go:build linux

package main

import (
	_ "embed"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/tandem-go/tandem/bench/internal/drive"
)

//go:embed rivals.py
var pythonScript []byte

var pythonCalls = []string{drive.Echo, drive.Record, drive.Calls, drive.Map, drive.Serial, drive.Payload}

// Python, when there is one. Pools are made by fork, its fastest way.
var pythons = []contender{
	python("Python Pool", "pool", "multiprocessing.Pool: apply; map with its default chunks", pythonCalls...),
	python("Python Executor", "executor", "ProcessPoolExecutor: submit().result(); map with its default chunk of 1", pythonCalls...),
	python("Python Executor 1024", "executor-1024", "ProcessPoolExecutor.map with chunks of 1024", drive.Map, drive.Serial),
	python("Python SharedMemory", "shared-memory", "one copy into a segment that is there, then Pool.apply attaches to it", drive.Payload),
	python("Python fork", "fork", "Process; for idle workers, a Pool", drive.Start, drive.Crowd),
	python("Python forkserver", "forkserver", "Process; for idle workers, a Pool", drive.Start, drive.Crowd),
	python("Python spawn", "spawn", "Process; for idle workers, a Pool", drive.Start, drive.Crowd),
	python("Python pickle", "pickle", "dumps and loads, the latest protocol", drive.Codec),
	python("Python Lock", "lock", "acquire and release of multiprocessing.Lock around a plain int; for two owners around a RawValue, most of whose figure is the counting", drive.Lock),
}

func python(name, arg, note string, can ...string) contender {
	return contender{
		name: name, family: familyPython, note: note, can: can,
		lacks: func(t tools) string {
			if t.Python == "" {
				return "no python3"
			}
			return ""
		},
		open: func(t tools, workers int) (drive.Session, error) {
			return remote(t.Python, t.Script, arg, strconv.Itoa(workers))
		},
	}
}

// findPython looks for an interpreter that really starts, the given one or the
// ones with the best known names, and writes the script into a folder.
func findPython(given, folder string) (t tools, err error) {
	names := []string{given}
	if given == "" {
		names = nil
		for _, name := range []string{"python3.13", "python3.14", "python3.12", "python3"} {
			names = append(names, name)
			if home, err := os.UserHomeDir(); err == nil { // pyenv's shim refuses what is installed but not chosen
				installed, _ := filepath.Glob(filepath.Join(home, ".pyenv/versions/*/bin", name))
				names = append(names, installed...)
			}
		}
	}
	for _, name := range names {
		out, err := exec.Command(name, "-c", "import sys, multiprocessing.shared_memory; print(sys.executable); print(sys.version.split()[0])").Output()
		if lines := strings.Fields(string(out)); err == nil && len(lines) == 2 {
			t.Python, t.Version = lines[0], lines[1] // not a shim that looks for it at each start
			break
		}
	}
	t.Script = filepath.Join(folder, "rivals.py")
	return t, os.WriteFile(t.Script, pythonScript, 0o600)
}
