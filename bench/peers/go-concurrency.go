// SPDX-License-Identifier: MIT

// go-concurrency MODE N [CAPACITY]: what Eddy's concurrency programs do, with goroutines and
// channels; prints nanoseconds each, or bytes. Everybody else's modes have the same names.
//
//	switch          two goroutines that yield to each other, N switches in all
//	spawn-one       N goroutines, one at a time, each joined and its result taken
//	spawn-batch     the same, a hundred at a time
//	channel         N messages from one goroutine to another through a channel of CAPACITY
//	channel-locked  the same, with each of the two locked to a thread of its own
//	parked          N goroutines that wait, woken and joined: the time of each
//	resident        the same: the resident memory of each while it waits
//
// Why it is the fair way: GOMAXPROCS is the claim's, so that Go has one thread where Eddy has one,
// and all processors where Eddy has several; then Go's scheduler mostly puts both ends of a channel
// on one thread all the same, and does better so than locked to two. A result comes back through a channel, Go's own way to
// join, and the channel is made beforehand where that is possible.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"
)

const batch = 100

func runSwitch(count int) int {
	done := make(chan int)
	yielder := func(count int) {
		i := 0
		for ; i < count; i++ {
			runtime.Gosched()
		}
		done <- i
	}
	go yielder(count / 2)
	go yielder(count - count/2)
	return <-done + <-done
}

func runSpawnOne(count int) int {
	results := make(chan int)
	value := 0
	for i := 0; i < count; i++ {
		go func(value int) { results <- value + 1 }(value)
		value = <-results
	}
	return value
}

func runSpawnBatch(count int) int {
	results := make(chan int, batch)
	value := 0
	for i := 0; i < count; i += batch {
		for j := 0; j < batch; j++ {
			go func(value int) { results <- value + 1 }(0)
		}
		for j := 0; j < batch; j++ {
			value += <-results
		}
	}
	return value
}

func runChannel(count int, capacity int, locked bool) int {
	messages := make(chan int, capacity)
	if locked {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
	}
	go func() {
		if locked {
			runtime.LockOSThread()
		}
		for i := 1; i <= count; i++ {
			messages <- i
		}
		close(messages)
	}()
	received, inOrder := 0, true
	for message := range messages {
		received++
		inOrder = inOrder && message == received
	}
	if !inOrder {
		return -1
	}
	return received
}

func residentBytes() float64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		panic(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	if err != nil {
		panic(err)
	}
	return float64(pages * os.Getpagesize())
}

// Returns how many ended, and the resident bytes that all took while they waited.
func runParked(count int) (int, float64) {
	before := residentBytes()
	gate := make(chan bool)
	results := make(chan int, batch)
	var parked sync.WaitGroup
	parked.Add(count)
	for i := 0; i < count; i++ {
		go func() {
			parked.Done()
			<-gate
			results <- 1
		}()
	}
	parked.Wait()
	runtime.Gosched()
	resident := residentBytes() - before
	close(gate)
	done := 0
	for i := 0; i < count; i++ {
		done += <-results
	}
	return done, resident
}

func find(mode string, capacity int) func(int) int {
	switch mode {
	case "switch":
		return runSwitch
	case "spawn-one":
		return runSpawnOne
	case "spawn-batch":
		return runSpawnBatch
	case "channel", "channel-locked":
		return func(count int) int { return runChannel(count, capacity, mode == "channel-locked") }
	}
	return nil
}

func finish(done int, count int, value float64) {
	if done != count {
		fmt.Fprintf(os.Stderr, "go-concurrency: %d done, not %d\n", done, count)
		os.Exit(1)
	}
	fmt.Printf("%.3f\n", value)
}

func main() {
	mode, count, capacity := "", 0, 0
	if len(os.Args) >= 3 {
		mode = os.Args[1]
		count, _ = strconv.Atoi(os.Args[2])
	}
	if len(os.Args) == 4 {
		capacity, _ = strconv.Atoi(os.Args[3])
	}
	run := find(mode, capacity)
	begin := time.Now()
	switch {
	case count < batch || count%batch != 0 || (run == nil && mode != "parked" && mode != "resident"):
		fmt.Fprintf(os.Stderr, "usage: go-concurrency MODE N [CAPACITY] (N: a multiple of %d)\n", batch)
		os.Exit(2)
	case mode == "resident":
		done, resident := runParked(count)
		finish(done, count, resident/float64(count))
	case mode == "parked":
		done, _ := runParked(count)
		finish(done, count, float64(time.Since(begin).Nanoseconds())/float64(count))
	default:
		run((count/1000 + 1) * batch) // a tenth first, as everybody does
		begin = time.Now()
		done := run(count)
		finish(done, count, float64(time.Since(begin).Nanoseconds())/float64(count))
	}
}
