module github.com/tandem-go/tandem/examples/native

go 1.26.0

require github.com/tandem-go/tandem v0.0.0

require golang.org/x/sys v0.49.0 // indirect
