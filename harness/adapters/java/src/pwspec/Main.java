package pwspec;

import com.dylibso.chicory.runtime.TrapException;
import com.dylibso.chicory.wasm.ChicoryException;
import com.dylibso.chicory.wasm.Parser;
import com.dylibso.chicory.wasm.UnlinkableException;
import com.dylibso.chicory.wasm.WasmModule;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.roastedroot.proxywasm.ForeignFunction;
import io.roastedroot.proxywasm.LogLevel;
import io.roastedroot.proxywasm.MetricType;
import io.roastedroot.proxywasm.QueueName;
import io.roastedroot.proxywasm.SharedData;
import io.roastedroot.proxywasm.SimpleMetricsHandler;
import io.roastedroot.proxywasm.SimpleSharedDataHandler;
import io.roastedroot.proxywasm.SimpleSharedQueueHandler;
import io.roastedroot.proxywasm.StartException;
import io.roastedroot.proxywasm.WasmException;
import io.roastedroot.proxywasm.internal.Action;
import io.roastedroot.proxywasm.internal.ArrayBytesProxyMap;
import io.roastedroot.proxywasm.internal.ChainedHandler;
import io.roastedroot.proxywasm.internal.Handler;
import io.roastedroot.proxywasm.internal.HttpContext;
import io.roastedroot.proxywasm.internal.NetworkContext;
import io.roastedroot.proxywasm.internal.PeerType;
import io.roastedroot.proxywasm.internal.ProxyMap;
import io.roastedroot.proxywasm.internal.ProxyWasm;
import io.roastedroot.proxywasm.internal.StreamType;
import io.roastedroot.proxywasm.internal.WasmResult;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * proxy-wasm-java-host behind pwspec's adapter protocol. It makes the public calls of the library and uses
 * its own maps, and its simple handlers for shared data, queues and metrics; it repairs nothing.
 *
 * <p>It does not know cases. The public calls of the library know no trailers, no closing of an upstream's
 * connection and no foreign callback, and do not switch to the context that a callback is made on. The loop
 * is in Protocol.
 */
public final class Main extends Protocol {

    private static final int ACTION_PAUSE = 1;

    private final Map<String, Vm> vms = new HashMap<>();
    private SimpleSharedDataHandler data = new SimpleSharedDataHandler();
    private SimpleSharedQueueHandler queues = new SimpleSharedQueueHandler();
    private SimpleMetricsHandler metrics = new SimpleMetricsHandler();

    public static void main(String[] args) throws Exception {
        new Main().serve();
    }

    @Override
    protected JsonObject hello() {
        var version = System.getProperty("host.version", "local");
        return object(
                Map.of(
                        "protocol", PROTOCOL,
                        "library", Map.of("name", "java", "version", version),
                        "abi", List.of("0.2.1", "0.2.0", "0.1.0"),
                        "callbacks",
                                List.of(
                                        "proxy_on_tick", "proxy_on_queue_ready", "proxy_on_http_call_response",
                                        "proxy_on_grpc_receive_initial_metadata", "proxy_on_grpc_receive",
                                        "proxy_on_grpc_receive_trailing_metadata", "proxy_on_grpc_close",
                                        "proxy_on_request_headers", "proxy_on_request_body",
                                        "proxy_on_response_headers", "proxy_on_response_body",
                                        "proxy_on_new_connection", "proxy_on_downstream_data",
                                        "proxy_on_upstream_data", "proxy_on_downstream_connection_close")));
    }

    @Override
    protected JsonObject load(JsonObject ask) {
        enter();
        var vm = new Vm(ask);
        vm.module = Parser.parse(bytes(ask.get("module")));
        vms.put(vm.name, vm);
        return done(null, null, null, null);
    }

    /** The builder makes the instance, creates the plugin's context and starts VM and plugin. */
    @Override
    protected JsonObject start(JsonObject ask) {
        enter();
        var vm = vms.get(ask.get("vm").getAsString());
        try {
            vm.host = ProxyWasm.builder().withPluginHandler(vm.root).build(vm.module);
        } catch (StartException refused) {
            return done(1, null, false, null);
        }
        return done(vm.host.contextId(), null, true, null);
    }

    @Override
    protected JsonObject open(JsonObject ask) {
        enter();
        var vm = vms.get(ask.get("vm").getAsString());
        var stream = new Stream(vm);
        if (ask.get("kind").getAsString().equals("tcp")) {
            stream.network = vm.host.createNetworkContext(stream);
            stream.id = stream.network.id();
        } else {
            stream.http = vm.host.createHttpContext(stream);
            stream.id = stream.http.id();
        }
        vm.streams.put(stream.id, stream);
        return done(stream.id, null, null, null);
    }

    @Override
    protected JsonObject call(JsonObject ask, String event, JsonObject what) {
        enter();
        var vm = vms.get(ask.get("vm").getAsString());
        var stream = vm.streams.get(ask.get("context").getAsInt());
        if (stream != null) {
            stream.change(ask.getAsJsonObject("state"));
        }
        var end = what.has("end_of_stream") && what.get("end_of_stream").getAsBoolean();
        var call = what.has("call_id") ? what.get("call_id").getAsInt() : 0;
        Action action = null;
        switch (event) {
            case "proxy_on_tick":
                vm.host.tick();
                break;
            case "proxy_on_queue_ready":
                vm.host.sendOnQueueReady(what.get("queue_id").getAsInt());
                break;
            case "proxy_on_http_call_response":
                var headers = what.get("headers");
                var failed = headers == null || headers.isJsonNull();
                vm.host.sendHttpCallResponse(
                        call, failed ? null : map(headers), map(what.get("trailers")), bytes(what.get("body")));
                break;
            case "proxy_on_grpc_receive_initial_metadata":
                vm.host.sendGrpcReceiveInitialMetadata(call, map(what.get("metadata")));
                break;
            case "proxy_on_grpc_receive":
                vm.host.sendGrpcReceive(call, bytes(what.get("message")));
                break;
            case "proxy_on_grpc_receive_trailing_metadata":
                vm.host.sendGrpcReceiveTrailingMetadata(call, map(what.get("metadata")));
                break;
            case "proxy_on_grpc_close":
                vm.host.sendGrpcClose(call, what.get("status_code").getAsInt());
                break;
            case "proxy_on_request_headers":
                action = stream.http.callOnRequestHeaders(end);
                break;
            case "proxy_on_response_headers":
                action = stream.http.callOnResponseHeaders(end);
                break;
            case "proxy_on_request_body":
                stream.append("request_body", what);
                action = stream.http.callOnRequestBody(end);
                break;
            case "proxy_on_response_body":
                stream.append("response_body", what);
                action = stream.http.callOnResponseBody(end);
                break;
            case "proxy_on_new_connection":
                action = stream.network.callOnNewConnection();
                break;
            case "proxy_on_downstream_data":
                stream.append("downstream_data", what);
                action = stream.network.callOnDownstreamData(end);
                break;
            case "proxy_on_upstream_data":
                stream.append("upstream_data", what);
                action = stream.network.callOnUpstreamData(end);
                break;
            case "proxy_on_downstream_connection_close":
                var local = what.get("peer").getAsString().equals("local");
                stream.network.callOnDownstreamConnectionClose(local ? PeerType.LOCAL : PeerType.REMOTE);
                break;
            default:
                return words("unsupported", "reason", "the library has no public call for " + event);
        }
        for (var other : vm.streams.values()) {
            if (other != stream) {
                effect(vm.name, other.id, "changed", one("state", other.state()));
            }
        }
        var pause = action == null ? null : action.getValue() == ACTION_PAUSE;
        return done(null, pause, null, stream == null ? null : stream.state());
    }

    @Override
    protected JsonObject finish(JsonObject ask) {
        enter();
        var vm = vms.get(ask.get("vm").getAsString());
        var stream = vm.streams.remove(ask.get("context").getAsInt());
        if (stream == null) {
            vm.host.close();
        } else if (stream.http != null) {
            stream.change(ask.getAsJsonObject("state"));
            stream.http.close();
        } else {
            stream.network.close();
        }
        return done(null, null, null, null);
    }

    @Override
    protected JsonObject forget(JsonObject ask) {
        vms.remove(ask.get("vm").getAsString());
        return done(null, null, null, null);
    }

    @Override
    protected JsonObject reset() {
        vms.clear();
        data = new SimpleSharedDataHandler();
        queues = new SimpleSharedQueueHandler();
        metrics = new SimpleMetricsHandler();
        return done(null, null, null, null);
    }

    @Override
    protected JsonObject thrown(Throwable error) {
        var words = error.getClass().getSimpleName() + ": " + error.getMessage();
        if (error instanceof UnlinkableException || (error instanceof ChicoryException && !running(error))) {
            return words("refused", "words", words);
        }
        return words("trapped", "words", words);
    }

    /** Whether the guest ran: a trap, or a stack that overflowed, and not a module that is none. */
    private static boolean running(Throwable error) {
        if (error instanceof TrapException) {
            return true;
        }
        for (var frame : error.getStackTrace()) {
            if (frame.getClassName().startsWith("io.roastedroot.proxywasm.internal.ABI")) {
                return true;
            }
        }
        return false;
    }

    private static ArrayBytesProxyMap map(JsonElement fields) {
        var map = new ArrayBytesProxyMap();
        if (fields != null && fields.isJsonArray()) {
            for (var field : fields.getAsJsonArray()) {
                var pair = field.getAsJsonArray();
                map.add(text(bytes(pair.get(0))), bytes(pair.get(1)));
            }
        }
        return map;
    }

    private static JsonArray fields(ProxyMap map) {
        var out = new JsonArray();
        if (map != null) {
            map.streamBytes()
                    .forEach(
                            entry -> {
                                var pair = new JsonArray();
                                pair.add(bytes(entry.getKey()));
                                pair.add(bytes(entry.getValue()));
                                out.add(pair);
                            });
        }
        return out;
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    /** One VM with its one plugin. */
    private final class Vm {
        final String name;
        final JsonObject ask;
        final JsonObject plugin;
        final Handler root = new Root(this);
        final Map<Integer, Stream> streams = new LinkedHashMap<>();
        WasmModule module;
        ProxyWasm host;
        int calls;

        Vm(JsonObject ask) {
            this.ask = ask;
            this.name = ask.get("vm").getAsString();
            this.plugin = ask.getAsJsonArray("plugins").get(0).getAsJsonObject();
        }

        int context() {
            return host == null ? 1 : host.contextId();
        }

        int callout(int context, String name, Map<String, Object> what, JsonObject bytes) throws WasmException {
            var upstream = what.get("upstream").toString();
            var known = false;
            for (var u : ask.getAsJsonArray("upstreams")) {
                known |= u.getAsString().equals(upstream);
            }
            if (!known) {
                throw new WasmException(name.startsWith("grpc") ? WasmResult.PARSE_FAILURE : WasmResult.BAD_ARGUMENT);
            }
            var id = ++calls;
            bytes.addProperty("call_id", id);
            bytes.add("upstream", bytes(upstream.getBytes(StandardCharsets.UTF_8)));
            effect(this.name, context, name, bytes);
            return id;
        }
    }

    /** What the library asks of its embedder for a plugin: mostly the library's own simple handlers. */
    private final class Root implements Handler {
        private final Vm vm;

        Root(Vm vm) {
            this.vm = vm;
        }

        @Override
        public void log(LogLevel level, String message) {
            Main.this.log(vm.name, level.name(), message.getBytes(StandardCharsets.UTF_8));
        }

        @Override
        public byte[] getVmConfig() {
            return bytes(vm.ask.get("vm_config"));
        }

        @Override
        public byte[] getPluginConfig() {
            return bytes(vm.plugin.get("config"));
        }

        @Override
        public WasmResult setTickPeriodMilliseconds(int period) {
            effect(vm.name, vm.context(), "tick_period", object(Map.of("ms", Integer.toUnsignedLong(period))));
            return WasmResult.OK;
        }

        @Override
        public byte[] getProperty(List<String> path) {
            switch (String.join(".", path)) {
                case "plugin_name":
                    return vm.plugin.get("name").getAsString().getBytes(StandardCharsets.UTF_8);
                case "plugin_root_id":
                    return vm.plugin.get("root_id").getAsString().getBytes(StandardCharsets.UTF_8);
                case "vm_id":
                case "plugin_vm_id":
                    return vm.ask.get("vm_id").getAsString().getBytes(StandardCharsets.UTF_8);
                default:
                    return null;
            }
        }

        @Override
        public int httpCall(String upstream, ProxyMap headers, byte[] body, ProxyMap trailers, int timeout)
                throws WasmException {
            return httpCall(vm.context(), upstream, headers, body, trailers, timeout);
        }

        int httpCall(int context, String upstream, ProxyMap headers, byte[] body, ProxyMap trailers, int timeout)
                throws WasmException {
            var what = new JsonObject();
            what.add("headers", fields(headers));
            what.add("body", bytes(body));
            what.add("trailers", fields(trailers));
            what.addProperty("timeout_ms", Integer.toUnsignedLong(timeout));
            return vm.callout(context, "http_call", Map.of("upstream", upstream), what);
        }

        @Override
        public int grpcCall(
                String upstream, String service, String method, ProxyMap metadata, byte[] message, int timeout)
                throws WasmException {
            var what = grpc(service, method, metadata);
            what.add("message", bytes(message));
            what.addProperty("timeout_ms", Integer.toUnsignedLong(timeout));
            return vm.callout(vm.context(), "grpc_call", Map.of("upstream", upstream), what);
        }

        @Override
        public int grpcStream(String upstream, String service, String method, ProxyMap metadata)
                throws WasmException {
            return vm.callout(
                    vm.context(), "grpc_stream", Map.of("upstream", upstream), grpc(service, method, metadata));
        }

        private JsonObject grpc(String service, String method, ProxyMap metadata) {
            var what = new JsonObject();
            what.add("service", bytes(service.getBytes(StandardCharsets.UTF_8)));
            what.add("method", bytes(method.getBytes(StandardCharsets.UTF_8)));
            what.add("metadata", fields(metadata));
            return what;
        }

        @Override
        public WasmResult grpcSend(int stream, byte[] message, int end) {
            var what = new JsonObject();
            what.addProperty("call_id", stream);
            what.add("message", bytes(message));
            what.addProperty("end_of_stream", end != 0);
            effect(vm.name, vm.context(), "grpc_send", what);
            return WasmResult.OK;
        }

        @Override
        public WasmResult grpcCancel(int call) {
            effect(vm.name, vm.context(), "grpc_cancel", object(Map.of("call_id", call)));
            return WasmResult.OK;
        }

        @Override
        public WasmResult grpcClose(int call) {
            effect(vm.name, vm.context(), "grpc_close", object(Map.of("call_id", call)));
            return WasmResult.OK;
        }

        @Override
        public ForeignFunction getForeignFunction(String name) {
            if (vm.ask.has("functions")) {
                for (var each : vm.ask.getAsJsonArray("functions")) {
                    var function = each.getAsJsonObject();
                    if (function.get("name").getAsString().equals(name)) {
                        var gives = function.get("gives");
                        return given -> gives == null || gives.isJsonNull() ? given : bytes(gives);
                    }
                }
            }
            return null;
        }

        @Override
        public SharedData getSharedData(String key) throws WasmException {
            return data.getSharedData(key);
        }

        @Override
        public WasmResult setSharedData(String key, byte[] value, int cas) {
            return data.setSharedData(key, value, cas);
        }

        @Override
        public int registerSharedQueue(QueueName name) throws WasmException {
            return queues.registerSharedQueue(name);
        }

        @Override
        public int resolveSharedQueue(QueueName name) throws WasmException {
            return queues.resolveSharedQueue(name);
        }

        @Override
        public byte[] dequeueSharedQueue(int queue) throws WasmException {
            return queues.dequeueSharedQueue(queue);
        }

        @Override
        public WasmResult enqueueSharedQueue(int queue, byte[] value) {
            var result = queues.enqueueSharedQueue(queue, value);
            if (result == WasmResult.OK) {
                effect(vm.name, vm.context(), "queue_ready", object(Map.of("queue_id", queue)));
            }
            return result;
        }

        @Override
        public int defineMetric(MetricType type, String name) throws WasmException {
            return metrics.defineMetric(type, name);
        }

        @Override
        public WasmResult incrementMetric(int metric, long value) {
            return metrics.incrementMetric(metric, value);
        }

        @Override
        public WasmResult recordMetric(int metric, long value) {
            return metrics.recordMetric(metric, value);
        }

        @Override
        public long getMetric(int metric) throws WasmException {
            return metrics.getMetric(metric);
        }
    }

    /** What the library asks of its embedder for a stream. */
    private final class Stream extends ChainedHandler {
        private final Vm vm;
        private final Map<String, ArrayBytesProxyMap> maps = new HashMap<>();
        private final Map<String, byte[]> buffers = new HashMap<>();
        HttpContext http;
        NetworkContext network;
        int id;

        Stream(Vm vm) {
            this.vm = vm;
        }

        @Override
        protected Handler next() {
            return vm.root;
        }

        void change(JsonObject state) {
            if (state == null) {
                return;
            }
            if (state.has("gone")) {
                for (var gone : state.getAsJsonArray("gone")) {
                    maps.remove(gone.getAsString());
                    buffers.remove(gone.getAsString());
                }
            }
            for (var entry : state.entrySet()) {
                var name = entry.getKey();
                if (name.endsWith("headers") || name.endsWith("trailers")) {
                    maps.put(name, map(entry.getValue()));
                } else if (name.endsWith("body") || name.endsWith("data")) {
                    buffers.put(name, bytes(entry.getValue()));
                }
            }
        }

        void append(String name, JsonObject event) {
            var held = buffers.getOrDefault(name, new byte[0]);
            var piece = bytes(event.get("piece"));
            var both = java.util.Arrays.copyOf(held, held.length + piece.length);
            System.arraycopy(piece, 0, both, held.length, piece.length);
            buffers.put(name, both);
        }

        JsonObject state() {
            var out = new JsonObject();
            maps.forEach((name, map) -> out.add(name, fields(map)));
            buffers.forEach((name, bytes) -> out.add(name, bytes(bytes)));
            return out;
        }

        private WasmResult set(String name, byte[] bytes) {
            buffers.put(name, bytes);
            return WasmResult.OK;
        }

        @Override
        public ProxyMap getHttpRequestHeaders() {
            return maps.get("request_headers");
        }

        @Override
        public ProxyMap getHttpRequestTrailers() {
            return maps.get("request_trailers");
        }

        @Override
        public ProxyMap getHttpResponseHeaders() {
            return maps.get("response_headers");
        }

        @Override
        public ProxyMap getHttpResponseTrailers() {
            return maps.get("response_trailers");
        }

        @Override
        public byte[] getHttpRequestBody() {
            return buffers.get("request_body");
        }

        @Override
        public WasmResult setHttpRequestBody(byte[] body) {
            return set("request_body", body);
        }

        @Override
        public byte[] getHttpResponseBody() {
            return buffers.get("response_body");
        }

        @Override
        public WasmResult setHttpResponseBody(byte[] body) {
            return set("response_body", body);
        }

        @Override
        public byte[] getDownStreamData() {
            return buffers.get("downstream_data");
        }

        @Override
        public WasmResult setDownStreamData(byte[] bytes) {
            return set("downstream_data", bytes);
        }

        @Override
        public byte[] getUpstreamData() {
            return buffers.get("upstream_data");
        }

        @Override
        public WasmResult setUpstreamData(byte[] bytes) {
            return set("upstream_data", bytes);
        }

        /** The library says so of what a callback returned, and of what a plugin lets go on. */
        @Override
        public WasmResult setAction(StreamType type, Action action) {
            if (action == Action.CONTINUE) {
                var side = http == null ? (type == StreamType.DOWNSTREAM ? "downstream" : "upstream")
                        : (type == StreamType.REQUEST ? "http_request" : "http_response");
                effect(vm.name, id, "continue_stream", object(Map.of("stream", side)));
            }
            return WasmResult.OK;
        }

        @Override
        public WasmResult sendHttpResponse(int status, byte[] details, byte[] body, ProxyMap headers, int grpc) {
            var what = new JsonObject();
            what.addProperty("status", status);
            what.add("details", bytes(details));
            what.add("headers", fields(headers));
            what.add("body", bytes(body));
            what.addProperty("grpc_status", grpc);
            effect(vm.name, id, "local_response", what);
            return WasmResult.OK;
        }

        @Override
        public int httpCall(String upstream, ProxyMap headers, byte[] body, ProxyMap trailers, int timeout)
                throws WasmException {
            return ((Root) vm.root).httpCall(id, upstream, headers, body, trailers, timeout);
        }
    }
}
