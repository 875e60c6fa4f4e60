package spawn

import "os"

// Helper starts this program's binary in a part of its own, beside the program: name
// is what ps shows, files are its descriptors from 0 on. It leads a session, so that no
// terminal reaches it, and outlives the program until it ends itself.
func Helper(role, name string, files []*os.File) (*Proc, error) {
	path, err := self()
	if err != nil {
		return nil, err
	}
	return launch(path, []string{name}, &os.ProcAttr{
		Dir: "/", Env: []string{marker + "=" + role, "GOMAXPROCS=1"}, Files: files,
	}, false, &Command{})
}

// Plays reports whether this process was started as that Helper. The package that
// started it asks in its initialisation, and then does not return from it.
func Plays(helper string) bool { return role == helper }
