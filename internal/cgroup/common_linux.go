package cgroup

import "path/filepath"

// Common is a group around those of all workers of a program: together they stay below
// its limit, and the program, which is outside, does not die with them.
type Common struct {
	Outer *Group // with the limit
	Rest  *Group // for workers without a limit of their own; not to be closed
	Inner Place  // where groups of those with a limit are made, of PIDs too in version 2
}

// MakeCommon makes one in a place of the controller memory.
func MakeCommon(bytes int64, memory Place) (c *Common, err error) {
	f, err := memory.folder()
	if err != nil {
		return nil, err
	}
	c = &Common{Outer: &Group{memory: f}, Inner: Place{dir: f.dir, home: memory.home, two: memory.two}}
	if err = f.bound(bytes, false); err == nil {
		err = c.divide(f)
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// divide makes the Rest: in version 1 the group itself, in version 2 one below it, which
// hands down all controllers that it has.
func (c *Common) divide(f *folder) error {
	if !f.two {
		c.Rest = c.Outer
		return nil
	}
	for _, controller := range []string{Memory, PIDs} {
		err := write(filepath.Join(f.dir, "cgroup.subtree_control"), "+"+controller)
		if err != nil && controller == Memory {
			return err
		}
	}
	rest, err := c.Inner.folder()
	if err == nil {
		c.Rest = &Group{memory: rest}
	}
	return err
}

// Used is how much memory the workers have in use that they cannot give back.
func (c *Common) Used() (int64, error) {
	f := c.Outer.memory
	return Ceiling{Dir: f.dir, two: f.two}.Used()
}

// Counter is the file that counts what the kernel has killed of the Rest.
func (c *Common) Counter() string {
	f := c.Rest.memory
	if f.two {
		return filepath.Join(f.dir, "memory.events.local")
	}
	return filepath.Join(f.dir, "memory.oom_control")
}

// Close kills what is in the group and below it and removes all.
func (c *Common) Close() { c.Outer.Close() }
