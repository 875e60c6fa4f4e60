//go:build !race

package shared_test

func races() int { return 0 }
