//go:build !unix

package sys

import "errors"

// LimitFiles is not offered on this system.
func LimitFiles(n int) error { return errors.ErrUnsupported }

// CanLimitFiles reports whether LimitFiles works here.
const CanLimitFiles = false
