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

func TestCapture42(t *testing.T) {
	// caught 2026-11-23T09:05:00.123Z, 34 bytes
	head := []string{
		"POST /stripe?x=1&y='a' HTTP/1.1\r\n",
		"Host: " + app() + "\r\n",
		"Stripe-Signature: t=1,v1=5257\r\n",
		"x-dup: 1\r\n",
		"X-Dup: caf\xe9\r\n",
		"X-Empty: \r\n",
		"Content-Type: application/json\r\n",
		"Content-Length: 34\r\n",
		"Connection: close\r\n",
		"\r\n",
	}
	reply := send(t, head, "{\"id\": \"evt_1\", \"name\": \"O'Neil\"}\n")
	if reply.StatusCode/100 != 2 {
		t.Fatal(reply.Status)
	}
}
