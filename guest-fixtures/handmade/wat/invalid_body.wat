;; The sections of a module, around a function that promises a number and has none: it can be read,
;; but it is not valid.
(module
  (memory (export "memory") 1)
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "proxy_on_context_create") (param i32 i32))
  (func (export "proxy_on_vm_start") (param i32 i32) (result i32))
  (func (export "proxy_on_configure") (param i32 i32) (result i32) (i32.const 1)))
