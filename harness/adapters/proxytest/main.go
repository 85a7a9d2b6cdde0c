// The test emulator of the Go SDK (proxytest) behind pwspec's adapter protocol. It calls what the
// emulator's users call in their tests, and repairs nothing.
//
// It does not know cases. The emulator runs one compiled plugin at a time, over HTTP; it cannot give back
// trailers, and ends its process where it finds itself misused. Messages and loop are in protocol.go.
package main

import (
	"log"
	"os"
	"reflect"
	"runtime/debug"
	"strings"

	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/proxytest"
)

// host is the one emulator that a process can have at a time.
type host struct {
	conversation
	vm        string
	wasm      proxytest.WasmVMContext
	options   *proxytest.EmulatorOption
	functions []function
	emulator  proxytest.HostEmulator
	release   func()
	streams   map[uint32]*stream
	period    uint32
}

// stream is what of a stream was reported so far.
type stream struct {
	// paused: which side the plugin paused last.
	paused   string
	replied  bool
	callouts int
	told     state
}

func main() {
	h := &host{}
	log.SetFlags(0)
	log.SetOutput(h)
	h.serve(h)
}

// Write takes one message a call from the standard logger: "proxy_LEVEL_log: TEXT\n" is a plugin's. The
// emulator's own lists of messages point into the guest's memory and change with it.
func (h *host) Write(p []byte) (int, error) {
	level, text, found := strings.Cut(string(p), "_log: ")
	level, own := strings.CutPrefix(level, "proxy_")
	if !found || !own || strings.ContainsAny(level, " \n") {
		return os.Stderr.Write(p)
	}
	h.log(h.vm, level, []byte(strings.TrimSuffix(text, "\n")))
	return len(p), nil
}

func (h *host) hello() hello {
	return hello{
		Protocol: protocol,
		Library:  library{"proxytest", version()},
		ABI:      []string{"0.2.1", "0.2.0"},
		Callbacks: []string{
			"proxy_on_tick", "proxy_on_http_call_response", "proxy_on_request_headers", "proxy_on_request_body",
			"proxy_on_request_trailers", "proxy_on_response_headers", "proxy_on_response_body",
			"proxy_on_response_trailers",
		},
	}
}

// version is that of the module that was built in.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if strings.HasSuffix(m.Path, "/proxy-wasm-go-sdk") {
				return strings.TrimPrefix(m.Version, "v")
			}
		}
	}
	return "local"
}

func (h *host) load(a *ask) answer {
	h.vm = a.VM
	h.enter()
	wasm, err := proxytest.NewWasmVMContext(a.Module)
	if err != nil {
		return refused(err.Error())
	}
	h.wasm = wasm
	h.options = proxytest.NewEmulatorOption().WithVMContext(wasm).
		WithVMConfiguration(a.VMConfig).WithPluginConfiguration(a.Plugins[0].Config).
		WithProperty([]string{"plugin_name"}, []byte(a.Plugins[0].Name)).
		WithProperty([]string{"plugin_root_id"}, []byte(a.Plugins[0].RootID)).
		WithProperty([]string{"plugin_vm_id"}, []byte(a.VMID))
	h.functions = a.Functions
	return did(done{})
}

// start makes the emulator, which creates the plugin's context, and starts VM and plugin.
func (h *host) start(*ask) answer {
	h.enter()
	h.streams = map[uint32]*stream{proxytest.PluginContextID: {}}
	// If this panics, the emulator's global lock stays held: no other can be made in this process.
	h.last = true
	h.emulator, h.release = proxytest.NewHostEmulator(h.options)
	h.last = false
	for _, f := range h.functions {
		h.emulator.RegisterForeignFunction(f.Name, h.function(f))
	}
	accepted := bool(h.emulator.StartVM()) && bool(h.emulator.StartPlugin())
	h.collect()
	return did(done{Context: pointer(proxytest.PluginContextID), Accepted: &accepted})
}

// function is a foreign function: it gives back what it is to give, or its arguments.
func (h *host) function(f function) func([]byte) []byte {
	return func(arguments []byte) []byte {
		arguments = append([]byte{}, arguments...)
		h.effect(h.vm, proxytest.PluginContextID, "function", map[string]any{"name": f.Name, "arguments": arguments})
		if f.Gives != nil {
			return f.Gives
		}
		return arguments
	}
}

func (h *host) open(*ask) answer {
	h.enter()
	id := h.emulator.InitializeHttpContext()
	h.streams[id] = &stream{}
	h.collect()
	return did(done{Context: &id})
}

func (h *host) call(a *ask) answer {
	h.enter()
	e, id, end := h.emulator, a.Context, a.Event.EndOfStream
	side := "http_request"
	if strings.Contains(a.Event.Name, "response") {
		side = "http_response"
	}
	switch a.Event.Name {
	case "proxy_on_tick":
		e.Tick()
		h.collect()
		return did(done{})
	case "proxy_on_http_call_response":
		e.CallOnHttpCallResponse(a.Event.CallID, pairs(&a.Event.Headers), pairs(&a.Event.Trailers), a.Event.Body)
		h.collect()
		return did(done{})
	case "proxy_on_request_headers":
		e.CallOnRequestHeaders(id, pairs(a.State.RequestHeaders), end)
	case "proxy_on_request_body":
		e.CallOnRequestBody(id, a.Event.Piece, end)
	case "proxy_on_request_trailers":
		e.CallOnRequestTrailers(id, pairs(a.State.RequestTrailers))
	case "proxy_on_response_headers":
		e.CallOnResponseHeaders(id, pairs(a.State.ResponseHeaders), end)
	case "proxy_on_response_body":
		e.CallOnResponseBody(id, a.Event.Piece, end)
	case "proxy_on_response_trailers":
		e.CallOnResponseTrailers(id, pairs(a.State.ResponseTrailers))
	default:
		return unsupported("the emulator has no way to call " + a.Event.Name)
	}
	h.collect()
	pause := e.GetCurrentHttpStreamAction(id) != 0
	if pause {
		h.streams[id].paused = side
	}
	return did(done{Action: action(pause), State: h.state(id, a.Event.Name)})
}

// finish ends a stream (proxy_on_log and no more), or the plugin (proxy_on_done and no more).
func (h *host) finish(a *ask) answer {
	h.enter()
	if a.Context == proxytest.PluginContextID {
		accepted := h.emulator.FinishVM()
		h.collect()
		return did(done{Accepted: &accepted})
	}
	h.emulator.CompleteHttpContext(a.Context)
	delete(h.streams, a.Context)
	h.collect()
	return did(done{})
}

func (h *host) forget(*ask) answer { return h.reset() }

func (h *host) reset() answer {
	if h.emulator != nil {
		h.release()
	}
	if h.wasm != nil {
		h.wasm.Close()
	}
	*h = host{conversation: h.conversation}
	return did(done{})
}

// state reads what the emulator can give back of a stream: the body that a callback was about, and what
// else has changed. The emulator keeps bodies that were forwarded.
func (h *host) state(id uint32, callback string) state {
	e, told := h.emulator, &h.streams[id].told
	return state{
		RequestHeaders:  changed(&told.RequestHeaders, fields(e.GetCurrentRequestHeaders(id)), false),
		RequestBody:     changed(&told.RequestBody, body(e.GetCurrentRequestBody(id)), callback == "proxy_on_request_body"),
		ResponseHeaders: changed(&told.ResponseHeaders, fields(e.GetCurrentResponseHeaders(id)), false),
		ResponseBody:    changed(&told.ResponseBody, body(e.GetCurrentResponseBody(id)), callback == "proxy_on_response_body"),
	}
}

// changed gives the value if it is not the one that was told before, or if it is wanted anyway.
func changed[T any](told **T, now *T, anyway bool) *T {
	if *told != nil && reflect.DeepEqual(*told, now) && !anyway {
		return nil
	}
	*told = now
	return now
}

// collect reports what the plugin asked for since the last time.
func (h *host) collect() {
	if period := h.emulator.GetTickPeriod(); period != h.period {
		h.period = period
		h.effect(h.vm, proxytest.PluginContextID, "tick_period", map[string]any{"ms": period})
	}
	for id, s := range h.streams {
		for _, c := range h.emulator.GetCalloutAttributesFromContext(id)[s.callouts:] {
			s.callouts++
			h.effect(h.vm, id, "http_call", map[string]any{
				"call_id": c.CalloutID, "upstream": []byte(c.Upstream), "headers": fields(c.Headers),
				"body": *body(c.Body), "trailers": fields(c.Trailers), "timeout_ms": 0,
			})
		}
		if id == proxytest.PluginContextID {
			continue
		}
		if r := h.emulator.GetSentLocalResponse(id); r != nil && !s.replied {
			s.replied = true
			h.effect(h.vm, id, "local_response", map[string]any{
				"status": r.StatusCode, "details": []byte(r.StatusCodeDetail), "headers": fields(r.Headers),
				"body": *body(r.Data), "grpc_status": r.GRPCStatus,
			})
		}
		if s.paused != "" && h.emulator.GetCurrentHttpStreamAction(id) == 0 {
			h.effect(h.vm, id, "continue_stream", map[string]any{"stream": s.paused})
			s.paused = ""
		}
	}
}

func pairs(all *[]field) [][2]string {
	out := [][2]string{}
	if all != nil {
		for _, f := range *all {
			out = append(out, [2]string{string(f[0]), string(f[1])})
		}
	}
	return out
}

func fields(all [][2]string) *[]field {
	out := []field{}
	for _, p := range all {
		out = append(out, field{[]byte(p[0]), []byte(p[1])})
	}
	return &out
}

func body(bytes []byte) *[]byte {
	out := append([]byte{}, bytes...)
	return &out
}
