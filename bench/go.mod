module github.com/tandem-go/tandem/bench

go 1.26.0
