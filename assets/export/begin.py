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
