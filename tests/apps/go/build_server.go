// net/http on port 80: / says hello, /echo gives the body back, /big 4 MiB,
// /end ends the program.
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
)

func main() {
	end := make(chan bool)
	port := "80"
	if len(os.Args) > 1 {
		port = os.Args[1]
	}
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "hello, %s\n", r.URL.Path)
	})
	http.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // whole: HTTP/1 reads nothing once an answer has begun
		w.Write(body)
	})
	http.HandleFunc("/big", func(w http.ResponseWriter, r *http.Request) {
		w.Write(bytes.Repeat([]byte("0123456789abcdef"), 1<<18))
	})
	http.HandleFunc("/end", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "bye")
		close(end)
	})
	server := &http.Server{Addr: ":" + port}
	idle := make(chan bool)
	go func() {
		<-end
		server.Shutdown(context.Background())
		close(idle)
	}()
	fmt.Println("ready")
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	<-idle
}
