// An adapter in Go: a Proxy-Wasm host library behind pwspec's adapter protocol.
//
// It begins with a toy host (toy.go) and passes `pwspec doctor` as it stands. Your own host goes where the
// toy is named; README.md says in which order. It calls what the library's users call, and repairs
// nothing. It does not know cases. Messages and loop are in protocol.go.
package main

import "errors"

// host is what there is behind the protocol.
type host struct {
	conversation
	vms map[string]*vm
}

// vm is one VM, and what it was made of.
type vm struct {
	toy *toyHost
	ask ask
}

func main() {
	h := &host{vms: map[string]*vm{}}
	h.serve(h)
}

func (h *host) hello() hello {
	return hello{
		Protocol: protocol,
		Library:  library{"toy", "1"},
		// What modules may be of, and what `call` can have the library call.
		ABI:       []string{"0.2.1"},
		Callbacks: []string{"proxy_on_request_headers", "proxy_on_response_headers"},
		// What the code that embeds the library decides, by the names of hostcalls, callbacks and
		// requirements: "embedder", or "none" where nobody does. It is not judged.
		Answers: map[string]string{},
		// What cases may need and there is no way to.
		Lacks: map[string]string{
			"tcp":             "the toy knows HTTP only",
			"service":         "the toy knows HTTP only",
			"grpc":            "the toy makes no calls",
			"several_plugins": "the toy has one plugin a VM",
		},
		// How the library says that a function is missing.
		Unlinked: []string{`"(?P<import>\w+)" is not exported in module`},
	}
}

// load makes a VM of the module, as far as the library does that before a plugin starts.
func (h *host) load(a *ask) answer {
	h.enter()
	toy, err := newToy(a.Module, func(level string, words []byte) { h.log(a.VM, level, words) })
	if errors.Is(err, errPlugin) {
		return trapped(err.Error())
	}
	if err != nil {
		return refused(err.Error())
	}
	h.vms[a.VM] = &vm{toy, *a}
	return did(done{})
}

// start starts the plugin of the VM.
func (h *host) start(a *ask) answer {
	h.enter()
	vm := h.vms[a.VM]
	agreed, err := vm.toy.start(vm.ask.VMConfig, vm.ask.Plugins[a.Plugin].Config)
	if err != nil {
		return trapped(err.Error())
	}
	return did(done{Context: pointer(uint32(pluginContext)), Accepted: &agreed})
}

// open begins a stream.
func (h *host) open(a *ask) answer {
	if a.Kind != "http" {
		return unsupported("the toy knows HTTP only")
	}
	h.enter()
	id, err := h.vms[a.VM].toy.open()
	if err != nil {
		return trapped(err.Error())
	}
	return did(done{Context: &id})
}

// call has the library call the plugin: hand over what has changed, call, hand back.
func (h *host) call(a *ask) answer {
	numbers := map[string]uint32{
		"proxy_on_request_headers":  requestHeaders,
		"proxy_on_response_headers": responseHeaders,
	}
	number, known := numbers[a.Event.Name]
	if !known {
		return unsupported("the toy has no way to call " + a.Event.Name)
	}
	h.enter()
	toy := h.vms[a.VM].toy
	stream := toy.streams[a.Context]
	stream.take(a.State)
	pause, err := toy.headers(a.Context, number, a.Event.EndOfStream)
	if err != nil {
		return trapped(err.Error())
	}
	return did(done{Action: action(pause), State: stream.state()})
}

// finish: the world is done with a stream, or with the plugin.
func (h *host) finish(a *ask) answer {
	h.enter()
	toy := h.vms[a.VM].toy
	if stream, there := toy.streams[a.Context]; there {
		stream.take(a.State)
	}
	if err := toy.finish(a.Context); err != nil {
		return trapped(err.Error())
	}
	return did(done{})
}

// forget: the VM is not needed any more.
func (h *host) forget(a *ask) answer {
	if vm, there := h.vms[a.VM]; there {
		vm.toy.close()
		delete(h.vms, a.VM)
	}
	return did(done{})
}

// reset: be as after the start.
func (h *host) reset() answer {
	for _, vm := range h.vms {
		vm.toy.close()
	}
	h.vms = map[string]*vm{}
	return did(done{})
}

// take hands over the maps that have changed, and takes away what is gone.
func (s toyStream) take(new state) {
	if new.RequestHeaders != nil {
		s[requestHeaders] = *new.RequestHeaders
	}
	if new.ResponseHeaders != nil {
		s[responseHeaders] = *new.ResponseHeaders
	}
	for _, gone := range new.Gone {
		switch gone {
		case "request_headers":
			delete(s, requestHeaders)
		case "response_headers":
			delete(s, responseHeaders)
		}
	}
}

// state gives back the maps as they are now.
func (s toyStream) state() (out state) {
	if headers, there := s[requestHeaders]; there {
		out.RequestHeaders = &headers
	}
	if headers, there := s[responseHeaders]; there {
		out.ResponseHeaders = &headers
	}
	return out
}
