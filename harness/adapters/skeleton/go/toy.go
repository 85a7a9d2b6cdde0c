// A toy of a Proxy-Wasm host on wazero: enough for the canaries of `pwspec doctor`, and no more.
//
// It is here to be replaced by a host of yours. It knows three hostcalls, two maps, HTTP streams and one
// plugin a VM. It does not know pwspec.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

const (
	ok                  = 0
	notFound            = 1
	badArgument         = 2
	invalidMemoryAccess = 6

	requestHeaders  = 0
	responseHeaders = 2

	pause         = 1
	pluginContext = 1
)

var levels = []string{"trace", "debug", "info", "warn", "error", "critical"}

// errPlugin: the plugin trapped.
var errPlugin = errors.New("the plugin trapped")

// toyStream holds the headers of one HTTP stream that are there, by the number of the map.
type toyStream map[uint32][]field

// toyHost is one VM with its one plugin.
type toyHost struct {
	log     func(level string, words []byte)
	streams map[uint32]toyStream
	current toyStream
	next    uint32
	runtime wazero.Runtime
	module  api.Module
}

// newToy makes a VM. log is called with the level and the bytes of each message.
func newToy(wasm []byte, log func(string, []byte)) (*toyHost, error) {
	ctx := context.Background()
	h := &toyHost{log: log, streams: map[uint32]toyStream{}, next: pluginContext + 1, runtime: wazero.NewRuntime(ctx)}
	env := h.runtime.NewHostModuleBuilder("env")
	for name, function := range map[string]any{
		"proxy_log":                      h.proxyLog,
		"proxy_get_header_map_value":     h.getHeaderMapValue,
		"proxy_replace_header_map_value": h.replaceHeaderMapValue,
	} {
		env.NewFunctionBuilder().WithFunc(function).Export(name)
	}
	_, err := env.Instantiate(ctx)
	if err == nil {
		h.module, err = h.runtime.InstantiateWithConfig(ctx, wasm, wazero.NewModuleConfig().WithStartFunctions())
	}
	if err != nil {
		h.runtime.Close(ctx)
		return nil, err
	}
	if _, err := h.call("_initialize", 0); err != nil {
		return nil, err
	}
	return h, nil
}

// start starts VM and plugin; whether the plugin agrees.
func (h *toyHost) start(vmConfig, config []byte) (bool, error) {
	if _, err := h.call("proxy_on_context_create", 0, pluginContext, 0); err != nil {
		return false, err
	}
	agreed, err := h.call("proxy_on_vm_start", 1, pluginContext, uint64(len(vmConfig)))
	if err != nil || agreed == 0 {
		return false, err
	}
	agreed, err = h.call("proxy_on_configure", 1, pluginContext, uint64(len(config)))
	return agreed != 0, err
}

// open begins a stream: its context.
func (h *toyHost) open() (uint32, error) {
	id := h.next
	h.next++
	h.current = toyStream{}
	h.streams[id] = h.current
	_, err := h.call("proxy_on_context_create", 0, uint64(id), pluginContext)
	return id, err
}

// headers says that the headers in this map have come; whether the plugin pauses the stream.
func (h *toyHost) headers(id, number uint32, end bool) (bool, error) {
	h.current = h.streams[id]
	name := "proxy_on_request_headers"
	if number == responseHeaders {
		name = "proxy_on_response_headers"
	}
	last := uint64(0)
	if end {
		last = 1
	}
	action, err := h.call(name, 0, uint64(id), uint64(len(h.current[number])), last)
	return action == pause, err
}

// finish ends a stream, or the plugin.
func (h *toyHost) finish(id uint32) error {
	h.current = h.streams[id]
	delete(h.streams, id)
	for _, name := range []string{"proxy_on_done", "proxy_on_log", "proxy_on_delete"} {
		if _, err := h.call(name, 0, uint64(id)); err != nil {
			return err
		}
	}
	return nil
}

func (h *toyHost) close() {
	h.runtime.Close(context.Background())
}

// call calls the plugin; what it does not export gives otherwise.
func (h *toyHost) call(name string, otherwise uint64, args ...uint64) (uint64, error) {
	function := h.module.ExportedFunction(name)
	if function == nil {
		return otherwise, nil
	}
	results, err := function.Call(context.Background(), args...)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errPlugin, err)
	}
	if len(results) == 0 {
		return otherwise, nil
	}
	return results[0], nil
}

// give hands a value over: allocated in the guest, its address and size at the addresses that it gave.
func (h *toyHost) give(value []byte, address, size uint32) uint32 {
	place := uint64(0)
	if len(value) > 0 {
		name := "proxy_on_memory_allocate"
		if h.module.ExportedFunction(name) == nil {
			name = "malloc"
		}
		var err error
		if place, err = h.call(name, 0, uint64(len(value))); err != nil {
			panic(err)
		}
	}
	memory := h.module.Memory()
	if memory.Write(uint32(place), value) && memory.WriteUint32Le(address, uint32(place)) &&
		memory.WriteUint32Le(size, uint32(len(value))) {
		return ok
	}
	return invalidMemoryAccess
}

func (h *toyHost) proxyLog(level, message, size uint32) uint32 {
	words, inside := h.module.Memory().Read(message, size)
	if !inside {
		return invalidMemoryAccess
	}
	if int(level) >= len(levels) {
		return badArgument
	}
	h.log(levels[level], words)
	return ok
}

func (h *toyHost) getHeaderMapValue(number, key, keySize, value, valueSize uint32) uint32 {
	name, inside := h.module.Memory().Read(key, keySize)
	if !inside {
		return invalidMemoryAccess
	}
	headers, there := h.current[number]
	if !there {
		return badArgument
	}
	for _, f := range headers {
		if bytes.EqualFold(f[0], name) {
			return h.give(f[1], value, valueSize)
		}
	}
	return notFound
}

func (h *toyHost) replaceHeaderMapValue(number, key, keySize, value, valueSize uint32) uint32 {
	memory := h.module.Memory()
	name, inside := memory.Read(key, keySize)
	words, also := memory.Read(value, valueSize)
	if !inside || !also {
		return invalidMemoryAccess
	}
	headers, there := h.current[number]
	if !there {
		return badArgument
	}
	// What memory.Read gives is a view of the guest's memory, which changes.
	replaced := field{bytes.Clone(name), bytes.Clone(words)}
	kept, set := []field{}, false
	for _, f := range headers {
		if !bytes.EqualFold(f[0], name) {
			kept = append(kept, f)
		} else if !set {
			kept, set = append(kept, replaced), true
		}
	}
	if !set {
		kept = append(kept, replaced)
	}
	h.current[number] = kept
	return ok
}
