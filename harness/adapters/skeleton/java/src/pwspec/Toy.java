package pwspec;

import com.dylibso.chicory.runtime.HostFunction;
import com.dylibso.chicory.runtime.ImportValues;
import com.dylibso.chicory.runtime.Instance;
import com.dylibso.chicory.wasm.ChicoryException;
import com.dylibso.chicory.wasm.InvalidException;
import com.dylibso.chicory.wasm.Parser;
import com.dylibso.chicory.wasm.types.FunctionType;
import com.dylibso.chicory.wasm.types.ValType;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;

/**
 * A toy of a Proxy-Wasm host on Chicory: enough for the canaries of pwspec's doctor, and no more.
 *
 * <p>It is here to be replaced by a host of yours. It knows three hostcalls, two maps, HTTP streams and one
 * plugin a VM. It does not know pwspec.
 */
final class Toy {

    static final int REQUEST_HEADERS = 0;
    static final int RESPONSE_HEADERS = 2;
    /** The context of the plugin. */
    static final int PLUGIN = 1;

    private static final int OK = 0;
    private static final int NOT_FOUND = 1;
    private static final int BAD_ARGUMENT = 2;
    private static final int INVALID_MEMORY_ACCESS = 6;
    private static final int PAUSE = 1;
    private static final String[] LEVELS = {"trace", "debug", "info", "warn", "error", "critical"};

    /** A name and a value. */
    record Field(byte[] name, byte[] value) {}

    /** The headers of each HTTP stream that are there, by the number of the map. */
    final Map<Integer, Map<Integer, List<Field>>> streams = new HashMap<>();

    private final BiConsumer<String, byte[]> log;
    private final Instance instance;
    private Map<Integer, List<Field>> current = new HashMap<>();
    private int next = PLUGIN + 1;

    /** A hostcall: its parameters as they came. */
    private interface Hostcall {
        int call(int... words);
    }

    /** Makes a VM. {@code log} takes the level and the bytes of each message. */
    Toy(byte[] module, BiConsumer<String, byte[]> log) {
        this.log = log;
        var imports =
                ImportValues.builder()
                        .addFunction(hostcall("proxy_log", 3, this::proxyLog))
                        .addFunction(hostcall("proxy_get_header_map_value", 5, this::getHeaderMapValue))
                        .addFunction(hostcall("proxy_replace_header_map_value", 5, this::replaceHeaderMapValue))
                        .build();
        instance = Instance.builder(Parser.parse(module)).withImportValues(imports).withStart(false).build();
    }

    /** Starts VM and plugin; whether the plugin agrees. */
    boolean start(byte[] vmConfiguration, byte[] configuration) {
        guest("_initialize", 0);
        guest("proxy_on_context_create", 0, PLUGIN, 0);
        return guest("proxy_on_vm_start", 1, PLUGIN, vmConfiguration.length) != 0
                && guest("proxy_on_configure", 1, PLUGIN, configuration.length) != 0;
    }

    /** A stream begins: its context. */
    int open() {
        var id = next++;
        current = new HashMap<>();
        streams.put(id, current);
        guest("proxy_on_context_create", 0, id, PLUGIN);
        return id;
    }

    /** The headers in this map have come; whether the plugin pauses the stream. */
    boolean headers(int id, int map, boolean endOfStream) {
        current = streams.get(id);
        var name = map == REQUEST_HEADERS ? "proxy_on_request_headers" : "proxy_on_response_headers";
        var number = current.getOrDefault(map, List.of()).size();
        return guest(name, 0, id, number, endOfStream ? 1 : 0) == PAUSE;
    }

    /** A stream, or the plugin, is over. */
    void finish(int id) {
        current = streams.getOrDefault(id, new HashMap<>());
        for (var name : List.of("proxy_on_done", "proxy_on_log", "proxy_on_delete")) {
            guest(name, 0, id);
        }
        streams.remove(id);
    }

    /** Calls the plugin; what it does not export gives {@code otherwise}. */
    private int guest(String name, int otherwise, int... words) {
        if (!exports(name)) {
            return otherwise;
        }
        var arguments = new long[words.length];
        for (int n = 0; n < words.length; n++) {
            arguments[n] = words[n];
        }
        var results = instance.export(name).apply(arguments);
        return results == null || results.length == 0 ? otherwise : (int) results[0];
    }

    private boolean exports(String name) {
        try {
            return instance.exports().function(name) != null;
        } catch (InvalidException none) {
            return false;
        }
    }

    /** A hostcall that answers an address outside memory with its status. */
    private static HostFunction hostcall(String name, int parameters, Hostcall does) {
        var type = FunctionType.of(Collections.nCopies(parameters, ValType.I32), List.of(ValType.I32));
        return new HostFunction(
                "env",
                name,
                type,
                (instance, words) -> {
                    var plain = new int[words.length];
                    for (int n = 0; n < words.length; n++) {
                        plain[n] = (int) words[n];
                    }
                    try {
                        return new long[] {does.call(plain)};
                    } catch (ChicoryException outside) {
                        return new long[] {INVALID_MEMORY_ACCESS};
                    }
                });
    }

    private byte[] read(int address, int size) {
        return instance.memory().readBytes(address, size);
    }

    private void give(byte[] value, int address, int size) {
        var place = 0;
        if (value.length > 0) {
            var own = exports("proxy_on_memory_allocate");
            place = guest(own ? "proxy_on_memory_allocate" : "malloc", 0, value.length);
        }
        instance.memory().write(place, value);
        instance.memory().writeI32(address, place);
        instance.memory().writeI32(size, value.length);
    }

    private int proxyLog(int... words) {
        var message = read(words[1], words[2]);
        if (words[0] < 0 || words[0] >= LEVELS.length) {
            return BAD_ARGUMENT;
        }
        log.accept(LEVELS[words[0]], message);
        return OK;
    }

    private int getHeaderMapValue(int... words) {
        var name = read(words[1], words[2]);
        var headers = current.get(words[0]);
        if (headers == null) {
            return BAD_ARGUMENT;
        }
        for (var field : headers) {
            if (same(field.name(), name)) {
                give(field.value(), words[3], words[4]);
                return OK;
            }
        }
        return NOT_FOUND;
    }

    private int replaceHeaderMapValue(int... words) {
        var name = read(words[1], words[2]);
        var value = read(words[3], words[4]);
        var headers = current.get(words[0]);
        if (headers == null) {
            return BAD_ARGUMENT;
        }
        var place = 0;
        while (place < headers.size() && !same(headers.get(place).name(), name)) {
            place++;
        }
        var kept = new ArrayList<>(headers);
        kept.removeIf(field -> same(field.name(), name));
        kept.add(place, new Field(name, value));
        current.put(words[0], kept);
        return OK;
    }

    private static boolean same(byte[] one, byte[] other) {
        return new String(one, StandardCharsets.ISO_8859_1)
                .equalsIgnoreCase(new String(other, StandardCharsets.ISO_8859_1));
    }
}
