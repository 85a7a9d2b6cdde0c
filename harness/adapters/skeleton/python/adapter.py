"""An adapter in Python: a Proxy-Wasm host library behind pwspec's adapter protocol.

It begins with a toy host (toy.py) and passes `pwspec doctor` as it stands. Your own host goes where
`toy` is named; README.md says in which order. It calls what the library's users call, and repairs
nothing. It does not know cases. The loop is in protocol.py.
"""

import toy
from protocol import PROTOCOL, Adapter, Refused, Trapped, Unsupported, data, done, fields, pairs

# The maps of the protocol's state, by the numbers that the toy knows them by.
MAPS = {"request_headers": toy.REQUEST_HEADERS, "response_headers": toy.RESPONSE_HEADERS}


class Main(Adapter):
    def __init__(self):
        super().__init__()
        self.hosts = {}
        self.asks = {}

    def hello(self):
        return {
            "protocol": PROTOCOL,
            "library": {"name": "toy", "version": "1"},
            # What modules may be of, and what `call` can have the library call.
            "abi": ["0.2.1"],
            "callbacks": ["proxy_on_request_headers", "proxy_on_response_headers"],
            # What the code that embeds the library decides, by the names of hostcalls, callbacks and
            # requirements: "embedder", or "none" where nobody does. It is not judged.
            "answers": {},
            # What cases may need and there is no way to.
            "lacks": {
                "tcp": "the toy knows HTTP only",
                "service": "the toy knows HTTP only",
                "grpc": "the toy makes no calls",
                "several_plugins": "the toy has one plugin a VM",
            },
            # How the library says that a function is missing.
            "unlinked": [r"unknown import: `\w+::(?P<import>\w+)`"],
        }

    def load(self, ask):
        """Make a VM of the module, as far as the library does that before a plugin starts."""
        self.enter()
        vm = ask["vm"]
        try:
            host = toy.Host(data(ask["module"]), lambda level, words: self.log(vm, level, words))
        except toy.Trap as trap:
            raise Trapped(str(trap)) from trap
        except toy.LinkError as error:
            raise Refused(str(error)) from error
        self.hosts[vm], self.asks[vm] = host, ask
        return done()

    def start(self, ask):
        """Start the plugin of the VM."""
        self.enter()
        host, load = self.hosts[ask["vm"]], self.asks[ask["vm"]]
        config = load["plugins"][ask["plugin"]].get("config")
        agreed = self.guest(lambda: host.start(data(load.get("vm_config")), data(config)))
        return done(context=toy.PLUGIN, accepted=agreed)

    def open(self, ask):
        """A stream begins."""
        if ask["kind"] != "http":
            raise Unsupported("the toy knows HTTP only")
        self.enter()
        return done(context=self.guest(self.hosts[ask["vm"]].open))

    def call(self, ask):
        """Have the library call the plugin: hand over what has changed, call, hand back."""
        host, context = self.hosts[ask["vm"]], ask["context"]
        [(event, what)] = ask["event"].items()
        if event not in ("proxy_on_request_headers", "proxy_on_response_headers"):
            raise Unsupported(f"the toy has no way to call {event}")
        self.enter()
        self.take(host, context, ask.get("state", {}))
        number = MAPS[event.removeprefix("proxy_on_")]
        pause = self.guest(lambda: host.headers(context, number, what["end_of_stream"]))
        maps = host.streams[context].maps
        state = {name: fields(maps[number]) for name, number in MAPS.items() if number in maps}
        return done(pause=pause, state=state)

    def finish(self, ask):
        """The world is done with a stream, or with the plugin."""
        self.enter()
        host, context = self.hosts[ask["vm"]], ask["context"]
        if context in host.streams:
            self.take(host, context, ask.get("state", {}))
        self.guest(lambda: host.finish(context))
        return done()

    def forget(self, ask):
        """The VM is not needed any more."""
        self.hosts.pop(ask["vm"], None)
        return done()

    def reset(self, ask):
        """Be as after the start."""
        self.hosts.clear()
        return done()

    def take(self, host, context, state):
        """Hand over the maps that have changed, and take away what is gone."""
        maps = host.streams[context].maps
        for name, number in MAPS.items():
            if name in state:
                maps[number] = pairs(state[name])
            if name in state.get("gone", []):
                maps.pop(number, None)

    def guest(self, does):
        """Do something in which the plugin may trap."""
        try:
            return does()
        except (toy.Trap, toy.LinkError) as trap:
            raise Trapped(str(trap)) from trap


if __name__ == "__main__":
    Main().serve()
