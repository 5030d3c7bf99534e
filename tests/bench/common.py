"""What the benchmarks share: CPU time of processes, nginx as the peer, and the rows of the final table."""
import getpass
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
sys.path[:0] = [str(ROOT / "tests" / "system"), str(ROOT / "packaging" / "demo")]
from free_ports import free_ports  # noqa: E402

NGINX = """
{user} worker_processes {workers}; pid {folder}/nginx.pid; error_log {folder}/error.log; daemon off;
events {{ worker_connections 512; }}
http {{
  access_log off; sendfile on; keepalive_requests 1000000; client_body_temp_path {folder}/body; proxy_temp_path {folder}/t2;
  fastcgi_temp_path {folder}/t3; uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{ listen 127.0.0.1:{port} ssl; ssl_protocols TLSv1.3; ssl_certificate {folder}/cert.pem;
            ssl_certificate_key {folder}/key.pem; root {root}; open_file_cache max=100; {more} }}
}}
"""


def cpu_seconds(pids):
    """User and system time of these processes and all their threads."""
    ticks = 0
    for pid in pids:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def proportional_mib(pids):
    """Memory that these processes have, what they share counted in parts."""
    kib = 0
    for pid in pids:
        kib += int(re.search(r"^Pss:\s+(\d+)", pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M).group(1))
    return kib / 1024


class Nginx:
    """nginx over TLS 1.3 on loopback, from the package nginx-light; `more` are lines for its server block."""

    def __init__(self, folder, root, workers=1, more=""):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.port,) = free_ports(1)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj", "/CN=localhost", "-keyout", self.folder / "key.pem", "-out", self.folder / "cert.pem"],
                       check=True, capture_output=True)
        # As root its workers would become somebody who may not read our folder.
        user = f"user {getpass.getuser()};" if os.geteuid() == 0 else ""
        (self.folder / "nginx.conf").write_text(
            NGINX.format(user=user, workers=workers, folder=self.folder, port=self.port, root=root, more=more))

    def __enter__(self):
        program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin")
        self.process = subprocess.Popen([program, "-c", self.folder / "nginx.conf"], stderr=subprocess.DEVNULL)
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            time.sleep(0.02)
        raise RuntimeError("nginx did not start: " + (self.folder / "error.log").read_text())

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)

    def pids(self):
        found = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True, check=False).stdout
        return [self.process.pid] + [int(child) for child in found.split()]


def forget_pages(folder):
    """Gives the memory that the folder's files take in the page cache back, to be used by the next step. A virtual machine's host
    hands out memory when it is first touched, which costs more than copying into it; a server in use has that behind it."""
    os.sync()
    for path in pathlib.Path(folder).rglob("*"):
        if path.is_file():
            with open(path, "rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def median(values):
    return sorted(values)[len(values) // 2]


def row(name, peer, to_reach, measured, reached):
    """One line of the table that tests/bench/run prints at its end."""
    print("ROW " + json.dumps({"row": name, "peer": peer, "to_reach": to_reach, "measured": measured, "reached": bool(reached)}),
          flush=True)
