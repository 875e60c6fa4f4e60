package sandbox

// Calls is the part of a Policy that the process itself puts into force.
type Calls struct {
	Network bool // refuse to make sockets
	Exec    bool // refuse to start programs and processes
	Alone   bool // in a PID namespace of its own, where a number is never a stranger's
}

// Calls is the filter that the process is to install, nil if there is none.
func (p *Policy) Calls() *Calls {
	if p == nil || !p.filter {
		return nil
	}
	return &Calls{Network: p.Network, Exec: p.Exec, Alone: p.PIDs}
}
