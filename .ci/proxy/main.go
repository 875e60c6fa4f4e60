// Command proxy writes the modules of a working tree as a module proxy into a
// folder, so that `go install …/cmd/tandem@version` can be tried before a
// version is published. It is a module of its own: what it needs never becomes
// a dependency of the library.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

func main() {
	root := flag.String("root", "", "folder of the working tree")
	out := flag.String("out", "", "folder to write the proxy to")
	version := flag.String("version", "", "version under which every module is served, such as v0.1.0")
	flag.Parse()
	if *root == "" || *out == "" || *version == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(*root, *out, *version); err != nil {
		fmt.Fprintln(os.Stderr, "proxy:", err)
		os.Exit(1)
	}
}

// run serves every module of the tree at version, and also at each version that
// another module of the tree requires: before the first release these
// requirements name a version that nobody has published.
func run(root, out, version string) error {
	folders, err := modules(root)
	if err != nil {
		return err
	}
	versions := map[string]map[string]bool{} // module path → versions to serve
	files := map[string]*modfile.File{}
	for _, folder := range folders {
		data, err := os.ReadFile(filepath.Join(folder, "go.mod"))
		if err != nil {
			return err
		}
		f, err := modfile.Parse(filepath.Join(folder, "go.mod"), data, nil)
		if err != nil {
			return err
		}
		files[folder] = f
		versions[f.Module.Mod.Path] = map[string]bool{version: true}
	}
	for _, f := range files {
		for _, r := range f.Require {
			if v, ours := versions[r.Mod.Path]; ours {
				v[r.Mod.Version] = true
			}
		}
	}
	for folder, f := range files {
		for v := range versions[f.Module.Mod.Path] {
			m := module.Version{Path: f.Module.Mod.Path, Version: v}
			if err := serve(folder, out, m); err != nil {
				return fmt.Errorf("%s: %w", m, err)
			}
			fmt.Println(m)
		}
	}
	return nil
}

// modules lists the folders of the tree that have a go.mod. Folders that begin
// with a dot or an underscore hold no module that anyone can import.
func modules(root string) ([]string, error) {
	var folders []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch name := d.Name(); {
		case err != nil:
			return err
		case d.IsDir() && path != root && (strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")):
			return filepath.SkipDir
		case !d.IsDir() && name == "go.mod":
			folders = append(folders, filepath.Dir(path))
		}
		return nil
	})
	return folders, err
}

// serve writes the four files by which the go command knows one version.
func serve(folder, out string, m module.Version) (err error) {
	path, err := module.EscapePath(m.Path)
	if err != nil {
		return err
	}
	dir := filepath.Join(out, filepath.FromSlash(path), "@v")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	mod, err := os.ReadFile(filepath.Join(folder, "go.mod"))
	if err != nil {
		return err
	}
	base := filepath.Join(dir, m.Version)
	info := fmt.Sprintf("{\"Version\":%q,\"Time\":%q}\n", m.Version, time.Now().UTC().Format(time.RFC3339))
	list, err := os.OpenFile(filepath.Join(dir, "list"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(list, m.Version)
	if err := errors.Join(err, list.Close()); err != nil {
		return err
	}
	if err := os.WriteFile(base+".info", []byte(info), 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(base+".mod", mod, 0o644); err != nil {
		return err
	}
	archive, err := os.Create(base + ".zip")
	if err != nil {
		return err
	}
	// The rules of a published module hold here too: nested modules and links
	// stay out, names that some system cannot store are refused.
	return errors.Join(zip.CreateFromDir(archive, m, folder), archive.Close())
}
