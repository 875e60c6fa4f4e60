module github.com/tandem-go/tandem/bench

go 1.26.0

require (
	github.com/tandem-go/tandem v0.0.0
	golang.org/x/sys v0.49.0
)
