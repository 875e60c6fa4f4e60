module github.com/tandem-go/tandem/examples

go 1.26.0
