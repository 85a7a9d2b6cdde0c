#!/usr/bin/env python3
"""Plays the client of a case: sends what scene.json says and prints what comes back.

Needs Python 3.8 or newer and nothing else. Where pwspec waits until the host has called the plugin,
this waits a moment.
"""
import base64
import json
import os
import pathlib
import socket
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
os.chdir(HERE)
SCENE = json.loads((HERE / "scene.json").read_text())
MOMENT = 0.2


def raw(text):
    return base64.b64decode(text)


def connect():
    out = socket.socket(socket.AF_UNIX)
    out.settimeout(10)
    out.connect(SCENE["socket"])
    return out


class Stream:
    """One HTTP request, piece by piece."""

    def __init__(self, number):
        self.number = number
        self.request = SCENE["streams"][number - 1]
        self.pieces = [raw(c) for c in self.request["body"]]
        self.trailers = [(raw(k), raw(v)) for k, v in self.request["trailers"]]
        headers = [(raw(k), raw(v)) for k, v in self.request["headers"]]
        names = [k.lower() for k, _ in headers]
        self.chunked = bool(self.trailers) or len(self.pieces) > 1
        if self.chunked:
            headers.append((b"transfer-encoding", b"chunked"))
        elif self.pieces and b"content-length" not in names:
            headers.append((b"content-length", str(len(self.pieces[0])).encode()))
        head = f"{self.request['method']} {self.request['path']} HTTP/1.1\r\n".encode()
        head += f"host: {self.request['authority']}\r\n".encode()
        head += b"".join(k + b": " + v + b"\r\n" for k, v in headers) + b"\r\n"
        self.connection = connect()
        self.connection.sendall(head)

    def chunk(self):
        if not self.pieces:
            return
        piece = self.pieces.pop(0)
        if self.chunked:
            piece = f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
        self.connection.sendall(piece)
        time.sleep(MOMENT)

    def rest(self):
        while self.pieces:
            self.chunk()
        if self.chunked:
            end = b"0\r\n" + b"".join(k + b": " + v + b"\r\n" for k, v in self.trailers) + b"\r\n"
            self.connection.sendall(end)

    def finish(self):
        stream = self.connection.makefile("rb")
        try:
            status = stream.readline().decode("latin-1").rstrip()
            print(f"client {self.number}  {status or '(the connection was closed)'}", flush=True)
            given = {}
            while True:
                text = stream.readline().rstrip(b"\r\n")
                if not text:
                    break
                print(f"client {self.number}      {text.decode('latin-1')}")
                key, _, value = text.partition(b":")
                given[key.strip().lower()] = value.strip()
            content = b""
            if given.get(b"transfer-encoding", b"").lower() == b"chunked":
                while True:
                    size = int(stream.readline().split(b";")[0] or b"0", 16)
                    if size == 0:
                        break
                    content += stream.read(size)
                    stream.readline()
                while True:
                    text = stream.readline().rstrip(b"\r\n")
                    if not text:
                        break
                    print(f"client {self.number}      trailer {text.decode('latin-1')}")
            elif b"content-length" in given and self.request["method"] != "HEAD":
                content = stream.read(int(given[b"content-length"]))
            if content:
                print(f"client {self.number}      body of {len(content)} bytes: {content[:80]!r}")
        except (OSError, ValueError) as error:
            print(f"client {self.number}  no whole response: {error}")
        sys.stdout.flush()
        self.connection.close()


class Connection:
    """One TCP connection."""

    def __init__(self, number):
        self.number = number
        self.pieces = [raw(c) for c in SCENE["connections"][number - 1]["downstream"]]
        self.connection = connect()

    def send(self):
        if self.pieces:
            self.connection.sendall(self.pieces.pop(0))
            time.sleep(MOMENT)

    def drain(self):
        try:
            while True:
                got = self.connection.recv(65536)
                if not got:
                    print(f"client {self.number}  the host has ended the connection")
                    return
                print(f"client {self.number}  {len(got)} bytes: {got[:80]!r}", flush=True)
        except OSError as error:
            print(f"client {self.number}  {error}")


def main():
    streams, connections = {}, {}
    for step in SCENE["play"]:
        what, n = step["what"], step.get("stream")
        if what == "head":
            streams[n] = Stream(n)
            time.sleep(MOMENT)
        elif what == "chunk":
            streams[n].chunk()
        elif what == "rest":
            streams[n].rest()
        elif what == "finish" and n in streams:
            streams[n].finish()
        elif what == "finish":
            connections[n].drain()
            connections[n].connection.close()
        elif what == "abort":
            streams[n].connection.close()
            print(f"client {n}  aborts", flush=True)
        elif what == "open":
            connections[n] = Connection(n)
            time.sleep(MOMENT)
        elif what == "wait":
            print(f"waiting for {step['callback']}", flush=True)
            time.sleep(step["milliseconds"] / 1000)
        elif what in ("reload", "remove", "shutdown"):
            print(f"the case goes on with: {what} the plugin. Do it by hand, then press Enter", flush=True)
            if sys.stdin.isatty():
                sys.stdin.readline()
        elif step.get("peer") == "client":
            own = connections[n]
            if what == "send":
                own.send()
            elif what == "end":
                own.connection.shutdown(socket.SHUT_WR)
            elif what == "close":
                own.connection.close()
            elif what == "ended":
                own.drain()


if __name__ == "__main__":
    main()
