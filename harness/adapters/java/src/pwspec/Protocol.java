package pwspec;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;

/**
 * The adapter protocol of pwspec, version 1, for adapters in Java: the loop that reads and answers lines.
 *
 * <p>It does not know any library. specs/schema/adapter.json describes every line.
 */
public abstract class Protocol {

    protected static final int PROTOCOL = 1;
    private static final Gson GSON = new GsonBuilder().disableHtmlEscaping().create();

    private PrintStream out;
    private long id;
    private boolean entered;
    private JsonArray logs = new JsonArray();
    private JsonArray effects = new JsonArray();

    protected abstract JsonObject hello();

    protected abstract JsonObject load(JsonObject ask) throws Exception;

    protected abstract JsonObject start(JsonObject ask) throws Exception;

    protected abstract JsonObject open(JsonObject ask) throws Exception;

    protected abstract JsonObject call(JsonObject ask, String event, JsonObject what) throws Exception;

    protected abstract JsonObject finish(JsonObject ask) throws Exception;

    protected abstract JsonObject forget(JsonObject ask);

    protected abstract JsonObject reset();

    /** What the library throws, as an answer. */
    protected abstract JsonObject thrown(Throwable error);

    /** Answers every line of the standard input. The library's own output goes to standard error. */
    protected void serve() throws Exception {
        out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        System.setOut(System.err);
        var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            var request = JsonParser.parseString(line).getAsJsonObject();
            id = request.get("id").getAsLong();
            entered = false;
            var answer = dispatch(request.getAsJsonObject("ask"));
            var reply = new JsonObject();
            reply.addProperty("id", id);
            reply.add("answer", answer);
            reply.add("logs", logs);
            reply.add("effects", effects);
            logs = new JsonArray();
            effects = new JsonArray();
            write(reply);
        }
    }

    private JsonObject dispatch(JsonObject ask) {
        var name = ask.keySet().iterator().next();
        var body = ask.getAsJsonObject(name);
        try {
            switch (name) {
                case "hello":
                    return one("hello", hello());
                case "load":
                    return load(body);
                case "start":
                    return start(body);
                case "open":
                    return open(body);
                case "call":
                    var event = body.getAsJsonObject("event");
                    var callback = event.keySet().iterator().next();
                    return call(body, callback, event.getAsJsonObject(callback));
                case "finish":
                    return finish(body);
                case "forget":
                    return forget(body);
                case "reset":
                    return reset();
                default:
                    return words("unsupported", "reason", "unknown operation " + name);
            }
        } catch (Throwable error) {
            if (!entered) {
                // It is this program's, not the library's.
                error.printStackTrace();
                System.exit(1);
            }
            return thrown(error);
        }
    }

    /** The library has control from now on. */
    protected void enter() {
        if (!entered) {
            entered = true;
            var notice = new JsonObject();
            notice.addProperty("id", id);
            notice.add("answer", one("entered", new JsonObject()));
            write(notice);
        }
    }

    protected void log(String vm, String level, byte[] text) {
        var line = new JsonObject();
        line.addProperty("vm", vm);
        line.addProperty("level", level);
        line.add("text", bytes(text));
        logs.add(line);
    }

    protected void effect(String vm, int context, String name, JsonObject what) {
        var effect = new JsonObject();
        effect.addProperty("vm", vm);
        effect.addProperty("context", context);
        effect.add("effect", one(name, what));
        effects.add(effect);
    }

    protected static JsonObject one(String name, JsonElement what) {
        var out = new JsonObject();
        out.add(name, what);
        return out;
    }

    protected static JsonObject words(String answer, String key, String words) {
        var what = new JsonObject();
        what.addProperty(key, words);
        return one(answer, what);
    }

    /** What came of an operation: null, or what there is to say of it. */
    protected static JsonObject done(Integer context, Boolean pause, Boolean accepted, JsonObject state) {
        var what = new JsonObject();
        if (context != null) {
            what.addProperty("context", context);
        }
        if (pause != null) {
            what.addProperty("action", pause ? "pause" : "continue");
        }
        if (accepted != null) {
            what.addProperty("accepted", accepted);
        }
        what.add("state", state == null ? new JsonObject() : state);
        return one("done", what);
    }

    protected static JsonElement bytes(byte[] bytes) {
        var text = Base64.getEncoder().encodeToString(bytes == null ? new byte[0] : bytes);
        return GSON.toJsonTree(text);
    }

    protected static byte[] bytes(JsonElement text) {
        return text == null ? new byte[0] : Base64.getDecoder().decode(text.getAsString());
    }

    protected static JsonObject object(Map<String, ?> all) {
        return GSON.toJsonTree(all).getAsJsonObject();
    }

    private void write(JsonObject line) {
        out.println(GSON.toJson(line));
        out.flush();
    }
}
