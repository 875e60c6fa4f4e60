package process

import "fmt"

// Width is how many calls run at once: Workers times Threads.
func (p *Pool) Width() int {
	s := p.use()
	if s.inline != nil {
		return s.inline.most()
	}
	s.assign.mu.Lock()
	defer s.assign.mu.Unlock()
	return max(1, s.assign.target*s.assign.lanes)
}

// Resize changes the number of workers. Those too many leave when their calls
// have ended; new ones start when calls need them, those of a Map that runs too, or at
// once after Start.
func (p *Pool) Resize(workers int) error {
	if workers < 1 {
		return fmt.Errorf("tandem: Pool.Resize(%d): a pool has at least one worker", workers)
	}
	s, err := p.ready()
	if err != nil {
		return err
	}
	if err := s.assign.admit(); err != nil {
		return err
	}
	defer s.assign.release()
	defer s.tellResize()
	if s.inline != nil {
		s.inline.resize(workers * s.assign.lanes)
		return nil
	}
	s.inherit()
	for _, w := range s.assign.resize(workers) {
		w.leave()
	}
	return nil
}

// nextResize is closed when the pool is resized.
func (s *poolState) nextResize() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.resized
}

func (s *poolState) tellResize() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.resized)
	s.resized = make(chan struct{})
}
