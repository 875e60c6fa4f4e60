package main

import "slices"

// Figures describe a series of samples. P99 of fewer than a hundred samples is
// the greatest of them.
type Figures struct {
	Median float64 `json:"median"`
	P99    float64 `json:"p99"`
	Mean   float64 `json:"mean"`
	Least  float64 `json:"least"`
	N      int     `json:"n"`
}

// figures sorts the samples, of which there must be one.
func figures(samples []float64) Figures {
	slices.Sort(samples)
	var sum float64
	for _, s := range samples {
		sum += s
	}
	n := len(samples)
	f := Figures{P99: samples[n*99/100], Mean: sum / float64(n), Least: samples[0], N: n}
	f.Median = samples[n/2]
	if n%2 == 0 {
		f.Median = (f.Median + samples[n/2-1]) / 2
	}
	return f
}
