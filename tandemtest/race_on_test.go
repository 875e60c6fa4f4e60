//go:build race

package tandemtest_test

const raceBuild = true
