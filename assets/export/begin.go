package main

import (
	"bufio"
	"encoding/base64"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
)

func app() string {
	if app := os.Getenv("APP"); app != "" {
		return app
	}
	return "127.0.0.1:3000"
}

// send sends a request to the app and gives its reply.
func send(t *testing.T, head []string, body string) *http.Response {
	t.Helper()
	connection, err := net.Dial("tcp", app())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	if _, err := connection.Write([]byte(strings.Join(head, "") + body)); err != nil {
		t.Fatal(err)
	}
	reply, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		t.Fatal(err)
	}
	return reply
}

func decoded(text string) string {
	bytes, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return string(bytes)
}
