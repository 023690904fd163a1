// Package ksr keeps a live, correct view of Kubernetes resources: it lists a resource, watches it from where the list
// ended, and hands out immutable snapshots with what has changed. It binds libksr, which must be installed where
// pkg-config finds ksr.pc.
//
//	stream, err := ksr.Open(ctx, ksr.Config{"resource": "v1/pods"})
//	if err != nil {
//		return err
//	}
//	defer stream.Close()
//	for snapshot := range stream.Updates() {
//		for kind, pod := range snapshot.Deltas() {
//			fmt.Println(kind, pod.Namespace(), pod.Name())
//		}
//	}
//	return stream.Err()
//
// Requests, any call of the API, are made by a [Client]:
//
//	client, err := ksr.NewClient(ksr.Config{})
//	if err != nil {
//		return err
//	}
//	defer client.Close()
//	response, err := client.Get(ctx, "v1/pods", "default", "web-0")
//
// So are logs ([Client.OpenLog]), commands ([Client.Exec], [Client.Attach]), connections to a port ([Client.PortForward]),
// WebSockets ([Client.OpenWebSocket]) and responses of any length ([Client.OpenHTTP]).
//
// # Life of a stream
//
// Open never waits for the network. From then on the stream recovers by itself from whatever network and server do;
// errors are information ([Stream.Errors], [OnError]). It ends when its context is done, with [Stream.Cancel],
// with [Stream.Close], with a fatal error, or when a callback panics. However it ends, everything it held is
// released, and [Stream.Done] is closed; [Stream.Err] says why. Until then a stream lives on, also when the program has
// dropped it.
//
// # Life of a snapshot
//
// Snapshots and objects are memory of the library. What a loop over [Stream.Updates] or a callback brings is lent: it
// lives until the loop's body or the callback ends. What [Snapshot.Retain], [Object.Retain], [Stream.Latest] and
// [Stream.Channel] return belongs to the caller, who calls Release; without it the garbage collector does,
// later. To use a Snapshot or Object after its release panics; it never reads released memory.
//
// Strings are copies and live as long as any string. The bytes of [Object.JSON] and [Object.Get] are the library's own,
// not copied: they must not be written, and must not be used after the release of what they were asked of, so keep that
// reachable while they are in use (a deferred Release does). [Decode] and bytes.Clone make copies.
//
// The same holds for the bytes of a [Response], which Release ends.
//
// # Callbacks
//
// Callbacks of one stream never overlap, and each runs on a goroutine of its own, not on a thread of the library. They
// may block (changes meanwhile are merged) and may call everything but Close on their own stream, which fails with
// [ErrWouldDeadlock]; Cancel is for that. A callback that panics or calls runtime.Goexit ends its stream, and Err returns
// a [*PanicError].
//
// # Misuse
//
// A Client that is closed, nil or was never opened fails with [ErrInvalid]. After its end, and when it is nil or was never
// opened, a Stream behaves as a closed one: Stat fails with [ErrInvalid],
// WaitSynced with [ErrCancelled] or the reason of the end, Latest is nil, loops end at once, Close returns nil. A nil or
// zero Snapshot or Response can be released, and every other use of it panics, as after its release; the zero Object has no fields.
// Texts with a NUL byte are refused or not found. In a child of fork this package does not work.
//
// All types may be used by many goroutines at once.
package ksr
