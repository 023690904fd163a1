// What the benchmark on a real kube-apiserver needs besides its clients: who writes the objects, and a slow line.
//
//	real writer -server URL -ca_file FILE -token TOKEN -pods N -gadgets N
//	real line -to HOST:PORT [-round_trip 50ms] [-rate 50000000]
//
// Both answer each line of their standard input with a line of JSON, and end with it.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"os"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("real: ")
	programs := map[string]func([]string) error{"writer": runWriter, "line": runLine}
	if len(os.Args) < 2 || programs[os.Args[1]] == nil {
		log.Fatal("usage: real writer|line [-FLAG VALUE]...")
	}
	if err := programs[os.Args[1]](os.Args[2:]); err != nil {
		log.Fatal(os.Args[1], ": ", err)
	}
}

func say(answer any) error { return json.NewEncoder(os.Stdout).Encode(answer) }

// Answers what is asked on standard input until that ends.
func serve(answer func(asked string) (any, error)) error {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		answered, err := answer(lines.Text())
		if err != nil {
			return fmt.Errorf("%q: %w", lines.Text(), err)
		}
		if err = say(answered); err != nil {
			return err
		}
	}
	return lines.Err()
}
