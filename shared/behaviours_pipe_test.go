//go:build linux

package shared_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"

	"github.com/tandem-go/tandem/shared"
)

// said is the number that was said, as often as there is room.
func said(text string) (n int, err error) {
	words := strings.Fields(text)
	for _, w := range words {
		if w != words[0] {
			return 0, fmt.Errorf("%q came beside %q", w, words[0])
		}
	}
	if len(words) > 0 {
		_, err = fmt.Sscan(words[0], &n)
	}
	return n + len(words) - 1, err
}

var (
	_ = move("ring", func(ctx context.Context, c cast) (int, error) {
		return 0, c.Bell.Send(ctx, call{Text: fmt.Sprint(c.N)})
	})
	_ = move("ring at length", func(ctx context.Context, c cast) (int, error) {
		return 0, c.Bell.Send(ctx, call{Text: strings.Repeat(fmt.Sprint(c.N, " "), 50_000)})
	})
	_ = move("hear", func(ctx context.Context, c cast) (int, error) {
		in, err := c.Phone.Recv(ctx)
		if err != nil {
			return 0, err
		}
		return said(in.Text)
	})
	_ = move("hear in vain", func(ctx context.Context, c cast) (int, error) {
		return inVain(ctx, func(ctx context.Context) error { _, err := c.Phone.Recv(ctx); return err })
	})
	_ = move("answer", func(ctx context.Context, c cast) (int, error) {
		return 0, c.Phone.Send(ctx, reply{Text: fmt.Sprint(c.N + 1)})
	})
	_ = move("hear the answer", func(ctx context.Context, c cast) (int, error) {
		in, err := c.Bell.Recv(ctx)
		if err != nil {
			return 0, err
		}
		return said(in.Text)
	})
	_ = move("hear all", func(ctx context.Context, c cast) (n int, err error) {
		for _, err := range c.Phone.All(ctx) {
			if err != nil {
				return n, err
			}
			n++
		}
		return n, nil
	})
	_ = move("hear all in vain", func(ctx context.Context, c cast) (int, error) {
		return inVain(ctx, func(ctx context.Context) (err error) {
			for _, err = range c.Phone.All(ctx) {
			}
			return err
		})
	})
	// What is said until there is no more room for it.
	_ = move("ring until it is full", func(ctx context.Context, c cast) (n int, err error) {
		for ; ; n++ {
			_, err := inVain(ctx, func(ctx context.Context) error { return c.Bell.Send(ctx, call{Text: strings.Repeat("1 ", 10_000)}) })
			if err == nil {
				return n, nil
			}
			if !strings.HasSuffix(err.Error(), "got <nil>") {
				return n, err
			}
		}
	})
	_ = move("hear as his time ends", func(ctx context.Context, c cast) (int, error) {
		for range 200 {
			if err := hearAsTimeEnds(ctx, c); err != nil {
				return 0, err
			}
		}
		return inVain(ctx, func(ctx context.Context) error { _, err := c.Phone.Recv(ctx); return err })
	})
	_ = move("hang up", func(ctx context.Context, c cast) (int, error) { return 0, c.Bell.Close() })
	_ = move("lay down", func(ctx context.Context, c cast) (int, error) { return 0, c.Phone.Close() })
	_ = move("ring while somebody hears", func(ctx context.Context, c cast) (int, error) {
		heard := make(chan error)
		began := make(chan struct{})
		go func() {
			close(began)
			_, err := c.Bell.Recv(ctx)
			heard <- err
		}()
		<-began
		return 0, errors.Join(
			eachInVain(ctx, 3, func(ctx context.Context) error { _, err := c.Bell.Recv(ctx); return err }), // the first one hears already
			c.Bell.Send(ctx, call{Text: "3"}),
			<-heard,
		)
	})
)

// hearAsTimeEnds sends a value at about the moment at which the time of who waits for it
// ends.
func hearAsTimeEnds(ctx context.Context, c cast) error {
	mine, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	got := make(chan error, 1)
	go func() { _, err := c.Phone.Recv(mine); got <- err }()
	if err := c.Bell.Send(ctx, call{}); err != nil {
		return err
	}
	toil(make([]int64, ledgerSize), rand.IntN(60))
	cancel(errCause)
	err := <-got
	if err == errCause { // it is still there
		_, err = c.Phone.Recv(ctx)
	}
	return err
}

func eachInVain(ctx context.Context, n int, f func(ctx context.Context) error) error {
	for range n {
		if _, err := inVain(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

// piped gives both ends to the scripts that follow.
func piped(play func(s *stage)) func(s *stage) {
	return func(s *stage) {
		a, b, err := shared.NewPipe[call, reply]()
		s.c.Bell = open[*shared.Conn[call, reply]](s.T)(a, err)
		s.c.Phone = open[*shared.Conn[reply, call]](s.T)(b, err)
		play(s)
	}
}

// hungUp closes what the parent has of the end that rings, and gives it to nobody else.
func (s *stage) hungUp() {
	s.c.Bell.Close()
	s.c.Bell = nil
}

var pipeBehaviours = []behaviour{
	{"Pipe", "what one end sends the other receives, in its order, in both directions", piped(func(s *stage) {
		for s.c.N = 1; s.c.N <= 3; s.c.N++ {
			s.does(s.one, "ring")
		}
		s.is("heard", s.does(s.other, "hear"), 1)
		s.is("heard", s.does(s.other, "hear"), 2)
		s.is("heard last", s.does(s.other, "hear", "answer"), 0)
		s.is("the answer", s.does(s.one, "hear the answer"), 5)
	})},
	{"Pipe", "a long value arrives whole, between short ones", piped(func(s *stage) {
		s.c.N = 4
		s.does(s.one, "ring", "ring at length", "ring")
		s.is("heard", s.does(s.other, "hear"), 4)
		s.is("heard at length", s.does(s.other, "hear"), 4+49_999)
		s.is("heard", s.does(s.other, "hear"), 4)
	})},
	{"Pipe", "who waits for a value gets the one that comes", piped(func(s *stage) {
		waits := s.begins(s.other, "say so", "hear")
		s.ready()
		s.c.N = 7
		s.does(s.one, "ring")
		s.is("heard", s.ends(waits), 7)
	})},
	{"Pipe", "a Recv whose time ends has taken nothing, and the next one waits again", piped(func(s *stage) {
		s.does(s.other, "hear in vain", "hear in vain", "hear all in vain")
		s.c.N = 7
		s.does(s.one, "ring")
		s.is("heard", s.does(s.other, "hear"), 7)
	})},
	{"Pipe", "what comes as the time of who waits ends he has, or it is still there", piped(func(s *stage) {
		s.does(s.one, "hear as his time ends")
		s.does(s.other, "hear as his time ends")
	})},
	{"Pipe", "a Send whose time ends has sent nothing, and what was sent before arrives", piped(func(s *stage) {
		n := s.does(s.one, "ring until it is full")
		if n == 0 {
			s.Error("there was no room for anything")
		}
		for range n {
			s.is("heard", s.does(s.other, "hear"), 10_000)
		}
		s.does(s.other, "hear in vain")
		s.does(s.one, "ring")
		s.does(s.other, "hear")
	})},
	{"Pipe", "one end may send while it waits to receive, and two may wait there", piped(func(s *stage) {
		talks := s.begins(s.one, "ring while somebody hears")
		s.is("heard", s.does(s.other, "hear", "answer"), 0)
		s.ends(talks)
	})},
	{"Pipe", "when the other end is closed one receives what came before, and then io.EOF", piped(func(s *stage) {
		s.c.N = 7
		s.does(s.one, "ring", "hang up")
		s.hungUp()
		s.is("heard", s.does(s.other, "hear"), 7)
		s.fails(s.begins(s.other, "hear"), io.EOF)
		s.is("heard after the end", s.does(s.other, "hear all"), 0)
	})},
	{"Pipe", "who waits learns that the other end is closed", piped(func(s *stage) {
		phone, bell := s.c.Phone, s.c.Bell
		s.c.Bell = nil
		waits := s.begins(s.other, "say so", "hear")
		s.ready()
		s.c.Bell, s.c.Phone = bell, nil
		s.does(s.one, "hang up")
		s.hungUp()
		s.fails(waits, io.EOF)
		s.c.Phone = phone
	})},
	{"Pipe", "to an end that is closed nothing can be sent", piped(func(s *stage) {
		bell := s.c.Bell
		s.c.Bell = nil
		s.does(s.other, "lay down")
		s.c.Phone.Close()
		s.c.Phone, s.c.Bell = nil, bell
		s.fails(s.begins(s.one, "ring"), io.ErrClosedPipe)
	})},
}
