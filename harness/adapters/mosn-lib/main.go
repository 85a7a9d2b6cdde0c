// The host library that MOSN uses (mosn.io/proxy-wasm-go-host, on wazero) behind pwspec's adapter
// protocol. It makes the typed calls that MOSN makes, in MOSN's order, uses the library's own maps and
// buffers, and repairs nothing.
//
// It does not know cases. What the library asks of its embedder is in v1.go and v2.go, one family of the
// ABI each; messages and loop are in protocol.go.
package main

import (
	"fmt"
	"runtime/debug"
	"sort"
	"strings"

	"mosn.io/proxy-wasm-go-host/proxywasm/common"
	v2 "mosn.io/proxy-wasm-go-host/proxywasm/v2"
	"mosn.io/proxy-wasm-go-host/wazero"
)

// host holds every VM.
type host struct {
	conversation
	vms map[string]*vm
}

// vm is one instance, and what its embedder keeps for it.
type vm struct {
	h        *host
	name     string
	engine   common.WasmVM
	instance common.WasmInstance
	family   family
	load     *ask
	// The plugin whose callback runs, and the context that hostcalls act on.
	plugin  *plugin
	root    uint32
	active  uint32
	next    uint32
	plugins map[uint32]*plugin
	parents map[uint32]uint32
	streams map[uint32]*stream
	calls   uint32
	// The answer that a callback is about.
	answer *event
}

// family makes the typed calls of one family of the ABI. Actions are those that the library gives.
type family interface {
	lock()
	contextCreate(id, parent int32) error
	vmStart(root, size int32) (int32, error)
	configure(root, size int32) (int32, error)
	done(id int32) (int32, error)
	delete(id int32) error
	tick(root int32) error
	headers(response bool, id, count, end int32) (pause bool, err error)
	body(response bool, id, size, end int32) (pause bool, err error)
	trailers(response bool, id, count int32) (pause bool, err error)
	httpCallResponse(root, call, headers, body, trailers int32) error
}

// stream is one HTTP stream: the library's own kinds of map and buffer.
type stream struct {
	maps    map[string]common.CommonHeader
	buffers map[string]common.IoBuffer
}

var mapNames = []string{"request_headers", "request_trailers", "response_headers", "response_trailers"}
var bufferNames = []string{"request_body", "response_body"}

func main() {
	h := &host{vms: map[string]*vm{}}
	h.serve(h)
}

func (h *host) hello() hello {
	return hello{
		Protocol: protocol,
		Library:  library{"mosn-lib", version()},
		ABI:      []string{"0.2.0", "mosn-v1", "mosn-v2"},
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
			if m.Path == "mosn.io/proxy-wasm-go-host" {
				return strings.TrimPrefix(m.Version, "v")
			}
		}
	}
	return "local"
}

// load compiles the module, links the functions of its marker and starts the instance, as MOSN does. The
// library panics over what does not compile: that is its way to refuse.
func (h *host) load(a *ask) (reply answer) {
	h.enter()
	defer func() {
		if p := recover(); p != nil {
			reply = refused(fmt.Sprint("panic: ", p))
		}
	}()
	v := &vm{
		h: h, name: a.VM, engine: wazero.NewVM(), load: a, next: 1,
		plugins: map[uint32]*plugin{}, parents: map[uint32]uint32{}, streams: map[uint32]*stream{},
	}
	module := v.engine.NewModule(a.Module)
	v.instance = module.NewInstance()
	names := module.GetABINameList()
	for _, name := range names {
		if err := v.instance.RegisterImports(name); err != nil {
			return refused(err.Error())
		}
	}
	if len(names) > 0 && names[0] == v2.ProxyWasmABI_0_2_0 {
		v.family = newV2(v)
	} else {
		v.family = newV1(v)
	}
	// Host functions find their embedder through the instance's data, from the start functions on.
	v.family.lock()
	err := v.instance.Start()
	v.instance.Unlock()
	if err != nil {
		return refused(err.Error())
	}
	h.vms[a.VM] = v
	return did(done{})
}

// start is what MOSN does when a plugin starts; the result of the two callbacks does not interest it.
func (h *host) start(a *ask) answer {
	h.enter()
	v := h.vms[a.VM]
	root := v.next
	v.next++
	v.plugins[root] = &v.load.Plugins[a.Plugin]
	return v.within(root, func() (done, error) {
		d := done{Context: &root}
		if err := v.family.contextCreate(int32(root), 0); err != nil {
			return d, err
		}
		if _, err := v.family.vmStart(int32(root), int32(len(v.load.VMConfig))); err != nil {
			return d, err
		}
		_, err := v.family.configure(int32(root), int32(len(v.plugin.Config)))
		return d, err
	})
}

func (h *host) open(a *ask) answer {
	h.enter()
	v := h.vms[a.VM]
	id := v.next
	v.next++
	v.parents[id] = a.Plugin
	v.streams[id] = &stream{map[string]common.CommonHeader{}, map[string]common.IoBuffer{}}
	return v.within(id, func() (done, error) {
		return done{Context: &id}, v.family.contextCreate(int32(id), int32(a.Plugin))
	})
}

func (h *host) call(a *ask) answer {
	h.enter()
	v := h.vms[a.VM]
	s := v.change(a.Context, a.State)
	id, end := int32(a.Context), int32(0)
	if a.Event.EndOfStream {
		end = 1
	}
	response := strings.Contains(a.Event.Name, "_response_")
	side := "request_"
	if response {
		side = "response_"
	}
	return v.within(a.Context, func() (done, error) {
		var pause bool
		var err error
		switch strings.TrimPrefix(a.Event.Name, "proxy_on_") {
		case "tick":
			return done{}, v.family.tick(id)
		case "http_call_response":
			v.answer = &a.Event
			defer func() { v.answer = nil }()
			e := &a.Event
			return done{}, v.family.httpCallResponse(id, int32(e.CallID), int32(len(e.Headers)), int32(len(e.Body)), int32(len(e.Trailers)))
		case "request_headers", "response_headers":
			pause, err = v.family.headers(response, id, int32(len(s.maps[side+"headers"])), end)
		case "request_body", "response_body":
			b := s.buffers[side+"body"]
			if b == nil {
				b = common.NewIoBufferBytes(nil)
				s.buffers[side+"body"] = b
			}
			b.Write(a.Event.Piece)
			pause, err = v.family.body(response, id, int32(b.Len()), end)
		case "request_trailers", "response_trailers":
			pause, err = v.family.trailers(response, id, int32(len(s.maps[side+"trailers"])))
		}
		return done{Action: action(pause), State: s.state()}, err
	})
}

// finish is what MOSN does when a stream ends: proxy_on_done, whose result does not interest it, and
// proxy_on_delete.
func (h *host) finish(a *ask) answer {
	h.enter()
	v := h.vms[a.VM]
	v.change(a.Context, a.State)
	return v.within(a.Context, func() (done, error) {
		_, err := v.family.done(int32(a.Context))
		if e := v.family.delete(int32(a.Context)); err == nil {
			err = e
		}
		delete(v.streams, a.Context)
		return done{}, err
	})
}

func (h *host) forget(a *ask) answer {
	if v := h.vms[a.VM]; v != nil {
		v.instance.Stop()
		delete(h.vms, a.VM)
	}
	return did(done{})
}

func (h *host) reset() answer {
	for name := range h.vms {
		h.forget(&ask{VM: name})
	}
	return did(done{})
}

// within runs callbacks on a context with the instance locked, as MOSN does.
func (v *vm) within(context uint32, body func() (done, error)) answer {
	v.active, v.root = context, context
	if parent, ok := v.parents[context]; ok {
		v.root = parent
	}
	v.plugin = v.plugins[v.root]
	v.family.lock()
	defer v.instance.Unlock()
	d, err := body()
	switch {
	case err == nil:
		return did(d)
	case strings.Contains(err.Error(), "wasm error") || strings.Contains(err.Error(), "recovered by wazero"):
		return trapped(err.Error())
	case d.Context != nil:
		// The plugin's start was not whole: MOSN logs it and goes on.
		return did(d)
	}
	return failed(err.Error())
}

// change takes in what the harness has changed.
func (v *vm) change(context uint32, new state) *stream {
	s := v.streams[context]
	if s == nil {
		return nil
	}
	for _, gone := range new.Gone {
		delete(s.maps, gone)
		delete(s.buffers, gone)
	}
	for name, fields := range map[string]*[]field{
		"request_headers": new.RequestHeaders, "request_trailers": new.RequestTrailers,
		"response_headers": new.ResponseHeaders, "response_trailers": new.ResponseTrailers,
	} {
		if fields != nil {
			s.maps[name] = header(*fields)
		}
	}
	for name, bytes := range map[string]*[]byte{"request_body": new.RequestBody, "response_body": new.ResponseBody} {
		if bytes != nil {
			s.buffers[name] = common.NewIoBufferBytes(*bytes)
		}
	}
	return s
}

// state is all that the stream holds now.
func (s *stream) state() state {
	var out state
	to := map[string]**[]field{
		"request_headers": &out.RequestHeaders, "request_trailers": &out.RequestTrailers,
		"response_headers": &out.ResponseHeaders, "response_trailers": &out.ResponseTrailers,
	}
	for _, name := range mapNames {
		if m, ok := s.maps[name]; ok {
			all := fields(m)
			*to[name] = &all
		}
	}
	bodies := map[string]**[]byte{"request_body": &out.RequestBody, "response_body": &out.ResponseBody}
	for _, name := range bufferNames {
		if b := s.buffers[name]; b != nil {
			bytes := append([]byte{}, b.Bytes()...)
			*bodies[name] = &bytes
		}
	}
	return out
}

// The embedder's part that both families share.

func (v *vm) header(name string) common.HeaderMap {
	if s := v.streams[v.active]; s != nil {
		if m, ok := s.maps[name]; ok {
			return m
		}
	}
	return nil
}

func (v *vm) buffer(name string) common.IoBuffer {
	if s := v.streams[v.active]; s != nil {
		return s.buffers[name]
	}
	return nil
}

func (v *vm) config(bytes []byte) common.IoBuffer {
	return common.NewIoBufferBytes(append([]byte{}, bytes...))
}

func (v *vm) answerHeaders() common.HeaderMap {
	if v.answer == nil || v.answer.Headers == nil {
		return nil
	}
	return header(v.answer.Headers)
}

func (v *vm) answerTrailers() common.HeaderMap {
	if v.answer == nil {
		return nil
	}
	return header(v.answer.Trailers)
}

func (v *vm) answerBody() common.IoBuffer {
	if v.answer == nil {
		return nil
	}
	return v.config(v.answer.Body)
}

func (v *vm) log(level int32, message string) {
	names := []string{"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "CRITICAL"}
	name := fmt.Sprint(level)
	if level >= 0 && int(level) < len(names) {
		name = names[level]
	}
	v.h.conversation.log(v.name, name, []byte(message))
}

// effective says whether there is such a context, and makes hostcalls act on it.
func (v *vm) effective(id int32) bool {
	context := uint32(id)
	if v.streams[context] == nil && v.plugins[context] == nil {
		return false
	}
	v.active = context
	return true
}

func (v *vm) effect(name string, what any) { v.h.effect(v.name, v.active, name, what) }

func (v *vm) side(name, side string) bool {
	if v.streams[v.active] == nil {
		return false
	}
	v.effect(name, map[string]any{"stream": side})
	return true
}

func (v *vm) respond(status int32, details, body common.IoBuffer, headers common.HeaderMap, grpc int32) bool {
	if v.streams[v.active] == nil {
		return false
	}
	v.effect("local_response", map[string]any{
		"status": uint32(status), "details": content(details), "headers": fields(headers), "body": content(body),
		"grpc_status": grpc,
	})
	return true
}

func (v *vm) httpCall(upstream string, headers common.HeaderMap, body common.IoBuffer, trailers common.HeaderMap, timeout uint32) (uint32, bool) {
	known := false
	for _, u := range v.load.Upstreams {
		known = known || u == upstream
	}
	if !known {
		return 0, false
	}
	v.calls++
	v.effect("http_call", map[string]any{
		"call_id": v.calls, "upstream": []byte(upstream), "headers": fields(headers), "body": content(body),
		"trailers": fields(trailers), "timeout_ms": timeout,
	})
	return v.calls, true
}

// header makes the library's own map: one value a name.
func header(all []field) common.CommonHeader {
	m := common.CommonHeader{}
	for _, f := range all {
		m.Set(string(f[0]), string(f[1]))
	}
	return m
}

// fields lists a map, which has no order, by name: pseudo-fields first.
func fields(m common.HeaderMap) []field {
	out := []field{}
	if m != nil {
		m.Range(func(k, v string) bool {
			out = append(out, field{[]byte(k), []byte(v)})
			return true
		})
	}
	sort.Slice(out, func(i, j int) bool { return string(out[i][0]) < string(out[j][0]) })
	return out
}

func content(b common.IoBuffer) []byte {
	if b == nil {
		return []byte{}
	}
	return append([]byte{}, b.Bytes()...)
}
