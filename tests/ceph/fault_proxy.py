"""An HTTP proxy that stands between a client and an S3 service and does to single requests what networks, gateways and
overloaded services do. Every fault that happened is counted, so that a test knows that it has seen it."""
import collections
import http.client
import http.server
import random
import threading
import time

# What happens to a request, and what the client learns.
FAULTS = {
    "500 not done": "answered 500, never forwarded",
    "503 not done": "answered 503, never forwarded",
    "500 done": "forwarded; the answer is replaced by 500",
    "dropped not done": "the connection ends without an answer, never forwarded",
    "dropped done": "forwarded; the connection ends without an answer",
    "late": "answered 503, forwarded a second later",
    "short": "forwarded; the answer ends before its length",
    "slow": "forwarded; the answer comes in small pieces",
    "page": "answered 502 with a page of HTML, never forwarded",
}
UNSENT = ("expect", "connection")


class FaultProxy:
    """`rate`: which part of the requests meets a fault, drawn from `faults`."""

    def __init__(self, service_port, seed):
        self.service_port = service_port
        self.rate = 0.0
        self.faults = list(FAULTS)
        self.counted = collections.Counter()
        self.random = random.Random(seed)
        self.lock = threading.Lock()
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *_):
                pass

            def handle_any(self):
                proxy.serve(self)
            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_any

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def draw(self):
        with self.lock:
            if self.random.random() >= self.rate:
                return None
            fault = self.random.choice(self.faults)
            self.counted[fault] += 1
            return fault

    def forward(self, method, path, headers, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.service_port, timeout=60)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in headers:  # the host is signed: it stays the one that the client wrote
            if name.lower() not in UNSENT:
                connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, answer.getheaders(), content

    def serve(self, handler):
        body = handler.rfile.read(int(handler.headers.get("content-length", 0)))
        # The handler goes on with the next request of its connection: what is sent later is kept apart.
        asked = (handler.command, handler.path, handler.headers.items(), body)
        fault = self.draw()
        if fault in ("500 not done", "503 not done"):
            return self.reply(handler, int(fault[:3]), b"<Error><Code>SlowDown</Code></Error>")
        if fault == "page":
            return self.reply(handler, 502, b"<html><body>Bad Gateway</body></html>")
        if fault == "dropped not done":
            return self.drop(handler)
        if fault == "late":
            threading.Thread(target=self.forward_late, args=asked, daemon=True).start()
            return self.reply(handler, 503, b"<Error><Code>SlowDown</Code></Error>")
        status, headers, content = self.forward(*asked)
        if fault == "500 done":
            return self.reply(handler, 500, b"<Error><Code>InternalError</Code></Error>")
        if fault == "dropped done":
            return self.drop(handler)
        self.send_head(handler, status, headers, content)
        if handler.command == "HEAD":
            return None
        if fault == "short" and content:
            handler.wfile.write(content[:len(content) // 2])
            return self.drop(handler)
        if fault == "slow":
            return self.trickle(handler, content)
        handler.wfile.write(content)
        return None

    def forward_late(self, *asked):
        time.sleep(1)
        status, _, _ = self.forward(*asked)
        with self.lock:
            self.counted[f"late {asked[0]} {status}"] += 1

    @staticmethod
    def trickle(handler, content):
        step = max(1, len(content) // 10)
        for at in range(0, len(content), step):
            handler.wfile.write(content[at:at + step])
            handler.wfile.flush()
            time.sleep(0.05)

    @staticmethod
    def send_head(handler, status, headers, content):
        handler.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("connection", "transfer-encoding", "content-length", "keep-alive"):
                handler.send_header(name, value)
        length = dict((n.lower(), v) for n, v in headers).get("content-length", str(len(content)))
        handler.send_header("Content-Length", length if handler.command == "HEAD" else str(len(content)))
        handler.end_headers()

    @staticmethod
    def reply(handler, status, content):
        handler.send_response_only(status)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(content)

    @staticmethod
    def drop(handler):
        handler.close_connection = True
        handler.wfile.flush()
        handler.connection.shutdown(2)
