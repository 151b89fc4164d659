// Goroutines, channels, a mutex, timers, the collector, files and maps: what is
// printed is the same in every run.
package main

import (
	"fmt"
	"os"
	"runtime"
	"sort"
	"strings"
	"sync"
	"time"
)

func main() {
	fmt.Println("hello from", runtime.Version(), strings.Join(os.Args[1:], ","))

	const workers, rounds = 64, 200
	numbers := make(chan int, 16)
	var total, count int
	var lock sync.Mutex
	var all sync.WaitGroup
	for w := 0; w < workers; w++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for n := range numbers {
				lock.Lock()
				total, count = total+n, count+1
				lock.Unlock()
			}
		}()
	}
	for i := 0; i < workers*rounds; i++ {
		numbers <- i
	}
	close(numbers)
	all.Wait()
	fmt.Println("sum", total, "of", count)

	var kept [][]byte
	for i := 0; i < 2000; i++ {
		kept = append(kept, make([]byte, 16<<10))
		if len(kept) > 50 {
			kept = nil
		}
	}
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	fmt.Println("collected", stats.NumGC > 0, len(kept) > 0)

	start := time.Now()
	select {
	case <-time.After(30 * time.Millisecond):
	case <-make(chan int):
	}
	slept := time.Since(start)
	fmt.Println("slept", slept >= 30*time.Millisecond && slept < 5*time.Second)

	// A goroutine that never calls anything is preempted by a signal.
	spin, done := true, make(chan bool)
	runtime.GOMAXPROCS(1)
	go func() {
		for n := 0; spin; n++ {
		}
		done <- true
	}()
	time.Sleep(50 * time.Millisecond)
	fmt.Println("preempted")
	_ = done

	dir, err := os.MkdirTemp("", "go")
	check(err)
	for _, name := range []string{"b", "a", "c"} {
		check(os.WriteFile(dir+"/"+name, []byte(strings.Repeat(name, 5000)), 0o600))
	}
	check(os.Rename(dir+"/c", dir+"/d"))
	entries, err := os.ReadDir(dir)
	check(err)
	var names []string
	for _, e := range entries {
		info, err := e.Info()
		check(err)
		names = append(names, fmt.Sprint(e.Name(), info.Size(), info.Mode()))
	}
	sort.Strings(names)
	fmt.Println(names)
	check(os.RemoveAll(dir))
	_, err = os.Stat(dir)
	fmt.Println(os.IsNotExist(err))

	func() {
		defer func() { fmt.Println("recovered:", recover()) }()
		var p *int
		*p = 1
	}()
	os.Exit(7)
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
