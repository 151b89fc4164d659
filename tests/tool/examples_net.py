#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# The examples that use the network do what their READMEs say: httpd-zig and echo-c
# from clients of this host, fetch-zig over TLS from a server here with a CA of the
# test's.  Ports are free ones of the loopback.
# timeout: 300
import datetime
import http.client
import http.server
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import TMP, TOP, ZIG, ZUK, check, finish  # noqa: E402

shutil.copytree(f"{TOP}/examples", f"{TMP}/examples",
                ignore=shutil.ignore_patterns(".zig-cache", "zig-out"))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def zuk(*words, timeout=200):
    return subprocess.run([ZUK, *words], capture_output=True, text=True, timeout=timeout,
                          stdin=subprocess.DEVNULL)


def await_server(p, port):
    """A connection that is answered; QEMU takes it before the guest is there."""
    for _ in range(300):
        if p.poll() is not None:
            break
        c = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        try:
            c.request("GET", "/status")
            return c, c.getresponse().read()
        except (OSError, http.client.HTTPException):
            time.sleep(0.1)
    check(False, f"no answer at {port}: {p.stderr.read() if p.poll() is not None else 'it runs'}")
    return None, b"{}"


# httpd-zig, in the two modes that matter.
for mode in ("Debug", "ReleaseSmall"):
    image = f"{TMP}/httpd-{mode}.elf"
    r = zuk("build", "--zig", ZIG, f"-Doptimize={mode}", f"{TMP}/examples/httpd-zig", "-o", image)
    check(r.returncode == 0, f"httpd-zig in {mode} is built: {r.stderr}")
    port = free_port()
    p = subprocess.Popen([ZUK, "run", "--timeout", "120", "-p", f"127.0.0.1:{port}:8080", image],
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         text=True)
    c, first = await_server(p, port)
    if c:
        status = json.loads(first)
        check(status["requests"] == 1 and status["threads"] >= 2 and
              status["memory_kib"] > status["memory_free_kib"] > 0, f"{mode}: {status}")
        for target, code, part in (("/", 200, b"<title>httpd-zig</title>"),
                                   ("/nothing", 404, b"no such page")):
            c.request("GET", target)  # on the same connection
            a = c.getresponse()
            body = a.read()
            check(a.status == code and part in body, f"{mode}: GET {target}: {a.status} {body[:80]}")
        text = os.urandom(20000)
        c.request("POST", "/echo", body=text)
        check(c.getresponse().read() == text, f"{mode}: /echo gives back what was sent")
        answers = []

        def ask():
            d = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            try:
                for _ in range(5):
                    d.request("GET", "/status")
                    answers.append(json.loads(d.getresponse().read()))
            finally:
                d.close()
        threads = [threading.Thread(target=ask) for _ in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        check(len(answers) == 40, f"{mode}: 8 clients at once: {len(answers)} answers of 40")
        c.request("GET", "/status")
        status = json.loads(c.getresponse().read())
        check(status["requests"] == 45, f"{mode}: all requests are counted: {status}")
        c.close()
    p.terminate()
    check(p.wait(20) == 143, f"{mode}: SIGTERM ends it: {p.returncode} {p.stderr.read()}")

# echo-c: bytes come back, to many clients in turns, and to one that has said all.


def echo(port, text, half_close=False):
    with socket.create_connection(("127.0.0.1", port), timeout=20) as s:
        sender = threading.Thread(target=lambda: (s.sendall(text),
                                                  half_close and s.shutdown(socket.SHUT_WR)))
        sender.start()
        got = b""
        while len(got) < len(text) or half_close:
            part = s.recv(65536)
            if not part:
                break
            got += part
        sender.join()
        return got


r = subprocess.run(["make", "-s", "-C", f"{TMP}/examples/echo-c", f"ZIG={ZIG}", f"OUT={TMP}"],
                   capture_output=True, text=True, timeout=200)
check(r.returncode == 0, f"echo-c is built: {r.stderr}")
port = free_port()
p = subprocess.Popen([ZUK, "run", "--timeout", "120", "-p", f"127.0.0.1:{port}:7",
                      f"{TMP}/libecho.a"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                     stderr=subprocess.PIPE, text=True)
for _ in range(300):
    try:
        if p.poll() is not None or echo(port, b"first") == b"first":
            break
    except OSError:
        pass
    time.sleep(0.1)
texts = [os.urandom(1000 + 9000 * i) for i in range(16)]
results = [None] * len(texts)


def client(i):
    for _ in range(5):  # QEMU's user network refuses some of many that come at once
        try:
            results[i] = echo(port, texts[i], i % 2 == 1)
            return
        except OSError as e:
            results[i] = e


threads = [threading.Thread(target=client, args=(i,)) for i in range(len(texts))]
for t in threads:
    t.start()
for t in threads:
    t.join()
for i, text in enumerate(texts):
    check(results[i] == text, f"echo-c, client {i}: {len(text)} bytes are not what came back: "
          f"{results[i] if isinstance(results[i], Exception) else len(results[i] or b'')}")
p.terminate()
check(p.wait(20) == 143, f"echo-c: SIGTERM ends it: {p.returncode} {p.stderr.read()}")

# fetch-zig: a CA, a server's certificate, one that has expired, one of another CA.


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=TMP, timeout=60)


def make_ca(name):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "30", "-subj", f"/CN={name}")


def make_certificate(name, ca, host, begin, end):
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
            f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={host}")
    with open(f"{TMP}/{name}.ext", "w") as f:
        f.write(f"[v3]\nsubjectAltName=DNS:{host}\nbasicConstraints=CA:FALSE\n")
    os.makedirs(f"{TMP}/{name}.db", exist_ok=True)
    with open(f"{TMP}/{name}.db/index", "w"), open(f"{TMP}/{name}.db/index.attr", "w"):
        pass
    with open(f"{TMP}/{name}.db/ca.conf", "w") as f:
        f.write(f"[ca]\ndefault_ca=d\n[d]\ndatabase={name}.db/index\nnew_certs_dir={name}.db\n"
                "rand_serial=yes\ndefault_md=sha256\npolicy=p\nunique_subject=no\n"
                "[p]\ncommonName=supplied\n")
    openssl("ca", "-batch", "-config", f"{name}.db/ca.conf", "-cert", f"{ca}.pem", "-keyfile",
            f"{ca}.key", "-in", f"{name}.csr", "-out", f"{name}.pem", "-notext", "-startdate",
            begin.strftime("%Y%m%d%H%M%SZ"), "-enddate", end.strftime("%Y%m%d%H%M%SZ"), "-extfile",
            f"{name}.ext", "-extensions", "v3")


now, day = datetime.datetime.utcnow(), datetime.timedelta(days=1)
make_ca("ca")
make_ca("stranger")
make_certificate("good", "ca", "secure.test", now - day, now + day)
make_certificate("old", "ca", "secure.test", now - 3 * day, now - day)
make_certificate("unknown", "stranger", "secure.test", now - day, now + day)

BODY = "a page of the test's\n" * 500


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = BODY.encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class QuietServer(http.server.ThreadingHTTPServer):
    def handle_error(self, request, address):
        pass  # a client that does not trust us hangs up


def serve(certificate):
    server = QuietServer(("127.0.0.1", 0), Page)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{TMP}/{certificate}.pem", f"{TMP}/{certificate}.key")
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


os.makedirs(f"{TMP}/root/etc")
with open(f"{TMP}/root/etc/hosts", "w") as f:
    f.write("127.0.0.1 localhost\n10.0.2.2 secure.test other.test\n")
fetch = ["run", "--zig", ZIG, "--timeout", "150", "--net", "user", "--rootfs", f"{TMP}/root",
         f"--ca-certificates={TMP}/ca.pem", f"{TMP}/examples/fetch-zig", "--"]
plain, good = serve(None), serve("good")
r = zuk(*fetch, f"http://secure.test:{plain}/", f"https://secure.test:{good}/")
check(r.returncode == 0 and r.stdout == 2 * BODY and r.stderr.count("200 OK") == 2,
      f"fetch-zig over HTTP and TLS: {r.returncode} {len(r.stdout)} {r.stderr}")
r = zuk(*fetch, f"https://other.test:{good}/", f"https://secure.test:{serve('old')}/",
        f"https://secure.test:{serve('unknown')}/", f"https://secure.test:{free_port()}/")
check(r.returncode == 1 and r.stdout == "", f"refusals: {r.returncode} {r.stdout!r} {r.stderr}")
lines = [line for line in r.stderr.splitlines() if line.startswith("fetch: ")]
check(len(lines) == 4 and lines[3].endswith("ConnectionRefused") and
      not any("200" in line for line in lines), f"refusals: {r.stderr}")
r = zuk("run", "--ca-certificates=/nowhere/ca.pem", f"{TMP}/examples/fetch-zig", "--zig", ZIG)
check(r.returncode == 1 and "/nowhere/ca.pem" in r.stderr, f"no such bundle: {r.stderr}")
finish()
