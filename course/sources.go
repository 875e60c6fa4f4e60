package course

import "embed"

// The programs and what the course itself says stand in the lessons' folders;
// they are embedded here because a go:embed cannot reach up or out of a
// module, and because the command that shows them is a module of its own.
//
//go:embed */main.go */course.py */course.txt
var files embed.FS

// Source returns the lesson's program, main.go.
func (l *Lesson) Source() string { return l.file("main.go") }

// Course returns what the course itself has under this heading: the name of
// the file, course.py for a program and course.txt for words, and its text.
// Both are empty for a lesson that the course does not have.
func (l *Lesson) Course() (name, text string) {
	for _, name := range []string{"course.py", "course.txt"} {
		if text := l.file(name); text != "" {
			return name, text
		}
	}
	return "", ""
}

func (l *Lesson) file(name string) string {
	b, err := files.ReadFile(l.Folder + "/" + name)
	if err != nil {
		return "" // a folder has a program or words, not both
	}
	return string(b)
}
