package sys

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// LandlockABI is the version of landlock that the kernel offers, 0 for none.
func LandlockABI() int {
	v, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return 0
	}
	return int(v)
}

// LandlockFixed reports whether an erratum of landlock, counted from 1, is fixed in
// this kernel.
func LandlockFixed(erratum int) bool {
	fixed, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_ERRATA)
	return errno == 0 && fixed&(1<<(erratum-1)) != 0
}

// NewLandlock makes a ruleset that refuses the given kinds of access to files,
// unless a rule allows them, and has the given scopes. The descriptor closes on
// exec and is the caller's.
func NewLandlock(files, scopes uint64) (fd int, err error) {
	attr := unix.LandlockRulesetAttr{Handled_access_fs: files, Scoped: scopes}
	// SAFETY: attr lives on this stack until the call returns; the kernel reads as
	// much as it has. One that knows fewer fields wants the others to be zero.
	r, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr), 0)
	if errno != 0 {
		return -1, os.NewSyscallError("landlock_create_ruleset", errno)
	}
	return int(r), nil
}

// LandlockAllow adds a rule: the file that is open as fd, and all below it if it is
// a folder, may be used in the given ways.
func LandlockAllow(ruleset, fd int, access uint64) error {
	rule := unix.LandlockPathBeneathAttr{Allowed_access: access, Parent_fd: int32(fd)}
	// SAFETY: rule lives on this stack until the call returns; the kernel reads the
	// two fields.
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(ruleset), unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
	if errno != 0 {
		return os.NewSyscallError("landlock_add_rule", errno)
	}
	return nil
}

// LandlockRestrict puts the calling thread, and all that is forked from it later,
// under a ruleset, for good. The thread must have no new privileges.
func LandlockRestrict(ruleset int) error {
	_, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, uintptr(ruleset), 0, 0)
	if errno != 0 {
		return os.NewSyscallError("landlock_restrict_self", errno)
	}
	return nil
}
