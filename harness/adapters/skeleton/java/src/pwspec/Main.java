package pwspec;

import com.dylibso.chicory.runtime.TrapException;
import com.dylibso.chicory.runtime.WasmRuntimeException;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * An adapter in Java: a Proxy-Wasm host library behind pwspec's adapter protocol.
 *
 * <p>It begins with a toy host (Toy) and passes {@code pwspec doctor} as it stands. Your own host goes where
 * the toy is named; README.md says in which order. It calls what the library's users call, and repairs
 * nothing. It does not know cases. The loop is in Protocol.
 */
public final class Main extends Protocol {

    /** The maps of the protocol's state, by the numbers that the toy knows them by. */
    private static final Map<String, Integer> MAPS =
            Map.of("request_headers", Toy.REQUEST_HEADERS, "response_headers", Toy.RESPONSE_HEADERS);

    private final Map<String, Toy> toys = new HashMap<>();
    private final Map<String, JsonObject> loads = new HashMap<>();

    public static void main(String[] args) throws Exception {
        new Main().serve();
    }

    @Override
    protected JsonObject hello() {
        return object(
                Map.of(
                        "protocol", PROTOCOL,
                        "library", Map.of("name", "toy", "version", "1"),
                        // What modules may be of, and what `call` can have the library call.
                        "abi", List.of("0.2.1"),
                        "callbacks", List.of("proxy_on_request_headers", "proxy_on_response_headers"),
                        // What the code that embeds the library decides, by the names of hostcalls, callbacks
                        // and requirements: "embedder", or "none" where nobody does. It is not judged.
                        "answers", Map.of(),
                        // What cases may need and there is no way to.
                        "lacks",
                                Map.of(
                                        "tcp", "the toy knows HTTP only",
                                        "service", "the toy knows HTTP only",
                                        "grpc", "the toy makes no calls",
                                        "several_plugins", "the toy has one plugin a VM"),
                        // How the library says that a function is missing.
                        "unlinked", List.of("named \\w+\\.(?P<import>\\w+)")));
    }

    /** Makes a VM of the module, as far as the library does that before a plugin starts. */
    @Override
    protected JsonObject load(JsonObject ask) {
        enter();
        var vm = ask.get("vm").getAsString();
        toys.put(vm, new Toy(bytes(ask.get("module")), (level, words) -> log(vm, level, words)));
        loads.put(vm, ask);
        return done(null, null, null, null);
    }

    /** Starts the plugin of the VM. */
    @Override
    protected JsonObject start(JsonObject ask) {
        enter();
        var vm = ask.get("vm").getAsString();
        var load = loads.get(vm);
        var plugin = load.getAsJsonArray("plugins").get(ask.get("plugin").getAsInt()).getAsJsonObject();
        var agreed = toys.get(vm).start(bytes(load.get("vm_config")), bytes(plugin.get("config")));
        return done(Toy.PLUGIN, null, agreed, null);
    }

    /** A stream begins. */
    @Override
    protected JsonObject open(JsonObject ask) {
        if (!ask.get("kind").getAsString().equals("http")) {
            return words("unsupported", "reason", "the toy knows HTTP only");
        }
        enter();
        return done(toys.get(ask.get("vm").getAsString()).open(), null, null, null);
    }

    /** Has the library call the plugin: hand over what has changed, call, hand back. */
    @Override
    protected JsonObject call(JsonObject ask, String event, JsonObject what) {
        var map = MAPS.get(event.replaceFirst("^proxy_on_", ""));
        if (map == null) {
            return words("unsupported", "reason", "the toy has no way to call " + event);
        }
        enter();
        var toy = toys.get(ask.get("vm").getAsString());
        var context = ask.get("context").getAsInt();
        take(toy, context, ask.getAsJsonObject("state"));
        var pause = toy.headers(context, map, what.get("end_of_stream").getAsBoolean());
        return done(null, pause, null, state(toy, context));
    }

    /** The world is done with a stream, or with the plugin. */
    @Override
    protected JsonObject finish(JsonObject ask) {
        enter();
        var toy = toys.get(ask.get("vm").getAsString());
        var context = ask.get("context").getAsInt();
        if (toy.streams.containsKey(context)) {
            take(toy, context, ask.getAsJsonObject("state"));
        }
        toy.finish(context);
        return done(null, null, null, null);
    }

    /** The VM is not needed any more. */
    @Override
    protected JsonObject forget(JsonObject ask) {
        toys.remove(ask.get("vm").getAsString());
        return done(null, null, null, null);
    }

    /** Be as after the start. */
    @Override
    protected JsonObject reset() {
        toys.clear();
        return done(null, null, null, null);
    }

    /** What the library throws: a trap of the plugin, or that it does not take the module. */
    @Override
    protected JsonObject thrown(Throwable error) {
        var words = error.getClass().getSimpleName() + ": " + error.getMessage();
        var trap =
                error instanceof TrapException
                        || error instanceof WasmRuntimeException
                        || error instanceof StackOverflowError;
        return words(trap ? "trapped" : "refused", "words", words);
    }

    /** Hands over the maps that have changed, and takes away what is gone. */
    private static void take(Toy toy, int context, JsonObject state) {
        var stream = toy.streams.get(context);
        if (state == null) {
            return;
        }
        MAPS.forEach(
                (name, map) -> {
                    if (state.has(name)) {
                        var headers = new ArrayList<Toy.Field>();
                        for (var each : state.getAsJsonArray(name)) {
                            var pair = each.getAsJsonArray();
                            headers.add(new Toy.Field(bytes(pair.get(0)), bytes(pair.get(1))));
                        }
                        stream.put(map, headers);
                    }
                });
        if (state.has("gone")) {
            for (var gone : state.getAsJsonArray("gone")) {
                stream.remove(MAPS.get(gone.getAsString()));
            }
        }
    }

    /** Gives back the maps as they are now. */
    private static JsonObject state(Toy toy, int context) {
        var out = new JsonObject();
        MAPS.forEach(
                (name, map) -> {
                    var headers = toy.streams.get(context).get(map);
                    if (headers == null) {
                        return;
                    }
                    var all = new JsonArray();
                    for (var field : headers) {
                        var pair = new JsonArray();
                        pair.add(bytes(field.name()));
                        pair.add(bytes(field.value()));
                        all.add(pair);
                    }
                    out.add(name, all);
                });
        return out;
    }
}
