;; Unmasks bytes in place, 64 at a time. RFC 6455 §5.3. `read-memory.ts` contains this file in compiled form.
(module
  ;; The memory that sockets read into: see `readMemory`.
  (memory (export "memory") 1 1)

  ;; XORs the bytes from $at to $end with the four bytes of $key, repeatedly, starting with the lowest byte of $key.
  ;; The result is 0 if all resulting bytes are ASCII.
  (func (export "unmask") (param $at i32) (param $end i32) (param $key i32) (result i32)
    (local $keys v128) (local $seen v128) (local $lanes v128)
    (local $seenByte i32) (local $byte i32)
    (local.set $keys (i32x4.splat (local.get $key)))

    (block $under64 (loop $by64
      (br_if $under64 (i32.lt_u (i32.sub (local.get $end) (local.get $at)) (i32.const 64)))
      (local.set $lanes (v128.xor (v128.load (local.get $at)) (local.get $keys)))
      (v128.store (local.get $at) (local.get $lanes))
      (local.set $seen (v128.or (local.get $seen) (local.get $lanes)))
      (local.set $lanes (v128.xor (v128.load offset=16 (local.get $at)) (local.get $keys)))
      (v128.store offset=16 (local.get $at) (local.get $lanes))
      (local.set $seen (v128.or (local.get $seen) (local.get $lanes)))
      (local.set $lanes (v128.xor (v128.load offset=32 (local.get $at)) (local.get $keys)))
      (v128.store offset=32 (local.get $at) (local.get $lanes))
      (local.set $seen (v128.or (local.get $seen) (local.get $lanes)))
      (local.set $lanes (v128.xor (v128.load offset=48 (local.get $at)) (local.get $keys)))
      (v128.store offset=48 (local.get $at) (local.get $lanes))
      (local.set $seen (v128.or (local.get $seen) (local.get $lanes)))
      (local.set $at (i32.add (local.get $at) (i32.const 64)))
      (br $by64)))

    (block $under16 (loop $by16
      (br_if $under16 (i32.lt_u (i32.sub (local.get $end) (local.get $at)) (i32.const 16)))
      (local.set $lanes (v128.xor (v128.load (local.get $at)) (local.get $keys)))
      (v128.store (local.get $at) (local.get $lanes))
      (local.set $seen (v128.or (local.get $seen) (local.get $lanes)))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br $by16)))

    (block $done (loop $byByte
      (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
      (local.set $byte (i32.xor (i32.load8_u (local.get $at)) (i32.and (local.get $key) (i32.const 0xff))))
      (i32.store8 (local.get $at) (local.get $byte))
      (local.set $seenByte (i32.or (local.get $seenByte) (local.get $byte)))
      (local.set $key (i32.rotr (local.get $key) (i32.const 8)))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br $byByte)))

    (i32.or (i8x16.bitmask (local.get $seen)) (i32.and (local.get $seenByte) (i32.const 0x80)))))
