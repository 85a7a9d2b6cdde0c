;; A plugin whose marker traps, which nobody notices who does not call it.
(module
  (memory (export "memory") 1)
  (func (export "proxy_abi_version_0_2_1") (unreachable))
  (func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 0))
  (func (export "proxy_on_context_create") (param i32 i32))
  (func (export "proxy_on_vm_start") (param i32 i32) (result i32) (i32.const 1))
  (func (export "proxy_on_configure") (param i32 i32) (result i32) (i32.const 1)))
