#!/usr/bin/env python3
"""Plays the upstreams of a case: answers as scene.json says and prints what comes in.

Needs Python 3.8 or newer and nothing else. Ends with Ctrl-C.
"""
import base64
import json
import os
import pathlib
import socket
import threading

HERE = pathlib.Path(__file__).resolve().parent
os.chdir(HERE)
SCENE = json.loads((HERE / "scene.json").read_text())
LOCK = threading.Lock()
ANSWERED = {}


def raw(text):
    return base64.b64decode(text)


def say(name, what):
    with LOCK:
        print(f"{name}  {what}", flush=True)


def answer_of(name, method, path):
    """The next answer of an upstream: the main one's belongs to the stream of that request."""
    with LOCK:
        if name in SCENE["answers"]:
            answers = SCENE["answers"][name]
            key = name
        else:
            streams = SCENE["streams"]
            own = [s for s in streams if (s["method"], s["path"]) == (method, path)]
            answers = [s["answer"] for s in (own or streams)]
            key = (name, method, path)
        n = ANSWERED.get(key, 0)
        ANSWERED[key] = n + 1
        if not answers:
            return {"kind": "reply", "status": 200, "headers": [], "body": [], "trailers": []}
        return answers[min(n, len(answers) - 1)]


def line(stream):
    got = stream.readline()
    if not got:
        raise EOFError
    return got.rstrip(b"\r\n")


def fields(stream):
    out = []
    while True:
        text = line(stream)
        if not text:
            return out
        name, _, value = text.partition(b":")
        out.append((name.strip().lower(), value.strip()))


def body(stream, headers):
    given = dict(headers)
    if given.get(b"transfer-encoding", b"").lower() == b"chunked":
        out = b""
        while True:
            size = int(line(stream).split(b";")[0], 16)
            if size == 0:
                return out, fields(stream)
            out += stream.read(size)
            line(stream)
    return stream.read(int(given.get(b"content-length", b"0"))), []


def reply(answer, head_only):
    chunks = [raw(c) for c in answer["body"]]
    trailers = [(raw(k), raw(v)) for k, v in answer["trailers"]]
    headers = [(raw(k), raw(v)) for k, v in answer["headers"]]
    sized = any(k.lower() in (b"content-length", b"transfer-encoding") for k, _ in headers)
    chunked = bool(trailers) or len(chunks) > 1
    if not sized:
        if chunked:
            headers.append((b"transfer-encoding", b"chunked"))
        else:
            headers.append((b"content-length", str(sum(map(len, chunks))).encode()))
    out = f"HTTP/1.1 {answer['status']} Status\r\n".encode()
    out += b"".join(k + b": " + v + b"\r\n" for k, v in headers) + b"\r\n"
    if head_only:
        return out
    if not chunked:
        return out + b"".join(chunks)
    for chunk in chunks:
        out += f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n"
    return out + b"0\r\n" + b"".join(k + b": " + v + b"\r\n" for k, v in trailers) + b"\r\n"


def http(name, connection):
    stream = connection.makefile("rb")
    try:
        while True:
            method, path, _ = line(stream).decode("latin-1").split(" ", 2)
            headers = fields(stream)
            answer = answer_of(name, method, path)
            whole = reply(answer, method == "HEAD")
            if answer["kind"] == "early":
                # The head at once, the rest when the request has ended.
                begins = whole.index(b"\r\n\r\n") + 4
                connection.sendall(whole[:begins])
                whole = whole[begins:]
            content, trailers = body(stream, headers)
            say(name, f"{method} {path}")
            for key, value in headers:
                say(name, f"    {key.decode('latin-1')}: {value!r}")
            if content:
                say(name, f"    body of {len(content)} bytes: {content[:80]!r}")
            for key, value in trailers:
                say(name, f"    trailer {key.decode('latin-1')}: {value!r}")
            if answer["kind"] == "hang":
                say(name, "    (does not answer)")
                stream.read()
                return
            if answer["kind"] == "close":
                say(name, "    (closes the connection)")
                return
            connection.sendall(whole)
    except (EOFError, OSError, ValueError):
        pass
    finally:
        connection.close()


def tcp(name, connection, number):
    own = SCENE["connections"][min(number, len(SCENE["connections"]) - 1)]
    say(name, f"connection {number + 1}")
    try:
        for chunk in own["upstream"]:
            connection.sendall(raw(chunk))
        while True:
            got = connection.recv(65536)
            if not got:
                say(name, f"connection {number + 1} has ended")
                return
            say(name, f"connection {number + 1}: {len(got)} bytes: {got[:80]!r}")
    except OSError:
        pass
    finally:
        connection.close()


def serve(name, listener):
    number = 0
    while True:
        connection, _ = listener.accept()
        if name == "backend":
            work = (tcp, (name, connection, number))
        else:
            work = (http, (name, connection))
        number += 1
        threading.Thread(target=work[0], args=work[1], daemon=True).start()


def main():
    threads = []
    for upstream in SCENE["upstreams"]:
        path = pathlib.Path(upstream["socket"])
        path.unlink(missing_ok=True)
        listeners = [socket.socket(socket.AF_UNIX)]
        listeners[0].bind(str(path))
        if upstream["port"]:
            other = socket.socket()
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            other.bind(("127.0.0.1", upstream["port"]))
            listeners.append(other)
        for listener in listeners:
            listener.listen()
            thread = threading.Thread(target=serve, args=(upstream["name"], listener), daemon=True)
            thread.start()
            threads.append(thread)
    say("upstreams", "listening")
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
