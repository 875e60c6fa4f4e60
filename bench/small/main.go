// Command small is a program that links nothing but tandem, for the memory of
// its idle workers. It obeys two of the benchmark's orders, crowd and disperse,
// and reads them by hand: encoding/json would be a third of it.
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

func main() {
	tandem.Init()
	fmt.Println("{}") // ready
	var pool *process.Pool
	for orders := bufio.NewScanner(os.Stdin); orders.Scan(); {
		switch order := orders.Text(); {
		case strings.Contains(order, `"do":"crowd"`):
			pool = &process.Pool{Workers: number(order, `"n":`)}
			begin := time.Now()
			err := pool.Start(context.Background()) // which returns when all serve
			reply(int64(time.Since(begin)), err)
		case strings.Contains(order, `"do":"disperse"`):
			reply(0, pool.Close())
		default:
			reply(0, fmt.Errorf("the order %s: unsupported", order))
		}
	}
}

// number is the integer after a key, 0 if there is none.
func number(order, key string) int {
	_, digits, _ := strings.Cut(order, key)
	n, _ := strconv.Atoi(digits[:strings.IndexFunc(digits+"}", func(r rune) bool { return r < '0' || r > '9' })])
	return n
}

func reply(nanos int64, err error) {
	if err != nil {
		fmt.Printf("{\"error\":%s}\n", strconv.QuoteToASCII(err.Error()))
		return
	}
	fmt.Printf("{\"nanos\":%d}\n", nanos)
}
