package main

import (
	"context"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v3"
	"golang.org/x/term"

	"github.com/tandem-go/tandem/cmd/tandem/tour"
	"github.com/tandem-go/tandem/course"
	"github.com/tandem-go/tandem/course/all"
)

func tourCommand() *cli.Command {
	return &cli.Command{
		Name:      "tour",
		Usage:     "play the lessons: all, or those that are named",
		ArgsUsage: "[lesson ...]",
		Description: `Without names the tour begins with its index and plays all lessons. A
lesson is named by its id, its number or its folder: L05, 5, globals. A
lesson that is named is shown with its program.

On a terminal each lesson asks a question to guess first. Enter goes on,
a runs on without asking, q quits.

The language is chosen by --lang, else by TANDEM_LANG, LC_ALL,
LC_MESSAGES or LANG. NO_COLOR turns colours off.`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "all", Usage: "run through without asking"},
			&cli.BoolFlag{Name: "list", Usage: "print the index only"},
			&cli.BoolFlag{Name: "code", Usage: "show the program of every lesson"},
			&cli.BoolFlag{Name: "json", Usage: "print one JSON object a line: what was measured"},
			&cli.StringFlag{Name: "lang", Usage: "speak `LANGUAGE`: en or zh"},
			&cli.StringFlag{Name: "html", Usage: "write the whole run as one page to `FILE`"},
			&cli.StringFlag{Name: "svg", Usage: "write the lanes of the lessons as a picture to `FILE`"},
		},
		ShellComplete: func(ctx context.Context, c *cli.Command) {
			for _, l := range all.Lessons {
				io.WriteString(c.Root().Writer, l.ID+"\n")
			}
			cli.DefaultCompleteWithFlags(ctx, c)
		},
		Action: takeTour,
	}
}

func takeTour(ctx context.Context, c *cli.Command) error {
	out := c.Root().Writer
	t := &tour.Tour{
		All: all.Lessons, Lessons: all.Lessons, Out: out,
		Code: c.Bool("code"), JSON: c.Bool("json"), HTML: c.String("html"), SVG: c.String("svg"),
		Lang: tour.LangOf(os.Getenv),
	}
	if l := c.String("lang"); l != "" {
		lang, ok := tour.ParseLang(l)
		if !ok {
			return usagef("tandem tour: there is no language %q; use en or zh", l)
		}
		t.Lang = lang
	}
	if t.JSON && (t.HTML != "" || t.SVG != "") {
		return usagef("tandem tour: --json prints, --html and --svg write a file: choose one")
	}
	if c.Bool("list") {
		_, err := io.WriteString(out, strings.Join(tour.Index(all.Lessons, t.Lang), "\n")+"\n")
		return err
	}
	if names := c.Args().Slice(); len(names) > 0 {
		lessons, err := find(names)
		if err != nil {
			return err
		}
		t.Lessons, t.Code = lessons, !c.Bool("all") || t.Code
	} else {
		t.Index = true
	}
	if screen, ok := out.(*os.File); ok && term.IsTerminal(int(screen.Fd())) {
		t.Colours = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
		if !c.Bool("all") && term.IsTerminal(int(os.Stdin.Fd())) {
			t.Terminal = os.Stdin
		}
	}
	ok, err := t.Run(ctx)
	if err == nil && !ok {
		err = errBroken
	}
	return err
}

// find looks lessons up by id, number or folder.
func find(names []string) (lessons []*course.Lesson, err error) {
	for _, name := range names {
		l := lookup(name)
		if l == nil {
			return nil, usagef("tandem tour: there is no lesson %q; the lessons are %s to %s, \"tandem tour --list\" shows them",
				name, all.Lessons[0].ID, all.Lessons[len(all.Lessons)-1].ID)
		}
		lessons = append(lessons, l)
	}
	return lessons, nil
}

func lookup(name string) *course.Lesson {
	name = strings.ToLower(name)
	for _, l := range all.Lessons {
		number, short, _ := strings.Cut(l.Folder, "-")
		switch name {
		case strings.ToLower(l.ID), number, strings.TrimPrefix(number, "0"), short, l.Folder:
			return l
		}
	}
	return nil
}
