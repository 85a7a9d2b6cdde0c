// The test emulator of the Go SDK (proxytest) behind the stdio protocol: one JSON object a line, one
// answer a request. It calls what the emulator's users call and repairs nothing.
//
// It does not know cases. What the emulator cannot do is answered with `unsupported`.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/proxytest"
)

const protocol = 1

type field [2][]byte

type request struct {
	Op           string  `json:"op"`
	Protocol     int     `json:"protocol"`
	Module       []byte  `json:"module"`
	VMConfig     []byte  `json:"vm_config"`
	PluginConfig []byte  `json:"plugin_config"`
	Callback     string  `json:"callback"`
	Context      uint32  `json:"context"`
	EndOfStream  bool    `json:"end_of_stream"`
	Fields       []field `json:"fields"`
	Body         []byte  `json:"body"`
}

type line struct {
	Level string `json:"level"`
	Text  []byte `json:"text"`
}

type local struct {
	Status uint32  `json:"status"`
	Fields []field `json:"fields"`
	Body   []byte  `json:"body"`
}

// done is what a callback returned and the state of its stream after it.
type done struct {
	Context *uint32 `json:"context,omitempty"`
	Value   *uint32 `json:"value,omitempty"`
	Fields  []field `json:"fields,omitempty"`
	Body    []byte  `json:"body,omitempty"`
	Local   *local  `json:"local_response,omitempty"`
}

type hello struct {
	Protocol int      `json:"protocol"`
	Library  string   `json:"library"`
	Does     []string `json:"callbacks"`
}

// reply has exactly one of the first five.
type reply struct {
	Hello       *hello  `json:"hello,omitempty"`
	Done        *done   `json:"done,omitempty"`
	Unsupported *string `json:"unsupported,omitempty"`
	Refused     *string `json:"refused,omitempty"`
	Trapped     *string `json:"trapped,omitempty"`
	Logs        []line  `json:"logs"`
}

// sink takes one Write a message of the guest: "proxy_LEVEL_log: TEXT\n". The emulator's own lists
// of messages point into the guest's memory and change with it.
type sink struct{ lines []line }

func (s *sink) Write(p []byte) (int, error) {
	level, text, found := strings.Cut(strings.TrimSuffix(string(p), "\n"), "_log: ")
	if found {
		s.lines = append(s.lines, line{Level: strings.TrimPrefix(level, "proxy_"), Text: []byte(text)})
	}
	return len(p), nil
}

type adapter struct {
	vm    proxytest.WasmVMContext
	host  proxytest.HostEmulator
	reset func()
	// broken: the emulator holds its global lock for good.
	broken bool
}

var callbacks = []string{
	"proxy_on_vm_start", "proxy_on_configure", "proxy_on_context_create", "proxy_on_request_headers",
	"proxy_on_request_body", "proxy_on_request_trailers", "proxy_on_response_headers",
	"proxy_on_response_body", "proxy_on_response_trailers", "proxy_on_log", "proxy_on_tick", "proxy_on_done",
}

func main() {
	out := &sink{}
	log.SetFlags(0)
	log.SetOutput(out)
	in := bufio.NewReader(os.Stdin)
	answers := json.NewEncoder(os.Stdout)
	a := &adapter{}
	for {
		text, err := in.ReadBytes('\n')
		if err == io.EOF {
			return
		}
		var r request
		if err == nil {
			err = json.Unmarshal(text, &r)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "bad request:", err)
			os.Exit(2)
		}
		answer := a.serve(&r)
		answer.Logs, out.lines = append([]line{}, out.lines...), nil
		if answers.Encode(answer) != nil || a.broken {
			os.Exit(1)
		}
	}
}

func (a *adapter) serve(r *request) (answer reply) {
	defer func() {
		if p := recover(); p != nil {
			words := fmt.Sprint(p)
			answer = reply{Trapped: &words}
		}
	}()
	switch r.Op {
	case "hello":
		return reply{Hello: &hello{protocol, "proxytest 0.24.0", callbacks}}
	case "load":
		return a.load(r)
	case "call":
		if a.host == nil {
			return unsupported("nothing is loaded")
		}
		return a.call(r)
	case "unload":
		if a.host != nil {
			a.reset()
			a.vm.Close()
			a.host = nil
		}
		return reply{Done: &done{}}
	}
	return unsupported("unknown operation " + r.Op)
}

func unsupported(why string) reply { return reply{Unsupported: &why} }

func (a *adapter) load(r *request) reply {
	vm, err := proxytest.NewWasmVMContext(r.Module)
	if err != nil {
		words := err.Error()
		return reply{Refused: &words}
	}
	a.vm = vm
	options := proxytest.NewEmulatorOption().WithVMContext(vm).
		WithVMConfiguration(r.VMConfig).WithPluginConfiguration(r.PluginConfig)
	a.broken = true
	a.host, a.reset = proxytest.NewHostEmulator(options)
	a.broken = false
	root := proxytest.PluginContextID
	return reply{Done: &done{Context: &root}}
}

func (a *adapter) call(r *request) reply {
	d := &done{Context: &r.Context}
	value := func(n uint32) reply { d.Value = &n; return reply{Done: d} }
	truth := func(b bool) reply {
		if b {
			return value(1)
		}
		return value(0)
	}
	switch r.Callback {
	case "proxy_on_vm_start":
		return truth(bool(a.host.StartVM()))
	case "proxy_on_configure":
		return truth(bool(a.host.StartPlugin()))
	case "proxy_on_context_create":
		id := a.host.InitializeHttpContext()
		return reply{Done: &done{Context: &id}}
	case "proxy_on_request_headers":
		a.host.CallOnRequestHeaders(r.Context, pairs(r.Fields), r.EndOfStream)
		d.Fields = fields(a.host.GetCurrentRequestHeaders(r.Context))
	case "proxy_on_request_body":
		a.host.CallOnRequestBody(r.Context, r.Body, r.EndOfStream)
		d.Body = a.host.GetCurrentRequestBody(r.Context)
	case "proxy_on_request_trailers":
		a.host.CallOnRequestTrailers(r.Context, pairs(r.Fields))
	case "proxy_on_response_headers":
		a.host.CallOnResponseHeaders(r.Context, pairs(r.Fields), r.EndOfStream)
		d.Fields = fields(a.host.GetCurrentResponseHeaders(r.Context))
	case "proxy_on_response_body":
		a.host.CallOnResponseBody(r.Context, r.Body, r.EndOfStream)
		d.Body = a.host.GetCurrentResponseBody(r.Context)
	case "proxy_on_response_trailers":
		a.host.CallOnResponseTrailers(r.Context, pairs(r.Fields))
	case "proxy_on_log":
		// The emulator's way to end a stream: it calls proxy_on_log, and no more.
		a.host.CompleteHttpContext(r.Context)
		return reply{Done: d}
	case "proxy_on_tick":
		a.host.Tick()
		return reply{Done: d}
	case "proxy_on_done":
		return truth(a.host.FinishVM())
	default:
		return unsupported("the emulator has no way to call " + r.Callback)
	}
	if sent := a.host.GetSentLocalResponse(r.Context); sent != nil {
		d.Local = &local{sent.StatusCode, fields(sent.Headers), sent.Data}
	}
	return value(uint32(a.host.GetCurrentHttpStreamAction(r.Context)))
}

func pairs(all []field) [][2]string {
	out := make([][2]string, 0, len(all))
	for _, f := range all {
		out = append(out, [2]string{string(f[0]), string(f[1])})
	}
	return out
}

func fields(all [][2]string) []field {
	out := make([]field, 0, len(all))
	for _, p := range all {
		out = append(out, field{[]byte(p[0]), []byte(p[1])})
	}
	return out
}
