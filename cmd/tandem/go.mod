module github.com/tandem-go/tandem/cmd/tandem

go 1.26.0

require (
	github.com/tandem-go/tandem v0.0.0
	github.com/urfave/cli/v3 v3.14.0
	golang.org/x/sys v0.49.0
	golang.org/x/term v0.47.0
)
