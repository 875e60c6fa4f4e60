// Package sys is what tandem asks of the operating system, one function a
// request, without policy. Each file has a Linux form and one for other systems,
// which answers errors.ErrUnsupported where there is nothing to offer.
//
// It is one of the three packages that may use unsafe.
package sys
