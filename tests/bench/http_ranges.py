#!/usr/bin/python3
"""Ranged GETs over TLS 1.3 on loopback: CPU seconds of our server beside those of nginx, in one run.

  tests/bench/http_ranges.py build/tests/bench_http [ROUNDS]

Rounds alternate between the two; the figure is the CPU of the server (user and system) per GB, the best round of each,
and their ratio. The last line is JSON. nginx comes from the package nginx-light.
"""
import concurrent.futures
import http.client
import json
import os
import pathlib
import random
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time

FILE_BYTES = 64 * 1024 * 1024
CONNECTIONS = 2
# name, bytes of a range, ranges for each connection and round
SIZES = (("4 MiB", 4 * 1024 * 1024, 60), ("256 KiB", 256 * 1024, 800), ("4 KiB", 4096, 4000))
NGINX = """
worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log; daemon off;
events {{ worker_connections 512; }}
http {{
  access_log off; sendfile on; keepalive_requests 1000000; client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2;
  fastcgi_temp_path {folder}/t3; uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{ listen 127.0.0.1:{port} ssl; ssl_protocols TLSv1.3; ssl_certificate {folder}/cert.pem;
            ssl_certificate_key {folder}/key.pem; root {folder}; open_file_cache max=100; }}
}}
"""


def cpu_seconds(pids):
    ticks = 0
    for pid in pids:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def family_of(pid):
    children = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False).stdout.split()
    return [pid] + [int(child) for child in children]


def fetch(port, size, count, seed):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, blocksize=65536)
    places = random.Random(seed)
    buffer = bytearray(256 * 1024)
    for _ in range(count):
        first = places.randrange(FILE_BYTES - size)
        connection.request("GET", "/file.mp4", headers={"Range": f"bytes={first}-{first + size - 1}"})
        response = connection.getresponse()
        got = 0
        while True:
            n = response.readinto(buffer)
            if n == 0:
                break
            got += n
        if response.status != 206 or got != size:
            raise RuntimeError(f"status {response.status}, {got} of {size} bytes")
    connection.close()


def measure(port, pids, size, count):
    begun, cpu = time.monotonic(), cpu_seconds(pids)
    with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
        for job in [pool.submit(fetch, port, size, count, seed) for seed in range(CONNECTIONS)]:
            job.result()
    return cpu_seconds(pids) - cpu, time.monotonic() - begun


def wait_for(port):
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError("nginx did not start")


def main():
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    folder = pathlib.Path(tempfile.mkdtemp(prefix="greffe-bench-"))
    ours = nginx = None
    try:
        folder.chmod(0o755)
        (folder / "file.mp4").write_bytes(random.Random(1).randbytes(FILE_BYTES))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj", "/CN=localhost", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
                       check=True, capture_output=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            nginx_port = free.getsockname()[1]
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=nginx_port))
        program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin")
        nginx = subprocess.Popen([program, "-c", folder / "nginx.conf"], stderr=subprocess.DEVNULL)
        wait_for(nginx_port)
        ours = subprocess.Popen([sys.argv[1], folder, "1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        our_port = int(ours.stdout.readline().rsplit(":", 1)[1])
        peers = {"greffe": (our_port, [ours.pid]), "nginx": (nginx_port, family_of(nginx.pid))}
        table = {}
        for name, size, count in SIZES:
            best = {}
            for _ in range(rounds):
                for peer, (port, pids) in peers.items():
                    cpu, wall = measure(port, pids, size, count)
                    if peer not in best or cpu < best[peer][0]:
                        best[peer] = (cpu, wall)
            gigabytes = size * count * CONNECTIONS / 1e9
            requests = count * CONNECTIONS
            ratio = best["greffe"][0] / max(best["nginx"][0], 0.01)
            table[name] = {"ratio_cpu": round(ratio, 2)}
            for peer, (cpu, wall) in best.items():
                table[name][f"{peer}_cpu_s_per_gb"] = round(cpu / gigabytes, 2)
                table[name][f"{peer}_cpu_us_per_request"] = round(cpu / requests * 1e6)
                table[name][f"{peer}_wall_s"] = round(wall, 2)
            print(f"ranges of {name}: {table[name]}")
        print(json.dumps({"http_ranges": table}))
        return 0
    finally:
        if ours is not None:
            ours.stdin.close()
            ours.wait(10)
        if nginx is not None:
            nginx.terminate()
            nginx.wait(10)
        shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())
