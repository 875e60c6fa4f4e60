//go:build race

package tandemtest

const raceBuild = true
