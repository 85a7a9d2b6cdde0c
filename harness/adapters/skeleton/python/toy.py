"""A toy of a Proxy-Wasm host on wasmtime: enough for the canaries of `pwspec doctor`, and no more.

It is here to be replaced by a host of yours. It knows three hostcalls, two maps, HTTP streams and one
plugin a VM. It does not know pwspec.
"""

import wasmtime

OK, NOT_FOUND, BAD_ARGUMENT, INVALID_MEMORY_ACCESS = 0, 1, 2, 6
REQUEST_HEADERS, RESPONSE_HEADERS = 0, 2
LEVELS = ("trace", "debug", "info", "warn", "error", "critical")
PAUSE = 1
PLUGIN = 1

Trap = wasmtime.Trap
LinkError = wasmtime.WasmtimeError


class OutOfBounds(Exception):
    """The guest named an address outside its memory."""


class Stream:
    """The headers of one HTTP stream that are there: lists of names and values, by the map's number."""

    def __init__(self):
        self.maps = {}


class Host:
    """One VM with its one plugin. `log` is called with the level and the bytes of each message."""

    engine = wasmtime.Engine()

    def __init__(self, module, log):
        self.log = log
        self.streams = {}
        self.current = None
        self.next = PLUGIN + 1
        self.store = wasmtime.Store(self.engine)
        linker = wasmtime.Linker(self.engine)
        for name, parameters, function in (
            ("proxy_log", 3, self._log),
            ("proxy_get_header_map_value", 5, self._get_header_map_value),
            ("proxy_replace_header_map_value", 5, self._replace_header_map_value),
        ):
            word = wasmtime.ValType.i32()
            signature = wasmtime.FuncType([word] * parameters, [word])
            linker.define_func("env", name, signature, self._guarded(function))
        instance = linker.instantiate(self.store, wasmtime.Module(self.engine, module))
        self.exports = instance.exports(self.store)
        self.memory = self.exports["memory"]
        self._call("_initialize")

    def start(self, vm_configuration, plugin_configuration):
        """Start VM and plugin; whether the plugin agrees."""
        self._call("proxy_on_context_create", PLUGIN, 0)
        agreed = self._call("proxy_on_vm_start", PLUGIN, len(vm_configuration), otherwise=1)
        agreed = agreed and self._call(
            "proxy_on_configure", PLUGIN, len(plugin_configuration), otherwise=1
        )
        return bool(agreed)

    def open(self):
        """A stream begins: its context."""
        context, self.next = self.next, self.next + 1
        self.current = self.streams[context] = Stream()
        self._call("proxy_on_context_create", context, PLUGIN)
        return context

    def headers(self, context, map_id, end_of_stream):
        """The headers in this map have come; whether the plugin pauses the stream."""
        self.current = self.streams[context]
        name = "proxy_on_request_headers" if map_id == REQUEST_HEADERS else "proxy_on_response_headers"
        number = len(self.current.maps[map_id])
        return self._call(name, context, number, int(end_of_stream), otherwise=0) == PAUSE

    def finish(self, context):
        """A stream, or the plugin, is over."""
        self.current = self.streams.pop(context, None)
        self._call("proxy_on_done", context)
        self._call("proxy_on_log", context)
        self._call("proxy_on_delete", context)

    def _call(self, name, *arguments, otherwise=None):
        function = self.exports.get(name)
        return otherwise if function is None else function(self.store, *arguments)

    def _guarded(self, function):
        def guarded(*words):
            try:
                return function(*(word & 0xFFFFFFFF for word in words))
            except OutOfBounds:
                return INVALID_MEMORY_ACCESS

        return guarded

    def _read(self, address, size):
        if address + size > self.memory.data_len(self.store):
            raise OutOfBounds
        return bytes(self.memory.read(self.store, address, address + size))

    def _write(self, address, data):
        if address + len(data) > self.memory.data_len(self.store):
            raise OutOfBounds
        self.memory.write(self.store, data, address)

    def _give(self, value, address, size):
        allocate = self.exports.get("proxy_on_memory_allocate") or self.exports.get("malloc")
        place = allocate(self.store, len(value)) & 0xFFFFFFFF if value else 0
        self._write(place, value)
        self._write(address, place.to_bytes(4, "little"))
        self._write(size, len(value).to_bytes(4, "little"))

    def _map(self, map_id):
        return self.current.maps.get(map_id) if self.current else None

    def _log(self, level, message, size):
        words = self._read(message, size)
        if level >= len(LEVELS):
            return BAD_ARGUMENT
        self.log(LEVELS[level], words)
        return OK

    def _get_header_map_value(self, map_id, key, key_size, value, value_size):
        name, headers = self._read(key, key_size).lower(), self._map(map_id)
        if headers is None:
            return BAD_ARGUMENT
        for each, found in headers:
            if each.lower() == name:
                self._give(found, value, value_size)
                return OK
        return NOT_FOUND

    def _replace_header_map_value(self, map_id, key, key_size, value, value_size):
        name, new, headers = self._read(key, key_size), self._read(value, value_size), self._map(map_id)
        if headers is None:
            return BAD_ARGUMENT
        places = [n for n, (each, _) in enumerate(headers) if each.lower() == name.lower()]
        kept = [field for n, field in enumerate(headers) if n not in places]
        kept.insert(places[0] if places else len(headers), (name, new))
        headers[:] = kept
        return OK
