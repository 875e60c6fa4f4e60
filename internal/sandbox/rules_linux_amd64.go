package sandbox

import (
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"

	"github.com/tandem-go/tandem/internal/sys"
)

const (
	devices = unix.LANDLOCK_ACCESS_FS_MAKE_CHAR | unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK
	reading = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR
	// A file that a task has written is not executed: it would have to be in Read too.
	writing = unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE | unix.LANDLOCK_ACCESS_FS_REFER |
		unix.LANDLOCK_ACCESS_FS_REMOVE_DIR | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE |
		unix.LANDLOCK_ACCESS_FS_MAKE_DIR | unix.LANDLOCK_ACCESS_FS_MAKE_REG | unix.LANDLOCK_ACCESS_FS_MAKE_SYM |
		unix.LANDLOCK_ACCESS_FS_MAKE_FIFO | unix.LANDLOCK_ACCESS_FS_MAKE_SOCK
	// What can be said of a file that is no folder.
	ofFiles = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE |
		unix.LANDLOCK_ACCESS_FS_TRUNCATE | unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
)

// known lists the kinds of access that a version of landlock has.
func known(version int) uint64 {
	access := uint64(unix.LANDLOCK_ACCESS_FS_REFER - 1)
	if version >= 2 {
		access |= unix.LANDLOCK_ACCESS_FS_REFER
	}
	if version >= 3 {
		access |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	if version >= 5 {
		access |= unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	}
	return access
}

// harmless is what the library and the standard library read in any program.
var harmless = []string{"/dev/urandom", "/etc/ld.so.cache", "/etc/localtime", "/usr/share/zoneinfo", memInfo}

// memInfo is the file of which shared memory is made only if there is enough. The
// system forgets files of /proc when it needs memory, and then a rule would mean
// a file that is no more; so it stays open.
const memInfo = "/proc/meminfo"

// landlock is a ruleset that is being made.
type landlock struct {
	ruleset int // -1: none
	version int
	handled uint64
	pinned  int // descriptor, -1 none
}

func (l *landlock) close() {
	if l.ruleset >= 0 {
		unix.Close(l.ruleset)
	}
}

func (l *landlock) unpin() {
	if l.pinned >= 0 {
		unix.Close(l.pinned)
	}
}

// rules makes the ruleset of p. Each process gets one of its own, and so a domain
// of its own, even where all files may be used: what is outside of it, its parent
// and the other workers among it, can be neither traced nor signalled.
func (p *Policy) rules() (l *landlock, err error) {
	l = &landlock{ruleset: -1, pinned: -1, version: p.landlock, handled: devices}
	if p.landlock == 0 {
		return l, nil
	}
	if p.Files {
		l.handled = known(p.landlock)
	}
	scopes := uint64(0)
	if p.landlock >= leastLandlock {
		scopes = unix.LANDLOCK_SCOPE_SIGNAL
	}
	if l.ruleset, err = sys.NewLandlock(l.handled, scopes); err == nil && p.Files {
		err = l.allowFiles(p)
	}
	if err != nil {
		l.close()
		l.unpin()
		return nil, fmt.Errorf("tandem: Config.Sandbox: %w", err)
	}
	return l, nil
}

func (l *landlock) allowFiles(p *Policy) error {
	code, err := loaded()
	if err != nil {
		return err
	}
	if l.pinned, err = unix.Open(memInfo, unix.O_PATH|unix.O_CLOEXEC, 0); err != nil {
		l.pinned = -1
	}
	for _, r := range []struct {
		paths  []string
		access uint64
		must   bool
	}{
		{[]string{"/proc/self/exe"}, reading | unix.LANDLOCK_ACCESS_FS_EXECUTE, true},
		{code, reading | unix.LANDLOCK_ACCESS_FS_EXECUTE, false}, // a deleted file is not found
		{harmless, reading, false},
		{[]string{"/dev/null"}, reading | unix.LANDLOCK_ACCESS_FS_WRITE_FILE, false},
		{p.Read, reading | unix.LANDLOCK_ACCESS_FS_EXECUTE, true},
		{p.Write, reading | writing, true},
	} {
		for _, path := range r.paths {
			if err := l.allow(path, r.access); err != nil && r.must {
				return err
			}
		}
	}
	return nil
}

// allow adds a rule for a file, or for a folder and what is below it.
func (l *landlock) allow(path string, access uint64) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return &fs.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		access &= ofFiles
	}
	if err := sys.LandlockAllow(l.ruleset, fd, access&l.handled); err != nil {
		return &fs.PathError{Op: "allow", Path: path, Err: err}
	}
	return nil
}
