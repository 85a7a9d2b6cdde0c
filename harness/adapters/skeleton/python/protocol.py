"""The adapter protocol of pwspec, version 1, for adapters in Python: the loop that reads and answers lines.

It does not know any library. `pwspec schema adapter` describes every line.
"""

import base64
import json
import os
import sys

PROTOCOL = 1
OPERATIONS = ("load", "start", "open", "call", "finish", "forget", "reset")


class Unsupported(Exception):
    """The library offers no way to do it; the words say why."""


class Refused(Exception):
    """The library does not take the module or the plugin; its words."""


class Trapped(Exception):
    """The plugin trapped; the library's words."""


def data(text):
    """Bytes, of base64 from a line."""
    return base64.b64decode(text or "")


def text(data):
    """Base64 for a line, of bytes."""
    return base64.b64encode(data).decode("ascii")


def pairs(fields):
    """Names and values as bytes, of fields from a line."""
    return [(data(name), data(value)) for name, value in fields or []]


def fields(pairs):
    """Fields for a line, of names and values as bytes."""
    return [[text(name), text(value)] for name, value in pairs]


def done(context=None, pause=None, accepted=None, state=None):
    """What came of an operation, as far as there is something to say."""
    said = {"context": context, "accepted": accepted}
    if pause is not None:
        said["action"] = "pause" if pause else "continue"
    out = {name: value for name, value in said.items() if value is not None}
    out["state"] = state or {}
    return out


class Adapter:
    """A library behind the protocol. An adapter has a method for each of OPERATIONS, and `hello`.

    Each takes what stands in the line and gives what `done` makes, or raises one of the three above.
    """

    def __init__(self):
        self._id = 0
        self._entered = False
        self._logs = []
        self._effects = []

    def enter(self):
        """Say that the library has control from now on: what hangs or dies is the library."""
        if not self._entered:
            self._entered = True
            self._write({"id": self._id, "answer": {"entered": {}}})

    def log(self, vm, level, words):
        """A plugin has logged these bytes."""
        self._logs.append({"vm": vm, "level": level, "text": text(words)})

    def effect(self, vm, context, name, what):
        """A plugin has asked for something that the library leaves to the code that embeds it."""
        self._effects.append({"vm": vm, "context": context, "effect": {name: what}})

    def serve(self):
        """Answer every line of the standard input. What others print goes to standard error."""
        self._out = os.fdopen(os.dup(1), "w", encoding="ascii")
        os.dup2(2, 1)
        for line in sys.stdin.buffer:
            request = json.loads(line)
            self._id, self._entered = request["id"], False
            [(name, ask)] = request["ask"].items()
            answer = self._dispatch(name, ask)
            self._write(
                {"id": self._id, "answer": answer, "logs": self._logs, "effects": self._effects}
            )
            self._logs, self._effects = [], []

    def _dispatch(self, name, ask):
        if name == "hello":
            return {"hello": self.hello()}
        if name not in OPERATIONS:
            return {"unsupported": {"reason": f"unknown operation {name}"}}
        try:
            return {"done": getattr(self, name)(ask)}
        except Unsupported as why:
            return {"unsupported": {"reason": str(why)}}
        except Refused as words:
            return {"refused": {"words": str(words)}}
        except Trapped as words:
            return {"trapped": {"words": str(words)}}
        except Exception as error:
            # Before the library is entered it is this program's own: it ends, and that is said.
            if not self._entered:
                raise
            return {"failed": {"words": f"{type(error).__name__}: {error}"}}

    def _write(self, line):
        self._out.write(json.dumps(line) + "\n")
        self._out.flush()
