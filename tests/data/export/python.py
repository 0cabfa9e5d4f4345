import base64
import http.client
import os

APP = os.environ.get("APP", "127.0.0.1:3000")
HOST = APP.encode()


class Connection(http.client.HTTPConnection):
    # A target is bytes; this one is already as it should be.
    def _encode_request(self, request):
        return request.encode("latin-1")

    def _validate_path(self, url):
        pass


def send(method, target, headers, body=b""):
    connection = Connection(APP, timeout=30)
    connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
    for name, value in headers:
        connection.putheader(name, value)
    connection.endheaders(body or None)
    return connection.getresponse()


def test_capture_42():
    # caught 2026-11-23T09:05:00.123Z, 34 bytes
    reply = send("POST", "/stripe?x=1&y='a'", [
        (b"Host", HOST),
        (b"Stripe-Signature", b"t=1,v1=5257"),
        (b"x-dup", b"1"),
        (b"X-Dup", b"caf\xe9"),
        (b"X-Empty", b""),
        (b"Content-Type", b"application/json"),
        (b"Content-Length", b"34"),
        (b"Connection", b"close"),
    ], b"{\"id\": \"evt_1\", \"name\": \"O'Neil\"}\n")
    assert 200 <= reply.status < 300, (reply.status, reply.read())


if __name__ == "__main__":
    for name, test in list(globals().items()):
        if name.startswith("test_"):
            test()
