//go:build linux

package main

import (
	"bytes"
	"encoding/gob"
	"encoding/json"

	"github.com/tandem-go/tandem/bench/internal/drive"
)

// codecs are rivals of the codec alone, in their fastest usual form. What they
// read from and write to stays where it is, or each round would allocate both.
var codecs = map[string]func() *drive.Local{
	"codec-gob": func() *drive.Local {
		var stream bytes.Buffer // which tells the type once
		enc, dec := gob.NewEncoder(&stream), gob.NewDecoder(&stream)
		var from, to drive.Struct
		return &drive.Local{Codec: func(in drive.Struct) (drive.Struct, error) {
			from, to = in, drive.Struct{}
			err := enc.Encode(&from)
			if err == nil {
				err = dec.Decode(&to)
			}
			return to, err
		}}
	},
	"codec-json": func() *drive.Local {
		var from, to drive.Struct
		return &drive.Local{Codec: func(in drive.Struct) (drive.Struct, error) {
			from, to = in, drive.Struct{}
			b, err := json.Marshal(&from)
			if err == nil {
				err = json.Unmarshal(b, &to)
			}
			return to, err
		}}
	},
}
