package process

import "testing"

// TestTouchedFirstPage: the fault of a null pointer in C, and no other.
func TestTouchedFirstPage(t *testing.T) {
	const inC = "\nsignal arrived during cgo execution\n"
	for text, want := range map[string]bool{
		"SIGSEGV: segmentation violation\nPC=0x7f35b38560ba m=0 sigcode=1 addr=0x0" + inC:        true,
		"SIGSEGV: segmentation violation\nPC=0x7f35b38560ba m=0 sigcode=1 addr=0xfff8" + inC:     true,
		"SIGSEGV: segmentation violation\nPC=0x7f35b38560ba m=0 sigcode=1 addr=0x10000" + inC:    false,
		"SIGSEGV: segmentation violation\nPC=0x7f35b38560ba m=0 sigcode=1 addr=0x0\nelse\n":      false,
		"SIGSEGV: segmentation violation\nPC=0x7f35b38560ba m=0 sigcode=128 addr=0xzz" + inC:     false,
		"SIGSEGV: segmentation violation\nPC=0x7f35b38560ba m=0 sigcode=0" + inC:                 false,
		"SIGBUS: bus error\nPC=0x7f35b38560ba m=0 sigcode=1 addr=0x0" + inC:                      false,
		"panic: runtime error: invalid memory address\n[signal SIGSEGV: … addr=0x0 pc=0x48640b]": false,
		"SIGSEGV: segmentation violation\nPC=0x7f35b38560ba m=0 sigcode=0 addr=0x3e8" + inC:      false, // sent by kill
		"": false,
	} {
		if got := touchedFirstPage(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// TestStarvedInC: the fault alone is no lack of memory, nor is its use.
func TestStarvedInC(t *testing.T) {
	const fault = "SIGSEGV: segmentation violation\nPC=0x7f35b38560ba m=0 sigcode=1 addr=0x0\nsignal arrived during cgo execution\n"
	const thrown = "terminate called after throwing an instance of 'std::bad_alloc'\nSIGABRT: abort\n"
	for _, c := range []struct {
		text              string
		counted, resident int64
		want              bool
	}{
		{fault, 800, 0, true}, {fault, 0, 600, true}, {fault, 700, 400, false}, {fault, 0, 0, false},
		{thrown, 800, 0, true}, {thrown, 0, 0, false}, {"SIGABRT: abort\n", 1000, 1000, false},
	} {
		if got := starvedInC(c.text, c.counted, c.resident, 1000); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

// TestStarved: the runtime fell in its own code, and not because somebody sent a signal.
func TestStarved(t *testing.T) {
	const own = "\n\ngoroutine 0 gp=0x1 m=0 mp=0x2 [idle]:\nruntime.futex(0x1)\n"
	for text, want := range map[string]bool{
		"SIGSEGV: segmentation violation\nPC=0x4 m=0 sigcode=1 addr=0x8" + own:                                            true,
		"SIGSEGV: segmentation violation\nPC=0x4 m=0 sigcode=0" + own:                                                     false,
		"SIGSEGV: segmentation violation\nPC=0x4 m=0 sigcode=0 addr=0x3e8" + own:                                          false,
		"SIGSEGV: segmentation violation\nPC=0x4 m=0 sigcode=-6 addr=0x3e8" + own:                                         false,
		"SIGSEGV: segmentation violation\nPC=0x4 m=0 sigcode=1 addr=0x8\n\ngoroutine 7 gp=0x1 m=0 mp=0x2:\nmain.main()\n": false,
		"runtime: failed to create new OS thread (have 5 already; errno=11)\n":                                            true,
	} {
		if got := starved(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
