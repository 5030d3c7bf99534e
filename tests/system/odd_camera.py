"""An RTSP camera that stamps its packets with whatever time a test wants: H.264 or G.711 over TCP, in real time, to each client from the
beginning. It only plays the wrong clock; whether our client understands RTSP is for rtsp_camera.py to say."""
import base64
import contextlib
import socket
import struct
import subprocess
import threading
import time

MOST_IN_PACKET = 1400
NO_TIME = 0xFFFFFFFF  # RTP has no word for "no time"; libavformat takes this for it
START = 1_000_000


def pictures_of(film):
    """[[bytes of a packet]] for each picture, and the parameter sets."""
    stream = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-i", film, "-map", "0:v:0", "-c", "copy", "-bsf:v", "h264_mp4toannexb", "-f", "h264", "-"],
                            stdout=subprocess.PIPE, check=True).stdout
    pictures, waiting, sets = [], [], {}
    for unit in stream.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")[1:]:
        kind = unit[0] & 31
        if kind in (7, 8):
            sets[kind] = unit
        waiting += fragments_of(unit)
        if kind in (1, 5):
            pictures.append(waiting)
            waiting = []
    return pictures, [sets[7], sets[8]]


def fragments_of(unit):
    """A NAL unit as it is, or in pieces (FU-A)."""
    if len(unit) <= MOST_IN_PACKET:
        return [unit]
    pieces = [unit[at : at + MOST_IN_PACKET] for at in range(1, len(unit), MOST_IN_PACKET)]
    out = []
    for number, piece in enumerate(pieces):
        edge = (0x80 if number == 0 else 0) | (0x40 if number == len(pieces) - 1 else 0)
        out.append(bytes([unit[0] & 0xE0 | 28, edge | unit[0] & 31]) + piece)
    return out


class OddCamera:
    """`stamp` may be changed at any time: from the time that a packet should carry, in ticks, to the one that it does."""

    def __init__(self, film=None):
        self.stamp = lambda ticks: ticks
        if film:
            self.frames, sets = pictures_of(film)
            self.rate, self.step, self.kind = 90_000, 3_600, 96
            shown = ",".join(base64.b64encode(one).decode() for one in sets)
            self.description = (f"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1;sprop-parameter-sets={shown}\r\n")
        else:
            sound = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", "sine=440:r=8000:d=2", "-f", "alaw", "-"],
                                   stdout=subprocess.PIPE, check=True).stdout
            self.frames = [[sound[at : at + 160]] for at in range(0, len(sound), 160)]
            self.rate, self.step, self.kind = 8_000, 160, 8
            self.description = "m=audio 0 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"
        self.server = socket.create_server(("127.0.0.1", 0))
        self.address = f"rtsp://127.0.0.1:{self.server.getsockname()[1]}/odd"
        threading.Thread(target=self.accept, daemon=True).start()

    def shift(self, seconds):
        """Its clock is set: what it says from now on is so much later, or earlier."""
        before, ticks = self.stamp, round(seconds * self.rate)
        self.stamp = lambda right: before(right) + ticks

    def end(self):
        self.server.close()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.server.accept()
                threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        lock, got = threading.Lock(), b""
        with contextlib.suppress(OSError), client:
            while True:
                while got[:1] == b"$" and len(got) >= 4 and len(got) >= 4 + int.from_bytes(got[2:4], "big"):
                    got = got[4 + int.from_bytes(got[2:4], "big") :]  # reports of the receiver
                if got[:1] != b"$" and b"\r\n\r\n" in got:
                    request, got = got.split(b"\r\n\r\n", 1)
                    self.answer(client, lock, request.decode())
                    continue
                more = client.recv(65536)
                if not more:
                    return
                got += more

    def answer(self, client, lock, request):
        lines = request.split("\r\n")
        verb = lines[0].split()[0]
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        more, body = "Session: 1\r\n", ""
        if verb == "OPTIONS":
            more = "Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN\r\n"
        elif verb == "DESCRIBE":
            body = f"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=odd\r\nt=0 0\r\n{self.description}a=control:track0\r\n"
            more = f"Content-Type: application/sdp\r\nContent-Base: {self.address}/\r\nContent-Length: {len(body)}\r\n"
        elif verb == "SETUP":
            more += "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
        with lock:
            client.sendall(f"RTSP/1.0 200 OK\r\nCSeq: {fields.get('cseq', '0')}\r\n{more}\r\n{body}".encode())
        if verb == "PLAY":
            threading.Thread(target=self.play, args=(client, lock), daemon=True).start()

    def play(self, client, lock):
        began, sequence, number = time.monotonic(), 0, 0
        with contextlib.suppress(OSError):
            while True:
                time.sleep(max(0, began + number * self.step / self.rate - time.monotonic()))
                stamped = self.stamp(START + number * self.step) & 0xFFFFFFFF
                packets = self.frames[number % len(self.frames)]
                data = b""
                for index, payload in enumerate(packets):
                    last = 0x80 if index == len(packets) - 1 and self.kind == 96 else 0
                    head = struct.pack(">BBHII", 0x80, last | self.kind, sequence & 0xFFFF, stamped, 7)
                    data += b"$\0" + struct.pack(">H", len(head) + len(payload)) + head + payload
                    sequence += 1
                with lock:
                    client.sendall(data)
                number += 1
